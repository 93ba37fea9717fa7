//! What a broker sends, read just far enough: whole packets, a PUBLISH's parts, CONNACK's and SUBACK's answers.

use names::limits::MQTT_REMAINING_LENGTH_MAX;

use crate::Version;

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

/// A remaining length of more than four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The first whole packet of a buffer, when there is one (MQTT 3.1.1, 2.2.3).
///
/// # Errors
/// [`Malformed`]: these bytes are no MQTT, and no more of them will make it so.
pub fn next_frame(buffer: &[u8]) -> Result<Option<Frame<'_>>, Malformed> {
    let Some((first, rest)) = buffer.split_first() else { return Ok(None) };
    let Some((length, after)) = variable_byte_integer(rest)? else { return Ok(None) };
    let Some(body) = after.get(..length) else { return Ok(None) };
    let header = buffer.len() - after.len();
    Ok(buffer.get(..header + length).map(|whole| Frame { first: *first, body, whole }))
}

/// A PUBLISH's topic, and what follows it: the packet id above QoS 0, MQTT 5's properties, the payload.
pub fn topic_of(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = body.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// A PUBLISH in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Publish<'a> {
    pub(crate) topic: &'a [u8],
    /// Above QoS 0.
    pub(crate) packet_id: Option<[u8; 2]>,
    pub(crate) payload: &'a [u8],
}

/// Reads a PUBLISH (MQTT 3.1.1, 3.3; MQTT 5, 3.3).
pub(crate) fn publish<'a>(frame: &Frame<'a>, version: Version) -> Option<Publish<'a>> {
    let (topic, mut rest) = topic_of(frame.body)?;
    let mut packet_id = None;
    if frame.qos() > 0 {
        let (id, after) = rest.split_first_chunk::<2>()?;
        (packet_id, rest) = (Some(*id), after);
    }
    let (_, payload) = properties(rest, version)?;
    Some(Publish { topic, packet_id, payload })
}

/// What CONNACK says about an accepted client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Messages above QoS 0 that the broker takes before it has acknowledged the first (MQTT 5, 3.2.2.3.3).
    pub(crate) receive_maximum: u16,
    /// MQTT 5, 3.2.2.3.4.
    pub(crate) maximum_qos: u8,
}

/// Reads a CONNACK; a code of refusal is the error (MQTT 3.1.1, 3.2; MQTT 5, 3.2).
pub(crate) fn connack(body: &[u8], version: Version) -> Option<Result<Accepted, u8>> {
    let (code, rest) = (body.get(1)?, body.get(2..)?);
    if *code != 0 {
        return Some(Err(*code));
    }
    let mut accepted = Accepted { receive_maximum: u16::MAX, maximum_qos: 2 };
    let (mut left, _) = properties(rest, version)?;
    while let Some((identifier, value)) = left.split_first() {
        match (identifier, value) {
            (0x21, [high, low, ..]) => accepted.receive_maximum = u16::from_be_bytes([*high, *low]),
            (0x24, [qos, ..]) => accepted.maximum_qos = *qos,
            _ => {}
        }
        left = value.get(property_bytes(*identifier, value)?..)?;
    }
    Some(Ok(accepted))
}

/// The codes of a SUBACK, one a filter (MQTT 3.1.1, 3.9; MQTT 5, 3.9).
pub(crate) fn suback_codes(body: &[u8], version: Version) -> Option<&[u8]> {
    properties(body.get(2..)?, version).map(|(_, codes)| codes)
}

/// The packet id of an acknowledgement, and its reason code; without one it is a success (MQTT 5, 3.4.2.1).
pub(crate) fn acknowledgement(body: &[u8]) -> Option<([u8; 2], u8)> {
    let (id, rest) = body.split_first_chunk::<2>()?;
    Some((*id, rest.first().copied().unwrap_or(0)))
}

/// MQTT 5's properties and what follows them; MQTT 3.1.1 has none.
fn properties(bytes: &[u8], version: Version) -> Option<(&[u8], &[u8])> {
    match version {
        Version::V311 => Some((&[], bytes)),
        Version::V5 => {
            let (length, rest) = variable_byte_integer(bytes).ok()??;
            rest.split_at_checked(length)
        }
    }
}

/// How long a property's value is, for those that CONNACK may carry (MQTT 5, table 2-4).
fn property_bytes(identifier: u8, value: &[u8]) -> Option<usize> {
    let text = |bytes: &[u8]| Some(2 + usize::from(u16::from_be_bytes(*bytes.first_chunk::<2>()?)));
    match identifier {
        0x24 | 0x25 | 0x28 | 0x29 | 0x2a => Some(1),
        0x13 | 0x21 | 0x22 => Some(2),
        0x11 | 0x27 => Some(4),
        0x12 | 0x15 | 0x16 | 0x1a | 0x1c | 0x1f => text(value),
        0x26 => {
            let name = text(value)?;
            Some(name + text(value.get(name..)?)?)
        }
        _ => None,
    }
}

/// A length in up to four bytes, and what follows it (MQTT 5, 1.5.5).
fn variable_byte_integer(bytes: &[u8]) -> Result<Option<(usize, &[u8])>, Malformed> {
    let mut value = 0_usize;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 127) << (7 * index);
        if byte & 128 == 0 {
            debug_assert!(value <= MQTT_REMAINING_LENGTH_MAX, "four digits of seven bits");
            return Ok(bytes.get(index + 1..).map(|rest| (value, rest)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(Malformed) }
}

pub(crate) const CONNACK: u8 = 2;
pub(crate) const PUBLISH: u8 = 3;
pub(crate) const PUBACK: u8 = 4;
pub(crate) const PUBREC: u8 = 5;
pub(crate) const PUBREL: u8 = 6;
pub(crate) const PUBCOMP: u8 = 7;
pub(crate) const SUBACK: u8 = 9;
pub(crate) const DISCONNECT: u8 = 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_whole_or_not_there() {
        let check = |buffer: &[u8], expected: Result<Option<(u8, &[u8])>, Malformed>| {
            let found = next_frame(buffer).map(|frame| frame.map(|frame| (frame.first, frame.body)));
            assert_eq!(found, expected, "{buffer:?}");
        };
        check(b"", Ok(None));
        check(b"\x30", Ok(None));
        check(b"\x30\x01", Ok(None));
        check(b"\xd0\x00", Ok(Some((0xd0, b""))));
        check(b"\x30\x02ab+", Ok(Some((0x30, b"ab"))));
        check(b"\x30\x80", Ok(None));
        check(&[b"\x30\x80\x01".as_slice(), &[7; 128]].concat(), Ok(Some((0x30, &[7; 128]))));
        check(b"\x30\xff\xff\xff\x7f", Ok(None));
        check(b"\x30\xff\xff\xff\xff\x01", Err(Malformed));
    }

    #[test]
    fn a_frame_is_as_long_as_it_came() {
        assert_eq!(next_frame(b"\x30\x02ab\xd0\x00").unwrap().unwrap().whole, b"\x30\x02ab");
    }

    #[test]
    fn a_publish_is_read_in_both_versions() {
        fn check(bytes: &[u8], version: Version, expected: Option<Publish<'_>>) {
            let frame = next_frame(bytes).unwrap().unwrap();
            assert_eq!(publish(&frame, version), expected, "{bytes:?}");
        }
        let of = |packet_id| Some(Publish { topic: b"a/b", packet_id, payload: b"xy" });
        check(b"\x30\x07\x00\x03a/bxy", Version::V311, of(None));
        check(b"\x32\x09\x00\x03a/b\x01\x02xy", Version::V311, of(Some([1, 2])));
        check(b"\x30\x08\x00\x03a/b\x00xy", Version::V5, of(None));
        // Topic alias 7 (MQTT 5, 3.3.2.3.4).
        check(b"\x34\x0d\x00\x03a/b\x01\x02\x03\x23\x00\x07xy", Version::V5, of(Some([1, 2])));
        check(b"\x30\x03\x00\x03a", Version::V311, None);
        check(b"\x32\x04\x00\x01a\x00", Version::V311, None);
        check(b"\x30\x04\x00\x01a\x09", Version::V5, None);
    }

    #[test]
    fn connack_tells_what_the_broker_takes() {
        let check = |body: &[u8], version, expected| assert_eq!(connack(body, version), expected, "{body:?}");
        let accepts = |receive_maximum, maximum_qos| Some(Ok(Accepted { receive_maximum, maximum_qos }));
        check(b"\x00\x00", Version::V311, accepts(65_535, 2));
        check(b"\x01\x05", Version::V311, Some(Err(5)));
        check(b"\x00\x00\x00", Version::V5, accepts(65_535, 2));
        check(b"\x00\x87\x00", Version::V5, Some(Err(0x87)));
        // Topic alias maximum, assigned identifier, a user property, receive maximum, maximum QoS.
        let properties = b"\x22\x00\x0a\x12\x00\x01c\x26\x00\x01k\x00\x01v\x21\x00\x14\x24\x01";
        let length = u8::try_from(properties.len()).unwrap();
        check(&[&[0, 0, length], properties.as_slice()].concat(), Version::V5, accepts(20, 1));
        check(b"\x00", Version::V311, None);
        check(b"\x00\x00\x02\x7f\x00", Version::V5, None);
    }

    #[test]
    fn answers_may_be_short() {
        assert_eq!(acknowledgement(b"\x01\x02"), Some(([1, 2], 0)));
        assert_eq!(acknowledgement(b"\x01\x02\x87\x00"), Some(([1, 2], 0x87)));
        assert_eq!(acknowledgement(b"\x01"), None);
        assert_eq!(suback_codes(b"\x00\x01\x01\x80", Version::V311), Some(b"\x01\x80".as_slice()));
        assert_eq!(suback_codes(b"\x00\x01\x00\x02", Version::V5), Some(b"\x02".as_slice()));
    }
}
