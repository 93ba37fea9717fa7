//! A topic filter: what a subscriber asks for. May have wildcards.

use std::fmt;
use std::sync::Arc;

use names::{Dialect, limits};

use crate::{SHARED_PREFIX, TopicName};

/// A valid topic filter: wildcards stand alone in their level and `#` is last (MQTT 3.1.1, 4.7.1). A clone is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicFilter(Arc<str>);

/// Why a text is no topic filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopicFilter {
    /// [MQTT-4.7.3-1]
    #[error("the topic filter is empty")]
    Empty,
    /// [MQTT-4.7.1-2]
    #[error("'#' must be the last level of the topic filter and stand alone in it")]
    MultiLevelWildcard,
    /// [MQTT-4.7.1-3]
    #[error("'+' must stand alone in its level of the topic filter")]
    SingleLevelWildcard,
    /// [MQTT-4.7.3-2]
    #[error("the topic filter has the character U+0000")]
    Null,
    /// [MQTT-4.7.3-3]
    #[error("the topic filter is longer than 65535 bytes")]
    TooLong,
    /// Althing's own bound on the depth of the filter tree.
    #[error("the topic filter has more than {} levels", limits::TOPIC_LEVELS_MAX)]
    TooDeep,
}

impl TopicFilter {
    /// Checks the text.
    ///
    /// # Errors
    /// [`InvalidTopicFilter`] says which rule the text breaks.
    pub fn new(text: &str) -> Result<Self, InvalidTopicFilter> {
        if text.is_empty() {
            return Err(InvalidTopicFilter::Empty);
        }
        if text.len() > limits::MQTT_STRING_BYTES_MAX {
            return Err(InvalidTopicFilter::TooLong);
        }
        if text.contains('\0') {
            return Err(InvalidTopicFilter::Null);
        }
        let mut levels = text.split('/').peekable();
        let mut depth = 0;
        while let Some(level) = levels.next() {
            depth += 1;
            if level.contains('#') && (level != "#" || levels.peek().is_some()) {
                return Err(InvalidTopicFilter::MultiLevelWildcard);
            }
            if level.contains('+') && level != "+" {
                return Err(InvalidTopicFilter::SingleLevelWildcard);
            }
        }
        if depth > limits::TOPIC_LEVELS_MAX {
            return Err(InvalidTopicFilter::TooDeep);
        }
        Ok(Self(Arc::from(text)))
    }

    /// The filter as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The levels between the slashes.
    pub fn levels(&self) -> std::str::Split<'_, char> {
        self.0.split('/')
    }

    /// Whether it is a group's: [`SharedFilter::parse`](crate::SharedFilter::parse) gives its parts, or refuses it.
    pub fn is_shared(&self) -> bool {
        self.0.starts_with(SHARED_PREFIX)
    }

    /// Whether any level is `+` or `#`.
    pub fn has_wildcard(&self) -> bool {
        self.0.bytes().any(|b| matches!(b, b'+' | b'#'))
    }

    /// The filter as a topic name, when it has no wildcard.
    pub fn as_topic_name(&self) -> Option<TopicName> {
        TopicName::new(&*self.0).ok()
    }

    /// Whether a message on `topic` is meant. In dialect `aws` a `#` does not match its parent level; in neither
    /// does a wildcard at the first level match a topic that starts with `$` [MQTT-4.7.2-1].
    pub fn matches(&self, topic: &TopicName, dialect: Dialect) -> bool {
        if topic.is_reserved() && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut names = topic.levels();
        for level in self.levels() {
            match (level, names.next()) {
                ("#", Some(_)) => return true,
                ("#", None) => return dialect == Dialect::Mqtt,
                ("+", Some(_)) => {}
                (level, Some(name)) if level == name => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_alone_in_their_level() {
        for good in ["a", "/", "+", "#", "a/+/b", "a/#", "+/+", "/+", "$SYS/#", "a//b"] {
            assert!(TopicFilter::new(good).is_ok(), "{good}");
        }
        let check = |text: &str, expected| assert_eq!(TopicFilter::new(text), Err(expected), "{text}");
        check("", InvalidTopicFilter::Empty);
        check("a#", InvalidTopicFilter::MultiLevelWildcard);
        check("#/a", InvalidTopicFilter::MultiLevelWildcard);
        check("a/#/b", InvalidTopicFilter::MultiLevelWildcard);
        check("a+", InvalidTopicFilter::SingleLevelWildcard);
        check("a/+b", InvalidTopicFilter::SingleLevelWildcard);
        check("a\0", InvalidTopicFilter::Null);
        check(&"/".repeat(128), InvalidTopicFilter::TooDeep);
    }

    /// MQTT 3.1.1, 4.7.1.2, 4.7.1.3 and 4.7.2, and aws/mqtt.md for dialect `aws`.
    #[test]
    fn filters_match_as_the_standard_says() {
        let check = |filter: &str, topic: &str, mqtt: bool, aws: bool| {
            let (f, t) = (TopicFilter::new(filter).unwrap(), TopicName::new(topic).unwrap());
            assert_eq!(f.matches(&t, Dialect::Mqtt), mqtt, "{filter} {topic} mqtt");
            assert_eq!(f.matches(&t, Dialect::Aws), aws, "{filter} {topic} aws");
        };
        check("sport/tennis/player1/#", "sport/tennis/player1", true, false);
        check("sport/tennis/player1/#", "sport/tennis/player1/ranking", true, true);
        check("sport/#", "sport/", true, true);
        check("#", "a/b", true, true);
        check("sport/tennis/+", "sport/tennis/player1", true, true);
        check("sport/tennis/+", "sport/tennis/player1/ranking", false, false);
        check("sport/+", "sport", false, false);
        check("sport/+", "sport/", true, true);
        check("+/+", "/finance", true, true);
        check("/+", "/finance", true, true);
        check("+", "/finance", false, false);
        check("#", "$SYS/x", false, false);
        check("+/x", "$SYS/x", false, false);
        check("$SYS/#", "$SYS/x", true, true);
        check("a/b", "a/b", true, true);
        check("a/b", "A/b", false, false);
        check("a/b", "a/b/", false, false);
    }
}
