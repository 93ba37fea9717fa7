//! Shadow documents: any update is taken or refused, and what was taken can be stored, read back and updated again.

use fuzz::{Choices, json};
use shadow_document::{Limits, Stored, UpdateRequest, get, read_client_token, update};

const NOW: u64 = 1_700_000_000;

/// An update's body, mostly a good one.
fn body(choices: &mut Choices<'_>) -> String {
    let section = |choices: &mut Choices<'_>| {
        let field = |choices: &mut Choices<'_>| format!("\"{}\":{}", choices.word(&["a", "b", "c"]), json(choices, 3));
        match choices.below(6) {
            0 => "null".to_owned(),
            1 => json(choices, 7),
            _ => format!("{{{}}}", choices.list(4, field)),
        }
    };
    let sections = choices.list(3, |choices| {
        let name = choices.word(&["desired", "reported", "desired", "reported", "other"]);
        format!("\"{name}\":{}", section(choices))
    });
    let version =
        choices.word(&["", "", "", ",\"version\":1", ",\"version\":2", ",\"version\":-1", ",\"version\":\"1\""]);
    let token = choices.word(&["", ",\"clientToken\":\"t\"", ",\"clientToken\":5"]);
    format!("{{\"state\":{{{sections}}}{version}{token}}}")
}

/// Applies updates in order to one shadow.
fn apply<'a>(payloads: impl Iterator<Item = &'a [u8]>) {
    let limits = Limits::default();
    let mut stored: Option<Stored> = None;
    for payload in payloads {
        drop(read_client_token(payload));
        let outcome =
            UpdateRequest::parse(payload, &limits).and_then(|request| update(stored.as_ref(), request, NOW, &limits));
        match outcome {
            Err(error) => assert!(error.rejected().starts_with(b"{\"code\":4"), "{error:?}"),
            Ok(updated) => {
                let before = stored.as_ref().and_then(Stored::live).map_or(0, |shadow| shadow.version());
                assert_eq!(updated.shadow.version(), before + 1);
                assert!(updated.shadow.state_bytes() <= limits.state_bytes_max);
                for told in [Some(updated.accepted()), Some(updated.documents()), updated.delta()].into_iter().flatten()
                {
                    assert!(serde_json::from_slice::<serde_json::Value>(&told).unwrap().is_object());
                }
                let bytes = updated.shadow.to_stored();
                let read = Stored::from_stored(&bytes).unwrap();
                assert_eq!(read.to_stored(), bytes);
                assert_eq!(get(read.live().unwrap(), NOW, None), get(&updated.shadow, NOW, None));
                stored = Some(read);
            }
        }
    }
}

#[test]
fn any_update_is_taken_or_refused() {
    bolero::check!().for_each(|bytes: &[u8]| apply(std::iter::once(bytes)));
}

#[test]
fn any_sequence_of_updates_keeps_a_shadow_whole() {
    bolero::check!().with_type::<Vec<Vec<u8>>>().for_each(|updates| {
        let texts: Vec<String> = updates.iter().map(|bytes| body(&mut Choices::new(bytes))).collect();
        apply(texts.iter().map(String::as_bytes));
    });
}

#[test]
fn any_stored_bytes_are_read_or_corrupt() {
    bolero::check!().for_each(|bytes: &[u8]| drop(Stored::from_stored(bytes)));
}
