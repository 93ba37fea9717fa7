//! Which shadow: a thing's classic one or one of its named ones.

use names::{ShadowName, ThingName};

/// A thing's classic shadow, which has no name, or a named one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShadowId {
    /// The thing; it need not be registered.
    pub thing: ThingName,
    /// The named shadow; none for the classic one.
    pub name: Option<ShadowName>,
}

impl ShadowId {
    /// A thing's classic shadow.
    pub fn classic(thing: ThingName) -> Self {
        Self { thing, name: None }
    }

    /// A thing's named shadow.
    pub fn named(thing: ThingName, name: ShadowName) -> Self {
        Self { thing, name: Some(name) }
    }

    /// What AWS's errors call it: the shadow's name, or the thing's for the classic shadow.
    pub fn title(&self) -> &str {
        self.name.as_ref().map_or(self.thing.as_str(), ShadowName::as_str)
    }
}
