//! What the policies of an identity decide, and how soon their changes reach a connection.

use std::sync::Mutex;

use names::ThingName;
use store::{Batch, Direction, Done, Entry, StoreError, Versioned, Watch};

use super::house::*;
use super::*;

pub(crate) const LAMP: &str = r#"
    {"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:us-east-1:123456789012:client/lamp*"},
    {"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:123456789012:topic/lamps/${iot:ClientId}/*"},
    {"Effect":"Allow","Action":"iot:Subscribe","Resource":"arn:aws:iot:us-east-1:123456789012:topicfilter/lamps/*"},
    {"Effect":"Allow","Action":"iot:Receive","Resource":"arn:aws:iot:us-east-1:123456789012:topic/lamps/*"},
    {"Effect":"Deny","Action":"iot:Receive","Resource":"arn:aws:iot:us-east-1:123456789012:topic/lamps/secret"}"#;

/// AWS IoT Core developer guide, pub-sub-policy: the policies of the certificate decide on each of the four actions.
#[test]
fn policies_decide_on_connect_publish_subscribe_and_receive() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    let identity = Identity::Certificate(certificate);
    let mut refused = house.client(identity.clone(), Dialect::Aws);
    assert_eq!(refused.connect("lamp", None), [], "no policy: closed without CONNACK");
    assert_eq!(refused.progress, Progress::Close(DisconnectReason::AuthError));

    house.attach(&house.policy("lamp", LAMP), certificate);
    house.pump();
    let mut stranger = house.client(identity.clone(), Dialect::Aws);
    assert_eq!(stranger.connect("other", None), []);
    let mut lamp = house.client(identity, Dialect::Aws);
    assert_eq!(lamp.connect("lamp", None), [accepted()]);
    let answer = lamp.subscribe(&["lamps/#", "heaters/1", "$aws/rules/r/x"]);
    assert_eq!(answer, [suback(&[GRANTED, ReasonCode::UnspecifiedError, ReasonCode::UnspecifiedError])]);
    let mut application = house.anonymous("application");
    for topic in ["lamps/1", "lamps/secret", "heaters/1", "lamps/2"] {
        application.send(&[publish(topic, topic, QoS::AtMostOnce, false)]);
    }
    assert_eq!(payloads(&lamp.receive()), ["lamps/1", "lamps/2"]);
    assert_eq!(lamp.send(&[publish("lamps/lamp/t", "ok", QoS::AtLeastOnce, false)])[0], puback(7));
    assert_eq!(lamp.progress, Progress::Open);
    application.subscribe(&["lamps/other/t"]);
    assert_eq!(lamp.send(&[publish("lamps/other/t", "no", QoS::AtLeastOnce, false)]), [], "no PUBACK");
    assert_eq!(lamp.progress, Progress::Close(DisconnectReason::ForbiddenAccess));
    assert_eq!(application.receive(), [], "not delivered");
}

#[test]
fn a_retained_publish_needs_its_own_permission() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    house.attach(&house.policy("lamp", LAMP), certificate);
    let mut lamp = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(lamp.connect("lamp", None), [accepted()]);
    assert_eq!(lamp.send(&[publish("lamps/lamp/t", "x", QoS::AtLeastOnce, true)]), []);
    assert_eq!(lamp.progress, Progress::Close(DisconnectReason::ForbiddenAccess));
}

#[test]
fn only_a_registered_active_certificate_connects() {
    let house = House::new();
    let policy = house.policy("all", r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#);
    let connects = |certificate: CertificateId| {
        !house.client(Identity::Certificate(certificate), Dialect::Aws).connect("x", None).is_empty()
    };
    assert!(!connects(CertificateId::from_der_hash([1; 32])), "unknown");
    for (status, expected) in
        [(CertificateStatus::Active, true), (CertificateStatus::Inactive, false), (CertificateStatus::Revoked, false)]
    {
        let certificate = house.device(status);
        house.attach(&policy, certificate);
        assert_eq!(connects(certificate), expected, "{status:?}");
    }
}

#[test]
fn deactivating_a_certificate_ends_its_connection_at_once_and_policy_changes_reach_it() {
    let house = House::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    runtime.spawn(Arc::clone(&house.broker).follow_registry());
    let certificate = house.device(CertificateStatus::Active);
    let all = house.policy("all", r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#);
    let no = house.policy("no", r#"{"Effect":"Deny","Action":"iot:Publish","Resource":"*"}"#);
    house.attach(&all, certificate);
    let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(device.connect("d", None), [accepted()]);
    assert_eq!(device.send(&[publish("t", "x", QoS::AtLeastOnce, false)]), [puback(7)]);
    house.registry.update_certificate_status(&certificate, CertificateStatus::Inactive, START).unwrap();
    assert!(
        eventually(|| {
            device.receive();
            device.progress == Progress::Close(DisconnectReason::ForbiddenAccess)
        }),
        "still connected"
    );
    device.end_as_told();
    house.registry.update_certificate_status(&certificate, CertificateStatus::Active, START).unwrap();
    let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(device.connect("d", None), [accepted()]);
    house.attach(&no, certificate);
    let refused = || {
        device.send(&[publish("t", "x", QoS::AtLeastOnce, false)]);
        device.progress == Progress::Close(DisconnectReason::ForbiddenAccess)
    };
    assert!(eventually(refused), "the new policy did not reach the connection");
}

/// A store that does something right after it was read.
struct Meddling {
    inner: Arc<MemoryStore>,
    after_get: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Store for Meddling {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        let answer = self.inner.get(key);
        let meddle = self.after_get.lock().unwrap().take();
        if let Some(meddle) = meddle {
            meddle();
        }
        answer
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        self.inner.range(from, to, limit, direction)
    }

    fn commit_then(&self, batch: Batch, done: Done) {
        self.inner.commit_then(batch, done);
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watch(prefix)
    }
}

#[test]
fn a_certificate_that_is_deactivated_right_after_the_look_at_it_does_not_stay_connected() {
    let store = Arc::new(Meddling { inner: MemoryStore::new(), after_get: Mutex::new(None) });
    let house = House::over(Arc::clone(&store) as Arc<dyn Store>);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    runtime.spawn(Arc::clone(&house.broker).follow_registry());
    let certificate = house.device(CertificateStatus::Active);
    house.attach(&house.policy("all", r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#), certificate);
    let mut witness = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(witness.connect("witness", None), [accepted()]);
    let registry = Arc::clone(&house.registry);
    let deactivate = move || {
        registry.update_certificate_status(&certificate, CertificateStatus::Inactive, START).unwrap();
        assert!(eventually(|| {
            witness.receive();
            witness.progress == Progress::Close(DisconnectReason::ForbiddenAccess)
        }));
    };
    *store.after_get.lock().unwrap() = Some(Box::new(deactivate));
    let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
    device.connect("d", None);
    assert!(store.after_get.lock().unwrap().is_none());
    assert!(
        eventually(|| {
            device.receive();
            device.progress != Progress::Open
        }),
        "connected with an INACTIVE certificate"
    );
}

#[test]
fn nobody_forges_events() {
    for topic in ["$aws/events/presence/connected/x", "$SYS/broker/uptime"] {
        let house = House::new();
        let (mut forger, mut watcher) = (house.anonymous("f"), house.anonymous("w"));
        watcher.subscribe(&["$aws/events/#", "$SYS/#"]);
        forger.send(&[publish(topic, "x", QoS::AtMostOnce, false)]);
        assert_eq!(forger.progress, Progress::Close(DisconnectReason::ForbiddenAccess), "{topic}");
        assert_eq!(watcher.receive(), []);
    }
}

/// Developer guide, connect-policy: a condition on iot:ConnectAttributes limits what a CONNECT may ask for, and an Allow
/// without one does not; iot:LastWillTopic names where a will may go.
#[test]
fn policies_decide_on_persistent_sessions_and_wills() {
    let only = |attributes: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"iot:Connect","Resource":"*",
                "Condition":{{"ForAllValues:StringEquals":{{"iot:ConnectAttributes":[{attributes}]}}}}}},
               {{"Effect":"Allow","Action":"iot:Publish","Resource":"*"}}"#
        )
    };
    let will_to = |topic: &str| {
        format!(
            r#"{},{{"Effect":"Allow","Action":"iot:Connect","Resource":"*","Condition":{{"ArnEquals":
                {{"iot:LastWillTopic":"arn:aws:iot:us-east-1:123456789012:topic/{topic}"}}}}}}"#,
            only(r#""PersistentConnect""#)
        )
    };
    let everything = r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#;
    let check = |name: &str, statements: &str, expected: [bool; 4]| {
        let house = House::new();
        let certificate = house.device(CertificateStatus::Active);
        house.attach(&house.policy(name, statements), certificate);
        house.pump();
        let asked = [v311("c"), kept("c"), with_will(v311("c"), 0), with_will(kept("c"), 0)];
        let found = asked.map(|connect| {
            let mut client = house.client(Identity::Certificate(certificate), Dialect::Aws);
            let answer = client.send(&[Packet::Connect(Box::new(connect))]);
            client.end();
            !answer.is_empty()
        });
        assert_eq!(found, expected, "{name}: clean, persistent, with a will, both");
    };
    check("all", everything, [true; 4]);
    check("persistent", &only(r#""PersistentConnect""#), [true, true, false, false]);
    check("will", &only(r#""LastWill""#), [true, false, true, false]);
    check("both", &only(r#""LastWill","PersistentConnect""#), [true; 4]);
    check("will-to-wills", &will_to("wills"), [true; 4]);
    check("will-elsewhere", &will_to("elsewhere"), [true, true, false, false]);
}

/// Developer guide, thing-policy-variables: the registered thing that has the client id for its name, or the one that the
/// certificate belongs to exclusively; and whether the certificate is attached to it.
#[test]
fn the_connections_thing_has_values_in_policies() {
    let house = House::new();
    let statements = r#"
        {"Effect":"Allow","Action":"iot:Connect","Resource":"*"},
        {"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:123456789012:topic/n/${iot:Connection.Thing.ThingName}"},
        {"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:123456789012:topic/a/${iot:Connection.Thing.Attributes[room]}"},
        {"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:123456789012:topic/t/${iot:Connection.Thing.ThingTypeName}"},
        {"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:123456789012:topic/attached",
         "Condition":{"Bool":{"iot:Connection.Thing.IsAttached":["true"]}}}"#;
    let policy = house.policy("things", statements);
    let [attached, exclusive] = [(); 2].map(|()| house.device(CertificateStatus::Active));
    for certificate in [attached, exclusive] {
        house.attach(&policy, certificate);
    }
    let attributes = std::collections::BTreeMap::from([("room".to_owned(), "hall".to_owned())]);
    for name in ["lamp", "door"] {
        let new = registry::NewThing { attributes: attributes.clone(), ..Default::default() };
        house.registry.create_thing(&ThingName::new(name).unwrap(), new, "id", START).unwrap();
    }
    let attach = |name: &str, certificate, exclusively| {
        house.registry.attach_thing_principal(&ThingName::new(name).unwrap(), certificate, exclusively).unwrap();
    };
    attach("lamp", &attached, false);
    attach("door", &exclusive, true);
    let may = |certificate, client_id: &str, topic: &str| {
        let mut client = house.client(Identity::Certificate(certificate), Dialect::Aws);
        assert_eq!(client.connect(client_id, None), [accepted()]);
        !client.send(&[publish(topic, "x", QoS::AtLeastOnce, false)]).is_empty()
    };
    let check = |certificate, client_id: &str, topic: &str, expected: bool| {
        assert_eq!(may(certificate, client_id, topic), expected, "{client_id} to {topic}");
    };
    check(attached, "lamp", "n/lamp", true);
    check(attached, "lamp", "n/door", false);
    check(attached, "lamp", "a/hall", true);
    check(attached, "lamp", "t/", false);
    check(attached, "lamp", "attached", true);
    check(attached, "door", "n/door", true);
    check(attached, "door", "attached", false);
    check(attached, "nobody", "n/nobody", false);
    check(attached, "nobody", "attached", false);
    check(exclusive, "whoever", "n/door", true);
    check(exclusive, "lamp", "n/lamp", false);
    check(exclusive, "whoever", "attached", true);

    // A change of the thing or of its attachment counts at once.
    let mut lamp = house.client(Identity::Certificate(attached), Dialect::Aws);
    assert_eq!(lamp.connect("lamp", None), [accepted()]);
    assert_eq!(lamp.send(&[publish("attached", "x", QoS::AtLeastOnce, false)]), [puback(7)]);
    assert_eq!(lamp.send(&[publish("a/hall", "x", QoS::AtLeastOnce, false)]), [puback(7)]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    runtime.spawn(Arc::clone(&house.broker).follow_registry());
    let moved = std::collections::BTreeMap::from([("room".to_owned(), "cellar".to_owned())]);
    let update = registry::ThingUpdate { attributes: Some(moved), ..Default::default() };
    for name in ["lamp", "door"] {
        house.registry.update_thing(&ThingName::new(name).unwrap(), update.clone()).unwrap();
    }
    assert!(eventually(|| may(exclusive, "whoever", "a/cellar")), "a new connection of the one that changed last");
    assert_eq!(lamp.send(&[publish("a/cellar", "x", QoS::AtLeastOnce, false)]), [puback(7)]);
    for (name, certificate) in [("lamp", attached), ("door", exclusive)] {
        house.registry.detach_thing_principal(&ThingName::new(name).unwrap(), &certificate).unwrap();
    }
    assert!(eventually(|| !may(exclusive, "whoever", "attached")));
    assert_eq!(lamp.send(&[publish("attached", "x", QoS::AtLeastOnce, false)]), []);
}
