//! CONNACK: the server's answer to CONNECT (MQTT 3.1.1 and 5, 3.2).

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use message::QoS;

use crate::fields::Fields;
use crate::properties::{Place, PropertyBlock, PropertyId, PropertyReader, PropertySink};
use crate::{ConnectReturnCode, DecodeError, PacketType, Protocol, ReasonCode, fixed_header};

/// A CONNACK packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnAck {
    /// Whether the server goes on with a stored session; never with a refusal [MQTT-3.2.2-4], [MQTT-3.2.2-6].
    pub session_present: bool,
    /// Accepted, or why not. Before MQTT 5 only what a [`ConnectReturnCode`] can say.
    pub reason: ReasonCode,
    /// What the server tells a client of MQTT 5 beside that; in a box, because it is large and comes once.
    pub properties: Option<Box<ConnAckProperties>>,
}

/// The properties of a CONNACK (MQTT 5, 3.2.2.3). What is absent has the standard's default.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnAckProperties {
    /// When the server keeps the session for another time than the client asked; seconds.
    pub session_expiry_seconds: Option<u32>,
    /// How many messages above QoS 0 the server takes at a time.
    pub receive_max: Option<NonZeroU16>,
    /// QoS 0 or 1, when the server does not take more; QoS 2 is not written, it is the default [MQTT-3.2.2-9].
    pub maximum_qos: Option<QoS>,
    /// Whether there are retained messages.
    pub retain_available: Option<bool>,
    /// The largest packet the server takes; 0 is not written.
    pub packet_bytes_max: Option<u32>,
    /// The identifier of a client that brought none [MQTT-3.2.2-16].
    pub assigned_client_id: Option<ByteString>,
    /// The highest topic alias that the server takes.
    pub topic_alias_max: Option<u16>,
    /// For people who look for the fault.
    pub reason_string: Option<ByteString>,
    /// In this order, names may come again.
    pub user_properties: Vec<(ByteString, ByteString)>,
    /// Whether filters may have wildcards.
    pub wildcard_subscription_available: Option<bool>,
    /// Whether subscriptions may have identifiers.
    pub subscription_ids_available: Option<bool>,
    /// Whether subscriptions may be shared.
    pub shared_subscription_available: Option<bool>,
    /// In place of the client's keep alive [MQTT-3.1.2-21]; seconds.
    pub server_keep_alive_seconds: Option<u16>,
    /// What response topics can be made of; only to clients that asked [MQTT-3.1.2-28].
    pub response_information: Option<ByteString>,
    /// Another server, with `UseAnotherServer` and `ServerMoved`.
    pub server_reference: Option<ByteString>,
    /// The CONNECT's authentication method [MQTT-4.12.0-5].
    pub authentication_method: Option<ByteString>,
    /// The method's own data; a secret.
    pub authentication_data: Option<Bytes>,
}

impl ConnAck {
    pub(crate) fn decode(body: Bytes, protocol: Protocol) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let flags = fields.byte()?;
        // MQTT 3.1 has no meaning for the byte.
        if flags > 1 && protocol > Protocol::V31 {
            return Err(DecodeError::ReservedConnAckFlag);
        }
        let session_present = flags == 1 && protocol > Protocol::V31;
        let (reason, properties) = if protocol == Protocol::V5 {
            (fields.reason_code(PacketType::ConnAck)?, ConnAckProperties::read(&mut fields)?)
        } else {
            (read_return_code(fields.byte()?)?, None)
        };
        fields.finish()?;
        if session_present && reason != ReasonCode::Success {
            return Err(DecodeError::SessionPresentOnRefusal);
        }
        Ok(Self { session_present, reason, properties })
    }
}

/// Writes a CONNACK. With a refusing code `session_present` goes out as 0 whatever is asked [MQTT-3.2.2-4],
/// [MQTT-3.2.2-6], and so it does in MQTT 3.1, which has no such flag. Before MQTT 5, the nearest return code is
/// written and the properties are not.
pub fn encode_connack(connack: &ConnAck, protocol: Protocol, out: &mut BytesMut) {
    let session_present = connack.session_present && connack.reason == ReasonCode::Success && protocol > Protocol::V31;
    let first = PacketType::ConnAck.first_byte();
    if protocol < Protocol::V5 {
        out.put_slice(&[first, 2, u8::from(session_present), connack.reason.connect_return_code().byte()]);
        return;
    }
    let none = ConnAckProperties::default();
    let properties = connack.properties.as_deref().unwrap_or(&none);
    fixed_header::put(first, 2 + properties.block_bytes(), out);
    out.put_slice(&[u8::from(session_present), connack.reason.byte()]);
    properties.put_block(out);
}

impl ConnAckProperties {
    fn read(fields: &mut Fields) -> Result<Option<Box<Self>>, DecodeError> {
        let mut block = PropertyReader::new(fields, Place::CONNACK)?;
        let mut properties: Option<Box<Self>> = None;
        while let Some(id) = block.next()? {
            properties.get_or_insert_default().read_property(id, &mut block)?;
        }
        if let Some(properties) = &properties
            && properties.authentication_data.is_some()
            && properties.authentication_method.is_none()
        {
            return Err(DecodeError::AuthenticationDataWithoutMethod);
        }
        Ok(properties)
    }

    fn read_property(&mut self, id: PropertyId, block: &mut PropertyReader) -> Result<(), DecodeError> {
        use PropertyId as Id;
        match id {
            Id::SessionExpiryInterval => self.session_expiry_seconds = Some(block.long_integer()?),
            Id::ReceiveMaximum => self.receive_max = Some(block.receive_maximum()?),
            Id::MaximumQos => {
                self.maximum_qos = Some(if block.flag(id)? { QoS::AtLeastOnce } else { QoS::AtMostOnce });
            }
            Id::RetainAvailable => self.retain_available = Some(block.flag(id)?),
            Id::MaximumPacketSize => self.packet_bytes_max = Some(block.maximum_packet_size()?.get()),
            Id::AssignedClientIdentifier => self.assigned_client_id = Some(block.text()?),
            Id::TopicAliasMaximum => self.topic_alias_max = Some(block.integer()?),
            Id::ReasonString => self.reason_string = Some(block.text()?),
            Id::UserProperty => self.user_properties.push(block.user_property()?),
            Id::WildcardSubscriptionAvailable => self.wildcard_subscription_available = Some(block.flag(id)?),
            Id::SubscriptionIdentifierAvailable => self.subscription_ids_available = Some(block.flag(id)?),
            Id::SharedSubscriptionAvailable => self.shared_subscription_available = Some(block.flag(id)?),
            Id::ServerKeepAlive => self.server_keep_alive_seconds = Some(block.integer()?),
            Id::ResponseInformation => self.response_information = Some(block.text()?),
            Id::ServerReference => self.server_reference = Some(block.text()?),
            Id::AuthenticationMethod => self.authentication_method = Some(block.text()?),
            Id::AuthenticationData => self.authentication_data = Some(block.binary()?),
            other => block.pass_over(other)?,
        }
        Ok(())
    }
}

impl PropertyBlock for ConnAckProperties {
    fn put_properties(&self, sink: &mut impl PropertySink) {
        use PropertyId as Id;
        let flags = [
            (Id::MaximumQos, self.maximum_qos.filter(|qos| *qos < QoS::ExactlyOnce).map(|qos| qos != QoS::AtMostOnce)),
            (Id::RetainAvailable, self.retain_available),
            (Id::WildcardSubscriptionAvailable, self.wildcard_subscription_available),
            (Id::SubscriptionIdentifierAvailable, self.subscription_ids_available),
            (Id::SharedSubscriptionAvailable, self.shared_subscription_available),
        ];
        let integers = [
            (Id::ServerKeepAlive, self.server_keep_alive_seconds),
            (Id::ReceiveMaximum, self.receive_max.map(NonZeroU16::get)),
            (Id::TopicAliasMaximum, self.topic_alias_max),
        ];
        let long_integers = [
            (Id::SessionExpiryInterval, self.session_expiry_seconds),
            (Id::MaximumPacketSize, self.packet_bytes_max.and_then(NonZeroU32::new).map(NonZeroU32::get)),
        ];
        let texts = [
            (Id::AssignedClientIdentifier, &self.assigned_client_id),
            (Id::AuthenticationMethod, &self.authentication_method),
            (Id::ResponseInformation, &self.response_information),
            (Id::ServerReference, &self.server_reference),
            (Id::ReasonString, &self.reason_string),
        ];
        for (id, value) in flags.into_iter().filter_map(|(id, value)| Some((id, value?))) {
            sink.byte(id, u8::from(value));
        }
        for (id, value) in integers.into_iter().filter_map(|(id, value)| Some((id, value?))) {
            sink.integer(id, value);
        }
        for (id, value) in long_integers.into_iter().filter_map(|(id, value)| Some((id, value?))) {
            sink.long_integer(id, value);
        }
        for (id, value) in texts.into_iter().filter_map(|(id, value)| Some((id, value.as_ref()?))) {
            sink.field(id, value.as_bytes());
        }
        if let Some(data) = &self.authentication_data {
            sink.field(Id::AuthenticationData, data);
        }
        sink.user_properties(&self.user_properties);
    }
}

/// Authentication data is a secret and stays out of logs.
impl fmt::Debug for ConnAckProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnAckProperties")
            .field("session_expiry_seconds", &self.session_expiry_seconds)
            .field("receive_max", &self.receive_max)
            .field("maximum_qos", &self.maximum_qos)
            .field("retain_available", &self.retain_available)
            .field("packet_bytes_max", &self.packet_bytes_max)
            .field("assigned_client_id", &self.assigned_client_id)
            .field("topic_alias_max", &self.topic_alias_max)
            .field("reason_string", &self.reason_string)
            .field("user_properties", &self.user_properties)
            .field("wildcard_subscription_available", &self.wildcard_subscription_available)
            .field("subscription_ids_available", &self.subscription_ids_available)
            .field("shared_subscription_available", &self.shared_subscription_available)
            .field("server_keep_alive_seconds", &self.server_keep_alive_seconds)
            .field("response_information", &self.response_information)
            .field("server_reference", &self.server_reference)
            .field("authentication_method", &self.authentication_method)
            .field("authentication_data", &self.authentication_data.as_ref().map(|_| "hidden"))
            .finish()
    }
}

/// The reason code that says the same as a return code.
fn read_return_code(byte: u8) -> Result<ReasonCode, DecodeError> {
    let code = ConnectReturnCode::from_byte(byte).ok_or(DecodeError::ReservedReturnCode(byte))?;
    Ok(match code {
        ConnectReturnCode::Accepted => ReasonCode::Success,
        ConnectReturnCode::UnacceptableProtocolLevel => ReasonCode::UnsupportedProtocolVersion,
        ConnectReturnCode::IdentifierRejected => ReasonCode::ClientIdentifierNotValid,
        ConnectReturnCode::ServerUnavailable => ReasonCode::ServerUnavailable,
        ConnectReturnCode::BadUserNameOrPassword => ReasonCode::BadUserNameOrPassword,
        ConnectReturnCode::NotAuthorized => ReasonCode::NotAuthorized,
    })
}
