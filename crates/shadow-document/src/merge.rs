//! How a request changes a section: objects are merged, all else is replaced, null deletes.

use std::sync::Arc;

use crate::section::{Field, Fields};
use crate::value::{Object, Value};

/// What a request does to a section.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// The section is not named.
    Keep,
    /// The section, or the whole state, is null.
    Clear,
    /// The section's fields are merged.
    Merge(&'a Object),
}

/// Applies `change`, sent at `now_seconds`. A section that ends without keys is gone.
pub(crate) fn apply(section: &mut Option<Arc<Fields>>, change: Change<'_>, now_seconds: u64) {
    match change {
        Change::Keep => {}
        Change::Clear => *section = None,
        Change::Merge(sent) => {
            // The tree is copied if the document before the change has it still.
            let fields = Arc::make_mut(section.get_or_insert_default());
            merge(fields, sent, now_seconds);
            if fields.is_empty() {
                *section = None;
            }
        }
    }
}

fn merge(fields: &mut Fields, sent: &Object, now_seconds: u64) {
    for (key, value) in sent {
        match (value, fields.get_mut(key)) {
            (Value::Object(sent), Some(Field::Object(existing))) => merge(existing, sent, now_seconds),
            (Value::Object(sent), _) => match new_object(sent, now_seconds) {
                Some(object) => drop(fields.insert(key.clone(), Field::Object(object))),
                None => drop(fields.shift_remove(key)),
            },
            (Value::Null, _) => drop(fields.shift_remove(key)),
            (_, Some(existing)) => *existing = leaf(value, now_seconds),
            (_, None) => drop(fields.insert(key.clone(), leaf(value, now_seconds))),
        }
    }
}

/// A new object without the nulls that were sent in it; none when nothing else was. An object sent empty stays.
fn new_object(sent: &Object, now_seconds: u64) -> Option<Fields> {
    let mut fields = Fields::with_capacity(sent.len());
    merge(&mut fields, sent, now_seconds);
    (sent.is_empty() || !fields.is_empty()).then_some(fields)
}

fn leaf(value: &Value, now_seconds: u64) -> Field {
    Field::Leaf { value: value.clone(), changed_at_seconds: now_seconds }
}
