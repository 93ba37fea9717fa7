//! The delta: what is desired and not reported so. Keys that are only reported never appear.

use serde::ser::{Serialize, Serializer};

use crate::document::Shadow;
use crate::metadata::MetadataOf;
use crate::section::{Field, Fields, StateOf};

/// Differing fields of an object, by key, in `desired`'s order. Never empty.
pub(crate) struct Delta<'a>(Vec<(&'a str, Difference<'a>)>);

enum Difference<'a> {
    /// The desired field as it stands: a leaf (arrays are compared whole) or an object that is not reported as one.
    Whole(&'a Field),
    /// Some fields below.
    Within(Delta<'a>),
}

/// What of the shadow's `desired` is not in its `reported`; none when all of it is.
pub(crate) fn of(shadow: &Shadow) -> Option<Delta<'_>> {
    let nothing = Fields::new();
    between(shadow.desired.as_deref()?, shadow.reported.as_deref().unwrap_or(&nothing))
}

fn between<'a>(desired: &'a Fields, reported: &Fields) -> Option<Delta<'a>> {
    let differing = desired.iter().filter_map(|(key, wanted)| {
        let difference = match (wanted, reported.get(key)) {
            (Field::Object(wanted), Some(Field::Object(is))) => Difference::Within(between(wanted, is)?),
            (Field::Leaf { value: wanted, .. }, Some(Field::Leaf { value: is, .. })) if wanted == is => return None,
            _ => Difference::Whole(wanted),
        };
        Some((key.as_str(), difference))
    });
    let differing: Vec<_> = differing.collect();
    (!differing.is_empty()).then_some(Delta(differing))
}

impl Serialize for StateOf<'_, Delta<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.0.iter().map(|(key, difference)| (key, StateOf(difference))))
    }
}

impl Serialize for StateOf<'_, Difference<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Difference::Whole(field) => StateOf(*field).serialize(serializer),
            Difference::Within(delta) => StateOf(delta).serialize(serializer),
        }
    }
}

impl Serialize for MetadataOf<'_, Delta<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.0.iter().map(|(key, difference)| (key, MetadataOf(difference))))
    }
}

impl Serialize for MetadataOf<'_, Difference<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Difference::Whole(field) => MetadataOf(*field).serialize(serializer),
            Difference::Within(delta) => MetadataOf(delta).serialize(serializer),
        }
    }
}
