//! MQTT packets to bytes and back, in the versions 3.1, 3.1.1 and 5.
//!
//! [`decode`] takes whole packets off the front of a read buffer, [`encode`] and the `encode_*` functions append to a
//! write buffer; both belong to the caller. One set of packet types serves all versions: what a version cannot say has
//! its default. Decoding is total: any bytes give a packet, "need more" or a [`DecodeError`] that names the broken
//! clause, never a panic. Topics, texts and payloads are slices of the read buffer, except those of a CONNECT. What a
//! packet *means* (order, state, dialect, who may send it) is the question of the crate `session`.
//!
//! ```
//! use bytes::BytesMut;
//! use mqtt_codec::{Packet, Protocol, decode, encode};
//!
//! let mut buffer = BytesMut::from(&[0xC0][..]);
//! assert_eq!(decode(&mut buffer, 1024, Protocol::V5), Ok(None));
//! buffer.extend_from_slice(&[0x00]);
//! assert_eq!(decode(&mut buffer, 1024, Protocol::V5), Ok(Some(Packet::PingReq)));
//!
//! let mut out = BytesMut::new();
//! encode(&Packet::PingResp, Protocol::V5, &mut out);
//! assert_eq!(out, [0xD0, 0x00][..]);
//! ```

mod ack;
mod auth;
mod connack;
mod connect;
mod connect_properties;
mod connect_return_code;
mod decode;
mod disconnect;
mod encode;
mod error;
mod fields;
mod fixed_header;
mod packet;
mod packet_id;
mod packet_type;
mod properties;
mod protocol;
mod publish;
mod reason_code;
mod suback;
mod subscribe;
mod unsuback;
mod unsubscribe;
mod variable_byte_integer;
mod will;

pub use ack::{Ack, encode_ack};
pub use auth::Auth;
pub use connack::{ConnAck, ConnAckProperties, encode_connack};
pub use connect::Connect;
pub use connect_properties::ConnectProperties;
pub use connect_return_code::ConnectReturnCode;
pub use decode::{decode, packet_bytes};
pub use disconnect::{Disconnect, encode_disconnect};
pub use encode::{encode, encode_pingresp};
pub use error::DecodeError;
pub use packet::Packet;
pub use packet_id::PacketId;
pub use packet_type::PacketType;
pub use protocol::{Protocol, connect_protocol};
pub use publish::{Outgoing, Publish, encode_publish, publish_bytes};
pub use reason_code::ReasonCode;
pub use suback::{SubAck, encode_suback};
pub use subscribe::{RequestedOptions, Subscribe};
pub use unsuback::{UnsubAck, encode_unsuback};
pub use unsubscribe::Unsubscribe;
pub use will::Will;
