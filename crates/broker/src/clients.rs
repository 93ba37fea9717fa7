//! The broker that all connections share: who is connected, which policies hold, and what changes must reach whom.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use message::{SubscribeOptions, TopicFilter};
use names::{ArnSpace, CertificateId, ClientId, Dialect, ThingName, Timestamp};
use parking_lot::Mutex;
use policy::{Document, PolicySet};
use registry::{Affected, CertificateStatus, PolicyRecord, Registry, RegistryError};
use router::{Mailbox, MailboxClosed, Router, SubscribedFilters};
use session::Quotas;
use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::anonymous::Anonymous;
use crate::connection_info::ConnectionInfo;
use crate::identity::Identity;
use crate::metrics::BrokerMetrics;
use crate::passwords::{Passwords, everything};
use crate::versions::Departed;

/// Everything that connections have in common.
pub struct Broker {
    router: Arc<Router>,
    registry: Arc<Registry>,
    anonymous: Anonymous,
    quotas: DialectQuotas,
    passwords: Arc<Passwords>,
    /// What callers of the HTTP APIs may do over MQTT too.
    iam_policies: Arc<PolicySet>,
    clients: Mutex<Clients>,
    /// Held while a stored session is found and taken up, or found and ended: never both at once.
    pub(crate) lifecycle: Mutex<()>,
    /// Grows with every change that can alter an authorization.
    generation: AtomicU64,
    /// Raised when a thing's record changes: policies stay what they are, and what they see of things does not.
    things_generation: AtomicU64,
    policies: Mutex<PolicyCache>,
    assigned_ids: AtomicU64,
    metrics: BrokerMetrics,
}

/// How a broker is configured.
pub struct BrokerSettings {
    /// What clients without an identity may do.
    pub anonymous: Anonymous,
    /// The users that prove a password.
    pub passwords: Arc<Passwords>,
    /// What sessions may ask for and hold.
    pub quotas: DialectQuotas,
}

/// What sessions may ask for and hold, by dialect.
#[derive(Debug, Clone)]
pub struct DialectQuotas {
    /// Sessions of dialect `aws`.
    pub aws: Arc<Quotas>,
    /// Sessions of dialect `mqtt`.
    pub mqtt: Arc<Quotas>,
}

impl Default for DialectQuotas {
    fn default() -> Self {
        Self { aws: Arc::new(Quotas::of(Dialect::Aws)), mqtt: Arc::new(Quotas::of(Dialect::Mqtt)) }
    }
}

/// Who is connected, and who was.
#[derive(Default)]
struct Clients {
    connected: HashMap<ClientId, Client>,
    departed: Departed,
}

/// A connected client, as others see it.
struct Client {
    mailbox: Arc<Mailbox>,
    identity: Identity,
    /// The number of its presence events.
    version: u64,
    info: Option<Arc<ConnectionInfo>>,
    filters: Option<SubscribedFilters>,
    /// Ends when the connection has.
    gone: oneshot::Receiver<()>,
}

/// What entering found and gave.
pub(crate) struct Entered {
    /// The version number of this connection's presence events.
    pub(crate) version: u64,
    /// The connection's own end: dropped when it is gone.
    pub(crate) going: oneshot::Sender<()>,
    /// The end of the connection that had the client id before.
    pub(crate) previous: Option<oneshot::Receiver<()>>,
}

/// Compiled policies by certificate, for one generation.
#[derive(Default)]
struct PolicyCache {
    generation: u64,
    by_certificate: HashMap<CertificateId, Arc<PolicySet>>,
}

/// Certificates whose compiled policies are kept; more, and the cache starts afresh.
const POLICY_CACHE_MAX: usize = 10_000;

impl Broker {
    /// A broker without connections and without users.
    pub fn new(router: Arc<Router>, registry: Arc<Registry>, anonymous: Anonymous) -> Arc<Self> {
        let (passwords, quotas) = (Arc::default(), DialectQuotas::default());
        Self::with_settings(router, registry, BrokerSettings { anonymous, passwords, quotas })
    }

    /// A broker without connections, as it is configured.
    pub fn with_settings(router: Arc<Router>, registry: Arc<Registry>, settings: BrokerSettings) -> Arc<Self> {
        let BrokerSettings { anonymous, passwords, quotas } = settings;
        Arc::new(Self {
            router,
            registry,
            anonymous,
            quotas,
            lifecycle: Mutex::default(),
            passwords,
            iam_policies: everything(),
            clients: Mutex::default(),
            generation: AtomicU64::new(1),
            things_generation: AtomicU64::new(1),
            policies: Mutex::default(),
            assigned_ids: AtomicU64::new(1),
            metrics: BrokerMetrics::default(),
        })
    }

    /// What the broker has counted.
    pub fn metrics(&self) -> &BrokerMetrics {
        &self.metrics
    }

    /// Follows the registry's changes: a certificate that is not ACTIVE any more loses its connections at once, and
    /// every change of policies or attachments is asked afresh. Runs until the store is closed.
    pub async fn follow_registry(self: Arc<Self>) {
        let mut changes = self.registry.watch();
        // What happened before the watch began is in nobody's memory yet, but connections may be older.
        self.revalidate();
        while let Some(change) = changes.next().await {
            match Registry::affected(&change) {
                Some(Affected::Certificate(id)) => self.certificate_changed(&id),
                Some(Affected::Policy(_)) => self.raise_generation(),
                Some(Affected::Thing(_)) => _ = self.things_generation.fetch_add(1, Ordering::AcqRel),
                Some(Affected::Everything) => self.revalidate(),
                None => {}
            }
        }
    }

    /// Every connection asks its policies afresh from now on. For those who change them and answer for it.
    pub fn policies_may_have_changed(&self) {
        self.raise_generation();
        self.things_generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Asks every connection to end: its task sends what it has and closes.
    pub fn shut_down(&self) {
        self.clients.lock().connected.values().for_each(|client| client.mailbox.close(MailboxClosed::ShuttingDown));
    }

    /// The configured users; a door asks them before it says who a client is.
    pub fn passwords(&self) -> &Arc<Passwords> {
        &self.passwords
    }

    pub(crate) fn router(&self) -> &Arc<Router> {
        &self.router
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The thing that an identity's certificate belongs to exclusively (developer guide, exclusive-thing).
    pub(crate) fn exclusive_thing(&self, identity: &Identity) -> Option<ThingName> {
        let Identity::Certificate(id) = identity else { return None };
        self.registry.exclusive_thing(id).unwrap_or_else(|error| {
            warn!(certificate = %id, %error, "the certificate's thing cannot be read: events do not name it");
            None
        })
    }

    pub(crate) fn arns(&self) -> &ArnSpace {
        self.registry.arns()
    }

    pub(crate) fn quotas(&self, dialect: Dialect) -> &Arc<Quotas> {
        match dialect {
            Dialect::Aws => &self.quotas.aws,
            Dialect::Mqtt => &self.quotas.mqtt,
        }
    }

    pub(crate) fn anonymous(&self) -> &Anonymous {
        &self.anonymous
    }

    pub(crate) fn things_generation(&self) -> u64 {
        self.things_generation.load(Ordering::Acquire)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// A client id for a client that gave none (MQTT 3.1.1, 3.1.3.1), unique among the connected.
    pub(crate) fn assign_client_id(&self) -> Option<ClientId> {
        loop {
            let number = self.assigned_ids.fetch_add(1, Ordering::Relaxed);
            let id = ClientId::new(format!("auto-{number:016x}")).ok()?;
            if !self.clients.lock().connected.contains_key(&id) {
                return Some(id);
            }
        }
    }

    /// Puts a client among the connected; one with the same id is disconnected [MQTT-3.1.4-3].
    pub(crate) fn enter(&self, id: &ClientId, identity: Identity, mailbox: &Arc<Mailbox>, now: Timestamp) -> Entered {
        let (going, gone) = oneshot::channel();
        let mut clients = self.clients.lock();
        let version = match clients.connected.get(id) {
            Some(previous) => previous.version.saturating_add(1),
            None => clients.departed.next_version(id, now),
        };
        let client = Client { mailbox: Arc::clone(mailbox), identity, version, info: None, filters: None, gone };
        let previous = clients.connected.insert(id.clone(), client);
        drop(clients);
        let previous = previous.map(|previous| {
            info!(client_id = %id, "taken over by a new connection");
            previous.mailbox.close(MailboxClosed::TakenOver);
            previous.gone
        });
        Entered { version, going, previous }
    }

    /// What can be asked of a client that has been accepted.
    pub(crate) fn introduce(
        &self,
        id: &ClientId,
        mailbox: &Arc<Mailbox>,
        info: &Arc<ConnectionInfo>,
        filters: SubscribedFilters,
    ) {
        if let Some(client) = self.clients.lock().connected.get_mut(id)
            && Arc::ptr_eq(&client.mailbox, mailbox)
        {
            (client.info, client.filters) = (Some(Arc::clone(info)), Some(filters));
        }
    }

    pub(crate) fn is_connected(&self, id: &ClientId) -> bool {
        self.clients.lock().connected.contains_key(id)
    }

    /// Also of one that is on its way in: it may have taken its session up already.
    pub(crate) fn mailbox_of(&self, id: &ClientId) -> Option<Arc<Mailbox>> {
        let clients = self.clients.lock();
        clients.connected.get(id).map(|client| Arc::clone(&client.mailbox))
    }

    /// The client's connection, or its last one if that ended less than half an hour ago.
    pub fn connection(&self, id: &ClientId, now: Timestamp) -> Option<Arc<ConnectionInfo>> {
        let clients = self.clients.lock();
        let connected = clients.connected.get(id).and_then(|client| client.info.clone());
        connected.or_else(|| clients.departed.info(id, now))
    }

    pub(crate) fn live_subscriptions(&self, id: &ClientId) -> Option<Vec<(TopicFilter, SubscribeOptions)>> {
        let filters = self.clients.lock().connected.get(id)?.filters.clone()?;
        Some(filters.list())
    }

    /// Takes a client out, unless another connection has taken its id over already, and remembers its version number.
    pub(crate) fn leave(&self, id: &ClientId, mailbox: &Arc<Mailbox>, now: Timestamp) {
        let mut clients = self.clients.lock();
        if let Some(client) = clients.take(id, mailbox) {
            clients.departed.remember(id, client.version, client.info, now);
        }
    }

    /// Takes a client out whose connection was dropped without an end: nobody said when, so nothing is remembered.
    pub(crate) fn abandon(&self, id: &ClientId, mailbox: &Arc<Mailbox>) {
        self.clients.lock().take(id, mailbox);
    }

    /// The compiled policies of an identity.
    pub(crate) fn policies_of(&self, identity: &Identity) -> Result<Arc<PolicySet>, RegistryError> {
        match (identity, &self.anonymous) {
            (Identity::Certificate(id), _) => self.certificate_policies(id),
            (Identity::Anonymous, Anonymous::Allowed(policies)) => Ok(Arc::clone(policies)),
            (Identity::Iam(_), _) => Ok(Arc::clone(&self.iam_policies)),
            (Identity::User(name), _) => Ok(self.passwords.policies_of(name)),
            (Identity::Unproven, _) | (Identity::Anonymous, Anonymous::Refused) => Ok(Arc::new(PolicySet::new([]))),
        }
    }

    fn certificate_policies(&self, id: &CertificateId) -> Result<Arc<PolicySet>, RegistryError> {
        // Read before the store is, so that a change in between leaves an entry that is already out of date.
        let generation = self.generation();
        {
            let mut cache = self.policies.lock();
            if cache.generation != generation || cache.by_certificate.len() >= POLICY_CACHE_MAX {
                *cache = PolicyCache { generation, by_certificate: HashMap::new() };
            }
            if let Some(known) = cache.by_certificate.get(id) {
                return Ok(Arc::clone(known));
            }
        }
        let records = self.registry.policies_of(id)?;
        let policies = Arc::new(compile(&records));
        let mut cache = self.policies.lock();
        if cache.generation == generation {
            cache.by_certificate.insert(*id, Arc::clone(&policies));
        }
        Ok(policies)
    }

    fn raise_generation(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn certificate_changed(&self, id: &CertificateId) {
        self.raise_generation();
        if !self.is_active(id) {
            self.disconnect(|identity| *identity == Identity::Certificate(*id));
        }
    }

    /// When it is not known what changed: every certificate that is connected is looked up again.
    fn revalidate(&self) {
        self.raise_generation();
        let connected: Vec<Identity> =
            self.clients.lock().connected.values().map(|client| client.identity.clone()).collect();
        for identity in connected {
            if let Identity::Certificate(id) = identity
                && !self.is_active(&id)
            {
                self.disconnect(|identity| *identity == Identity::Certificate(id));
            }
        }
    }

    fn is_active(&self, id: &CertificateId) -> bool {
        match self.registry.certificate(id) {
            Ok(certificate) => certificate.status == CertificateStatus::Active,
            Err(RegistryError::NotFound { .. }) => false,
            Err(error) => {
                warn!(certificate = %id, %error, "the certificate's status cannot be read: its clients are disconnected");
                false
            }
        }
    }

    fn disconnect(&self, whose: impl Fn(&Identity) -> bool) {
        for (id, client) in self.clients.lock().connected.iter().filter(|(_, client)| whose(&client.identity)) {
            info!(client_id = %id, identity = %client.identity, "disconnected: the certificate is not ACTIVE any more");
            client.mailbox.close(MailboxClosed::Revoked);
        }
    }
}

impl Clients {
    fn take(&mut self, id: &ClientId, mailbox: &Arc<Mailbox>) -> Option<Client> {
        let is_it = self.connected.get(id).is_some_and(|client| Arc::ptr_eq(&client.mailbox, mailbox));
        if is_it { self.connected.remove(id) } else { None }
    }
}

/// A stored policy that cannot be read may have denied something, so nothing is allowed then.
fn compile(records: &[PolicyRecord]) -> PolicySet {
    let mut documents = Vec::with_capacity(records.len());
    for record in records {
        match Document::parse(&record.document) {
            Ok(document) => documents.push((Arc::from(record.name.as_str()), Arc::new(document))),
            Err(error) => {
                warn!(policy = %record.name, %error, "a stored policy cannot be read: its principals are denied everything");
                return PolicySet::new([]);
            }
        }
    }
    PolicySet::new(documents)
}
