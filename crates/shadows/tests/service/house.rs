//! A router, a store and a shadow service, with somebody who listens to all shadow topics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use message::{Message, Origin, QoS, TopicFilter, TopicName};
use names::{Dialect, ShadowName, ThingName, Timestamp};
use router::{Delivery, Handled, Router, SubscribeOptions, Subscriber};
use shadows::{ShadowId, ShadowService, ShadowSettings, parse_request_topic};
use store::{MemoryStore, Store};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) struct House {
    pub(crate) service: Arc<ShadowService>,
    pub(crate) router: Arc<Router>,
    pub(crate) seconds: Arc<AtomicU64>,
    listener: Subscriber,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<Runtime>,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::over(MemoryStore::new())
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self::with(store, ShadowSettings::default())
    }

    /// One whose service runs on threads of its own, for tests that call its functions.
    pub(crate) fn running(store: Arc<dyn Store>) -> Self {
        let mut house = Self::over(store);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let guard = runtime.enter();
        house.open();
        drop(guard);
        house.runtime = Some(runtime);
        house
    }

    pub(crate) fn with(store: Arc<dyn Store>, settings: ShadowSettings) -> Self {
        // Over a store of its own: it is the service's that has faults. Opening waits for it, which must not be done where
        // a task runs.
        let opening = std::thread::spawn(|| Router::open(MemoryStore::new(), Default::default()).unwrap());
        let router = opening.join().unwrap();
        let listener = router.connection(Arc::from("listener"));
        let options = SubscribeOptions::plain(QoS::ExactlyOnce, Dialect::Mqtt);
        listener.subscribe(TopicFilter::new("$aws/things/+/shadow/#").unwrap(), options);
        let service = Arc::new(ShadowService::new(store, Arc::clone(&router), settings));
        Self { service, router, seconds: Arc::new(AtomicU64::new(NOW)), listener, stop: None, runtime: None }
    }

    /// Starts the MQTT side on the current runtime. What was published before is not answered.
    pub(crate) fn open(&mut self) {
        let (stop, stopped) = oneshot::channel();
        self.stop = Some(stop);
        let seconds = Arc::clone(&self.seconds);
        let clock = move || at(seconds.load(Ordering::Relaxed));
        drop(tokio::spawn(Arc::clone(&self.service).run(clock, async {
            let _ = stopped.await;
        })));
    }

    /// Sends a message of nobody's; what its publisher would wait for comes back.
    pub(crate) fn send(&self, topic: &str, payload: &str) -> Handled {
        self.send_from(Origin::default(), topic, payload)
    }

    pub(crate) fn send_from(&self, origin: Origin, topic: &str, payload: &str) -> Handled {
        self.send_as(&Arc::new(origin), topic, payload)
    }

    pub(crate) fn send_as(&self, origin: &Arc<Origin>, topic: &str, payload: &str) -> Handled {
        let (published, _) = self.router.publish(Message {
            topic: TopicName::new(topic.to_owned()).unwrap(),
            payload: payload.to_owned().into(),
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: None,
            received_at: at(0),
            origin: Arc::clone(origin),
        });
        published.handled
    }

    /// The next `count` replies as (topic, body); requests are left out.
    pub(crate) async fn replies(&self, count: usize) -> Vec<(String, String)> {
        let mut replies = Vec::new();
        while replies.len() < count {
            let mut deliveries = Vec::new();
            let wait = self.listener.receive(&mut deliveries, count - replies.len());
            let received = tokio::time::timeout(Duration::from_secs(20), wait).await;
            assert!(received.is_ok_and(|n| n > 0), "only {replies:?}");
            replies.extend(deliveries.iter().filter_map(reply));
        }
        replies
    }

    /// The replies that are there already.
    pub(crate) fn heard(&self) -> Vec<(String, String)> {
        let mut deliveries = Vec::new();
        self.listener.mailbox().drain(&mut deliveries, usize::MAX);
        deliveries.iter().filter_map(reply).collect()
    }
}

fn reply(delivery: &Delivery) -> Option<(String, String)> {
    let topic = delivery.message.topic.as_str();
    if parse_request_topic(topic).is_some() {
        return None;
    }
    assert_eq!((delivery.message.qos, delivery.message.retain), (QoS::AtLeastOnce, false), "{topic}");
    Some((topic.to_owned(), String::from_utf8(delivery.message.payload.to_vec()).unwrap()))
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000 + 999)
}

pub(crate) fn classic(thing: &str) -> ShadowId {
    ShadowId::classic(ThingName::new(thing).unwrap())
}

pub(crate) fn named(thing: &str, name: &str) -> ShadowId {
    ShadowId::named(ThingName::new(thing).unwrap(), ShadowName::new(name).unwrap())
}

pub(crate) fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}

pub(crate) fn pair(topic: &str, body: &str) -> (String, String) {
    (topic.to_owned(), body.to_owned())
}
