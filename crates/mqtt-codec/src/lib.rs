//! MQTT packets to bytes and back. MQTT 3.1.1 today; MQTT 5 joins as a second [`Protocol`].
//!
//! [`decode`] takes whole packets off the front of a read buffer, [`encode`] and the `encode_*` functions append to a
//! write buffer; both belong to the caller. Decoding is total: any bytes give a packet, "need more" or a
//! [`DecodeError`] that names the broken clause, never a panic. Topics, texts and payloads are slices of the read
//! buffer. What a packet *means* (order, state, dialect) is the question of the crate `session`.
//!
//! ```
//! use bytes::BytesMut;
//! use mqtt_codec::{Packet, decode, encode};
//!
//! let mut buffer = BytesMut::from(&[0xC0][..]);
//! assert_eq!(decode(&mut buffer, 1024), Ok(None));
//! buffer.extend_from_slice(&[0x00]);
//! assert_eq!(decode(&mut buffer, 1024), Ok(Some(Packet::PingReq)));
//!
//! let mut out = BytesMut::new();
//! encode(&Packet::PingResp, &mut out);
//! assert_eq!(out, [0xD0, 0x00][..]);
//! ```

mod acknowledgement;
mod connack;
mod connect;
mod decode;
mod encode;
mod error;
mod fields;
mod fixed_header;
mod packet;
mod packet_id;
mod packet_type;
mod publish;
mod suback;
mod subscribe;
mod unsubscribe;

pub use acknowledgement::{encode_puback, encode_unsuback};
pub use connack::{ConnAck, ConnectReturnCode, encode_connack};
pub use connect::{Connect, Protocol, Will};
pub use decode::decode;
pub use encode::{encode, encode_pingresp};
pub use error::DecodeError;
pub use packet::Packet;
pub use packet_id::PacketId;
pub use packet_type::PacketType;
pub use publish::{Publish, encode_publish};
pub use suback::{SubAck, SubAckCode, encode_suback};
pub use subscribe::Subscribe;
pub use unsubscribe::Unsubscribe;
