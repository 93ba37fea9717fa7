//! The few MQTT 3.1.1 packets that a load generator speaks. Lenient and fast: what a broker sends is not judged here.

use crate::Options;

/// A whole packet at the head of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Packet type and flags.
    pub first: u8,
    /// What follows the fixed header.
    pub body: &'a [u8],
    /// The packet as it came, fixed header included.
    pub whole: &'a [u8],
}

impl Frame<'_> {
    /// The packet type: 3 is PUBLISH (MQTT 3.1.1, 2.2.1).
    pub fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// A PUBLISH's QoS bits (MQTT 3.1.1, 3.3.1.2).
    pub fn qos(&self) -> u8 {
        (self.first >> 1) & 3
    }
}

/// The first whole packet of a buffer, when there is one (MQTT 3.1.1, 2.2.3).
pub fn next_frame(buffer: &[u8]) -> Option<Frame<'_>> {
    let (first, rest) = buffer.split_first()?;
    let mut length = 0_usize;
    for (index, byte) in rest.iter().take(4).enumerate() {
        length |= usize::from(byte & 127) << (7 * index);
        if byte & 128 == 0 {
            let header = index + 2;
            let whole = buffer.get(..header + length)?;
            return Some(Frame { first: *first, body: whole.get(header..)?, whole });
        }
    }
    None
}

/// A PUBLISH's topic, and what follows it: the packet id at QoS 1, then the payload (MQTT 3.1.1, 3.3.2).
pub fn topic_of(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = body.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

pub(crate) fn write_connect(options: &Options, client_id: &str, out: &mut Vec<u8>) {
    let mut flags = if options.persistent { 0 } else { CLEAN_SESSION };
    flags |= if options.user.is_some() { HAS_USER_NAME } else { 0 };
    flags |= if options.pass.is_some() { HAS_PASSWORD } else { 0 };
    let mut body = Vec::with_capacity(64);
    write_text(b"MQTT", &mut body);
    body.extend_from_slice(&[4, flags]);
    body.extend_from_slice(&KEEP_ALIVE_SECONDS.to_be_bytes());
    write_text(client_id.as_bytes(), &mut body);
    for text in [&options.user, &options.pass].into_iter().flatten() {
        write_text(text.as_bytes(), &mut body);
    }
    write_packet(0x10, &[&body], out);
}

pub(crate) fn write_subscribe<S: AsRef<str>>(packet_id: u16, filters: &[S], qos: u8, out: &mut Vec<u8>) {
    let mut body = packet_id.to_be_bytes().to_vec();
    for filter in filters {
        write_text(filter.as_ref().as_bytes(), &mut body);
        body.push(qos);
    }
    write_packet(0x82, &[&body], out);
}

/// A PUBLISH; a packet id makes it QoS 1.
pub(crate) fn write_publish(packet_id: Option<u16>, topic: &str, payload: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(topic.len()).unwrap_or(u16::MAX).to_be_bytes();
    match packet_id {
        None => write_packet(0x30, &[&length, topic.as_bytes(), payload], out),
        Some(id) => write_packet(0x32, &[&length, topic.as_bytes(), &id.to_be_bytes(), payload], out),
    }
}

/// The PUBACK for a received QoS 1 PUBLISH, made of the bytes that follow its topic.
pub(crate) fn write_puback(after_topic: &[u8], out: &mut Vec<u8>) {
    if let Some([high, low]) = after_topic.first_chunk::<2>() {
        out.extend_from_slice(&[0x40, 2, *high, *low]);
    }
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(text);
}

fn write_packet(first: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    let mut remaining: usize = parts.iter().map(|part| part.len()).sum();
    out.push(first);
    loop {
        let digit = u8::try_from(remaining & 127).unwrap_or(0);
        remaining >>= 7;
        out.push(if remaining > 0 { digit | 128 } else { digit });
        if remaining == 0 {
            break;
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

const CLEAN_SESSION: u8 = 0x02;
const HAS_PASSWORD: u8 = 0x40;
const HAS_USER_NAME: u8 = 0x80;
const KEEP_ALIVE_SECONDS: u16 = 300;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn a_frame_is_whole_or_not_there() {
        let check = |buffer: &[u8], expected: Option<(u8, &[u8])>| {
            assert_eq!(next_frame(buffer).map(|frame| (frame.first, frame.body)), expected, "{buffer:?}");
        };
        check(b"", None);
        check(b"\x30", None);
        check(b"\x30\x01", None);
        check(b"\xd0\x00", Some((0xd0, b"")));
        check(b"\x30\x02ab+", Some((0x30, b"ab")));
        check(b"\x30\x80", None);
        check(&[b"\x30\x80\x01".as_slice(), &[7; 128]].concat(), Some((0x30, &[7; 128])));
        check(b"\x30\xff\xff\xff\xff\x01", None);
    }

    /// Bytes from MQTT 3.1.1, 3.1, 3.3, 3.4 and 3.8.
    #[test]
    fn packets_are_written_as_the_standard_says() {
        let check = |write: &dyn Fn(&mut Vec<u8>), expected: &[u8]| {
            let mut out = Vec::new();
            write(&mut out);
            assert_eq!(out, expected);
        };
        let options = Options::parse_from(["loadgen", "pair"]);
        check(&|out| write_connect(&options, "a", out), b"\x10\x0d\x00\x04MQTT\x04\x02\x01\x2c\x00\x01a");
        let options = Options::parse_from(["loadgen", "pair", "--persistent", "--user", "u", "--pass", "p"]);
        check(
            &|out| write_connect(&options, "a", out),
            b"\x10\x13\x00\x04MQTT\x04\xc0\x01\x2c\x00\x01a\x00\x01u\x00\x01p",
        );
        check(&|out| write_subscribe(10, &["a/b", "c"], 1, out), b"\x82\x0c\x00\x0a\x00\x03a/b\x01\x00\x01c\x01");
        check(&|out| write_publish(None, "a/b", b"xy", out), b"\x30\x07\x00\x03a/bxy");
        check(&|out| write_publish(Some(258), "a/b", b"xy", out), b"\x32\x09\x00\x03a/b\x01\x02xy");
        check(&|out| write_puback(b"\x01\x02xy", out), b"\x40\x02\x01\x02");
    }

    #[test]
    fn a_topic_ends_within_its_packet() {
        assert_eq!(topic_of(b"\x00\x01axy"), Some((b"a".as_slice(), b"xy".as_slice())));
        assert_eq!(topic_of(b"\x00\x02a"), None);
        assert_eq!(topic_of(b"\x00"), None);
    }
}
