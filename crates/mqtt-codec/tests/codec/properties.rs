//! What holds for any packets and any bytes.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;

use message::{QoS, TopicName};
use mqtt_codec::{
    ConnAck, Connect, ConnectReturnCode, DecodeError, Packet, PacketId, Protocol, Publish, SubAck, SubAckCode,
    Subscribe, Unsubscribe, Will, decode, encode,
};

use crate::PACKET_BYTES_MAX;

proptest! {
    #[test]
    fn a_packet_comes_back_as_it_went(packet in packet()) {
        prop_assert_eq!(read_all(&written(std::slice::from_ref(&packet))), Ok(vec![packet]));
    }

    #[test]
    fn any_split_of_the_stream_gives_the_same_packets(packets in vec(packet(), 1..8), cuts in vec(1_usize..40, 1..64)) {
        let stream = written(&packets);
        let (mut buffer, mut rest, mut read) = (BytesMut::new(), &stream[..], Vec::new());
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            buffer.extend_from_slice(piece);
            while let Some(packet) = decode(&mut buffer, PACKET_BYTES_MAX).unwrap() {
                read.push(packet);
            }
            if later.is_empty() {
                break;
            }
            rest = later;
        }
        prop_assert_eq!(read, packets);
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn any_bytes_give_packets_or_an_error(bytes in vec(any::<u8>(), 0..300)) {
        check_reading(&bytes)?;
    }

    /// Damaged packets get deeper into the decoder than noise does.
    #[test]
    fn damaged_packets_give_packets_or_an_error(packets in vec(packet(), 1..4), damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut stream = written(&packets);
        for (place, byte) in damage {
            let place = place.index(stream.len());
            stream[place] = byte;
        }
        check_reading(&stream)?;
    }
}

/// What was read is written again as bytes that read the same.
fn check_reading(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(packets) = read_all(bytes) {
        prop_assert_eq!(read_all(&written(&packets)), Ok(packets));
    }
    Ok(())
}

fn read_all(bytes: &[u8]) -> Result<Vec<Packet>, DecodeError> {
    let (mut buffer, mut packets) = (BytesMut::from(bytes), Vec::new());
    while let Some(packet) = decode(&mut buffer, PACKET_BYTES_MAX)? {
        packets.push(packet);
    }
    Ok(packets)
}

fn written(packets: &[Packet]) -> BytesMut {
    let mut out = BytesMut::new();
    packets.iter().for_each(|packet| encode(packet, &mut out));
    out
}

fn packet() -> impl Strategy<Value = Packet> {
    prop_oneof![
        connect().prop_map(Packet::Connect),
        connack().prop_map(Packet::ConnAck),
        publish().prop_map(Packet::Publish),
        packet_id().prop_map(Packet::PubAck),
        packet_id().prop_map(Packet::PubRec),
        packet_id().prop_map(Packet::PubRel),
        packet_id().prop_map(Packet::PubComp),
        packet_id().prop_map(Packet::UnsubAck),
        (packet_id(), vec((text(), qos()), 1..5))
            .prop_map(|(packet_id, filters)| Packet::Subscribe(Subscribe { packet_id, filters })),
        (packet_id(), vec(suback_code(), 1..5))
            .prop_map(|(packet_id, codes)| Packet::SubAck(SubAck { packet_id, codes })),
        (packet_id(), vec(text(), 1..5))
            .prop_map(|(packet_id, filters)| Packet::Unsubscribe(Unsubscribe { packet_id, filters })),
        Just(Packet::PingReq),
        Just(Packet::PingResp),
        Just(Packet::Disconnect),
    ]
}

fn connect() -> impl Strategy<Value = Connect> {
    let user = prop::option::of((text(), prop::option::of(payload())));
    (any::<bool>(), any::<u16>(), text(), prop::option::of(will()), user).prop_map(
        |(clean_session, keep_alive_seconds, client_id, will, user)| {
            let (user_name, password) = user.map_or((None, None), |(name, password)| (Some(name), password));
            let protocol = Protocol::V311;
            Connect { protocol, clean_session, keep_alive_seconds, client_id, will, user_name, password }
        },
    )
}

fn will() -> impl Strategy<Value = Will> {
    (topic(), payload(), qos(), any::<bool>()).prop_map(|(topic, payload, qos, retain)| Will {
        topic,
        payload,
        qos,
        retain,
    })
}

fn connack() -> impl Strategy<Value = ConnAck> {
    (any::<bool>(), 0_u8..6).prop_map(|(present, code)| {
        let code = ConnectReturnCode::from_byte(code).unwrap();
        ConnAck { session_present: present && code == ConnectReturnCode::Accepted, code }
    })
}

fn publish() -> impl Strategy<Value = Publish> {
    (any::<bool>(), qos(), any::<bool>(), topic(), packet_id(), payload()).prop_map(
        |(dup, qos, retain, topic, packet_id, payload)| {
            let acknowledged = qos != QoS::AtMostOnce;
            let packet_id = acknowledged.then_some(packet_id);
            Publish { dup: dup && acknowledged, qos, retain, topic, packet_id, payload }
        },
    )
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|id| PacketId::new(id).unwrap())
}

fn qos() -> impl Strategy<Value = QoS> {
    (0_u8..3).prop_map(|bits| QoS::from_bits(bits).unwrap())
}

fn suback_code() -> impl Strategy<Value = SubAckCode> {
    prop_oneof![qos().prop_map(SubAckCode::Granted), Just(SubAckCode::Failure)]
}

fn text() -> impl Strategy<Value = bytestring::ByteString> {
    vec(any::<char>().prop_filter("U+0000 is no text", |&c| c != '\0'), 0..12)
        .prop_map(|characters| characters.into_iter().collect::<String>().into())
}

fn topic() -> impl Strategy<Value = TopicName> {
    text().prop_filter_map("a topic name", |text| TopicName::new(text).ok())
}

/// Long enough that the remaining length takes one and two bytes.
fn payload() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}
