//! A topic name: what a message is published to. No wildcards.

use std::fmt;

use bytestring::ByteString;

/// A valid topic name: 1 to 65,535 bytes of UTF-8 without `+`, `#` and U+0000 (MQTT 3.1.1, 4.7). A clone is cheap.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TopicName(ByteString);

/// Why a text is no topic name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopicName {
    /// [MQTT-4.7.3-1]
    #[error("the topic name is empty")]
    Empty,
    /// [MQTT-3.3.2-2]
    #[error("the topic name has a wildcard")]
    Wildcard,
    /// [MQTT-4.7.3-2]
    #[error("the topic name has the character U+0000")]
    Null,
    /// [MQTT-4.7.3-3]
    #[error("the topic name is longer than 65535 bytes")]
    TooLong,
}

impl TopicName {
    /// Checks the text; the bytes are not copied when it is a `ByteString` already.
    ///
    /// # Errors
    /// [`InvalidTopicName`] says which rule of MQTT the text breaks.
    pub fn new(text: impl Into<ByteString>) -> Result<Self, InvalidTopicName> {
        let text = text.into();
        if text.is_empty() {
            return Err(InvalidTopicName::Empty);
        }
        if text.len() > names::limits::MQTT_STRING_BYTES_MAX {
            return Err(InvalidTopicName::TooLong);
        }
        match text.bytes().find(|b| matches!(b, b'+' | b'#' | 0)) {
            None => Ok(Self(text)),
            Some(0) => Err(InvalidTopicName::Null),
            Some(_) => Err(InvalidTopicName::Wildcard),
        }
    }

    /// The topic as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The levels between the slashes; an empty level counts.
    pub fn levels(&self) -> std::str::Split<'_, char> {
        self.0.split('/')
    }

    /// Whether the topic starts with `$`, which wildcards at the first level do not match [MQTT-4.7.2-1].
    pub fn is_reserved(&self) -> bool {
        self.0.as_bytes().first() == Some(&b'$')
    }

    /// A copy that owns its bytes, for what is kept longer than the read buffer it came in.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(ByteString::from(self.0.to_string()))
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_without_wildcards_pass() {
        let check = |text: &str, expected: Result<(), InvalidTopicName>| {
            assert_eq!(TopicName::new(text).map(|_| ()), expected, "{text:?}");
        };
        for good in ["a", "/", "a//b", " ", "ä/β", "$aws/x", "\u{feff}a"] {
            check(good, Ok(()));
        }
        check("", Err(InvalidTopicName::Empty));
        check("a/+", Err(InvalidTopicName::Wildcard));
        check("a/#", Err(InvalidTopicName::Wildcard));
        check("a\0", Err(InvalidTopicName::Null));
        check(&"x".repeat(65_536), Err(InvalidTopicName::TooLong));
    }
}
