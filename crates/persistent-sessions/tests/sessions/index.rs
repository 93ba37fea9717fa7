//! Whom a topic reaches is what asking each filter in turn would answer.

use std::collections::{BTreeMap, BTreeSet};

use message::{QoS, RetainHandling, SubscribeOptions, TopicFilter, TopicName};
use names::{Dialect, limits};
use persistent_sessions::{PersistentSessions, SessionId};
use proptest::prelude::*;
use store::{MemoryStore, Store};

use crate::house::{SlowStore, client, create, disk, filter, open, options, rows, topic};

/// A session, a filter as it was subscribed to, a share name, an inner filter.
type Found = (SessionId, Option<String>, String, SubscribeOptions);

fn found(sessions: &PersistentSessions, name: &TopicName) -> BTreeSet<String> {
    let reached = sessions.reached(name).unwrap();
    let found: BTreeSet<_> = reached
        .iter()
        .map(|r| -> Found { (r.session, r.share.as_deref().map(str::to_owned), r.filter.to_string(), r.options) })
        .map(|found| format!("{found:?}"))
        .collect();
    assert_eq!(found.len(), reached.len(), "each subscription once");
    found
}

type Subscriptions = BTreeMap<(usize, String), SubscribeOptions>;

fn naive(ids: &[SessionId], subscriptions: &Subscriptions, name: &TopicName) -> BTreeSet<String> {
    let parts = |text: &str| match text.strip_prefix("$share/") {
        Some(rest) => {
            let (share, inner) = rest.split_once('/').unwrap();
            (Some(share.to_owned()), inner.to_owned())
        }
        None => (None, text.to_owned()),
    };
    subscriptions
        .iter()
        .map(|((session, text), options)| (*session, parts(text), options))
        .filter(|(_, (_, inner), options)| filter(inner).matches(name, options.dialect))
        .map(|(session, (share, inner), options)| -> Found { (ids[session], share, inner, *options) })
        .map(|found| format!("{found:?}"))
        .collect()
}

fn level() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("a"), Just("b"), Just(""), Just("$x"), Just("+"), Just("#")]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(level(), 1..5).prop_map(|levels| levels.join("/"))
}

fn filter_text() -> impl Strategy<Value = String> {
    let text = || text().prop_filter("a filter", |text| TopicFilter::new(text).is_ok());
    prop_oneof![
        3 => text(),
        1 => ("[gh]", text()).prop_map(|(share, inner)| format!("$share/{share}/{inner}")),
    ]
}

fn any_options() -> impl Strategy<Value = SubscribeOptions> {
    (0u8..3, any::<bool>(), any::<bool>(), 0u8..3, prop::option::of(1u32..268_435_456), any::<bool>()).prop_map(
        |(qos, no_local, retain_as_published, handling, subscription_id, is_mqtt)| SubscribeOptions {
            qos: QoS::from_bits(qos).unwrap(),
            no_local,
            retain_as_published,
            retain_handling: RetainHandling::from_bits(handling).unwrap(),
            subscription_id,
            dialect: if is_mqtt { Dialect::Mqtt } else { Dialect::Aws },
        },
    )
}

#[derive(Debug, Clone)]
enum Act {
    Subscribe(usize, Vec<(String, SubscribeOptions)>),
    Unsubscribe(usize, Vec<prop::sample::Index>),
    Renew(usize),
    Remove(usize),
    Hold,
    LetGo,
    Reopen,
}

const SESSIONS: usize = 4;

fn act() -> impl Strategy<Value = Act> {
    let session = 0..SESSIONS;
    prop_oneof![
        6 => (session.clone(), prop::collection::vec((filter_text(), any_options()), 1..6))
            .prop_map(|(session, filters)| Act::Subscribe(session, filters)),
        4 => (session.clone(), prop::collection::vec(any::<prop::sample::Index>(), 1..6))
            .prop_map(|(session, which)| Act::Unsubscribe(session, which)),
        1 => session.clone().prop_map(Act::Renew),
        1 => session.prop_map(Act::Remove),
        2 => Just(Act::Hold),
        2 => Just(Act::LetGo),
        1 => Just(Act::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_index_agrees_with_asking_each_filter(
        acts in prop::collection::vec(act(), 1..30),
        topics in prop::collection::vec(text(), 1..20),
    ) {
        let topics: Vec<_> = topics.iter().filter_map(|text| TopicName::new(text.clone()).ok()).collect();
        let store = SlowStore::new();
        let mut sessions = open(&store);
        let name = |session: usize| client(&format!("client-{session}"));
        let mut ids: Vec<_> = (0..SESSIONS).map(|session| create(&sessions, name(session).as_str())).collect();
        let mut expected = Subscriptions::new();
        for act in acts {
            match act {
                Act::Subscribe(session, filters) => {
                    let asked: Vec<_> = filters.iter().map(|(text, options)| (filter(text), *options)).collect();
                    drop(sessions.subscribe(&name(session), ids[session], &asked).unwrap());
                    expected.extend(filters.into_iter().map(|(text, options)| ((session, text), options)));
                }
                Act::Unsubscribe(session, which) => {
                    let all: Vec<_> = expected.keys().map(|(_, text)| text.clone()).chain(["none".into()]).collect();
                    let texts: Vec<_> = which.iter().map(|which| which.get(&all).clone()).collect();
                    let filters: Vec<_> = texts.iter().map(|text| filter(text)).collect();
                    drop(sessions.unsubscribe(&name(session), ids[session], &filters).unwrap());
                    expected.retain(|(owner, text), _| *owner != session || !texts.contains(text));
                }
                Act::Renew(session) => {
                    let (id, _ticket) = sessions.create(&name(session), 4, 60, None).unwrap();
                    ids[session] = id;
                    expected.retain(|(owner, _), _| *owner != session);
                }
                Act::Remove(session) => {
                    drop(sessions.remove(&name(session), ids[session]).unwrap());
                    expected.retain(|(owner, _), _| *owner != session);
                    let (id, _ticket) = sessions.create(&name(session), 4, 60, None).unwrap();
                    ids[session] = id;
                }
                Act::Hold => store.hold(),
                Act::LetGo => store.let_go(),
                Act::Reopen => {
                    store.let_go();
                    sessions = open(&store);
                }
            }
            for (session, id) in ids.iter().enumerate() {
                let listed: BTreeMap<_, _> = sessions.subscriptions(*id).unwrap().into_iter().collect();
                let owned = expected.iter().filter(|((owner, _), _)| *owner == session);
                let owned: BTreeMap<_, _> = owned.map(|((_, text), options)| (filter(text), *options)).collect();
                prop_assert_eq!(listed, owned);
            }
        }
        store.let_go();
        for name in &topics {
            // Twice: looked up, and remembered.
            for _ in 0..2 {
                prop_assert_eq!(found(&sessions, name), naive(&ids, &expected, name), "{}", name);
            }
        }
        prop_assert_eq!(sessions.is_empty(), expected.is_empty());
        let counts = rows(&*store, b"session/shape/");
        let counted: u64 = counts.iter().map(|row| u64::from_be_bytes(row.value[1..].try_into().unwrap())).sum();
        prop_assert_eq!(counted, expected.len() as u64, "shapes are counted exactly");
        prop_assert_eq!(rows(&*store, b"session/sub/").len(), expected.len());
        prop_assert_eq!(rows(&*store, b"session/index/").len(), expected.len());
    }
}

/// MQTT 5, 4.7.1.2 and 4.7.2; AWS IoT Core developer guide, topic filters: `#` does not match its parent level there.
#[test]
fn wildcards_reach_what_the_standards_say() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = open(&disk(directory.path()));
    let (mqtt, aws) = (create(&sessions, "mqtt"), create(&sessions, "aws"));
    let filters = ["sport/tennis/player1/#", "#", "+/monitor/Clients", "$SYS/#", "$SYS/monitor/+", "sport/+"];
    for (name, id, dialect) in [("mqtt", mqtt, Dialect::Mqtt), ("aws", aws, Dialect::Aws)] {
        let asked: Vec<_> = filters.iter().map(|text| (filter(text), options(QoS::AtLeastOnce, dialect))).collect();
        sessions.subscribe(&client(name), id, &asked).unwrap().wait().unwrap();
    }
    let check = |name: &str, mqtt_filters: &[&str], aws_filters: &[&str]| {
        let reached = sessions.reached(&topic(name)).unwrap();
        let of = |id| {
            let mut of: Vec<_> = reached.iter().filter(|r| r.session == id).map(|r| r.filter.as_str()).collect();
            of.sort_unstable();
            of
        };
        assert_eq!(of(mqtt), mqtt_filters, "{name}, mqtt");
        assert_eq!(of(aws), aws_filters, "{name}, aws");
    };
    check("sport/tennis/player1", &["#", "sport/tennis/player1/#"], &["#"]);
    let both: &[&str] = &["#", "sport/tennis/player1/#"];
    check("sport/tennis/player1/ranking", both, both);
    check("$SYS", &["$SYS/#"], &[]);
    check("$SYS/monitor/Clients", &["$SYS/#", "$SYS/monitor/+"], &["$SYS/#", "$SYS/monitor/+"]);
    check("sport/", &["#", "sport/+"], &["#", "sport/+"]);
    check("sport", &["#"], &["#"]);
}

#[test]
fn the_generation_changes_when_a_subscription_is_durable_and_not_before() {
    let store = SlowStore::new();
    let sessions = open(&store);
    let id = create(&sessions, "c");
    assert!(sessions.is_empty());
    let reaches = || sessions.reached(&topic("a/b")).unwrap().len();
    let before = sessions.generation();
    store.hold();
    let asked = [(filter("a/+"), options(QoS::AtLeastOnce, Dialect::Aws))];
    let ticket = sessions.subscribe(&client("c"), id, &asked).unwrap();
    assert_eq!((reaches(), sessions.generation()), (0, before));
    store.let_go();
    ticket.wait().unwrap();
    assert_ne!(sessions.generation(), before);
    assert_eq!((reaches(), sessions.is_empty()), (1, false));
    let before = sessions.generation();
    sessions.unsubscribe(&client("c"), id, &[filter("a/+")]).unwrap().wait().unwrap();
    assert_ne!(sessions.generation(), before);
    assert_eq!((reaches(), sessions.is_empty()), (0, true));
    assert!(rows(&*store, b"session/shape/").is_empty());
}

#[test]
fn pages_of_subscriptions_are_in_order_and_whole() {
    let sessions = open(&MemoryStore::new());
    let id = create(&sessions, "c");
    let asked: Vec<_> =
        (0..2_500).map(|n| (filter(&format!("f/{n:05}/#")), options(QoS::AtMostOnce, Dialect::Mqtt))).collect();
    sessions.subscribe(&client("c"), id, &asked).unwrap().wait().unwrap();
    assert_eq!(sessions.subscriptions(id).unwrap(), asked);
}

#[test]
fn who_is_not_there_any_more_cannot_subscribe_and_limits_hold() {
    let store = MemoryStore::new();
    let sessions = open(&store);
    let old = create(&sessions, "c");
    let new = create(&sessions, "c");
    let plain = options(QoS::AtLeastOnce, Dialect::Mqtt);
    let refused = sessions.subscribe(&client("c"), old, &[(filter("a"), plain)]).unwrap_err();
    assert!(matches!(refused, store::StoreError::Conflict));
    let long = "x".repeat(65_530);
    let refused = sessions.subscribe(&client("c"), new, &[(filter(&long), plain)]).unwrap_err();
    assert!(matches!(refused, store::StoreError::TooLarge(_)));
    // 13 levels, each a wildcard or not, are more shapes than there may be.
    let shaped = |n: u32| (0..13).map(|bit| if n >> bit & 1 == 1 { "+" } else { "a" }).collect::<Vec<_>>().join("/");
    let most: Vec<_> = (1..=MOST).map(|n| (filter(&shaped(n)), plain)).collect();
    sessions.subscribe(&client("c"), new, &most).unwrap().wait().unwrap();
    let refused = sessions.subscribe(&client("c"), new, &[(filter(&shaped(MOST + 1)), plain)]).unwrap_err();
    assert!(matches!(refused, store::StoreError::TooLarge(_)));
    sessions.subscribe(&client("c"), new, &most[..9]).unwrap().wait().unwrap();
    let name = topic(&["a"; 13].join("/"));
    assert_eq!(
        sessions.reached(&name).unwrap().len(),
        limits::SUBSCRIPTION_SHAPES_MAX,
        "every shape matches this topic once"
    );
    let range = store.range(b"session/sub/", b"session/sub0", usize::MAX, store::Direction::Forward).unwrap();
    assert_eq!(range.len(), limits::SUBSCRIPTION_SHAPES_MAX);
}

/// As many kinds of filters as there may be.
const MOST: u32 = 512;
const _: () = assert!(limits::SUBSCRIPTION_SHAPES_MAX == 512);

/// Once whoever used the shapes up kept everybody else from plain filters of a depth that nobody had yet.
#[test]
fn plain_filters_do_not_run_out_of_shapes() {
    let store = MemoryStore::new();
    let sessions = open(&store);
    let id = create(&sessions, "c");
    let plain = options(QoS::AtLeastOnce, Dialect::Mqtt);
    let shaped = |n: u32| (0..13).map(|bit| if n >> bit & 1 == 1 { "+" } else { "a" }).collect::<Vec<_>>().join("/");
    let most: Vec<_> = (1..=MOST).map(|n| (filter(&shaped(n)), plain)).collect();
    sessions.subscribe(&client("c"), id, &most).unwrap().wait().unwrap();
    let deep = |levels: usize| vec!["p"; levels].join("/");
    let depths: Vec<_> = (1..=128).map(|levels| (filter(&deep(levels)), plain)).collect();
    sessions.subscribe(&client("c"), id, &depths).unwrap().wait().unwrap();
    for sessions in [sessions, open(&store)] {
        for levels in [1, 13, 128] {
            let filters: Vec<_> =
                sessions.reached(&topic(&deep(levels))).unwrap().iter().map(|to| to.filter.clone()).collect();
            assert!(filters.contains(&filter(&deep(levels))), "{levels} levels");
        }
        assert_eq!(
            sessions.reached(&topic(&["a"; 13].join("/"))).unwrap().len(),
            limits::SUBSCRIPTION_SHAPES_MAX,
            "also after a restart"
        );
    }
}
