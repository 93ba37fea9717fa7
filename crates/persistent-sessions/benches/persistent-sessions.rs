//! Queues and the index on disk, each commit durable: what a publisher, a subscriber and a new topic wait for.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use message::{Message, Origin, QoS, SubscribeOptions, TopicFilter, TopicName};
use names::{ClientId, Dialect, Timestamp};
use persistent_sessions::{PersistentSessions, QueueLimits, QueuedMessage, SessionId, Writes};
use store::{FjallStore, Options, Store};

const BATCH: u64 = 20;
const PUBLISHERS: usize = 50;
const BATCHES_EACH: usize = 10;

fn all(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = FjallStore::open(directory.path(), Options::default()).expect("a new store opens");
    let limits = QueueLimits { messages_max: u64::MAX, bytes_max: u64::MAX, ..QueueLimits::default() };
    let sessions = PersistentSessions::open(store as Arc<dyn Store>, limits).expect("a new store is empty");
    let ids: Vec<_> = (0..PUBLISHERS).map(|n| create(&sessions, &format!("client-{n}"))).collect();
    enqueue_benches(criterion, &sessions, &ids);
    delivery_benches(criterion, &sessions);
    index_benches(criterion, &sessions);
    opening_benches(criterion);
}

/// Opening is one durable commit, whatever there is.
fn opening_benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("open");
    group.sample_size(20);
    for count in [10, 100_000] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = FjallStore::open(directory.path(), Options::default()).expect("a new store opens");
        let open = || PersistentSessions::open(Arc::clone(&store) as Arc<dyn Store>, QueueLimits::default());
        let sessions = open().expect("a new store is empty");
        for n in 0..count {
            let id = create(&sessions, &format!("client-{n}"));
            enqueue_later(&sessions, (0..5).map(|_| id));
        }
        enqueue(&sessions, std::iter::empty());
        group.bench_function(format!("{count} sessions with 5 messages each"), |bencher| bencher.iter(open));
    }
    group.finish();
}

fn enqueue_benches(criterion: &mut Criterion, sessions: &PersistentSessions, ids: &[SessionId]) {
    let mut group = criterion.benchmark_group("enqueue");
    group.sample_size(20);
    let clear = |id: SessionId| {
        let (messages, _) = sessions.queued(id).expect("it answers");
        let head = sessions.head(id).expect("it answers");
        let seqs: Vec<_> = (head..head + messages).collect();
        sessions.acknowledge(id, &seqs).wait().expect("the disk takes it");
    };
    let first = ids.first().copied().expect("there are sessions");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("20 messages for 1 session", |bencher| {
        bencher.iter(|| enqueue(sessions, (0..BATCH).map(|_| first)));
        clear(first);
    });
    group.bench_function("1 message for 50 sessions", |bencher| {
        bencher.iter(|| enqueue(sessions, ids.iter().copied()));
        ids.iter().for_each(|id| clear(*id));
    });
    group.throughput(Throughput::Elements(BATCH * (PUBLISHERS * BATCHES_EACH) as u64));
    group.bench_function("20 messages each by 50 publishers for 50 sessions", |bencher| {
        bencher.iter(|| {
            std::thread::scope(|scope| {
                for id in ids {
                    scope.spawn(|| (0..BATCHES_EACH).for_each(|_| enqueue(sessions, (0..BATCH).map(|_| *id))));
                }
            });
        });
        ids.iter().for_each(|id| clear(*id));
    });
    group.finish();
}

fn delivery_benches(criterion: &mut Criterion, sessions: &PersistentSessions) {
    let mut group = criterion.benchmark_group("delivery");
    group.sample_size(20);
    group.throughput(Throughput::Elements(BATCH));
    let id = create(sessions, "reader");
    let mut next = 1;
    group.bench_function("enqueue, read and acknowledge 20 messages", |bencher| {
        bencher.iter(|| {
            enqueue(sessions, (0..BATCH).map(|_| id));
            let queued = sessions.read(id, next, 100, 1 << 20).expect("it answers");
            let seqs: Vec<_> = queued.iter().map(|queued| queued.seq).collect();
            next += seqs.len() as u64;
            sessions.acknowledge(id, &seqs).wait().expect("the disk takes it");
        });
    });
    (0..5_000).for_each(|_| enqueue_later(sessions, (0..BATCH).map(|_| id)));
    let mut from = next;
    group.bench_function("read 20 of 100,000 messages", |bencher| {
        bencher.iter(|| {
            from = next + (from + 7919) % 99_000;
            black_box(sessions.read(id, from, 20, 1 << 20))
        });
    });
    group.bench_function("acknowledge 20 of 100,000 messages", |bencher| {
        let some = || {
            if sessions.queued(id).expect("it answers").0 < BATCH {
                (0..5_000).for_each(|_| enqueue_later(sessions, (0..BATCH).map(|_| id)));
                enqueue(sessions, (0..BATCH).map(|_| id));
            }
            let head = sessions.head(id).expect("it answers");
            (head..head + BATCH).collect::<Vec<_>>()
        };
        let acknowledge = |seqs: Vec<u64>| sessions.acknowledge(id, &seqs).wait().expect("the disk takes it");
        bencher.iter_batched(some, acknowledge, BatchSize::PerIteration);
    });
    group.finish();
}

fn index_benches(criterion: &mut Criterion, sessions: &PersistentSessions) {
    let plain = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Mqtt);
    // Ten shapes, of which a topic of four levels fits seven.
    for n in 0..1_000 {
        let name = format!("subscriber-{n}");
        let id = create(sessions, &name);
        let texts = [
            format!("site/{n}/room/light"),
            format!("site/{n}/+/light"),
            format!("site/{n}/room/+"),
            format!("site/{n}/+/+"),
            format!("site/{n}/#"),
            format!("site/{n}/room/#"),
            format!("+/{n}/#"),
            format!("site/{n}"),
            format!("site/{n}/a/b/c"),
            format!("site/{n}/+"),
        ];
        let filters: Vec<_> =
            texts.iter().map(|text| (TopicFilter::new(text).expect("a valid filter"), plain)).collect();
        let client_id = ClientId::new(name).expect("a valid client id");
        drop(sessions.subscribe(&client_id, id, &filters).expect("there is room"));
    }
    let topics: Vec<_> = (0..1_000).map(|n| topic(&format!("site/{n}/room/light"))).collect();
    let mut group = criterion.benchmark_group("reached");
    let last = topics.last().expect("there are topics");
    let other = ClientId::new("subscriber-0").expect("a valid client id");
    let id = sessions.find(&other).expect("it answers").expect("it was made").id;
    let filter = TopicFilter::new("another/filter").expect("a valid filter");
    sessions.subscribe(&other, id, &[(filter, plain)]).expect("there is room").wait().expect("the disk takes it");
    assert_eq!(sessions.reached(last).expect("it answers").len(), 7);
    group.bench_function("a topic that was asked for before", |bencher| {
        bencher.iter(|| black_box(sessions.reached(last)));
    });
    // More topics than are remembered.
    let many: Vec<_> = (0..20_000).map(|n| topic(&format!("site/{}/{n}/x", n % 1_000))).collect();
    let mut next = many.iter().cycle();
    group.bench_function("a new topic, 10 shapes of which 7 fit", |bencher| {
        bencher.iter(|| black_box(sessions.reached(next.next().expect("it goes round"))));
    });
    group.finish();
}

fn create(sessions: &PersistentSessions, name: &str) -> SessionId {
    let client_id = ClientId::new(name).expect("a valid client id");
    sessions.create(&client_id, 5, u32::MAX, None).expect("the store answers").0
}

fn topic(text: &str) -> TopicName {
    TopicName::new(text.to_owned()).expect("a valid topic")
}

fn writes(ids: impl Iterator<Item = SessionId>) -> Writes {
    let message = Arc::new(Message {
        topic: topic("site/7/room/light"),
        payload: vec![7; 256].into(),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: None,
        received_at: Timestamp::from_millis(1_700_000_000_000),
        origin: Arc::new(Origin { client_id: Some("publisher".into()), ..Origin::default() }),
    });
    let queued = |id| {
        let queued = QueuedMessage {
            message: Arc::new(Message::clone(&message)),
            qos: QoS::AtLeastOnce,
            retain: false,
            subscription_ids: Vec::new(),
            share: None,
        };
        (id, queued)
    };
    Writes { messages: ids.map(queued).collect(), received: Vec::new() }
}

fn enqueue(sessions: &PersistentSessions, ids: impl Iterator<Item = SessionId>) {
    let (sender, receiver) = sync_channel(1);
    sessions.enqueue(writes(ids), Box::new(move |answer| sender.send(answer).expect("somebody waits")));
    let enqueued = receiver.recv().expect("it is answered").expect("the disk takes it");
    assert!(enqueued.iter().all(|enqueued| enqueued.seq.is_some()));
}

fn enqueue_later(sessions: &PersistentSessions, ids: impl Iterator<Item = SessionId>) {
    sessions.enqueue(writes(ids), Box::new(|answer| drop(answer.expect("the disk takes it"))));
}

criterion_group!(benches, all);
criterion_main!(benches);
