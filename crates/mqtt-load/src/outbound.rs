//! The packets that a client sends, in both versions of MQTT.

use crate::Version;

/// A CONNECT's contents.
pub(crate) struct Connect<'a> {
    pub(crate) version: Version,
    pub(crate) client_id: &'a str,
    /// Whether the session ends with the connection; else it is kept.
    pub(crate) is_clean: bool,
    pub(crate) keep_alive_seconds: u16,
    pub(crate) user_name: Option<&'a str>,
    pub(crate) password: Option<&'a str>,
}

/// MQTT 3.1.1, 3.1; MQTT 5, 3.1.
pub(crate) fn write_connect(connect: &Connect<'_>, out: &mut Vec<u8>) {
    let mut flags = if connect.is_clean { CLEAN_SESSION } else { 0 };
    flags |= if connect.user_name.is_some() { HAS_USER_NAME } else { 0 };
    flags |= if connect.password.is_some() { HAS_PASSWORD } else { 0 };
    let mut body = Vec::with_capacity(64);
    write_text(b"MQTT", &mut body);
    body.extend_from_slice(&[connect.version.level(), flags]);
    body.extend_from_slice(&connect.keep_alive_seconds.to_be_bytes());
    match (connect.version, connect.is_clean) {
        (Version::V311, _) => {}
        (Version::V5, true) => body.push(0),
        (Version::V5, false) => {
            body.extend_from_slice(&[5, SESSION_EXPIRY_INTERVAL]);
            body.extend_from_slice(&SESSION_EXPIRY_SECONDS.to_be_bytes());
        }
    }
    write_text(connect.client_id.as_bytes(), &mut body);
    for text in [connect.user_name, connect.password].into_iter().flatten() {
        write_text(text.as_bytes(), &mut body);
    }
    write_packet(0x10, &[&body], out);
}

/// One SUBSCRIBE of some filters at one QoS (MQTT 3.1.1, 3.8; MQTT 5, 3.8).
pub(crate) fn write_subscribe<S: AsRef<str>>(
    version: Version,
    packet_id: u16,
    filters: &[S],
    qos: u8,
    out: &mut Vec<u8>,
) {
    let mut body = packet_id.to_be_bytes().to_vec();
    body.extend_from_slice(no_properties(version));
    for filter in filters {
        write_text(filter.as_ref().as_bytes(), &mut body);
        body.push(qos);
    }
    write_packet(0x82, &[&body], out);
}

/// A PUBLISH; its QoS is above 0 when it has a packet id (MQTT 3.1.1, 3.3; MQTT 5, 3.3).
pub(crate) fn write_publish(
    version: Version,
    qos: u8,
    packet_id: Option<u16>,
    topic: &[u8],
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    let length = u16::try_from(topic.len()).unwrap_or(u16::MAX).to_be_bytes();
    let properties = no_properties(version);
    match packet_id {
        None => write_packet(0x30, &[&length, topic, properties, payload], out),
        Some(id) => {
            let first = 0x30 | (qos << 1);
            write_packet(first, &[&length, topic, &id.to_be_bytes(), properties, payload], out);
        }
    }
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP, by its type: a success of two bytes in both versions (MQTT 5, 3.4.2.1).
pub(crate) fn write_acknowledgement(kind: u8, packet_id: [u8; 2], out: &mut Vec<u8>) {
    // PUBREL's flags are reserved and 2 (MQTT 3.1.1, 3.6.1).
    let flags = if kind == crate::inbound::PUBREL { 2 } else { 0 };
    out.extend_from_slice(&[(kind << 4) | flags, 2]);
    out.extend_from_slice(&packet_id);
}

/// MQTT 3.1.1, 3.14; in MQTT 5 the short form is a normal disconnection (3.14.2.1).
pub(crate) const DISCONNECT: [u8; 2] = [0xe0, 0];
/// MQTT 3.1.1, 3.12.
pub(crate) const PINGREQ: [u8; 2] = [0xc0, 0];

fn no_properties(version: Version) -> &'static [u8] {
    match version {
        Version::V311 => &[],
        Version::V5 => &[0],
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
/// MQTT 5, 3.1.2.11.2.
const SESSION_EXPIRY_INTERVAL: u8 = 0x11;
const SESSION_EXPIRY_SECONDS: u32 = 3600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound::{PUBACK, PUBREL};

    fn written(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    /// Bytes from MQTT 3.1.1 and MQTT 5, 3.1.
    #[test]
    fn connect_is_as_the_standard_says() {
        let check = |version, is_clean, login: Option<(&str, &str)>, expected: &[u8]| {
            let connect = Connect {
                version,
                client_id: "a",
                is_clean,
                keep_alive_seconds: 300,
                user_name: login.map(|login| login.0),
                password: login.map(|login| login.1),
            };
            assert_eq!(written(|out| write_connect(&connect, out)), expected);
        };
        check(Version::V311, true, None, b"\x10\x0d\x00\x04MQTT\x04\x02\x01\x2c\x00\x01a");
        let login = Some(("u", "p"));
        check(Version::V311, false, login, b"\x10\x13\x00\x04MQTT\x04\xc0\x01\x2c\x00\x01a\x00\x01u\x00\x01p");
        check(Version::V5, true, None, b"\x10\x0e\x00\x04MQTT\x05\x02\x01\x2c\x00\x00\x01a");
        check(Version::V5, false, None, b"\x10\x13\x00\x04MQTT\x05\x00\x01\x2c\x05\x11\x00\x00\x0e\x10\x00\x01a");
    }

    /// Bytes from MQTT 3.1.1 and MQTT 5, 3.3, 3.4, 3.6 and 3.8.
    #[test]
    fn the_rest_is_as_the_standard_says() {
        let check = |write: &dyn Fn(&mut Vec<u8>), expected: &[u8]| assert_eq!(written(write), expected);
        let (v3, v5) = (Version::V311, Version::V5);
        let filters = ["a/b", "c"];
        check(&|out| write_subscribe(v3, 10, &filters, 1, out), b"\x82\x0c\x00\x0a\x00\x03a/b\x01\x00\x01c\x01");
        check(&|out| write_subscribe(v5, 10, &filters, 2, out), b"\x82\x0d\x00\x0a\x00\x00\x03a/b\x02\x00\x01c\x02");
        check(&|out| write_publish(v3, 0, None, b"a/b", b"xy", out), b"\x30\x07\x00\x03a/bxy");
        check(&|out| write_publish(v3, 1, Some(258), b"a/b", b"xy", out), b"\x32\x09\x00\x03a/b\x01\x02xy");
        check(&|out| write_publish(v5, 2, Some(258), b"a/b", b"xy", out), b"\x34\x0a\x00\x03a/b\x01\x02\x00xy");
        check(&|out| write_acknowledgement(PUBACK, [1, 2], out), b"\x40\x02\x01\x02");
        check(&|out| write_acknowledgement(PUBREL, [1, 2], out), b"\x62\x02\x01\x02");
        let long = written(|out| write_publish(v3, 0, None, b"a", &[7; 200], out));
        assert_eq!(long.get(..5), Some(b"\x30\xcb\x01\x00\x01".as_slice()));
    }
}
