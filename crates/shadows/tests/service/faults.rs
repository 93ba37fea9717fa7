//! A store that is slow, that fails, and in which others are always faster.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use names::{ShadowName, ThingName};
use parking_lot::Mutex;
use shadows::ServiceError;
use store::{Batch, Direction, Done, Entry, MemoryStore, Store, StoreError, Version, Versioned, Watch};

use crate::house::{House, NOW, at, classic, pair};

#[tokio::test]
async fn nothing_is_said_before_the_disk_has_it_and_shadows_share_a_sync() {
    let store = Arc::new(FaultyStore::new(Fault::Slow));
    let mut house = House::over(Arc::<FaultyStore>::clone(&store));
    house.open();
    for thing in ["a", "b", "a"] {
        house.send(&format!("$aws/things/{thing}/shadow/update"), r#"{"state":{}}"#);
    }
    while store.waiting.lock().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(store.waiting.lock().len(), 2, "one commit for each shadow, both under way");
    assert_eq!(house.heard(), []);
    for answer in store.waiting.lock().drain(..) {
        answer(Ok(Version(1)));
    }
    assert_eq!(house.replies(6).await.len(), 6);
}

#[tokio::test]
async fn a_failing_store_is_awss_500() {
    let failed = r#"{"code":500,"message":"Internal service failure","clientToken":"t"}"#;
    for fault in [Fault::Failing, Fault::Conflicting] {
        let mut house = House::over(Arc::new(FaultyStore::new(fault)));
        house.open();
        house.send("$aws/things/a/shadow/update", r#"{"state":{},"clientToken":"t"}"#);
        assert_eq!(house.replies(1).await, [pair("$aws/things/a/shadow/update/rejected", failed)]);
    }
}

#[test]
fn a_failing_store_comes_back_to_callers() {
    let body = br#"{"state":{}}"#;
    let failing = House::running(Arc::new(FaultyStore::new(Fault::Failing)));
    let answer = failing.service.update(&classic("t"), Bytes::from_static(body), at(NOW));
    assert!(matches!(answer, Err(ServiceError::Store(StoreError::Failed(_)))), "{answer:?}");
    assert_eq!(failing.heard(), []);

    let conflicting = House::running(Arc::new(FaultyStore::new(Fault::Conflicting)));
    let answer = conflicting.service.update(&classic("t"), Bytes::from_static(body), at(NOW));
    assert!(matches!(answer, Err(ServiceError::Store(StoreError::Conflict))), "{answer:?}");
    assert_eq!(conflicting.heard(), []);
}

#[test]
fn a_corrupt_record_is_an_error_and_not_a_missing_shadow() {
    let store = MemoryStore::new();
    store.commit(Batch::new().put("shadow/live/t", "not a record").put("shadow/live/t/n", "x")).wait().unwrap();
    let house = House::running(Arc::<MemoryStore>::clone(&store));
    for answer in [
        house.service.get(&classic("t"), b"", at(NOW)),
        house.service.update(&classic("t"), Bytes::from_static(br#"{"state":{}}"#), at(NOW)),
        house.service.delete(&classic("t"), Bytes::new(), at(NOW)),
    ] {
        assert!(matches!(answer, Err(ServiceError::Store(StoreError::Failed(_)))), "{answer:?}");
    }
    let listed = house.service.list_named(&ThingName::new("t").unwrap(), None, 9).unwrap();
    assert_eq!(listed.names, [ShadowName::new("n").unwrap()]);
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    Slow,
    Failing,
    Conflicting,
}

pub(crate) struct FaultyStore {
    fault: Fault,
    pub(crate) waiting: Mutex<Vec<Done>>,
}

impl FaultyStore {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, waiting: Mutex::default() }
    }
}

impl Store for FaultyStore {
    fn get(&self, _: &[u8]) -> Result<Option<Versioned>, StoreError> {
        Ok(None)
    }

    fn range(&self, _: &[u8], _: &[u8], _: usize, _: Direction) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    fn commit_then(&self, _: Batch, done: Done) {
        match self.fault {
            Fault::Slow => self.waiting.lock().push(done),
            Fault::Failing => done(Err(StoreError::Failed("no disk".into()))),
            Fault::Conflicting => done(Err(StoreError::Conflict)),
        }
    }

    fn watch(&self, _: &[u8]) -> Watch {
        Watch::new(1).1
    }
}
