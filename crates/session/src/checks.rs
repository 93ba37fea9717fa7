//! What a message, a topic and a filter may be under a session's quotas.

use bytes::Bytes;

use message::{BASIC_INGEST_PREFIX, Properties, SHARED_PREFIX, TopicFilter, TopicName};
use names::Dialect;

use crate::{Quotas, Violation};

/// A message that is published, by PUBLISH or by an API that publishes.
///
/// # Errors
/// [`Violation`] says which quota it breaks (AWS quotas, message broker).
pub fn check_publish(
    topic: &TopicName,
    payload: &Bytes,
    retain: bool,
    properties: Option<&Properties>,
    quotas: &Quotas,
) -> Result<(), Violation> {
    let (bytes, max) = (payload.len(), quotas.payload_bytes_max);
    if bytes > max {
        return Err(Violation::PayloadTooLarge { bytes, max });
    }
    properties.map_or(Ok(()), |properties| check_properties(properties, quotas))?;
    check_name(topic, retain, quotas)
}

/// A topic that a message is published to, by PUBLISH or by a will.
pub(crate) fn check_name(topic: &TopicName, retain: bool, quotas: &Quotas) -> Result<(), Violation> {
    if quotas.dialect != Dialect::Aws {
        return Ok(());
    }
    if retain && topic.is_reserved() {
        return Err(Violation::RetainOnReservedTopic);
    }
    let counted = after_prefix(topic.as_str(), BASIC_INGEST_PREFIX, 3);
    check_length(counted, quotas).map_err(|over| match over {
        Over::Bytes { bytes, max } => Violation::TopicTooLong { bytes, max },
        Over::Slashes { slashes, max } => Violation::TooManySlashes { slashes, max },
    })
}

/// A filter that a client subscribes to.
pub(crate) fn check_filter(filter: &TopicFilter, quotas: &Quotas) -> Result<(), Violation> {
    if quotas.dialect != Dialect::Aws {
        return Ok(());
    }
    let counted = after_prefix(filter.as_str(), SHARED_PREFIX, 2);
    check_length(counted, quotas).map_err(|over| match over {
        Over::Bytes { bytes, max } => Violation::FilterTooLong { bytes, max },
        Over::Slashes { slashes, max } => Violation::FilterTooDeep { slashes, max },
    })
}

/// What an MQTT 5 client says beside a payload.
pub(crate) fn check_properties(properties: &Properties, quotas: &Quotas) -> Result<(), Violation> {
    let check = |what, bytes: usize, max: usize| {
        if bytes > max { Err(Violation::PropertyTooLong { what, bytes, max }) } else { Ok(()) }
    };
    let content_type = properties.content_type.as_ref().map_or(0, |text| text.len());
    check("content type", content_type, quotas.content_type_bytes_max)?;
    let correlation_data = properties.correlation_data.as_ref().map_or(0, Bytes::len);
    check("correlation data", correlation_data, quotas.correlation_data_bytes_max)?;
    let pairs = properties.user_properties.iter();
    check_user_properties(pairs.map(|(name, value)| name.len() + value.len()).sum(), quotas)
}

/// All user properties of a packet together.
pub(crate) fn check_user_properties(bytes: usize, quotas: &Quotas) -> Result<(), Violation> {
    let max = quotas.user_properties_bytes_max;
    if bytes > max {
        return Err(Violation::PropertyTooLong { what: "user properties", bytes, max });
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

/// How a topic is too long.
enum Over {
    Bytes { bytes: usize, max: usize },
    Slashes { slashes: usize, max: usize },
}

fn check_length(counted: &str, quotas: &Quotas) -> Result<(), Over> {
    let (bytes, max) = (counted.len(), quotas.topic_bytes_max);
    if bytes > max {
        return Err(Over::Bytes { bytes, max });
    }
    let (slashes, max) = (counted.bytes().filter(|&b| b == b'/').count(), quotas.topic_slashes_max);
    if slashes > max {
        return Err(Over::Slashes { slashes, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWS: Quotas = Quotas::of(Dialect::Aws);
    const MQTT: Quotas = Quotas::of(Dialect::Mqtt);

    #[test]
    fn aws_bounds_names() {
        let check = |topic: &str, expected: Result<(), Violation>| {
            let topic = TopicName::new(topic.to_owned()).unwrap();
            assert_eq!(check_name(&topic, false, &AWS), expected, "{topic}");
            assert_eq!(check_name(&topic, true, &MQTT), Ok(()), "{topic}");
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
            assert_eq!(check_filter(&filter, &AWS), expected, "{filter}");
            assert_eq!(check_filter(&filter, &MQTT), Ok(()), "{filter}");
        };
        let too_deep = || Err(Violation::FilterTooDeep { slashes: 8, max: 7 });
        check("+/2/3/4/5/6/7/#", Ok(()));
        check("+/2/3/4/5/6/7/8/#", too_deep());
        check("$share/group/1/2/3/4/5/6/7/8", Ok(()));
        check("$share/group/1/2/3/4/5/6/7/8/9", too_deep());
        check("$aws/rules/NAME/4/5/6/7/8/9", too_deep());
        check(&"x".repeat(257), Err(Violation::FilterTooLong { bytes: 257, max: 256 }));
    }

    #[test]
    fn aws_retains_nothing_on_reserved_topics() {
        let check = |topic: &str, expected| {
            assert_eq!(check_name(&TopicName::new(topic.to_owned()).unwrap(), true, &AWS), expected, "{topic}");
        };
        check("$aws/things/t/shadow/update", Err(Violation::RetainOnReservedTopic));
        check("$x", Err(Violation::RetainOnReservedTopic));
        check("x/$", Ok(()));
    }

    /// AWS quotas, message broker: content type 256 bytes, correlation data and user properties 8 KB.
    #[test]
    fn aws_bounds_properties() {
        let check = |properties: &Properties, expected: Option<(usize, usize)>| {
            let over = check_properties(properties, &AWS).err().map(|violation| match violation {
                Violation::PropertyTooLong { bytes, max, .. } => (bytes, max),
                other => panic!("{other}"),
            });
            assert_eq!(over, expected);
            assert_eq!(check_properties(properties, &MQTT), Ok(()));
        };
        let content_type = |bytes| Properties { content_type: Some("x".repeat(bytes).into()), ..Properties::default() };
        check(&content_type(256), None);
        check(&content_type(257), Some((257, 256)));
        let data = |bytes| Properties { correlation_data: Some(vec![0; bytes].into()), ..Properties::default() };
        check(&data(8192), None);
        check(&data(8193), Some((8193, 8192)));
        let pairs = |bytes| {
            let pair = ("ab".into(), "x".repeat(bytes).into());
            Properties { user_properties: vec![pair; 2], ..Properties::default() }
        };
        check(&pairs(4094), None);
        check(&pairs(4095), Some((8194, 8192)));
    }
}
