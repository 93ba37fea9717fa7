//! The way from a new connection to an accepted or a refused one (MQTT 5, 3.1 and 3.2; MQTT 3.1.1 likewise).

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use mqtt_codec::{
    ConnAck, ConnAckProperties, Connect, DecodeError, Packet, Protocol, ReasonCode, Will, encode_connack,
};
use names::{ClientId, Dialect};

use crate::{Quotas, Violation, checks, keep_alive, will};

/// A connection on which nothing has been said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectConnect {
    /// What the session will keep to.
    pub quotas: Arc<Quotas>,
}

impl ExpectConnect {
    /// Takes the first packet, which must be a CONNECT within the quotas.
    ///
    /// # Errors
    /// [`Refusal`] says what is wrong and knows whether the client is told.
    pub fn handle(self, packet: Packet) -> Result<Opening, Refusal> {
        match packet {
            Packet::Connect(connect) => {
                let protocol = Some(connect.protocol);
                let packet_bytes_max = connect.properties.packet_bytes_max.map(NonZeroU32::get);
                Opening::new(*connect, self.quotas).map_err(|reason| Refusal { reason, protocol, packet_bytes_max })
            }
            other => {
                let reason = Violation::FirstPacketNotConnect(other.packet_type());
                Err(Refusal { reason, protocol: None, packet_bytes_max: None })
            }
        }
    }
}

/// A well-formed CONNECT on which the broker has to decide: accept or refuse.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opening {
    /// What the session keeps to.
    pub quotas: Arc<Quotas>,
    /// The version that the client speaks.
    pub protocol: Protocol,
    /// None when the client left it to the server to give it a unique one [MQTT-3.1.3-6].
    pub client_id: Option<ClientId>,
    /// Whether an earlier session is thrown away [MQTT-3.1.2-4].
    pub clean_start: bool,
    /// How long the session outlives its connection, in seconds: what the client asked, as far as the quotas allow.
    /// `u32::MAX` is for ever. A client of MQTT 3.1.1 asks with CleanSession 0 for as long as the server likes.
    pub session_expiry_seconds: u32,
    /// Within the dialect's bounds; none when it is off.
    pub keep_alive: Option<Duration>,
    /// Within the quotas, not yet authorized; a copy apart from the read buffer.
    pub will: Option<Will>,
    /// As sent.
    pub user_name: Option<ByteString>,
    /// As sent; a secret.
    pub password: Option<Bytes>,
    /// Messages of QoS 1 and 2 that the client takes without acknowledging any: its Receive Maximum.
    pub(crate) receive_max: u16,
    /// The largest packet that the client takes.
    pub(crate) packet_bytes_max: Option<u32>,
    /// Topic aliases that the client takes.
    pub(crate) topic_alias_max: u16,
    /// What the client asked for, before the quotas lowered it; none where it said nothing.
    pub(crate) asked_session_expiry_seconds: Option<u32>,
}

impl Opening {
    fn new(connect: Connect, quotas: Arc<Quotas>) -> Result<Self, Violation> {
        check_version(&connect, &quotas)?;
        let client_id = read_client_id(&connect, &quotas)?;
        if let Some(asked) = &connect.will {
            will::check(asked, &quotas)?;
        }
        let properties = &connect.properties;
        let pairs = properties.user_properties.iter();
        checks::check_user_properties(pairs.map(|(name, value)| name.len() + value.len()).sum(), &quotas)?;
        let packet_bytes_max = properties.packet_bytes_max.map(NonZeroU32::get);
        let min = quotas.client_packet_bytes_min;
        if let Some(bytes) = packet_bytes_max.filter(|&bytes| bytes < min) {
            return Err(Violation::ClientPacketTooSmall { bytes, min });
        }
        let asked = match connect.protocol {
            Protocol::V5 => properties.session_expiry_seconds.unwrap_or(0),
            Protocol::V31 | Protocol::V311 if connect.clean_start => 0,
            Protocol::V31 | Protocol::V311 => u32::MAX,
        };
        Ok(Self {
            protocol: connect.protocol,
            client_id,
            clean_start: connect.clean_start,
            session_expiry_seconds: asked.min(quotas.session_expiry_seconds_max),
            keep_alive: keep_alive::period(connect.keep_alive_seconds, quotas.dialect),
            will: connect.will.as_ref().map(will::detached),
            user_name: connect.user_name,
            password: connect.password,
            receive_max: properties.receive_max.map_or(u16::MAX, NonZeroU16::get),
            packet_bytes_max,
            topic_alias_max: properties.topic_alias_max,
            asked_session_expiry_seconds: properties.session_expiry_seconds,
            quotas,
        })
    }

    /// The dialect that the session speaks.
    pub fn dialect(&self) -> Dialect {
        self.quotas.dialect
    }

    /// Writes the refusing CONNACK; the caller closes the connection [MQTT-3.2.2-7].
    pub fn refuse(&self, reason: ReasonCode, why: Option<&str>, out: &mut BytesMut) {
        refuse(self.protocol, reason, why, self.packet_bytes_max, out);
    }

    /// Writes the accepting CONNACK [MQTT-3.1.4-5]. False when it would be larger than the client takes, which is then
    /// told so and must be closed [MQTT-3.1.2-24].
    pub(crate) fn write_connack(&self, client_id: &ClientId, session_present: bool, out: &mut BytesMut) -> bool {
        let properties = (self.protocol == Protocol::V5).then(|| Box::new(self.connack_properties(client_id)));
        let connack = ConnAck { session_present, reason: ReasonCode::Success, properties };
        let before = out.len();
        encode_connack(&connack, self.protocol, out);
        if fits(out.len() - before, self.packet_bytes_max) {
            return true;
        }
        out.truncate(before);
        self.refuse(ReasonCode::PacketTooLarge, None, out);
        false
    }

    /// What the server has and what it has not. AWS IoT Core says all of it, also where it is the standard's default;
    /// others are told what differs from that (MQTT 5, 3.2.2.3).
    fn connack_properties(&self, client_id: &ClientId) -> ConnAckProperties {
        let quotas = &self.quotas;
        let is_aws = quotas.dialect == Dialect::Aws;
        let expiry = self.session_expiry_seconds;
        let is_expiry_told = match self.asked_session_expiry_seconds {
            Some(asked) => asked != expiry || (is_aws && expiry > 0),
            None => false,
        };
        ConnAckProperties {
            session_expiry_seconds: is_expiry_told.then_some(expiry),
            receive_max: NonZeroU16::new(quotas.receive_max),
            maximum_qos: is_aws.then_some(message::QoS::AtLeastOnce),
            retain_available: is_aws.then_some(true),
            packet_bytes_max: u32::try_from(quotas.packet_bytes_max).ok(),
            assigned_client_id: self.client_id.is_none().then(|| client_id.as_str().into()),
            topic_alias_max: Some(quotas.topic_alias_max),
            wildcard_subscription_available: is_aws.then_some(true),
            subscription_ids_available: is_aws.then_some(false),
            shared_subscription_available: is_aws.then_some(true),
            server_keep_alive_seconds: self.keep_alive.filter(|_| is_aws).and_then(|period| {
                u16::try_from(period.as_secs()).ok() // within 1200 there
            }),
            ..ConnAckProperties::default()
        }
    }
}

/// The password is a secret and stays out of logs.
impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("dialect", &self.quotas.dialect)
            .field("protocol", &self.protocol)
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("session_expiry_seconds", &self.session_expiry_seconds)
            .field("keep_alive", &self.keep_alive)
            .field("will", &self.will)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "hidden"))
            .finish_non_exhaustive()
    }
}

/// A connection that the protocol or a quota refuses. The broker's own refusals are [`Opening::refuse`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// What the client did wrong.
    pub reason: Violation,
    /// What the client speaks, as far as it could be read.
    protocol: Option<Protocol>,
    /// The largest packet that it takes.
    packet_bytes_max: Option<u32>,
}

impl Refusal {
    /// For bytes that are no packet, before a CONNECT was accepted. `protocol` is what the bytes say of their version.
    pub fn from_decode_error(error: DecodeError, protocol: Option<Protocol>) -> Self {
        Self { reason: Violation::Malformed(error), protocol, packet_bytes_max: None }
    }

    /// Writes the CONNACK if the protocol wants one, else nothing; the caller closes the connection then. No DISCONNECT
    /// comes before an accepting CONNACK [MQTT-3.14.0-1].
    pub fn write(&self, out: &mut BytesMut) {
        match self.protocol {
            Some(protocol @ Protocol::V5) => {
                refuse(protocol, self.reason.reason(), Some(&self.reason.to_string()), self.packet_bytes_max, out);
            }
            old @ (Some(Protocol::V31 | Protocol::V311) | None) if self.is_answered() => {
                refuse(old.unwrap_or(Protocol::V311), self.reason.reason(), None, None, out);
            }
            _ => {}
        }
    }

    /// A malformed CONNECT of MQTT 3.1.1 is not answered [MQTT-3.1.4-1]; an unknown level and a bad client id are.
    fn is_answered(&self) -> bool {
        matches!(
            self.reason,
            Violation::Malformed(DecodeError::UnacceptableProtocolLevel(_))
                | Violation::ProtocolNotServed(_)
                | Violation::EmptyClientIdOfStoredSession
                | Violation::InvalidClientId(_)
                | Violation::ClientIdTooLong { .. }
        )
    }
}

/// A refusing CONNACK, with a reason string if it fits the client's bound [MQTT-3.2.2-19].
fn refuse(protocol: Protocol, reason: ReasonCode, why: Option<&str>, max: Option<u32>, out: &mut BytesMut) {
    let before = out.len();
    for why in [why, None] {
        let properties = why
            .map(|why| Box::new(ConnAckProperties { reason_string: Some(why.into()), ..ConnAckProperties::default() }));
        encode_connack(&ConnAck { session_present: false, reason, properties }, protocol, out);
        if fits(out.len() - before, max) {
            return;
        }
        out.truncate(before);
    }
}

/// Whether a packet is within the client's Maximum Packet Size.
pub(crate) fn fits(bytes: usize, max: Option<u32>) -> bool {
    max.is_none_or(|max| u32::try_from(bytes).is_ok_and(|bytes| bytes <= max))
}

fn check_version(connect: &Connect, quotas: &Quotas) -> Result<(), Violation> {
    if connect.protocol == Protocol::V31 && quotas.dialect == Dialect::Aws {
        return Err(Violation::ProtocolNotServed(connect.protocol));
    }
    if connect.properties.authentication_method.is_some() {
        return Err(Violation::AuthenticationMethod);
    }
    Ok(())
}

fn read_client_id(connect: &Connect, quotas: &Quotas) -> Result<Option<ClientId>, Violation> {
    let text = &*connect.client_id;
    let is_v31 = connect.protocol == Protocol::V31;
    if text.is_empty() {
        let may_be_empty = connect.protocol == Protocol::V5 || (connect.clean_start && !is_v31);
        return if may_be_empty { Ok(None) } else { Err(Violation::EmptyClientIdOfStoredSession) };
    }
    let bytes = text.len();
    let max = quotas.client_id_bytes_max;
    if bytes > max {
        return Err(Violation::ClientIdTooLong { bytes, max });
    }
    if is_v31 && text.chars().count() > V31_CLIENT_ID_CHARACTERS_MAX {
        return Err(Violation::ClientIdTooLong { bytes, max: V31_CLIENT_ID_CHARACTERS_MAX });
    }
    Ok(Some(ClientId::new(text)?))
}

/// MQTT 3.1, 3.1: 1 to 23 characters.
const V31_CLIENT_ID_CHARACTERS_MAX: usize = 23;
