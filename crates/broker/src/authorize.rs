//! The one place of authorization on the data plane: intents become questions to the policies of an identity.
//!
//! Answers are remembered for each connection and topic, so a steady stream costs one look-up a message. A change of
//! any policy, certificate or attachment raises the broker's generation, and everything remembered is asked again.

use std::cell::{Cell, OnceCell};
use std::net::IpAddr;
use std::sync::Arc;

use message::{TopicMemo, TopicName};
use names::{CertificateId, ClientId, Dialect};
use policy::{Context, Decision, PolicySet, Question, Values};
use registry::RegistryError;
use tracing::warn;

use crate::clients::Broker;
use crate::connection_thing::ConnectionThing;
use crate::identity::{Identity, Peer};
use crate::metrics::count;

/// Topics that only the server publishes to. Under AWS IoT Core every name that starts with `$` is reserved; those under
/// `$aws/` are the services', and policies decide about them, but nobody forges events.
pub(crate) fn is_reserved(topic: &TopicName, dialect: Dialect) -> bool {
    let text = topic.as_str();
    text.starts_with("$aws/events/")
        || text.starts_with("$SYS/")
        || (dialect == Dialect::Aws && topic.is_reserved() && !text.starts_with("$aws/"))
}

/// Whether anybody may publish to the topic by the HTTP API. The administrator, who is the only IAM principal there is,
/// may do everything that is not the server's alone; holders of certificates are asked about with
/// [`Broker::certificate_may`] as well.
pub(crate) fn may_publish_by_http(topic: &TopicName) -> bool {
    !is_reserved(topic, Dialect::Aws)
}

impl Broker {
    /// Whether the policies of a certificate allow its holder an action by the HTTP API. There is no client id then, so
    /// policies that name one by a variable do not match. A refusal is explained in the log.
    ///
    /// # Errors
    /// [`RegistryError`]: the policies cannot be read, and nothing is allowed.
    pub fn certificate_may(
        &self,
        certificate: CertificateId,
        source_ip: Option<IpAddr>,
        action: &str,
        resource: &str,
    ) -> Result<bool, RegistryError> {
        let identity = Identity::Certificate(certificate);
        let policies = self.policies_of(&identity)?;
        let source_ip = source_ip.map(|ip| ip.to_string()).unwrap_or_default();
        let context = ConnectionContext { source_ip, ..ConnectionContext::default() };
        let question = Question { action, resource, context: &context };
        if policies.allows(&question) {
            return Ok(true);
        }
        count(&self.metrics().denials);
        warn!(%identity, action, resource, why = %policies.decide(&question), "denied by HTTP");
        Ok(false)
    }
}

/// The policies of one connection and what they answered before.
pub(crate) struct Authorizer {
    broker: Arc<Broker>,
    peer: Peer,
    client_id: ClientId,
    policies: Arc<PolicySet>,
    generation: u64,
    publish: TopicMemo<bool>,
    receive: TopicMemo<bool>,
    /// Read when a policy first asks for it.
    thing: OnceCell<Option<ConnectionThing>>,
    /// The generation of things that was seen last.
    things: u64,
    /// The thing could not be read since policies were last asked afresh.
    thing_failed: Cell<bool>,
}

/// Topics for which a connection remembers an answer; more, and it starts afresh.
const TOPICS_KNOWN_MAX: usize = 64;

/// What a CONNECT asks for beside its client id (developer guide, connect-policy, iot:ConnectAttributes).
pub(crate) struct ConnectWishes<'a> {
    /// Whether its session is to outlive the connection.
    pub(crate) is_persistent: bool,
    /// Where its will goes.
    pub(crate) will_topic: Option<&'a TopicName>,
}

/// What the policies' variables and conditions see of a connection (developer guide, basic-policy-variables).
#[derive(Default)]
struct ConnectionContext<'a> {
    /// None for requests by HTTP.
    client_id: Option<&'a str>,
    source_ip: String,
    /// For iot:Connect only.
    attributes: Option<Vec<&'static str>>,
    /// The will's topic as an ARN.
    last_will_topic: Option<String>,
    /// None by HTTP.
    authorizer: Option<&'a Authorizer>,
}

/// What the variables of a connection's thing begin with, as the policies spell it when they ask.
const THING: &str = "iot:Connection.Thing.";

impl Context for ConnectionContext<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        if key.eq_ignore_ascii_case("iot:ClientId") {
            self.client_id.map(Values::one)
        } else if key.eq_ignore_ascii_case("aws:SourceIp") {
            Some(Values::one(self.source_ip.as_str()))
        } else if key.eq_ignore_ascii_case("iot:ConnectAttributes") {
            self.attributes.as_ref().map(|attributes| Values::many(attributes.iter().copied()))
        } else if key.eq_ignore_ascii_case("iot:LastWillTopic") {
            self.last_will_topic.as_deref().map(Values::one)
        } else {
            self.authorizer?.thing()?.value(key.strip_prefix(THING)?)
        }
    }
}

impl Authorizer {
    /// Knows nothing until the first question.
    pub(crate) fn new(broker: Arc<Broker>, peer: Peer, client_id: ClientId) -> Self {
        let policies = Arc::new(PolicySet::new([]));
        let (publish, receive) = (TopicMemo::new(TOPICS_KNOWN_MAX), TopicMemo::new(TOPICS_KNOWN_MAX));
        let (thing, thing_failed) = (OnceCell::new(), Cell::new(false));
        Self { broker, peer, client_id, policies, generation: 0, publish, receive, thing, things: 0, thing_failed }
    }

    pub(crate) fn may_connect(&mut self, wishes: &ConnectWishes<'_>) -> bool {
        self.refresh();
        let resource = self.broker.arns().client(self.client_id.as_str());
        let mut context = self.context();
        let attributes = [(wishes.is_persistent, "PersistentConnect"), (wishes.will_topic.is_some(), "LastWill")];
        context.attributes = Some(attributes.into_iter().filter(|(asks, _)| *asks).map(|(_, name)| name).collect());
        context.last_will_topic = wishes.will_topic.map(|topic| self.broker.arns().topic(topic.as_str()));
        self.ask_in("iot:Connect", &resource, &context)
    }

    /// iot:Publish, and iot:RetainPublish as well for a retained message.
    pub(crate) fn may_publish(&mut self, topic: &TopicName, retain: bool) -> bool {
        self.refresh();
        let known = self.publish.get(topic).copied();
        let may = known.unwrap_or_else(|| {
            let may = self.ask("iot:Publish", &self.broker.arns().topic(topic.as_str()));
            self.publish.insert(topic, may);
            may
        });
        may && (!retain || self.ask("iot:RetainPublish", &self.broker.arns().topic(topic.as_str())))
    }

    pub(crate) fn may_subscribe(&mut self, filter: &str) -> bool {
        self.refresh();
        let resource = self.broker.arns().topic_filter(filter);
        self.ask("iot:Subscribe", &resource)
    }

    pub(crate) fn may_receive(&mut self, topic: &TopicName) -> bool {
        self.refresh();
        if let Some(&known) = self.receive.get(topic) {
            return known;
        }
        let may = self.ask("iot:Receive", &self.broker.arns().topic(topic.as_str()));
        self.receive.insert(topic, may);
        may
    }

    /// After a change of policies, certificates or attachments nothing remembered holds. Without the new policies
    /// nothing is allowed.
    fn refresh(&mut self) {
        let (generation, things) = (self.broker.generation(), self.broker.things_generation());
        let is_stale = generation != self.generation || self.thing_failed.get();
        if !is_stale && things == self.things {
            return;
        }
        self.things = things;
        if !is_stale && self.thing.get().is_none() {
            return; // no policy has asked for the thing
        }
        self.publish.clear();
        self.receive.clear();
        self.thing.take();
        self.thing_failed.set(false);
        if !is_stale {
            return;
        }
        match self.broker.policies_of(&self.peer.identity) {
            Ok(policies) => (self.policies, self.generation) = (policies, generation),
            Err(error) => {
                warn!(client_id = %self.client_id, %error, "policies cannot be read: everything is denied");
                self.policies = Arc::new(PolicySet::new([]));
            }
        }
    }

    /// The registered thing that this connection is. When it cannot be read nothing is allowed, and the next question
    /// reads it again: a Deny that looks at the thing must not be missed.
    fn thing(&self) -> Option<&ConnectionThing> {
        if let Some(known) = self.thing.get() {
            return known.as_ref();
        }
        match ConnectionThing::of(self.broker.registry(), &self.peer.identity, &self.client_id) {
            Ok(thing) => self.thing.get_or_init(|| thing).as_ref(),
            Err(error) => {
                warn!(client_id = %self.client_id, %error, "the connection's thing cannot be read: denied");
                self.thing_failed.set(true);
                None
            }
        }
    }

    fn context(&self) -> ConnectionContext<'_> {
        let source_ip = self.peer.source_ip.to_string();
        let client_id = Some(self.client_id.as_str());
        ConnectionContext { client_id, source_ip, authorizer: Some(self), ..ConnectionContext::default() }
    }

    fn ask(&self, action: &str, resource: &str) -> bool {
        self.ask_in(action, resource, &self.context())
    }

    fn ask_in(&self, action: &str, resource: &str, context: &ConnectionContext<'_>) -> bool {
        let question = Question { action, resource, context };
        if self.policies.allows(&question) && !self.thing_failed.get() {
            return true;
        }
        count(&self.broker.metrics().denials);
        let decision: Decision = self.policies.decide(&question);
        warn!(client_id = %self.client_id, identity = %self.peer.identity, action, resource, why = %decision, "denied");
        false
    }
}
