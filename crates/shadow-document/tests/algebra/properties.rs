//! Properties: the algebra against a naive one over `serde_json::Value`, and any bytes at all.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shadow_document::{Limits, Stored, UpdateRequest, get, update};

use crate::script::Script;

proptest! {
    #[test]
    fn merge_is_the_naive_merge(bodies in prop::collection::vec(state(), 1..6)) {
        let mut shadow = Script::new();
        let mut naive = Map::new();
        for body in bodies {
            shadow.update(&json!({ "state": body }).to_string(), 1);
            for (section, sent) in body.as_object().unwrap() {
                merge(&mut naive, section, sent);
                if naive.get(section) == Some(&json!({})) {
                    naive.remove(section);
                }
            }
            let kept: Value = serde_json::from_str(&shadow.state()).unwrap();
            prop_assert_eq!(&kept, &Value::Object(naive.clone()));
        }
    }

    #[test]
    fn reporting_the_delta_ends_it(before in state(), after in state()) {
        let mut shadow = Script::new();
        shadow.update(&json!({ "state": before }).to_string(), 1);
        let updated = shadow.update(&json!({ "state": after }).to_string(), 2);
        if let Some(delta) = updated.delta() {
            let delta: Value = serde_json::from_slice(&delta).unwrap();
            let reported = shadow.update(&json!({"state": {"reported": delta["state"]}}).to_string(), 3);
            prop_assert_eq!(reported.delta(), None);
            let state: Value = serde_json::from_str(&shadow.state()).unwrap();
            prop_assert!(agree(&delta["state"], &state["desired"], &state["reported"]), "{} in {}", delta["state"], state);
        }
    }

    #[test]
    fn metadata_mirrors_state(bodies in prop::collection::vec(state(), 1..4)) {
        let mut shadow = Script::new();
        for body in bodies {
            let updated = shadow.update(&json!({ "state": body }).to_string(), 1);
            let got: Value = serde_json::from_str(&shadow.get(2)).unwrap();
            for section in ["desired", "reported"] {
                prop_assert!(mirrors(&got["state"][section], &got["metadata"][section]));
            }
            if let Some(delta) = updated.delta() {
                let delta: Value = serde_json::from_slice(&delta).unwrap();
                prop_assert!(mirrors(&delta["state"], &delta["metadata"]));
                prop_assert_eq!(&delta["state"], &got["state"]["delta"]);
            }
        }
    }

    #[test]
    fn any_bytes_give_a_document_or_a_listed_error(payload in payload()) {
        let limits = Limits::default();
        match UpdateRequest::parse(&payload, &limits).and_then(|request| update(None, request, 1, &limits)) {
            Ok(updated) => {
                prop_assert_eq!(updated.shadow.version(), 1);
                let got: Value = serde_json::from_slice(&get(&updated.shadow, 1, None)).unwrap();
                prop_assert!(got["state"].is_object());
            }
            Err(error) => prop_assert!([400, 409, 413, 415].contains(&error.code())),
        }
    }

    #[test]
    fn any_stored_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(stored) = Stored::from_stored(&bytes) {
            prop_assert_eq!(Stored::from_stored(&stored.to_stored()), Ok(stored));
        }
    }
}

/// Whether both sections have the same at all paths of the delta.
fn agree(delta: &Value, desired: &Value, reported: &Value) -> bool {
    match delta {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().all(|(key, delta)| agree(delta, &desired[key], &reported[key]))
        }
        leaf => leaf == desired && desired == reported,
    }
}

/// The rules of the merge, written for clearness alone.
fn merge(object: &mut Map<String, Value>, key: &str, sent: &Value) {
    let Value::Object(sent) = sent else {
        if sent.is_null() {
            object.remove(key)
        } else {
            object.insert(key.to_owned(), sent.clone())
        };
        return;
    };
    let is_object = object.get(key).is_some_and(Value::is_object);
    let mut merged = if is_object { object[key].as_object().unwrap().clone() } else { Map::new() };
    for (name, value) in sent {
        merge(&mut merged, name, value);
    }
    if !is_object && !sent.is_empty() && merged.is_empty() {
        object.remove(key);
    } else {
        object.insert(key.to_owned(), Value::Object(merged));
    }
}

fn mirrors(state: &Value, metadata: &Value) -> bool {
    match (state, metadata) {
        (Value::Null, Value::Null) => true,
        (Value::Object(state), Value::Object(metadata)) => {
            state.len() == metadata.len() && state.iter().all(|(k, v)| metadata.get(k).is_some_and(|m| mirrors(v, m)))
        }
        (Value::Array(state), Value::Array(metadata)) => {
            state.len() == metadata.len() && state.iter().zip(metadata).all(|(v, m)| mirrors(v, m))
        }
        (_, Value::Object(stamp)) => stamp.len() == 1 && stamp.get("timestamp").is_some_and(Value::is_u64),
        _ => false,
    }
}

fn state() -> impl Strategy<Value = Value> {
    let section = prop_oneof![1 => Just(Value::Null), 6 => object(fields())];
    let sections = prop::collection::btree_map(prop::sample::select(vec!["desired", "reported"]), section, 0..=2);
    sections.prop_map(|sections| sections.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

/// Few keys, so that updates meet each other's fields.
fn fields() -> impl Strategy<Value = Value> {
    let element = prop_oneof![any::<bool>().prop_map(Value::from), (0..3i64).prop_map(Value::from)];
    let leaf = prop_oneof![
        2 => Just(Value::Null),
        3 => (0..3i64).prop_map(Value::from),
        1 => prop::num::f64::NORMAL.prop_map(Value::from),
        1 => "[a-c\"\\\\\n]{0,2}".prop_map(Value::from),
        1 => prop::collection::vec(element, 0..3).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, object)
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec!["a", "b", "c", "d"]);
    prop::collection::btree_map(key, value, 0..4)
        .prop_map(|fields| fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

/// Noise, and good bodies with a few bytes changed.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let changed = (state(), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3)).prop_map(
        |(state, changes)| {
            let mut bytes = json!({"state": state, "version": 0, "clientToken": "t"}).to_string().into_bytes();
            for (index, byte) in changes {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        },
    );
    prop_oneof![prop::collection::vec(any::<u8>(), 0..64), changed]
}
