//! MQTT packets: any bytes decode to a packet, to "need more", or to an error.

use bytes::BytesMut;
use mqtt_codec::{DecodeError, Packet, decode, encode};

const PACKET_BYTES_MAX: usize = 2048;

/// All packets of a stream that comes in pieces, and the error that ends it.
fn decode_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Packet>, Option<DecodeError>) {
    let (mut buffer, mut packets) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let before = buffer.len();
            match decode(&mut buffer, PACKET_BYTES_MAX) {
                Ok(Some(packet)) => {
                    assert!(buffer.len() < before, "a packet has bytes");
                    packets.push(packet);
                }
                Ok(None) => {
                    assert!(before <= PACKET_BYTES_MAX + 5, "{before} bytes and still no packet");
                    break;
                }
                Err(error) => return (packets, Some(error)),
            }
        }
    }
    (packets, None)
}

fn check(bytes: &[u8], cut: usize) {
    let whole = decode_pieces([bytes]);
    let (head, tail) = bytes.split_at(cut.min(bytes.len()));
    assert_eq!(decode_pieces([head, tail]), whole, "a cut at {cut} changes what is read");
    for packet in whole.0 {
        let mut encoded = BytesMut::new();
        encode(&packet, &mut encoded);
        assert_eq!(decode(&mut encoded, PACKET_BYTES_MAX), Ok(Some(packet)));
        assert!(encoded.is_empty(), "an encoding is one packet");
    }
}

#[test]
fn any_bytes_decode() {
    bolero::check!().with_type::<(Vec<u8>, u8)>().for_each(|(bytes, cut)| check(bytes, usize::from(*cut)));
}

/// A few good frames in any order, with some bytes changed.
#[test]
fn damaged_packets_decode() {
    const FRAMES: [&[u8]; 10] = [
        b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a",
        b"\x10\x1d\x00\x04MQTT\x04\xee\x00\x3c\x00\x01a\x00\x01w\x00\x03bye\x00\x01u\x00\x03pwd",
        b"\x20\x02\x01\x00",
        b"\x30\x07\x00\x03a/bxy",
        b"\x3b\x09\x00\x03a/b\x01\x02xy",
        b"\x40\x02\x01\x02",
        b"\x82\x0a\x00\x0a\x00\x01#\x01\x00\x01+\x00",
        b"\x90\x04\x00\x0a\x01\x80",
        b"\xa2\x05\x00\x0a\x00\x01#",
        b"\xc0\x00\xe0\x00",
    ];
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
