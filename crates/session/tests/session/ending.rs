//! DISCONNECT and AUTH (MQTT 5, 3.14 and 3.15): what becomes of the will and of the session.

use std::num::NonZeroU32;

use bytes::{Bytes, BytesMut};

use message::QoS;
use mqtt_codec::{
    Auth, Connect, ConnectProperties, Disconnect, Packet, PacketType, Protocol, ReasonCode, Will, decode,
};
use names::Dialect;
use session::{Connected, Intent, Quotas, Violation};

use crate::{DIALECTS, accept, connect_saying, connected_of, connected_with, disconnect, handle, open_under, topic};

fn with_will(session_expiry_seconds: Option<u32>) -> Connect {
    let will = Will {
        topic: topic("w"),
        payload: Bytes::from_static(b"x"),
        qos: QoS::AtLeastOnce,
        retain: false,
        delay_seconds: 0,
        properties: None,
    };
    let properties = ConnectProperties { session_expiry_seconds, ..ConnectProperties::default() };
    Connect { will: Some(will), ..connect_saying(properties) }
}

fn ending(session: &mut Connected, session_expiry_seconds: u32) -> Result<Option<Intent>, Violation> {
    let session_expiry_seconds = Some(session_expiry_seconds);
    let packet = Disconnect { reason: ReasonCode::Success, session_expiry_seconds, reason_string: None };
    handle(session, Packet::Disconnect(packet)).0
}

/// MQTT 5, table 3-10; [MQTT-3.14.4-3]: 0x00 removes the will, every other code of the client's leaves it;
/// [MQTT-3.14.2-1]: a code of the server's is a protocol error.
#[test]
fn reasons() {
    const CLIENTS: [u8; 14] = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
    const SERVERS: [u8; 15] =
        [0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2];
    for dialect in DIALECTS {
        for byte in CLIENTS {
            let mut session = connected_with(with_will(None), dialect);
            let reason = ReasonCode::from_byte(byte).unwrap();
            let (result, out) = handle(&mut session, disconnect(reason));
            assert_eq!((result, &out[..]), (Ok(Some(Intent::Disconnect)), &b""[..]), "{byte:#x}");
            assert_eq!(session.take_will().is_some(), byte != 0x00, "{byte:#x}");
        }
        for byte in SERVERS {
            let mut session = connected_with(with_will(None), dialect);
            let reason = ReasonCode::from_byte(byte).unwrap();
            assert_eq!(handle(&mut session, disconnect(reason)).0, Err(Violation::ServerReason(reason)));
            assert_eq!(Violation::ServerReason(reason).reason(), ReasonCode::ProtocolError);
            assert!(session.take_will().is_some(), "{byte:#x}");
        }
    }
}

/// MQTT 5, 3.14.2.2.2: DISCONNECT changes how long the session is kept, within what the server keeps.
#[test]
fn disconnect_changes_the_expiry() {
    let check = |dialect, connected: u32, asked: u32, expected: u32| {
        let mut session = connected_with(with_will(Some(connected)), dialect);
        assert_eq!(ending(&mut session, asked), Ok(Some(Intent::Disconnect)));
        assert_eq!(session.session_expiry_seconds(), expected, "{connected} {asked}");
        assert_eq!(session.take_will(), None);
    };
    check(Dialect::Mqtt, 10, 0, 0);
    check(Dialect::Mqtt, 10, u32::MAX, u32::MAX);
    check(Dialect::Mqtt, u32::MAX, 10, 10);
    check(Dialect::Mqtt, 0, 0, 0);
    check(Dialect::Aws, 10, 3600, 3600);
    check(Dialect::Aws, 10, 3601, 3600);
    check(Dialect::Aws, 10, 0, 0);
}

/// MQTT 5, 3.14.2.2.2: from 0 to more is a protocol error, and no orderly end: the will stays.
#[test]
fn disconnect_does_not_keep_what_connect_let_go() {
    for (dialect, connected) in DIALECTS.into_iter().zip([None, Some(0)]) {
        let mut session = connected_with(with_will(connected), dialect);
        assert_eq!(ending(&mut session, 1), Err(Violation::SessionExpiryFromZero));
        assert_eq!(Violation::SessionExpiryFromZero.reason(), ReasonCode::ProtocolError);
        assert_eq!(session.session_expiry_seconds(), 0);
        assert!(session.take_will().is_some());
    }
}

/// The rule is about what CONNECT said: where the server keeps no sessions, a client that asked for one may ask again.
#[test]
fn what_connect_asked_counts_and_not_what_it_got() {
    let quotas = Quotas { session_expiry_seconds_max: 0, ..Quotas::of(Dialect::Mqtt) };
    let mut session = accept(open_under(with_will(Some(60)), quotas).unwrap());
    assert_eq!(ending(&mut session, 60), Ok(Some(Intent::Disconnect)));
    assert_eq!(session.session_expiry_seconds(), 0);
    assert_eq!(session.take_will(), None);
}

/// [MQTT-4.12.0-7]: there was no authentication method in CONNECT, so AUTH is a protocol error.
#[test]
fn auth() {
    for dialect in DIALECTS {
        let mut session = connected_with(with_will(None), dialect);
        let auth = Auth { reason: ReasonCode::ReAuthenticate, method: Some("m".into()), data: None };
        let (result, out) = handle(&mut session, Packet::Auth(auth));
        assert_eq!((result, &out[..]), (Err(Violation::Auth), &b""[..]));
        assert_eq!(Violation::Auth.reason(), ReasonCode::ProtocolError);
        assert!(session.take_will().is_some());
    }
}

/// MQTT 5, 4.13.1: the server says why it closes. [MQTT-3.14.2-2]: without a Session Expiry Interval; [MQTT-3.14.2-3]:
/// without words that the client has no room for.
#[test]
fn the_servers_disconnect() {
    let check = |packet_bytes_max: Option<u32>, why: Option<&str>, expected: &[u8]| {
        let packet_bytes_max = packet_bytes_max.and_then(NonZeroU32::new);
        let properties = ConnectProperties { packet_bytes_max, ..ConnectProperties::default() };
        let session = connected_with(connect_saying(properties), Dialect::Mqtt);
        let mut out = BytesMut::from(&b"before"[..]);
        session.disconnect(ReasonCode::SessionTakenOver, why, &mut out);
        assert_eq!(&out[6..], expected);
        let packet = decode(&mut out.split_off(6), 1024, Protocol::V5).unwrap().unwrap();
        assert_eq!(packet.packet_type(), PacketType::Disconnect);
    };
    check(None, None, b"\xE0\x02\x8E\x00");
    check(None, Some("elsewhere"), b"\xE0\x0E\x8E\x0C\x1F\x00\x09elsewhere");
    check(Some(16), Some("elsewhere"), b"\xE0\x0E\x8E\x0C\x1F\x00\x09elsewhere");
    check(Some(16), Some("elsewhere!"), b"\xE0\x02\x8E\x00");

    let mut out = BytesMut::new();
    let old = connected_of(Protocol::V311, Dialect::Mqtt);
    old.disconnect(ReasonCode::SessionTakenOver, Some("elsewhere"), &mut out);
    assert!(out.is_empty(), "a server of MQTT 3.1.1 has no DISCONNECT");
    let new = connected_of(Protocol::V5, Dialect::Mqtt);
    new.disconnect(ReasonCode::UnsupportedProtocolVersion, None, &mut out);
    assert_eq!(&out[..], b"\xE0\x02\x82\x00", "a reason for CONNACK only");
}
