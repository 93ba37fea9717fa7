//! Lifecycle events: what the house tells its subscribers about clients that come, go and subscribe (developer guide,
//! life-cycle-events). Makes the messages; when each is due is decided where it happens.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use message::{Message, Origin, QoS, TopicFilter, TopicName};
use names::{Timestamp, limits};
use serde::Serialize;
use uuid::Uuid;

use crate::exchange::DisconnectReason;

/// The client that an event is about.
pub(crate) struct Subject<'a> {
    pub(crate) client_id: &'a str,
    /// None for anonymous clients.
    pub(crate) principal: Option<&'a str>,
    /// The thing that its certificate belongs to exclusively, if there is one.
    pub(crate) thing_name: Option<&'a str>,
    pub(crate) session_id: Uuid,
}

/// What happened to it.
pub(crate) enum Event<'a> {
    Connected { version: u64, source_ip: IpAddr },
    Disconnected { version: u64, reason: DisconnectReason },
    ConnectFailed { source_ip: IpAddr },
    Subscribed { topics: &'a [TopicFilter] },
    Unsubscribed { topics: &'a [TopicFilter] },
}

/// The event's topic; none when the client id holds a wildcard, or makes a topic that is none.
pub(crate) fn topic(subject: &Subject<'_>, event: &Event<'_>) -> Option<TopicName> {
    let client_id = subject.client_id;
    if client_id.contains(['#', '+']) {
        return None;
    }
    TopicName::new(format!("$aws/events/{}/{}/{client_id}", event.group(), event.name())).ok()
}

/// The event's message; none where it has no topic.
pub(crate) fn message(subject: &Subject<'_>, event: &Event<'_>, at: Timestamp) -> Option<Message> {
    let topic = topic(subject, event)?;
    let payload = Bytes::from(event.payload(subject, at)?);
    let origin = Arc::new(Origin::default());
    Some(Message { topic, payload, qos: QoS::AtLeastOnce, retain: false, properties: None, received_at: at, origin })
}

/// The filters of one packet in parts that an event each can hold.
pub(crate) fn parts(mut topics: &[TopicFilter]) -> impl Iterator<Item = &[TopicFilter]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |topic: &&TopicFilter| {
            bytes += topic.as_str().len();
            bytes <= limits::EVENT_TOPICS_BYTES_MAX
        };
        // One at least, or a filter that is too long for any part would never be passed.
        let count = topics.iter().take_while(fits).count().max(1);
        let (part, rest) = topics.split_at_checked(count)?;
        topics = rest;
        Some(part)
    })
}

impl Event<'_> {
    fn group(&self) -> &'static str {
        match self {
            Self::Connected { .. } | Self::Disconnected { .. } | Self::ConnectFailed { .. } => "presence",
            Self::Subscribed { .. } | Self::Unsubscribed { .. } => "subscriptions",
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Connected { .. } => "connected",
            Self::Disconnected { .. } => "disconnected",
            Self::ConnectFailed { .. } => "connect_failed",
            Self::Subscribed { .. } => "subscribed",
            Self::Unsubscribed { .. } => "unsubscribed",
        }
    }

    /// The members in AWS's order, as far as its answers have been seen: presence events name the client last,
    /// the others first, as the guide's samples do.
    fn payload(&self, subject: &Subject<'_>, at: Timestamp) -> Option<Vec<u8>> {
        let (client_id, thing_name) = (subject.client_id, subject.thing_name);
        let principal_identifier = subject.principal.unwrap_or(ANONYMOUS);
        let (session_identifier, event_type, timestamp) = (subject.session_id, self.name(), at.as_millis());
        let written = match *self {
            Self::Connected { version, source_ip } => serde_json::to_vec(&Connected {
                version_number: version,
                ip_address: source_ip,
                principal_identifier,
                session_identifier,
                event_type,
                timestamp,
                client_id,
                thing_name,
            }),
            Self::Disconnected { version, reason } => serde_json::to_vec(&Disconnected {
                version_number: version,
                disconnect_reason: reason.as_str(),
                principal_identifier,
                session_identifier,
                client_initiated_disconnect: reason == DisconnectReason::ClientInitiatedDisconnect,
                event_type,
                timestamp,
                client_id,
                thing_name,
            }),
            Self::ConnectFailed { source_ip } => serde_json::to_vec(&ConnectFailed {
                client_id,
                thing_name,
                timestamp,
                event_type,
                connect_failure_reason: "AUTHORIZATION_FAILED",
                principal_identifier,
                session_identifier,
                ip_address: source_ip,
            }),
            Self::Subscribed { topics } | Self::Unsubscribed { topics } => serde_json::to_vec(&Subscriptions {
                client_id,
                thing_name,
                timestamp,
                event_type,
                session_identifier,
                principal_identifier,
                topics: topics.iter().map(TopicFilter::as_str).collect(),
            }),
        };
        written.ok()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connected<'a> {
    version_number: u64,
    ip_address: IpAddr,
    principal_identifier: &'a str,
    session_identifier: Uuid,
    event_type: &'a str,
    timestamp: u64,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thing_name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Disconnected<'a> {
    version_number: u64,
    disconnect_reason: &'a str,
    principal_identifier: &'a str,
    session_identifier: Uuid,
    client_initiated_disconnect: bool,
    event_type: &'a str,
    timestamp: u64,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thing_name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectFailed<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thing_name: Option<&'a str>,
    timestamp: u64,
    event_type: &'a str,
    connect_failure_reason: &'a str,
    principal_identifier: &'a str,
    session_identifier: Uuid,
    ip_address: IpAddr,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subscriptions<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thing_name: Option<&'a str>,
    timestamp: u64,
    event_type: &'a str,
    session_identifier: Uuid,
    principal_identifier: &'a str,
    topics: Vec<&'a str>,
}

/// The principal of clients that have none; no certificate id looks like it. AWS has no such clients.
const ANONYMOUS: &str = "anonymous";

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);

    fn subject(client_id: &str) -> Subject<'_> {
        Subject { client_id, principal: Some("aa11"), thing_name: None, session_id: SESSION }
    }

    #[track_caller]
    fn check(subject: &Subject<'_>, event: &Event<'_>, topic: &str, payload: &str) {
        let message = message(subject, event, Timestamp::from_millis(1_573_002_230_757)).unwrap();
        assert_eq!(message.topic.as_str(), topic);
        let payload = payload.replace("SESSION", "01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(std::str::from_utf8(&message.payload).unwrap(), payload);
        assert!(!message.retain);
    }

    /// Connected and disconnected as AWS was seen to send them, the others as the developer guide's samples.
    #[test]
    fn events_have_awss_topics_members_and_order() {
        let source_ip = "192.0.2.0".parse().unwrap();
        check(
            &subject("c1"),
            &Event::Connected { version: 3, source_ip },
            "$aws/events/presence/connected/c1",
            r#"{"versionNumber":3,"ipAddress":"192.0.2.0","principalIdentifier":"aa11","sessionIdentifier":"SESSION","eventType":"connected","timestamp":1573002230757,"clientId":"c1"}"#,
        );
        check(
            &subject("c1"),
            &Event::Disconnected { version: 3, reason: DisconnectReason::ConnectionLost },
            "$aws/events/presence/disconnected/c1",
            r#"{"versionNumber":3,"disconnectReason":"CONNECTION_LOST","principalIdentifier":"aa11","sessionIdentifier":"SESSION","clientInitiatedDisconnect":false,"eventType":"disconnected","timestamp":1573002230757,"clientId":"c1"}"#,
        );
        check(
            &subject("c1"),
            &Event::ConnectFailed { source_ip },
            "$aws/events/presence/connect_failed/c1",
            r#"{"clientId":"c1","timestamp":1573002230757,"eventType":"connect_failed","connectFailureReason":"AUTHORIZATION_FAILED","principalIdentifier":"aa11","sessionIdentifier":"SESSION","ipAddress":"192.0.2.0"}"#,
        );
        let topics = [TopicFilter::new("a/b").unwrap(), TopicFilter::new("c/#").unwrap()];
        check(
            &subject("c1"),
            &Event::Subscribed { topics: &topics },
            "$aws/events/subscriptions/subscribed/c1",
            r#"{"clientId":"c1","timestamp":1573002230757,"eventType":"subscribed","sessionIdentifier":"SESSION","principalIdentifier":"aa11","topics":["a/b","c/#"]}"#,
        );
        check(
            &Subject { principal: None, ..subject("a\"/b") },
            &Event::Unsubscribed { topics: &topics[..1] },
            "$aws/events/subscriptions/unsubscribed/a\"/b",
            r#"{"clientId":"a\"/b","timestamp":1573002230757,"eventType":"unsubscribed","sessionIdentifier":"SESSION","principalIdentifier":"anonymous","topics":["a/b"]}"#,
        );
    }

    /// Developer guide, exclusive-thing: the name is there when the thing is the certificate's only one.
    #[test]
    fn an_exclusive_thing_is_named() {
        let subject = Subject { thing_name: Some("t1"), ..subject("c1") };
        check(
            &subject,
            &Event::Subscribed { topics: &[] },
            "$aws/events/subscriptions/subscribed/c1",
            r#"{"clientId":"c1","thingName":"t1","timestamp":1573002230757,"eventType":"subscribed","sessionIdentifier":"SESSION","principalIdentifier":"aa11","topics":[]}"#,
        );
        check(
            &subject,
            &Event::Disconnected { version: 3, reason: DisconnectReason::ConnectionLost },
            "$aws/events/presence/disconnected/c1",
            r#"{"versionNumber":3,"disconnectReason":"CONNECTION_LOST","principalIdentifier":"aa11","sessionIdentifier":"SESSION","clientInitiatedDisconnect":false,"eventType":"disconnected","timestamp":1573002230757,"clientId":"c1","thingName":"t1"}"#,
        );
    }

    /// Developer guide, life-cycle-events: only DISCONNECT is the client's own doing.
    #[test]
    fn every_reason_has_awss_word_and_says_who_ended_it() {
        for (reason, word, by_client) in [
            (DisconnectReason::AuthError, "AUTH_ERROR", false),
            (DisconnectReason::ClientInitiatedDisconnect, "CLIENT_INITIATED_DISCONNECT", true),
            (DisconnectReason::ClientError, "CLIENT_ERROR", false),
            (DisconnectReason::ConnectionLost, "CONNECTION_LOST", false),
            (DisconnectReason::DuplicateClientId, "DUPLICATE_CLIENTID", false),
            (DisconnectReason::ForbiddenAccess, "FORBIDDEN_ACCESS", false),
            (DisconnectReason::MqttKeepAliveTimeout, "MQTT_KEEP_ALIVE_TIMEOUT", false),
            (DisconnectReason::ServerError, "SERVER_ERROR", false),
            (DisconnectReason::ServerInitiatedDisconnect, "SERVER_INITIATED_DISCONNECT", false),
            (DisconnectReason::Throttled, "THROTTLED", false),
        ] {
            let message =
                message(&subject("c1"), &Event::Disconnected { version: 0, reason }, Timestamp::from_millis(0));
            let payload: serde_json::Value = serde_json::from_slice(&message.unwrap().payload).unwrap();
            assert_eq!(payload["disconnectReason"], word);
            assert_eq!(payload["clientInitiatedDisconnect"], by_client, "{word}");
        }
    }

    #[test]
    fn client_ids_that_make_no_topic_name_get_no_events() {
        let long = "x".repeat(limits::MQTT_STRING_BYTES_MAX);
        for client_id in ["#", "a+b", "a/#", &long] {
            let event = Event::Subscribed { topics: &[] };
            assert!(message(&subject(client_id), &event, Timestamp::from_millis(0)).is_none(), "{client_id:.9}");
        }
    }

    #[test]
    fn many_filters_are_told_in_parts() {
        let quarter = limits::EVENT_TOPICS_BYTES_MAX / 4;
        for (lengths, expected) in [
            (vec![], vec![]),
            (vec![1, 2, 3], vec![3]),
            (vec![quarter; 9], vec![4, 4, 1]),
            (vec![1, 5 * quarter, 5 * quarter, 1], vec![1, 1, 1, 1]),
        ] {
            let topics: Vec<_> = lengths.iter().map(|&length| TopicFilter::new(&"x".repeat(length)).unwrap()).collect();
            assert_eq!(parts(&topics).map(<[_]>::len).collect::<Vec<_>>(), expected, "{lengths:?}");
        }
    }
}
