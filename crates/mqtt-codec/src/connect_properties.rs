//! The properties of a CONNECT (MQTT 5, 3.1.2.11).

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;
use bytestring::ByteString;

use crate::fields::Fields;
use crate::properties::{Place, PropertyBlock, PropertyId, PropertyReader, PropertySink};
use crate::{DecodeError, Protocol};

/// What a client of MQTT 5 asks of the connection. The default is what counts when nothing is said.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectProperties {
    /// How long the session is kept after the connection; absent is 0, 0xFFFFFFFF is for ever [MQTT-3.1.2-23].
    pub session_expiry_seconds: Option<u32>,
    /// How many messages above QoS 0 the client takes at a time; absent is 65,535.
    pub receive_max: Option<NonZeroU16>,
    /// The largest packet that the client takes, fixed header included; absent is any [MQTT-3.1.2-24].
    pub packet_bytes_max: Option<NonZeroU32>,
    /// The highest topic alias that the client takes; 0 is none [MQTT-3.1.2-26], [MQTT-3.1.2-27].
    pub topic_alias_max: u16,
    /// Whether the CONNACK may have response information [MQTT-3.1.2-28].
    pub request_response_information: bool,
    /// Whether any packet may have a reason string and user properties [MQTT-3.1.2-29].
    pub request_problem_information: bool,
    /// Extended authentication is wanted, by this method [MQTT-4.12.0-1].
    pub authentication_method: Option<ByteString>,
    /// The method's own data; a secret, and never without a method.
    pub authentication_data: Option<Bytes>,
    /// In the client's order, names may come again.
    pub user_properties: Vec<(ByteString, ByteString)>,
}

impl ConnectProperties {
    pub(crate) fn read(fields: &mut Fields, protocol: Protocol) -> Result<Self, DecodeError> {
        let mut properties = Self::default();
        if protocol < Protocol::V5 {
            return Ok(properties);
        }
        let mut block = PropertyReader::new(fields, Place::CONNECT)?;
        while let Some(id) = block.next()? {
            properties.read_property(id, &mut block)?;
        }
        if properties.authentication_data.is_some() && properties.authentication_method.is_none() {
            return Err(DecodeError::AuthenticationDataWithoutMethod);
        }
        Ok(properties)
    }

    fn read_property(&mut self, id: PropertyId, block: &mut PropertyReader) -> Result<(), DecodeError> {
        match id {
            PropertyId::SessionExpiryInterval => self.session_expiry_seconds = Some(block.long_integer()?),
            PropertyId::ReceiveMaximum => self.receive_max = Some(block.receive_maximum()?),
            PropertyId::MaximumPacketSize => self.packet_bytes_max = Some(block.maximum_packet_size()?),
            PropertyId::TopicAliasMaximum => self.topic_alias_max = block.integer()?,
            PropertyId::RequestResponseInformation => self.request_response_information = block.flag(id)?,
            PropertyId::RequestProblemInformation => self.request_problem_information = block.flag(id)?,
            PropertyId::AuthenticationMethod => self.authentication_method = Some(block.text()?),
            PropertyId::AuthenticationData => self.authentication_data = Some(block.binary()?),
            PropertyId::UserProperty => self.user_properties.push(block.user_property()?),
            other => block.pass_over(other)?,
        }
        Ok(())
    }
}

/// The standard's defaults.
impl Default for ConnectProperties {
    fn default() -> Self {
        Self {
            session_expiry_seconds: None,
            receive_max: None,
            packet_bytes_max: None,
            topic_alias_max: 0,
            request_response_information: false,
            request_problem_information: true,
            authentication_method: None,
            authentication_data: None,
            user_properties: Vec::new(),
        }
    }
}

/// Defaults are left out.
impl PropertyBlock for ConnectProperties {
    fn put_properties(&self, sink: &mut impl PropertySink) {
        if let Some(seconds) = self.session_expiry_seconds {
            sink.long_integer(PropertyId::SessionExpiryInterval, seconds);
        }
        if let Some(receive_max) = self.receive_max {
            sink.integer(PropertyId::ReceiveMaximum, receive_max.get());
        }
        if let Some(packet_bytes_max) = self.packet_bytes_max {
            sink.long_integer(PropertyId::MaximumPacketSize, packet_bytes_max.get());
        }
        if self.topic_alias_max != 0 {
            sink.integer(PropertyId::TopicAliasMaximum, self.topic_alias_max);
        }
        if self.request_response_information {
            sink.byte(PropertyId::RequestResponseInformation, 1);
        }
        if !self.request_problem_information {
            sink.byte(PropertyId::RequestProblemInformation, 0);
        }
        if let Some(method) = &self.authentication_method {
            sink.field(PropertyId::AuthenticationMethod, method.as_bytes());
        }
        if let Some(data) = &self.authentication_data {
            sink.field(PropertyId::AuthenticationData, data);
        }
        sink.user_properties(&self.user_properties);
    }
}

/// Authentication data is a secret and stays out of logs.
impl fmt::Debug for ConnectProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectProperties")
            .field("session_expiry_seconds", &self.session_expiry_seconds)
            .field("receive_max", &self.receive_max)
            .field("packet_bytes_max", &self.packet_bytes_max)
            .field("topic_alias_max", &self.topic_alias_max)
            .field("request_response_information", &self.request_response_information)
            .field("request_problem_information", &self.request_problem_information)
            .field("authentication_method", &self.authentication_method)
            .field("authentication_data", &self.authentication_data.as_ref().map(|_| "hidden"))
            .field("user_properties", &self.user_properties)
            .finish()
    }
}
