//! CONNECT: the client asks to open a session (MQTT 3.1.1 and 5, 3.1).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use message::QoS;

use crate::connect_properties::ConnectProperties;
use crate::fields::{Fields, field_bytes, put_field};
use crate::properties::PropertyBlock;
use crate::will::Will;
use crate::{DecodeError, PacketType, Protocol, fixed_header};

/// A CONNECT packet.
#[derive(Clone, PartialEq, Eq)]
pub struct Connect {
    /// The version that the connection speaks from here on.
    pub protocol: Protocol,
    /// Whether an earlier session is thrown away [MQTT-3.1.2-4]. Before MQTT 5 this is CleanSession, and the session
    /// ends with the connection too [MQTT-3.1.2-6].
    pub clean_start: bool,
    /// As the client asked, in seconds; 0 is off [MQTT-3.1.2-24], [MQTT-3.1.2-22].
    pub keep_alive_seconds: u16,
    /// May be empty [MQTT-3.1.3-6]; how long it may be in MQTT 3.1 is not asked here.
    pub client_id: ByteString,
    /// The defaults, before MQTT 5.
    pub properties: ConnectProperties,
    /// What is published when the client goes away without DISCONNECT [MQTT-3.1.2-8].
    pub will: Option<Will>,
    /// UTF-8 text [MQTT-3.1.3-11], [MQTT-3.1.3-12].
    pub user_name: Option<ByteString>,
    /// Any bytes; before MQTT 5 only together with a user name [MQTT-3.1.2-22].
    pub password: Option<Bytes>,
}

impl Connect {
    pub(crate) fn decode(body: Bytes) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let protocol = Protocol::read(&mut fields)?;
        let flags = Flags::read(fields.byte()?, protocol)?;
        let keep_alive_seconds = fields.integer()?;
        let properties = ConnectProperties::read(&mut fields, protocol)?;
        let client_id = fields.text()?;
        let will = flags.will.map(|will| Will::read(&mut fields, will.qos, will.retain, protocol)).transpose()?;
        let has_user_name = flags.user_name && !is_left_out(&fields, protocol);
        let user_name = has_user_name.then(|| fields.text()).transpose()?;
        let has_password = flags.password && !is_left_out(&fields, protocol);
        let password = has_password.then(|| fields.binary()).transpose()?;
        fields.finish()?;
        let clean_start = flags.clean_start;
        Ok(Self { protocol, clean_start, keep_alive_seconds, client_id, properties, will, user_name, password })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        let is_v5 = self.protocol == Protocol::V5;
        let remaining = self.protocol.bytes()
            + 3
            + if is_v5 { self.properties.block_bytes() } else { 0 }
            + field_bytes(self.client_id.as_bytes())
            + self.will.as_ref().map_or(0, |will| will.bytes(self.protocol))
            + self.user_name.as_ref().map_or(0, |name| field_bytes(name.as_bytes()))
            + self.password.as_ref().map_or(0, |password| field_bytes(password));
        fixed_header::put(PacketType::Connect.first_byte(), remaining, out);
        self.protocol.put(out);
        out.put_u8(self.flags());
        out.put_u16(self.keep_alive_seconds);
        if is_v5 {
            self.properties.put_block(out);
        }
        put_field(self.client_id.as_bytes(), out);
        if let Some(will) = &self.will {
            will.put(self.protocol, out);
        }
        if let Some(user_name) = &self.user_name {
            put_field(user_name.as_bytes(), out);
        }
        if let Some(password) = &self.password {
            put_field(password, out);
        }
    }

    fn flags(&self) -> u8 {
        let when = |condition: bool, flag: u8| if condition { flag } else { 0 };
        let will = self.will.as_ref();
        will.map_or(0, |will| WILL | will.qos.bits() << WILL_QOS_SHIFT | when(will.retain, WILL_RETAIN))
            | when(self.clean_start, CLEAN_START)
            | when(self.user_name.is_some(), USER_NAME)
            | when(self.password.is_some(), PASSWORD)
    }
}

/// The password is a secret and stays out of logs.
impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("protocol", &self.protocol)
            .field("clean_start", &self.clean_start)
            .field("keep_alive_seconds", &self.keep_alive_seconds)
            .field("client_id", &self.client_id)
            .field("properties", &self.properties)
            .field("will", &self.will)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "hidden"))
            .finish()
    }
}

/// The connect flags, checked (MQTT 3.1.1 and 5, 3.1.2.3).
struct Flags {
    clean_start: bool,
    will: Option<WillFlags>,
    user_name: bool,
    password: bool,
}

struct WillFlags {
    qos: QoS,
    retain: bool,
}

impl Flags {
    fn read(bits: u8, protocol: Protocol) -> Result<Self, DecodeError> {
        let is_set = |flag: u8| bits & flag != 0;
        if is_set(RESERVED) {
            return Err(DecodeError::ReservedConnectFlag);
        }
        if !is_set(WILL) && is_set(WILL_RETAIN | QOS_BITS << WILL_QOS_SHIFT) {
            return Err(DecodeError::WillFlagsWithoutWill);
        }
        if is_set(PASSWORD) && !is_set(USER_NAME) && protocol < Protocol::V5 {
            return Err(DecodeError::PasswordWithoutUserName);
        }
        let qos = QoS::from_bits(bits >> WILL_QOS_SHIFT & QOS_BITS).ok_or(DecodeError::WillQosThree)?;
        Ok(Self {
            clean_start: is_set(CLEAN_START),
            will: is_set(WILL).then(|| WillFlags { qos, retain: is_set(WILL_RETAIN) }),
            user_name: is_set(USER_NAME),
            password: is_set(PASSWORD),
        })
    }
}

/// In MQTT 3.1 a flag may announce a user name or a password that is not there, and the packet's length decides
/// (MQTT 3.1, 3.1, payload).
fn is_left_out(fields: &Fields, protocol: Protocol) -> bool {
    protocol == Protocol::V31 && fields.is_empty()
}

const RESERVED: u8 = 1;
const CLEAN_START: u8 = 1 << 1;
const WILL: u8 = 1 << 2;
const WILL_QOS_SHIFT: u8 = 3;
const QOS_BITS: u8 = 0b11;
const WILL_RETAIN: u8 = 1 << 5;
const PASSWORD: u8 = 1 << 6;
const USER_NAME: u8 = 1 << 7;
