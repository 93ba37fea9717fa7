//! Which messages are a rule's: its FROM, and Basic Ingest (AWS IoT Core developer guide, iot-basic-ingest).

use message::{BASIC_INGEST_PREFIX, TopicFilter, TopicName};
use names::{Dialect, RuleName};

/// The filters that a rule subscribes to: what is after FROM, if anything, and its own Basic Ingest topics.
pub(crate) fn filters(name: &RuleName, from: Option<&TopicFilter>) -> Vec<TopicFilter> {
    let own = TopicFilter::new(&format!("{BASIC_INGEST_PREFIX}{name}/#"));
    from.cloned().into_iter().chain(own.ok()).collect()
}

/// The topic that the rule's statement is to see: without the prefix of Basic Ingest. None when the message was sent to
/// another rule, which a FROM such as `$aws/#` would match.
pub(crate) fn topic_for<'a>(topic: &'a TopicName, name: &RuleName) -> Option<&'a str> {
    let Some(rest) = topic.as_str().strip_prefix(BASIC_INGEST_PREFIX) else {
        return Some(topic.as_str());
    };
    rest.strip_prefix(name.as_str())?.strip_prefix('/')
}

/// Whether a rule with this FROM is to be listed for `topic`.
pub(crate) fn is_for(from: Option<&str>, topic: &str) -> bool {
    let Some(from) = from else { return false };
    let matches = |filter: TopicFilter, name: TopicName| filter.matches(&name, Dialect::Aws);
    let found = TopicFilter::new(from).ok().zip(TopicName::new(topic.to_owned()).ok());
    from == topic || found.is_some_and(|(filter, name)| matches(filter, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_ingest_reaches_its_rule_only() {
        let check = |topic: &str, rule: &str, expected: Option<&str>| {
            let (topic, rule) = (TopicName::new(topic.to_owned()).unwrap(), RuleName::new(rule).unwrap());
            assert_eq!(topic_for(&topic, &rule), expected, "{topic} {rule}");
        };
        check("room/kitchen", "r", Some("room/kitchen"));
        check("$aws/rules/r/room/kitchen", "r", Some("room/kitchen"));
        check("$aws/rules/other/room/kitchen", "r", None);
        check("$aws/rules/rr/room", "r", None);
        check("$aws/rules/r", "r", None);
        check("$aws/events/x", "r", Some("$aws/events/x"));
    }

    #[test]
    fn a_rule_subscribes_to_its_from_and_to_basic_ingest() {
        let name = RuleName::new("r").unwrap();
        let from = TopicFilter::new("room/+").unwrap();
        let texts = |from| filters(&name, from).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(Some(&from)), ["room/+", "$aws/rules/r/#"]);
        assert_eq!(texts(None), ["$aws/rules/r/#"]);
    }

    #[test]
    fn rules_are_listed_by_topic() {
        let check = |from: Option<&str>, topic: &str, expected| assert_eq!(is_for(from, topic), expected, "{from:?}");
        check(Some("room/+"), "room/kitchen", true);
        check(Some("room/+"), "room/+", true);
        check(Some("room/+"), "hall", false);
        check(None, "room", false);
    }
}
