//! CONNECT: the client asks to open a session (MQTT 3.1.1, 3.1).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use message::{QoS, TopicName};

use crate::fields::{Fields, field_bytes, put_field};
use crate::{DecodeError, PacketType, fixed_header};

/// A CONNECT packet.
#[derive(Clone, PartialEq, Eq)]
pub struct Connect {
    /// The version that the connection speaks from here on.
    pub protocol: Protocol,
    /// Whether an earlier session is thrown away and this one ends with the connection [MQTT-3.1.2-6].
    pub clean_session: bool,
    /// As the client asked, in seconds; 0 is off [MQTT-3.1.2-24].
    pub keep_alive_seconds: u16,
    /// May be empty [MQTT-3.1.3-6].
    pub client_id: ByteString,
    /// What is published when the client goes away without DISCONNECT [MQTT-3.1.2-8].
    pub will: Option<Will>,
    /// UTF-8 text [MQTT-3.1.3-11].
    pub user_name: Option<ByteString>,
    /// Any bytes; only together with a user name [MQTT-3.1.2-22].
    pub password: Option<Bytes>,
}

/// A version of MQTT that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// MQTT 3.1.1: name `MQTT`, level 4.
    V311,
}

/// The message that a client leaves with the server for the case that it goes away (MQTT 3.1.1, 3.1.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Where it is published.
    pub topic: TopicName,
    /// What it says; up to 65,535 bytes.
    pub payload: Bytes,
    /// At which QoS it is published.
    pub qos: QoS,
    /// Whether it is published as a retained message [MQTT-3.1.2-17].
    pub retain: bool,
}

impl Connect {
    pub(crate) fn decode(body: Bytes) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let protocol = read_protocol(&mut fields)?;
        let flags = Flags::read(fields.byte()?)?;
        let keep_alive_seconds = fields.integer()?;
        let client_id = fields.text()?;
        let will = flags.will.map(|will| will.read_message(&mut fields)).transpose()?;
        let user_name = flags.user_name.then(|| fields.text()).transpose()?;
        let password = flags.password.then(|| fields.binary()).transpose()?;
        fields.finish()?;
        Ok(Self {
            protocol,
            clean_session: flags.clean_session,
            keep_alive_seconds,
            client_id,
            will,
            user_name,
            password,
        })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        let will_bytes = |will: &Will| field_bytes(will.topic.as_str().as_bytes()) + field_bytes(&will.payload);
        let remaining = HEADER_BYTES
            + field_bytes(self.client_id.as_bytes())
            + self.will.as_ref().map_or(0, will_bytes)
            + self.user_name.as_ref().map_or(0, |name| field_bytes(name.as_bytes()))
            + self.password.as_ref().map_or(0, |password| field_bytes(password));
        fixed_header::put(PacketType::Connect.first_byte(), remaining, out);
        put_field(PROTOCOL_NAME, out);
        out.put_u8(LEVEL_V311);
        out.put_u8(self.flags());
        out.put_u16(self.keep_alive_seconds);
        put_field(self.client_id.as_bytes(), out);
        if let Some(will) = &self.will {
            put_field(will.topic.as_str().as_bytes(), out);
            put_field(&will.payload, out);
        }
        if let Some(user_name) = &self.user_name {
            put_field(user_name.as_bytes(), out);
        }
        if let Some(password) = &self.password {
            put_field(password, out);
        }
    }

    fn flags(&self) -> u8 {
        let will = self
            .will
            .as_ref()
            .map_or(0, |will| WILL | will.qos.bits() << WILL_QOS_SHIFT | if will.retain { WILL_RETAIN } else { 0 });
        let when = |condition: bool, flag: u8| if condition { flag } else { 0 };
        will | when(self.clean_session, CLEAN_SESSION)
            | when(self.user_name.is_some(), USER_NAME)
            | when(self.password.is_some(), PASSWORD)
    }
}

/// The password is a secret and stays out of logs.
impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("protocol", &self.protocol)
            .field("clean_session", &self.clean_session)
            .field("keep_alive_seconds", &self.keep_alive_seconds)
            .field("client_id", &self.client_id)
            .field("will", &self.will)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "hidden"))
            .finish()
    }
}

/// The connect flags, checked (MQTT 3.1.1, 3.1.2.3).
struct Flags {
    clean_session: bool,
    will: Option<WillFlags>,
    user_name: bool,
    password: bool,
}

struct WillFlags {
    qos: QoS,
    retain: bool,
}

impl Flags {
    fn read(bits: u8) -> Result<Self, DecodeError> {
        let is_set = |flag: u8| bits & flag != 0;
        if is_set(RESERVED) {
            return Err(DecodeError::ReservedConnectFlag);
        }
        if !is_set(WILL) && is_set(WILL_RETAIN | QOS_BITS << WILL_QOS_SHIFT) {
            return Err(DecodeError::WillFlagsWithoutWill);
        }
        if is_set(PASSWORD) && !is_set(USER_NAME) {
            return Err(DecodeError::PasswordWithoutUserName);
        }
        let qos = QoS::from_bits(bits >> WILL_QOS_SHIFT & QOS_BITS).ok_or(DecodeError::WillQosThree)?;
        Ok(Self {
            clean_session: is_set(CLEAN_SESSION),
            will: is_set(WILL).then(|| WillFlags { qos, retain: is_set(WILL_RETAIN) }),
            user_name: is_set(USER_NAME),
            password: is_set(PASSWORD),
        })
    }
}

impl WillFlags {
    fn read_message(self, fields: &mut Fields) -> Result<Will, DecodeError> {
        Ok(Will { topic: fields.topic_name()?, payload: fields.binary()?, qos: self.qos, retain: self.retain })
    }
}

fn read_protocol(fields: &mut Fields) -> Result<Protocol, DecodeError> {
    let name = fields.binary()?;
    // A client of MQTT 3.1 understands CONNACK 0x01, so it is told rather than cut off.
    if name != PROTOCOL_NAME && name != PROTOCOL_NAME_V31 {
        return Err(DecodeError::ProtocolName);
    }
    match fields.byte()? {
        LEVEL_V311 if name == PROTOCOL_NAME => Ok(Protocol::V311),
        level => Err(DecodeError::UnacceptableProtocolLevel(level)),
    }
}

const PROTOCOL_NAME: &[u8] = b"MQTT";
const PROTOCOL_NAME_V31: &[u8] = b"MQIsdp";
const LEVEL_V311: u8 = 4;
/// Protocol name, level, flags and keep alive.
const HEADER_BYTES: usize = 10;

const RESERVED: u8 = 1;
const CLEAN_SESSION: u8 = 1 << 1;
const WILL: u8 = 1 << 2;
const WILL_QOS_SHIFT: u8 = 3;
const QOS_BITS: u8 = 0b11;
const WILL_RETAIN: u8 = 1 << 5;
const PASSWORD: u8 = 1 << 6;
const USER_NAME: u8 = 1 << 7;
