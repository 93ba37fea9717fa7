//! The reason codes by the tables of MQTT 5, and what MQTT 3.1.1 says instead.

use message::QoS;
use mqtt_codec::{ConnectReturnCode, PacketType, Protocol, ReasonCode};

/// MQTT 5, table 2-6.
#[test]
fn bytes_and_words() {
    let known = [0x00, 0x01, 0x02, 0x04, 0x10, 0x11, 0x18, 0x19].into_iter().chain(0x80..=0xA2);
    let known: Vec<u8> = known.collect();
    let read: Vec<u8> = (0..=u8::MAX).filter(|&byte| ReasonCode::from_byte(byte).is_some()).collect();
    assert_eq!(read, known);
    assert_eq!(ReasonCode::ALL.iter().map(|code| code.byte()).collect::<Vec<_>>(), known);
    for code in ReasonCode::ALL {
        assert_eq!(ReasonCode::from_byte(code.byte()), Some(*code));
        assert_eq!(code.is_error(), code.byte() >= 0x80);
    }
    let check = |code: ReasonCode, byte: u8, words: &str| assert_eq!((code.byte(), &*code.to_string()), (byte, words));
    check(ReasonCode::Success, 0x00, "Success");
    check(ReasonCode::DisconnectWithWill, 0x04, "Disconnect with Will Message");
    check(ReasonCode::NoMatchingSubscribers, 0x10, "No matching subscribers");
    check(ReasonCode::ReAuthenticate, 0x19, "Re-authenticate");
    check(ReasonCode::BadUserNameOrPassword, 0x86, "Bad User Name or Password");
    check(ReasonCode::BadAuthenticationMethod, 0x8C, "Bad authentication method");
    check(ReasonCode::TopicFilterInvalid, 0x8F, "Topic Filter invalid");
    check(ReasonCode::TopicNameInvalid, 0x90, "Topic Name invalid");
    check(ReasonCode::PacketTooLarge, 0x95, "Packet too large");
    check(ReasonCode::QosNotSupported, 0x9B, "QoS not supported");
    check(ReasonCode::WildcardSubscriptionsNotSupported, 0xA2, "Wildcard Subscriptions not supported");
    assert_eq!(
        [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].map(|qos| ReasonCode::granted(qos).byte()),
        [0, 1, 2]
    );
}

/// The tables of 3.2.2.2, 3.4.2.1, 3.5.2.1, 3.6.2.1, 3.7.2.1, 3.9.3, 3.11.3, 3.14.2.1 (and 0x8C from 2.4), 3.15.2.1.
#[test]
fn each_packet_has_its_codes() {
    let check = |packet_type: PacketType, expected: &[u8]| {
        let allowed = ReasonCode::ALL.iter().filter(|code| code.is_allowed_in(packet_type)).map(|code| code.byte());
        assert_eq!(allowed.collect::<Vec<_>>(), expected, "{packet_type}");
    };
    let connack = [
        0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A,
        0x9B, 0x9C, 0x9D, 0x9F,
    ];
    let disconnect = [
        0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96,
        0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
    ];
    let puback = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
    check(PacketType::Connect, &[]);
    check(PacketType::ConnAck, &connack);
    check(PacketType::Publish, &[]);
    check(PacketType::PubAck, &puback);
    check(PacketType::PubRec, &puback);
    check(PacketType::PubRel, &[0x00, 0x92]);
    check(PacketType::PubComp, &[0x00, 0x92]);
    check(PacketType::SubAck, &[0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2]);
    check(PacketType::UnsubAck, &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]);
    check(PacketType::Disconnect, &disconnect);
    check(PacketType::Auth, &[0x00, 0x18, 0x19]);
}

/// MQTT 3.1.1, table 3.1.
#[test]
fn the_nearest_return_code_of_mqtt_311() {
    use ConnectReturnCode::*;
    let check = |code: ReasonCode, expected| assert_eq!(code.connect_return_code(), expected, "{code}");
    check(ReasonCode::Success, Accepted);
    check(ReasonCode::UnsupportedProtocolVersion, UnacceptableProtocolLevel);
    check(ReasonCode::ClientIdentifierNotValid, IdentifierRejected);
    check(ReasonCode::BadUserNameOrPassword, BadUserNameOrPassword);
    for code in [ReasonCode::NotAuthorized, ReasonCode::Banned, ReasonCode::BadAuthenticationMethod] {
        check(code, NotAuthorized);
    }
    for code in [
        ReasonCode::ServerUnavailable,
        ReasonCode::ServerBusy,
        ReasonCode::QuotaExceeded,
        ReasonCode::ConnectionRateExceeded,
        ReasonCode::UseAnotherServer,
        ReasonCode::ServerMoved,
    ] {
        check(code, ServerUnavailable);
    }
    for code in ReasonCode::ALL {
        assert_eq!(code.is_error(), code.connect_return_code() != Accepted, "{code}");
    }
}

/// MQTT 3.1, 3.1; MQTT 3.1.1 and 5, 3.1.2.1 and 3.1.2.2.
#[test]
fn names_and_levels() {
    let check = |protocol: Protocol, name: &str, level: u8| {
        assert_eq!((protocol.name(), protocol.level()), (name, level));
        assert_eq!(Protocol::from_level(level), Some(protocol));
    };
    check(Protocol::V31, "MQIsdp", 3);
    check(Protocol::V311, "MQTT", 4);
    check(Protocol::V5, "MQTT", 5);
    let known: Vec<u8> = (0..=u8::MAX).filter(|&level| Protocol::from_level(level).is_some()).collect();
    assert_eq!(known, [3, 4, 5]);
    assert!(Protocol::V31 < Protocol::V311 && Protocol::V311 < Protocol::V5);
}
