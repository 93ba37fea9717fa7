//! The topics of shadows (AWS IoT Core developer guide, reserved-topics): requests read, replies written.

use message::{TopicFilter, TopicName};
use names::{ShadowName, ThingName};

use crate::operation::Operation;
use crate::shadow_id::ShadowId;

/// Filters of all topics on which shadows are asked and changed.
pub fn request_filters() -> impl Iterator<Item = TopicFilter> {
    ["", "/name/+"].into_iter().flat_map(|name| {
        Operation::ALL.into_iter().filter_map(move |operation| {
            TopicFilter::new(&format!("$aws/things/+/shadow{name}/{}", operation.as_str())).ok()
        })
    })
}

/// The shadow and the operation that a topic asks for; none for every other topic, replies among them, and where a
/// name is none.
pub fn parse_request_topic(topic: &str) -> Option<(ShadowId, Operation)> {
    let (thing, rest) = topic.strip_prefix("$aws/things/")?.split_once('/')?;
    let rest = rest.strip_prefix("shadow/")?;
    let (name, operation) = match rest.strip_prefix("name/") {
        Some(named) => named.split_once('/').map(|(name, operation)| (Some(name), operation))?,
        None => (None, rest),
    };
    let operation = Operation::ALL.into_iter().find(|known| known.as_str() == operation)?;
    let name = name.map(ShadowName::new).transpose().ok()?;
    Some((ShadowId { thing: ThingName::new(thing).ok()?, name }, operation))
}

/// The topic on which an operation on a shadow is asked for.
pub fn request_topic(id: &ShadowId, operation: Operation) -> TopicName {
    topic(id, operation.as_str())
}

fn topic(ShadowId { thing, name }: &ShadowId, rest: &str) -> TopicName {
    let topic = match name {
        None => format!("$aws/things/{thing}/shadow/{rest}"),
        Some(name) => format!("$aws/things/{thing}/shadow/name/{name}/{rest}"),
    };
    TopicName::new(topic).expect("names have neither wildcards nor U+0000 and are short")
}

/// Where the news of a shadow are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyTopic {
    /// `.../OPERATION/accepted`
    Accepted(Operation),
    /// `.../OPERATION/rejected`
    Rejected(Operation),
    /// `.../update/documents`
    Documents,
    /// `.../update/delta`
    Delta,
}

impl ReplyTopic {
    /// The whole topic for one shadow.
    pub fn of(self, id: &ShadowId) -> TopicName {
        topic(
            id,
            match self {
                Self::Accepted(Operation::Get) => "get/accepted",
                Self::Accepted(Operation::Update) => "update/accepted",
                Self::Accepted(Operation::Delete) => "delete/accepted",
                Self::Rejected(Operation::Get) => "get/rejected",
                Self::Rejected(Operation::Update) => "update/rejected",
                Self::Rejected(Operation::Delete) => "delete/rejected",
                Self::Documents => "update/documents",
                Self::Delta => "update/delta",
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use names::Dialect;

    use super::*;

    #[test]
    fn request_topics_are_read_and_all_others_are_not() {
        let check = |topic: &str, expected: Option<(&str, Option<&str>, Operation)>| {
            let parsed = parse_request_topic(topic);
            let parsed = parsed.as_ref().map(|(id, o)| (id.thing.as_str(), id.name.as_ref().map(|n| n.as_str()), *o));
            assert_eq!(parsed, expected, "{topic}");
            let name = TopicName::new(topic).unwrap();
            let is_subscribed = request_filters().any(|filter| filter.matches(&name, Dialect::Aws));
            assert!(is_subscribed || expected.is_none(), "{topic} must reach the service");
        };
        check("$aws/things/t/shadow/get", Some(("t", None, Operation::Get)));
        check("$aws/things/a:b_c-1/shadow/update", Some(("a:b_c-1", None, Operation::Update)));
        check("$aws/things/shadow/shadow/delete", Some(("shadow", None, Operation::Delete)));
        check("$aws/things/t/shadow/name/n/get", Some(("t", Some("n"), Operation::Get)));
        check("$aws/things/name/shadow/name/name/update", Some(("name", Some("name"), Operation::Update)));
        check("$aws/things/t/shadow/name/$package/delete", Some(("t", Some("$package"), Operation::Delete)));
        check("$aws/things/t/shadow/update/accepted", None);
        check("$aws/things/t/shadow/update/delta", None);
        check("$aws/things/t/shadow/name/n/get/rejected", None);
        check("$aws/things/t/shadow/name/get", None);
        check("$aws/things/t/shadow/name//get", None);
        check("$aws/things/t/shadow/list", None);
        check("$aws/things/t/shadow/Get", None);
        check("$aws/things//shadow/get", None);
        check("$aws/things/a b/shadow/get", None);
        check(&format!("$aws/things/{}/shadow/get", "x".repeat(129)), None);
        check("$aws/things/t/jobs/get", None);
        check("x/$aws/things/t/shadow/get", None);
        assert_eq!(request_filters().count(), 6);
    }

    #[test]
    fn replies_are_neighbours_of_requests() {
        let thing = ThingName::new("t").unwrap();
        let check = |reply: ReplyTopic, classic: &str, named: &str| {
            assert_eq!(reply.of(&ShadowId::classic(thing.clone())).as_str(), classic);
            let id = ShadowId::named(thing.clone(), ShadowName::new("n").unwrap());
            assert_eq!(reply.of(&id).as_str(), named);
        };
        check(
            ReplyTopic::Accepted(Operation::Get),
            "$aws/things/t/shadow/get/accepted",
            "$aws/things/t/shadow/name/n/get/accepted",
        );
        check(
            ReplyTopic::Rejected(Operation::Delete),
            "$aws/things/t/shadow/delete/rejected",
            "$aws/things/t/shadow/name/n/delete/rejected",
        );
        check(
            ReplyTopic::Documents,
            "$aws/things/t/shadow/update/documents",
            "$aws/things/t/shadow/name/n/update/documents",
        );
        check(ReplyTopic::Delta, "$aws/things/t/shadow/update/delta", "$aws/things/t/shadow/name/n/update/delta");
    }
}
