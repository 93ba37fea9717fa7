//! What a statement may ask about a message.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::ops::Range;

use bytes::Bytes;
use indexmap::IndexMap;

use crate::value::UNDEFINED;
use crate::{SqlVersion, Value, json};

/// One message and what is known about it. Make one for a message and use it for all rules and templates: the payload
/// is parsed on first need, and once.
#[derive(Clone)]
pub struct Input<'a> {
    /// The payload as it was published.
    pub payload: &'a Bytes,
    /// The topic, without a Basic Ingest prefix (`$aws/rules/NAME/`).
    pub topic: &'a str,
    /// The publisher's MQTT client identifier; None if it came by HTTP.
    pub client_id: Option<&'a str>,
    /// What `principal()` gives.
    pub principal: Option<&'a str>,
    /// The publisher's address.
    pub source_ip: Option<IpAddr>,
    /// What `timestamp()` gives, in milliseconds since 1970.
    pub timestamp_ms: u64,
    /// The account's twelve digits.
    pub account_id: &'a str,
    /// What `traceid()` gives, for messages that came by MQTT.
    pub trace_id: &'a str,
    /// Makes a new UUID's text.
    pub uuid: &'a dyn Fn() -> String,
    /// Draws a number from 0 to 1.
    pub random: &'a dyn Fn() -> f64,
    /// MQTT 5 properties, if there are any.
    pub properties: Option<&'a PublishProperties<'a>>,
    /// Keeps the parsed payload; `ParsedPayload::default()` at first.
    pub parsed: ParsedPayload,
}

/// The properties of an MQTT 5 PUBLISH that statements may ask for (MQTT 5, 3.3.2.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublishProperties<'a> {
    /// Content Type.
    pub content_type: Option<&'a str>,
    /// Response Topic.
    pub response_topic: Option<&'a str>,
    /// Correlation Data, as it came.
    pub correlation_data: Option<&'a [u8]>,
    /// Payload Format Indicator is 1.
    pub is_utf8: bool,
    /// User Properties, in order.
    pub user_properties: &'a [(&'a str, &'a str)],
}

/// What has been read of the payload so far: an object's members are told apart first, and only those that are asked
/// for are read.
#[derive(Debug, Clone, Default)]
pub struct ParsedPayload {
    members: OnceCell<IndexMap<String, Member>>,
    whole: PerVersion,
}

/// Where in the payload a member's value stands, and the value once it has been read.
#[derive(Debug, Clone)]
struct Member {
    place: Range<usize>,
    value: PerVersion,
}

/// A value, once for each way in which the versions read numbers.
#[derive(Debug, Clone, Default)]
struct PerVersion {
    with_whole_decimals: OnceCell<Value>,
    without_whole_decimals: OnceCell<Value>,
}

impl<'a> Input<'a> {
    /// A message whose publisher is unknown; set the other fields as they are known.
    #[must_use]
    pub fn new(
        payload: &'a Bytes,
        topic: &'a str,
        account_id: &'a str,
        timestamp_ms: u64,
        trace_id: &'a str,
        uuid: &'a dyn Fn() -> String,
        random: &'a dyn Fn() -> f64,
    ) -> Self {
        Self {
            payload,
            topic,
            client_id: None,
            principal: None,
            source_ip: None,
            timestamp_ms,
            account_id,
            trace_id,
            uuid,
            random,
            properties: None,
            parsed: ParsedPayload::default(),
        }
    }

    /// The payload's JSON as `version` has it; Undefined if it is none (developer guide, binary-payloads).
    #[must_use]
    pub fn json(&self, version: SqlVersion) -> &Value {
        self.parsed.whole.read(self.payload, version)
    }

    /// A member of the payload; Undefined if there is none or the payload is no JSON object.
    pub(crate) fn member(&self, name: &str, version: SqlVersion) -> &Value {
        let members = self.parsed.members.get_or_init(|| members(self.payload));
        members.get(name).map_or(&UNDEFINED, |member| {
            let json = self.payload.get(member.place.clone()).unwrap_or_default();
            member.value.read(json, version)
        })
    }
}

impl PerVersion {
    fn read(&self, json: &[u8], version: SqlVersion) -> &Value {
        let cell =
            if version.collapses_whole_decimals() { &self.without_whole_decimals } else { &self.with_whole_decimals };
        cell.get_or_init(|| Value::from_json(json, version).unwrap_or_default())
    }
}

fn members(payload: &[u8]) -> IndexMap<String, Member> {
    let members = json::members(payload).ok().flatten().unwrap_or_default();
    members.into_iter().map(|(name, place)| (name, Member { place, value: PerVersion::default() })).collect()
}
