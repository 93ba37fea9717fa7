//! What holds for any packets and any bytes.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use mqtt_codec::{
    DecodeError, Outgoing, Packet, PacketType, Protocol, ReasonCode, connect_protocol, decode, encode, encode_publish,
    publish_bytes,
};

use crate::PACKET_BYTES_MAX;
use crate::packets::{packet, protocol};

proptest! {
    #[test]
    fn a_packet_comes_back_as_it_went((protocol, packet) in one()) {
        prop_assert_eq!(read_all(&written(std::slice::from_ref(&packet), protocol), protocol), Ok(vec![packet]));
    }

    #[test]
    fn any_split_of_the_stream_gives_the_same_packets((protocol, packets) in some(), cuts in vec(1_usize..40, 1..64)) {
        let stream = written(&packets, protocol);
        let (mut buffer, mut rest, mut read) = (BytesMut::new(), &stream[..], Vec::new());
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            buffer.extend_from_slice(piece);
            while let Some(packet) = decode(&mut buffer, PACKET_BYTES_MAX, protocol).unwrap() {
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
    fn any_bytes_give_packets_or_an_error(protocol in protocol(), bytes in vec(any::<u8>(), 0..300)) {
        check_reading(&bytes, protocol)?;
        connect_protocol(&bytes);
    }

    /// Damaged packets get deeper into the decoder than noise does.
    #[test]
    fn damaged_packets_give_packets_or_an_error(
        (protocol, packets) in some(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut stream = written(&packets, protocol);
        for (place, byte) in damage {
            let place = place.index(stream.len());
            stream[place] = byte;
        }
        check_reading(&stream, protocol)?;
        connect_protocol(&stream);
    }

    /// A packet of one version means something else or nothing in another, and never a panic.
    #[test]
    fn packets_of_another_version_give_packets_or_an_error((spoken, packets) in some(), heard in protocol()) {
        check_reading(&written(&packets, spoken), heard)?;
    }

    /// What is held against Maximum Packet Size is what is written, in every version [MQTT-3.1.2-24].
    #[test]
    fn publish_bytes_are_counted_as_they_are_written((protocol, packet) in one(), expiry in any::<Option<u32>>()) {
        let Packet::Publish(publish) = &packet else { return Ok(()) };
        let outgoing = Outgoing {
            topic: publish.topic.as_ref().map_or("", |topic| topic.as_str()),
            topic_alias: publish.topic_alias,
            payload: &publish.payload,
            qos: publish.qos,
            dup: publish.dup,
            retain: publish.retain,
            packet_id: publish.packet_id,
            properties: publish.properties.as_deref(),
            expiry_seconds: expiry,
            subscription_ids: &publish.subscription_ids,
        };
        let mut out = BytesMut::new();
        encode_publish(&outgoing, protocol, &mut out);
        prop_assert_eq!(publish_bytes(&outgoing, protocol), out.len());
    }
}

fn one() -> impl Strategy<Value = (Protocol, Packet)> {
    protocol().prop_flat_map(|protocol| (Just(protocol), packet(protocol)))
}

fn some() -> impl Strategy<Value = (Protocol, Vec<Packet>)> {
    protocol().prop_flat_map(|protocol| (Just(protocol), vec(packet(protocol), 1..8)))
}

/// What was read is written again as bytes that read the same; what was refused has a reason that a client can be told.
fn check_reading(bytes: &[u8], protocol: Protocol) -> Result<(), TestCaseError> {
    match read_all(bytes, protocol) {
        Ok(packets) => {
            let packets: Vec<Packet> = packets.into_iter().map(as_written).collect();
            prop_assert_eq!(read_all(&written(&packets, protocol), protocol), Ok(packets));
        }
        Err(error) => {
            let reason = error.reason();
            prop_assert!(reason.is_allowed_in(PacketType::ConnAck) || reason == ReasonCode::TopicAliasInvalid);
        }
    }
    Ok(())
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

fn read_all(bytes: &[u8], protocol: Protocol) -> Result<Vec<Packet>, DecodeError> {
    let (mut buffer, mut packets) = (BytesMut::from(bytes), Vec::new());
    while let Some(packet) = decode(&mut buffer, PACKET_BYTES_MAX, protocol)? {
        packets.push(packet);
    }
    Ok(packets)
}

fn written(packets: &[Packet], protocol: Protocol) -> BytesMut {
    let mut out = BytesMut::new();
    packets.iter().for_each(|packet| encode(packet, protocol, &mut out));
    out
}
