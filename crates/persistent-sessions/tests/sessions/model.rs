//! Any operations on queues leave what a naive model says, with counts that agree with the rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use persistent_sessions::{
    PersistentSessions, QueueLimits, QueueOverflow, SessionId, Stage, Writes, derived_packet_id,
};
use proptest::prelude::*;
use store::Store;

use crate::house::{SlowStore, assert_counts_agree, create, queued, read_all};

const SESSIONS: usize = 3;
const MESSAGES_MAX: u64 = 12;

#[derive(Debug, Clone)]
enum Act {
    /// Sessions and payload sizes.
    Enqueue(Vec<(usize, usize)>),
    Acknowledge(usize, Vec<u64>),
    Release(usize, Vec<(u64, u16)>),
    Sent(usize, Vec<(u64, u16)>, u64),
    Hold,
    LetGo,
    Reopen,
}

/// Mostly numbers that are in use.
fn seq() -> impl Strategy<Value = u64> {
    0u64..40
}

fn act() -> impl Strategy<Value = Act> {
    let session = 0..SESSIONS;
    let size = prop_oneof![20 => 1usize..300, 1 => 102_000usize..103_000, 1 => 200_000usize..320_000];
    let numbered = || prop::collection::vec((seq(), 1u16..70), 0..4);
    prop_oneof![
        6 => prop::collection::vec((session.clone(), size), 0..8).prop_map(Act::Enqueue),
        4 => (session.clone(), prop::collection::vec(seq(), 0..8)).prop_map(|(s, seqs)| Act::Acknowledge(s, seqs)),
        2 => (session.clone(), numbered()).prop_map(|(s, rows)| Act::Release(s, rows)),
        2 => (session, numbered(), seq()).prop_map(|(s, rows, up_to)| Act::Sent(s, rows, up_to)),
        2 => Just(Act::Hold),
        2 => Just(Act::LetGo),
        1 => Just(Act::Reopen),
    ]
}

/// So many bytes that are all this one.
type Payload = (usize, u8);

#[derive(Debug, Clone, PartialEq)]
struct Row {
    /// None is released.
    payload: Option<Payload>,
    packet_id: Option<u16>,
}

/// A queue as one would write it down without a thought for disks.
#[derive(Debug, Default)]
struct Model {
    rows: BTreeMap<u64, Row>,
    last: u64,
    sent_up_to: u64,
    /// Up to here it is durable.
    durable: u64,
}

impl Model {
    fn enqueue(&mut self, payload: Payload, overflow: QueueOverflow) -> Option<u64> {
        if self.rows.len() as u64 == MESSAGES_MAX {
            let unsent = self.rows.keys().copied().find(|seq| *seq > self.sent_up_to);
            match (overflow, unsent) {
                (QueueOverflow::DropOldest, Some(oldest)) => _ = self.rows.remove(&oldest),
                _ => return None,
            }
        }
        self.last += 1;
        self.rows.insert(self.last, Row { payload: Some(payload), packet_id: None });
        Some(self.last)
    }

    fn release(&mut self, seq: u64, packet_id: u16) {
        if let Some(row) = self.rows.get_mut(&seq) {
            *row = Row { payload: None, packet_id: Some(packet_id) };
        }
    }

    fn sent(&mut self, rows: &[(u64, u16)], up_to: u64) {
        self.sent_up_to = self.sent_up_to.max(up_to.min(self.last));
        for (seq, packet_id) in rows.iter().filter(|(seq, packet_id)| *packet_id != derived_packet_id(*seq)) {
            // What was released keeps the packet id that it was released with.
            if let Some(row) = self.rows.get_mut(seq).filter(|row| row.payload.is_some()) {
                row.packet_id = Some(*packet_id);
            }
        }
    }
}

fn seen(sessions: &PersistentSessions, id: SessionId) -> Vec<(u64, Row, bool)> {
    read_all(sessions, id)
        .into_iter()
        .map(|queued| {
            let payload = match queued.stage {
                Stage::Publish(queued) => {
                    let bytes = &queued.message.payload;
                    assert!(bytes.iter().all(|byte| *byte == bytes[0]));
                    Some((bytes.len(), bytes[0]))
                }
                Stage::Released => None,
            };
            (queued.seq, Row { payload, packet_id: queued.packet_id }, queued.was_sent)
        })
        .collect()
}

fn run(acts: Vec<Act>, overflow: QueueOverflow) {
    let store = SlowStore::new();
    let limits = QueueLimits { messages_max: MESSAGES_MAX, overflow, ..QueueLimits::default() };
    let open = || PersistentSessions::open(Arc::clone(&store) as Arc<dyn Store>, limits).unwrap();
    let mut sessions = open();
    let ids: Vec<_> = (0..SESSIONS).map(|n| create(&sessions, &format!("c{n}"))).collect();
    let mut models: Vec<_> = (0..SESSIONS).map(|_| Model::default()).collect();
    let mut is_held = false;
    for (n, act) in acts.into_iter().enumerate() {
        match act {
            Act::Enqueue(messages) => {
                let payload = |size: usize| (size, n as u8);
                let expected: Vec<_> =
                    messages.iter().map(|(s, size)| models[*s].enqueue(payload(*size), overflow)).collect();
                let messages = messages.iter().map(|(s, size)| (ids[*s], queued(vec![n as u8; *size]))).collect();
                let done = move |answer: Result<Vec<persistent_sessions::Enqueued>, _>| {
                    let seqs: Vec<_> = answer.unwrap().into_iter().map(|enqueued| enqueued.seq).collect();
                    assert_eq!(seqs, expected);
                };
                // The store catches panics, so the answer is brought back here when it comes at once.
                let (sender, receiver) = std::sync::mpsc::sync_channel(1);
                let told = Box::new(move |answer| _ = sender.send(answer));
                sessions.enqueue(Writes { messages, received: Vec::new() }, told);
                if !is_held {
                    done(receiver.recv().unwrap());
                }
            }
            Act::Acknowledge(session, seqs) => {
                seqs.iter().for_each(|seq| _ = models[session].rows.remove(seq));
                drop(sessions.acknowledge(ids[session], &seqs));
            }
            Act::Release(session, rows) => {
                rows.iter().for_each(|(seq, packet_id)| models[session].release(*seq, *packet_id));
                drop(sessions.release(ids[session], &rows));
            }
            Act::Sent(session, rows, up_to) => {
                models[session].sent(&rows, up_to);
                drop(sessions.sent(ids[session], &rows, up_to));
            }
            Act::Hold => {
                is_held = true;
                store.hold();
            }
            Act::LetGo | Act::Reopen => {
                is_held = false;
                store.let_go();
                if matches!(act, Act::Reopen) {
                    sessions = open();
                }
                assert_counts_agree(&*store, &sessions);
            }
        }
        if !is_held {
            store.let_go();
            models.iter_mut().for_each(|model| model.durable = model.last);
        }
        for (model, id) in models.iter().zip(&ids) {
            let rows = model.rows.iter().filter(|(seq, _)| **seq <= model.durable);
            let expected: Vec<_> = rows.map(|(seq, row)| (*seq, row.clone(), *seq <= model.sent_up_to)).collect();
            assert_eq!(seen(&sessions, *id), expected);
            assert_eq!(sessions.queued(*id).unwrap().0, model.rows.len() as u64);
            let first = model.rows.keys().next().copied().unwrap_or(model.last + 1);
            assert_eq!(sessions.head(*id).unwrap(), first);
        }
    }
    store.let_go();
    assert_counts_agree(&*store, &sessions);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn queues_that_drop_the_newest_agree_with_the_model(acts in prop::collection::vec(act(), 1..40)) {
        run(acts, QueueOverflow::DropNewest);
    }

    #[test]
    fn queues_that_drop_the_oldest_agree_with_the_model(acts in prop::collection::vec(act(), 1..40)) {
        run(acts, QueueOverflow::DropOldest);
    }
}
