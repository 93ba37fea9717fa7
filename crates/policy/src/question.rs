//! What is asked of a policy, and who answers for the keys that its statements name.

use std::borrow::Cow;
use std::collections::HashMap;

/// May the principal, in this context, do `action` on `resource`?
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The action, such as `iot:Publish`; compared without regard to case.
    pub action: &'a str,
    /// The resource's ARN; compared exactly.
    pub resource: &'a str,
    /// The values of condition keys and variables.
    pub context: &'a dyn Context,
}

/// Answers for condition keys and policy variables, such as `iot:ClientId`.
pub trait Context {
    /// The value of `key`; none when it has none here.
    ///
    /// Key names compare without regard to case. Keys of AWS IoT Core and the global ones arrive in the spelling of
    /// AWS's guides, however the document's author wrote them, so comparing those exactly is enough. Only keys with
    /// one value can stand in a variable; `iot:Certificate.Subject.Organization.List` and its like are for conditions.
    fn values(&self, key: &str) -> Option<Values<'_>>;
}

/// The value of a condition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values<'a> {
    /// A key with a single value.
    One(Cow<'a, str>),
    /// A key with a set of values (`ForAllValues`, `ForAnyValue`); an empty set counts as no value.
    Many(Vec<Cow<'a, str>>),
}

impl<'a> Values<'a> {
    /// A single value.
    pub fn one(value: impl Into<Cow<'a, str>>) -> Self {
        Self::One(value.into())
    }

    /// A set of values.
    pub fn many<T: Into<Cow<'a, str>>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::Many(values.into_iter().map(Into::into).collect())
    }

    pub(crate) fn as_slice(&self) -> &[Cow<'a, str>] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// Nothing is known: no key has a value.
impl Context for () {
    fn values(&self, _key: &str) -> Option<Values<'_>> {
        None
    }
}

/// A context written out key by key.
#[derive(Debug, Clone, Default)]
pub struct MapContext(HashMap<String, Known>);

#[derive(Debug, Clone)]
enum Known {
    One(String),
    Many(Vec<String>),
}

impl MapContext {
    /// A context without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key with a single value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(key.to_ascii_lowercase(), Known::One(value.into()));
        self
    }

    /// Adds a key with a set of values.
    #[must_use]
    pub fn with_many<T: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.0.insert(key.to_ascii_lowercase(), Known::Many(values.into_iter().map(Into::into).collect()));
        self
    }
}

impl Context for MapContext {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        Some(match self.0.get(&key.to_ascii_lowercase())? {
            Known::One(value) => Values::one(value.as_str()),
            Known::Many(values) => Values::many(values.iter().map(String::as_str)),
        })
    }
}
