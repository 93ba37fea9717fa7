//! MQTT packets: any bytes decode to a packet, to "need more", or to an error, in every version.

use bytes::BytesMut;
use mqtt_codec::{DecodeError, Packet, PacketType, Protocol, connect_protocol, decode, encode};

const PACKET_BYTES_MAX: usize = 2048;
const PROTOCOLS: [Protocol; 3] = [Protocol::V31, Protocol::V311, Protocol::V5];

/// All packets of a stream that comes in pieces, and the error that ends it.
fn decode_pieces<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    protocol: Protocol,
) -> (Vec<Packet>, Option<DecodeError>) {
    let (mut buffer, mut packets) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let before = buffer.len();
            match decode(&mut buffer, PACKET_BYTES_MAX, protocol) {
                Ok(Some(packet)) => {
                    assert!(buffer.len() < before, "a packet has bytes");
                    packets.push(packet);
                }
                Ok(None) => {
                    assert!(before <= PACKET_BYTES_MAX + 5, "{before} bytes and still no packet");
                    break;
                }
                Err(error) => {
                    connect_protocol(&buffer);
                    let reason = error.reason();
                    let can_be_told = [PacketType::ConnAck, PacketType::Disconnect].map(|to| reason.is_allowed_in(to));
                    assert!(can_be_told.contains(&true), "{error}: {reason}");
                    return (packets, Some(error));
                }
            }
        }
    }
    (packets, None)
}

fn check(bytes: &[u8], cut: usize) {
    PROTOCOLS.into_iter().for_each(|protocol| check_in(protocol, bytes, cut));
}

fn check_in(protocol: Protocol, bytes: &[u8], cut: usize) {
    let whole = decode_pieces([bytes], protocol);
    let (head, tail) = bytes.split_at(cut.min(bytes.len()));
    assert_eq!(decode_pieces([head, tail], protocol), whole, "a cut at {cut} changes what is read");
    for packet in whole.0.into_iter().map(as_written) {
        let mut encoded = BytesMut::new();
        encode(&packet, protocol, &mut encoded);
        assert_eq!(decode(&mut encoded, PACKET_BYTES_MAX, protocol), Ok(Some(packet)));
        assert!(encoded.is_empty(), "an encoding is one packet");
    }
}

/// User properties are counted when they are read, and not written.
fn as_written(mut packet: Packet) -> Packet {
    match &mut packet {
        Packet::Subscribe(subscribe) => subscribe.user_properties_bytes = 0,
        Packet::Unsubscribe(unsubscribe) => unsubscribe.user_properties_bytes = 0,
        _ => {}
    }
    packet
}

#[test]
fn any_bytes_decode() {
    bolero::check!().with_type::<(Vec<u8>, u8)>().for_each(|(bytes, cut)| check(bytes, usize::from(*cut)));
}

/// A few good frames in any order, with some bytes changed.
#[test]
fn damaged_packets_decode() {
    bolero::check!().with_type::<(Vec<u8>, Vec<(u8, u8)>, u8)>().for_each(|(frames, changes, cut)| {
        let chosen = frames.iter().map(|frame| FRAMES[usize::from(*frame) % FRAMES.len()]);
        let mut bytes: Vec<u8> = chosen.flatten().copied().collect();
        for (at, change) in changes.iter().take(8) {
            if let Some(byte) = bytes.get_mut(usize::from(*at)) {
                *byte ^= change;
            }
        }
        check(&bytes, usize::from(*cut));
    });
}

/// A fuzzer that starts from bad frames looks at little.
#[test]
fn the_frames_are_good_in_their_versions() {
    for frame in FRAMES {
        let is_read =
            |protocol: &Protocol| matches!(decode_pieces([frame], *protocol), (packets, None) if !packets.is_empty());
        assert!(PROTOCOLS.iter().any(is_read), "{frame:02x?}");
    }
}

/// Twelve of MQTT 3.1.1 and 3.1, twelve of MQTT 5.
const FRAMES: [&[u8]; 24] = [
    b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a",
    b"\x10\x1d\x00\x04MQTT\x04\xee\x00\x3c\x00\x01a\x00\x01w\x00\x03bye\x00\x01u\x00\x03pwd",
    b"\x10\x0f\x00\x06MQIsdp\x03\xc2\x00\x3c\x00\x01a",
    b"\x20\x02\x01\x00",
    b"\x30\x07\x00\x03a/bxy",
    b"\x3b\x09\x00\x03a/b\x01\x02xy",
    b"\x40\x02\x01\x02",
    b"\x82\x0a\x00\x0a\x00\x01#\x01\x00\x01+\x00",
    b"\x90\x04\x00\x0a\x01\x80",
    b"\xa2\x05\x00\x0a\x00\x01#",
    b"\xb0\x02\x00\x0a",
    b"\xc0\x00\xe0\x00",
    b"\x10\x1e\x00\x04MQTT\x05\x02\x00\x3c\x10\x11\x00\x00\x00\x09\x21\x00\x05\x19\x01\x26\x00\x01k\x00\x00\x00\x01a",
    b"\x10\x1f\x00\x04MQTT\x05\xc6\x00\x3c\x00\x00\x01a\x07\x18\x00\x00\x00\x05\x01\x01\x00\x01w\x00\x00\x00\x00\x00\x00",
    b"\x20\x0e\x00\x00\x0b\x21\x00\x05\x12\x00\x01x\x24\x01\x2a\x00",
    b"\x32\x19\x00\x01t\x00\x01\x12\x02\x00\x00\x00\x09\x08\x00\x01r\x09\x00\x00\x26\x00\x00\x00\x01v\x58",
    b"\x30\x07\x00\x00\x03\x23\x00\x01\x58",
    b"\x50\x08\x00\x01\x10\x04\x1f\x00\x01r",
    b"\x82\x09\x00\x0a\x02\x0b\x07\x00\x01#\x2d",
    b"\x90\x05\x00\x0a\x00\x02\x87",
    b"\xa2\x06\x00\x0a\x00\x00\x01#",
    b"\xb0\x05\x00\x0a\x00\x00\x11",
    b"\xe0\x07\x04\x05\x11\x00\x00\x00\x09",
    b"\xf0\x0a\x18\x08\x15\x00\x01m\x16\x00\x01d",
];
