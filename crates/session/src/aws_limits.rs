//! The limits of dialect `aws` on topics and payloads (AWS quotas, message broker). Dialect `mqtt` has none beyond the
//! standard's, which hold already for every name and filter, and the packet size that its listener is configured to.

use bytes::Bytes;

use message::{TopicFilter, TopicName};
use names::{Dialect, limits};

use crate::Violation;

/// A message that is published, by PUBLISH or by an API that publishes: its topic and its payload.
///
/// # Errors
/// [`Violation`] says which limit of the dialect it breaks (AWS quotas, message broker).
pub fn check_publish(topic: &TopicName, payload: &Bytes, retain: bool, dialect: Dialect) -> Result<(), Violation> {
    check_payload(payload, dialect)?;
    check_name(topic, retain, dialect)
}

/// A topic that a message is published to, by PUBLISH or by a will.
pub(crate) fn check_name(topic: &TopicName, retain: bool, dialect: Dialect) -> Result<(), Violation> {
    if dialect != Dialect::Aws {
        return Ok(());
    }
    if retain && topic.is_reserved() {
        return Err(Violation::RetainOnReservedTopic);
    }
    check_counted(after_prefix(topic.as_str(), BASIC_INGEST, 3))
}

/// A filter that a client subscribes to.
pub(crate) fn check_filter(filter: &TopicFilter, dialect: Dialect) -> Result<(), Violation> {
    if dialect != Dialect::Aws {
        return Ok(());
    }
    check_counted(after_prefix(filter.as_str(), SHARED, 2))
}

/// The payload of a PUBLISH.
fn check_payload(payload: &Bytes, dialect: Dialect) -> Result<(), Violation> {
    let (bytes, max) = (payload.len(), limits::AWS_PAYLOAD_BYTES_MAX);
    if dialect == Dialect::Aws && bytes > max {
        return Err(Violation::PayloadTooLarge { bytes, max });
    }
    Ok(())
}

/// What AWS counts of a topic: all of it, or what follows the first `levels` levels when it starts with `prefix`.
fn after_prefix<'a>(topic: &'a str, prefix: &str, levels: usize) -> &'a str {
    if !topic.starts_with(prefix) {
        return topic;
    }
    topic.splitn(levels + 1, '/').nth(levels).unwrap_or_default()
}

fn check_counted(counted: &str) -> Result<(), Violation> {
    let (bytes, max) = (counted.len(), limits::AWS_TOPIC_BYTES_MAX);
    if bytes > max {
        return Err(Violation::TopicTooLong { bytes, max });
    }
    let (slashes, max) = (counted.bytes().filter(|&b| b == b'/').count(), limits::AWS_TOPIC_SLASHES_MAX);
    if slashes > max {
        return Err(Violation::TooManySlashes { slashes, max });
    }
    Ok(())
}

/// `$aws/rules/RULE/` goes before the topic that the rule sees (developer guide, iot-basic-ingest).
const BASIC_INGEST: &str = "$aws/rules/";
/// `$share/NAME/` goes before the filter that the group shares (developer guide, mqtt).
const SHARED: &str = "$share/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_bounds_names() {
        let check = |topic: &str, expected: Result<(), Violation>| {
            let topic = TopicName::new(topic).unwrap();
            assert_eq!(check_name(&topic, false, Dialect::Aws), expected, "{topic}");
            assert_eq!(check_name(&topic, true, Dialect::Mqtt), Ok(()), "{topic}");
        };
        let too_long = |bytes| Err(Violation::TopicTooLong { bytes, max: 256 });
        let too_deep = |slashes| Err(Violation::TooManySlashes { slashes, max: 7 });
        check(&"x".repeat(256), Ok(()));
        check(&"x".repeat(257), too_long(257));
        check(&"\u{e4}".repeat(129), too_long(258));
        check("1/2/3/4/5/6/7/8", Ok(()));
        check("1/2/3/4/5/6/7/8/9", too_deep(8));
        check("////////", too_deep(8));
        check("$aws/rules/NAME/1/2/3/4/5/6/7/8", Ok(()));
        check("$aws/rules/NAME/1/2/3/4/5/6/7/8/9", too_deep(8));
        check(&format!("$aws/rules/NAME/{}", "x".repeat(256)), Ok(()));
        check(&format!("$aws/rules/NAME/{}", "x".repeat(257)), too_long(257));
        check("$aws/rules/NAME", Ok(()));
        check("$aws/things/t/shadow/name/s/update/accepted", Ok(()));
        check("$aws/things/t/4/5/6/7/8/9", too_deep(8));
        check("$share/g/1/2/3/4/5/6/7", too_deep(8));
    }

    #[test]
    fn aws_bounds_filters() {
        let check = |filter: &str, expected: Result<(), Violation>| {
            let filter = TopicFilter::new(filter).unwrap();
            assert_eq!(check_filter(&filter, Dialect::Aws), expected, "{filter}");
            assert_eq!(check_filter(&filter, Dialect::Mqtt), Ok(()), "{filter}");
        };
        check("+/2/3/4/5/6/7/#", Ok(()));
        check("+/2/3/4/5/6/7/8/#", Err(Violation::TooManySlashes { slashes: 8, max: 7 }));
        check("$share/group/1/2/3/4/5/6/7/8", Ok(()));
        check("$share/group/1/2/3/4/5/6/7/8/9", Err(Violation::TooManySlashes { slashes: 8, max: 7 }));
        check("$aws/rules/NAME/4/5/6/7/8/9", Err(Violation::TooManySlashes { slashes: 8, max: 7 }));
        check(&"x".repeat(257), Err(Violation::TopicTooLong { bytes: 257, max: 256 }));
    }

    #[test]
    fn aws_retains_nothing_on_reserved_topics() {
        let check = |topic: &str, expected| {
            assert_eq!(check_name(&TopicName::new(topic).unwrap(), true, Dialect::Aws), expected, "{topic}");
        };
        check("$aws/things/t/shadow/update", Err(Violation::RetainOnReservedTopic));
        check("$x", Err(Violation::RetainOnReservedTopic));
        check("x/$", Ok(()));
    }
}
