//! What one session may ask for and hold: AWS's quotas in dialect `aws`, ours in dialect `mqtt`. The configuration may
//! change them.

use names::{Dialect, limits};

/// The bounds that a session keeps. A client of MQTT 5 is told of those that CONNACK has words for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotas {
    /// The contract that these belong to.
    pub dialect: Dialect,
    /// Length of a client identifier in bytes.
    pub client_id_bytes_max: usize,
    /// A whole packet from the client, fixed header included.
    pub packet_bytes_max: usize,
    /// A payload from the client.
    pub payload_bytes_max: usize,
    /// A topic name or filter, without the prefix that AWS does not count.
    pub topic_bytes_max: usize,
    /// Slashes of a topic name or filter, without those of the prefix that AWS does not count.
    pub topic_slashes_max: usize,
    /// A shared subscription's share name.
    pub share_name_characters_max: usize,
    /// Filters in one SUBSCRIBE.
    pub filters_per_subscribe_max: usize,
    /// Subscriptions of one session.
    pub subscriptions_max: usize,
    /// QoS 1 and 2 messages from the client that are not done with: Receive Maximum (MQTT 5, 3.2.2.3.3).
    pub receive_max: u16,
    /// QoS 1 and 2 messages to the client that are not done with, if the client does not want fewer.
    pub send_max: u16,
    /// Topic aliases that the client may use (MQTT 5, 3.2.2.3.8).
    pub topic_alias_max: u16,
    /// How long a session may outlive its connection, in seconds; `u32::MAX` is for ever.
    pub session_expiry_seconds_max: u32,
    /// How long a message may be kept, in seconds; more becomes this (MQTT 5, 3.3.2.3.3).
    pub message_expiry_seconds_max: u32,
    /// All names and values of a packet's user properties.
    pub user_properties_bytes_max: usize,
    /// A message's content type.
    pub content_type_bytes_max: usize,
    /// A message's correlation data.
    pub correlation_data_bytes_max: usize,
    /// The least that a client's Maximum Packet Size may be.
    pub client_packet_bytes_min: u32,
}

impl Quotas {
    /// A dialect's own quotas: those of the AWS General Reference, or the widest that the standard and this server have.
    pub const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Aws => Self::AWS,
            Dialect::Mqtt => Self::MQTT,
        }
    }

    const AWS: Self = Self {
        dialect: Dialect::Aws,
        client_id_bytes_max: limits::AWS_CLIENT_ID_BYTES_MAX,
        packet_bytes_max: limits::AWS_PACKET_BYTES_MAX,
        payload_bytes_max: limits::AWS_PAYLOAD_BYTES_MAX,
        topic_bytes_max: limits::AWS_TOPIC_BYTES_MAX,
        topic_slashes_max: limits::AWS_TOPIC_SLASHES_MAX,
        share_name_characters_max: limits::AWS_SHARE_NAME_CHARACTERS_MAX,
        filters_per_subscribe_max: limits::AWS_FILTERS_PER_SUBSCRIBE_MAX,
        subscriptions_max: limits::AWS_SUBSCRIPTIONS_PER_CONNECTION_MAX,
        receive_max: limits::AWS_INFLIGHT_MAX,
        send_max: limits::AWS_INFLIGHT_MAX,
        topic_alias_max: limits::AWS_TOPIC_ALIAS_MAX,
        session_expiry_seconds_max: limits::AWS_SESSION_EXPIRY_SECONDS_MAX,
        message_expiry_seconds_max: limits::AWS_MESSAGE_EXPIRY_SECONDS_MAX,
        user_properties_bytes_max: limits::AWS_USER_PROPERTIES_BYTES_MAX,
        content_type_bytes_max: limits::AWS_CONTENT_TYPE_BYTES_MAX,
        correlation_data_bytes_max: limits::AWS_CORRELATION_DATA_BYTES_MAX,
        client_packet_bytes_min: limits::AWS_CLIENT_PACKET_BYTES_MIN,
    };

    const MQTT: Self = Self {
        dialect: Dialect::Mqtt,
        client_id_bytes_max: limits::MQTT_STRING_BYTES_MAX,
        packet_bytes_max: limits::PACKET_BYTES_MAX,
        payload_bytes_max: limits::PACKET_BYTES_MAX,
        topic_bytes_max: limits::MQTT_STRING_BYTES_MAX,
        topic_slashes_max: limits::MQTT_STRING_BYTES_MAX,
        share_name_characters_max: limits::MQTT_STRING_BYTES_MAX,
        filters_per_subscribe_max: limits::FILTERS_PER_PACKET_MAX,
        subscriptions_max: limits::SUBSCRIPTIONS_PER_CONNECTION_MAX,
        receive_max: limits::RECEIVE_MAX,
        send_max: limits::INFLIGHT_MAX,
        topic_alias_max: limits::TOPIC_ALIAS_MAX,
        session_expiry_seconds_max: u32::MAX,
        message_expiry_seconds_max: u32::MAX,
        user_properties_bytes_max: limits::PACKET_BYTES_MAX,
        content_type_bytes_max: limits::MQTT_STRING_BYTES_MAX,
        correlation_data_bytes_max: limits::MQTT_STRING_BYTES_MAX,
        client_packet_bytes_min: 1,
    };
}
