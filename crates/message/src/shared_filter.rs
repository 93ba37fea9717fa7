//! Shared subscriptions: `$share/{ShareName}/{filter}` names a group that gets each message once (MQTT 5, 4.8.2).

use std::sync::Arc;

use crate::{InvalidTopicFilter, SHARED_PREFIX, TopicFilter};

/// The two parts of a shared subscription's filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SharedFilter {
    /// The group's name; at least one character and no wildcard [MQTT-4.8.2-1], [MQTT-4.8.2-2].
    pub share_name: Arc<str>,
    /// What the group's messages match.
    pub filter: TopicFilter,
}

/// Why a filter that starts with `$share/` names no group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSharedFilter {
    /// [MQTT-4.8.2-1], [MQTT-4.8.2-2]
    #[error("the share name of the topic filter is empty or has a wildcard [MQTT-4.8.2-1] [MQTT-4.8.2-2]")]
    ShareName,
    /// [MQTT-4.8.2-2]
    #[error("the share name is not followed by a topic filter [MQTT-4.8.2-2]")]
    NoFilter,
    /// What follows the share name is no topic filter.
    #[error(transparent)]
    Filter(#[from] InvalidTopicFilter),
}

impl SharedFilter {
    /// The parts of `filter`; none when it is an ordinary one.
    ///
    /// # Errors
    /// [`InvalidSharedFilter`] when it starts with `$share/` and does not go on as it must.
    pub fn parse(filter: &str) -> Result<Option<Self>, InvalidSharedFilter> {
        let Some(rest) = filter.strip_prefix(SHARED_PREFIX) else { return Ok(None) };
        let (share_name, filter) = rest.split_once('/').ok_or(InvalidSharedFilter::NoFilter)?;
        if share_name.is_empty() || share_name.contains(['+', '#']) {
            return Err(InvalidSharedFilter::ShareName);
        }
        if filter.is_empty() {
            return Err(InvalidSharedFilter::NoFilter);
        }
        Ok(Some(Self { share_name: Arc::from(share_name), filter: TopicFilter::new(filter)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_filter_has_a_name_and_a_filter() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let parsed = SharedFilter::parse(text).unwrap();
            let parts = parsed.as_ref().map(|shared| (&*shared.share_name, shared.filter.as_str()));
            assert_eq!(parts, expected, "{text}");
        };
        check("$share/g/a", Some(("g", "a")));
        check("$share/g//a", Some(("g", "/a")));
        check("$share/g/#", Some(("g", "#")));
        check("$share/g/+/b", Some(("g", "+/b")));
        check("$SHARE/g/a", None);
        check("$shared/g/a", None);
        check("$share", None);
        check("a/$share/g/a", None);
    }

    #[test]
    fn what_names_no_group_is_refused() {
        let check = |text: &str, expected| assert_eq!(SharedFilter::parse(text), Err(expected), "{text}");
        check("$share/", InvalidSharedFilter::NoFilter);
        check("$share/g", InvalidSharedFilter::NoFilter);
        check("$share/g/", InvalidSharedFilter::NoFilter);
        check("$share//a", InvalidSharedFilter::ShareName);
        check("$share/g+/a", InvalidSharedFilter::ShareName);
        check("$share/#/a", InvalidSharedFilter::ShareName);
        check("$share/g/a#", InvalidSharedFilter::Filter(InvalidTopicFilter::MultiLevelWildcard));
    }
}
