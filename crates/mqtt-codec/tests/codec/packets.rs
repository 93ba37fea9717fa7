//! Any packet that a version can say.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use message::{PayloadFormat, Properties, QoS, RetainHandling, TopicName};
use mqtt_codec::{
    Ack, Auth, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect, Packet, PacketId, PacketType,
    Protocol, Publish, ReasonCode, RequestedOptions, SubAck, Subscribe, UnsubAck, Unsubscribe, Will,
};

/// A version.
pub(crate) fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(Protocol::V31), Just(Protocol::V311), Just(Protocol::V5)]
}

/// A packet that comes back as it went.
pub(crate) fn packet(protocol: Protocol) -> impl Strategy<Value = Packet> {
    let v3 = prop_oneof![
        connect(protocol).prop_map(|connect| Packet::Connect(Box::new(connect))),
        connack(protocol).prop_map(Packet::ConnAck),
        publish(protocol).prop_map(Packet::Publish),
        ack(PacketType::PubAck, protocol).prop_map(Packet::PubAck),
        ack(PacketType::PubRec, protocol).prop_map(Packet::PubRec),
        ack(PacketType::PubRel, protocol).prop_map(Packet::PubRel),
        ack(PacketType::PubComp, protocol).prop_map(Packet::PubComp),
        subscribe(protocol).prop_map(Packet::Subscribe),
        suback(protocol).prop_map(Packet::SubAck),
        (packet_id(), vec(text(), 1..5)).prop_map(|(packet_id, filters)| {
            Packet::Unsubscribe(Unsubscribe { packet_id, filters, user_properties_bytes: 0 })
        }),
        unsuback(protocol).prop_map(Packet::UnsubAck),
        Just(Packet::PingReq),
        Just(Packet::PingResp),
        disconnect(protocol).prop_map(Packet::Disconnect),
    ];
    if protocol == Protocol::V5 { prop_oneof![14 => v3, 1 => auth()].boxed() } else { v3.boxed() }
}

fn connect(protocol: Protocol) -> impl Strategy<Value = Connect> {
    let has_v5 = protocol == Protocol::V5;
    let user_name = option::of(text());
    (
        any::<bool>(),
        any::<u16>(),
        text(),
        connect_properties(),
        option::of(will(protocol)),
        user_name,
        option::of(bytes()),
    )
        .prop_map(move |(clean_start, keep_alive_seconds, client_id, properties, will, user_name, password)| {
            Connect {
                protocol,
                clean_start,
                keep_alive_seconds,
                client_id,
                properties: if has_v5 { properties } else { ConnectProperties::default() },
                will,
                password: password.filter(|_| has_v5 || user_name.is_some()),
                user_name,
            }
        })
}

fn connect_properties() -> impl Strategy<Value = ConnectProperties> {
    let numbers = (option::of(any::<u32>()), any::<Option<NonZeroU16>>(), any::<Option<NonZeroU32>>(), any::<u16>());
    let method = option::of((text(), option::of(bytes())));
    (numbers, any::<bool>(), any::<bool>(), method, user_properties()).prop_map(
        |(numbers, request_response_information, request_problem_information, method, user_properties)| {
            let (session_expiry_seconds, receive_max, packet_bytes_max, topic_alias_max) = numbers;
            let (authentication_method, authentication_data) = split(method);
            ConnectProperties {
                session_expiry_seconds,
                receive_max,
                packet_bytes_max,
                topic_alias_max,
                request_response_information,
                request_problem_information,
                authentication_method,
                authentication_data,
                user_properties,
            }
        },
    )
}

fn will(protocol: Protocol) -> impl Strategy<Value = Will> {
    let has_v5 = protocol == Protocol::V5;
    (topic(), bytes(), qos(), any::<bool>(), any::<u32>(), properties()).prop_map(
        move |(topic, payload, qos, retain, delay_seconds, properties)| Will {
            topic,
            payload,
            qos,
            retain,
            delay_seconds: if has_v5 { delay_seconds } else { 0 },
            properties: properties.filter(|_| has_v5),
        },
    )
}

fn connack(protocol: Protocol) -> impl Strategy<Value = ConnAck> {
    let codes: Vec<ReasonCode> = if protocol == Protocol::V5 {
        codes(PacketType::ConnAck)
    } else {
        [0x00, 0x84, 0x85, 0x88, 0x86, 0x87].iter().filter_map(|&byte| ReasonCode::from_byte(byte)).collect()
    };
    let properties = option::of(connack_properties());
    (any::<bool>(), prop::sample::select(codes), properties).prop_map(move |(present, reason, properties)| ConnAck {
        session_present: present && reason == ReasonCode::Success && protocol > Protocol::V31,
        reason,
        properties: properties
            .filter(|properties| protocol == Protocol::V5 && *properties != ConnAckProperties::default())
            .map(Box::new),
    })
}

fn connack_properties() -> impl Strategy<Value = ConnAckProperties> {
    let numbers = (option::of(any::<u32>()), any::<Option<NonZeroU16>>(), any::<Option<NonZeroU32>>());
    let more_numbers = (option::of(any::<u16>()), option::of(any::<u16>()));
    let flags = vec(option::of(any::<bool>()), 5);
    let texts = vec(option::of(text()), 4);
    let method = option::of((text(), option::of(bytes())));
    (numbers, more_numbers, flags, texts, method, user_properties()).prop_map(
        |(numbers, more_numbers, flags, texts, method, user_properties)| {
            let (session_expiry_seconds, receive_max, packet_bytes_max) = numbers;
            let (authentication_method, authentication_data) = split(method);
            ConnAckProperties {
                session_expiry_seconds,
                receive_max,
                maximum_qos: flags[0].map(|once| if once { QoS::AtLeastOnce } else { QoS::AtMostOnce }),
                retain_available: flags[1],
                packet_bytes_max: packet_bytes_max.map(NonZeroU32::get),
                assigned_client_id: texts[0].clone(),
                topic_alias_max: more_numbers.0,
                reason_string: texts[1].clone(),
                user_properties,
                wildcard_subscription_available: flags[2],
                subscription_ids_available: flags[3],
                shared_subscription_available: flags[4],
                server_keep_alive_seconds: more_numbers.1,
                response_information: texts[2].clone(),
                server_reference: texts[3].clone(),
                authentication_method,
                authentication_data,
            }
        },
    )
}

fn publish(protocol: Protocol) -> impl Strategy<Value = Publish> {
    let has_v5 = protocol == Protocol::V5;
    let v5 = (any::<bool>(), any::<Option<NonZeroU16>>(), vec(subscription_id(), 0..3), properties());
    (any::<bool>(), qos(), any::<bool>(), topic(), packet_id(), bytes(), v5).prop_map(
        move |(dup, qos, retain, topic, packet_id, payload, (is_topic_left_out, topic_alias, ids, properties))| {
            let acknowledged = qos != QoS::AtMostOnce;
            let topic_alias = topic_alias.filter(|_| has_v5);
            Publish {
                dup: dup && acknowledged,
                qos,
                retain,
                topic: (!is_topic_left_out || topic_alias.is_none()).then_some(topic),
                topic_alias,
                packet_id: acknowledged.then_some(packet_id),
                subscription_ids: if has_v5 { ids } else { Vec::new() },
                properties: properties.filter(|_| has_v5),
                payload,
            }
        },
    )
}

fn ack(packet_type: PacketType, protocol: Protocol) -> impl Strategy<Value = Ack> {
    let codes = if protocol == Protocol::V5 { codes(packet_type) } else { vec![ReasonCode::Success] };
    (packet_id(), prop::sample::select(codes)).prop_map(|(packet_id, reason)| Ack { packet_id, reason })
}

fn subscribe(protocol: Protocol) -> impl Strategy<Value = Subscribe> {
    let has_v5 = protocol == Protocol::V5;
    let options =
        (qos(), any::<bool>(), any::<bool>(), 0_u8..3).prop_map(move |(qos, no_local, published, handling)| {
            if !has_v5 {
                return RequestedOptions::plain(qos);
            }
            let retain_handling = RetainHandling::from_bits(handling).unwrap();
            RequestedOptions { qos, no_local, retain_as_published: published, retain_handling }
        });
    (packet_id(), option::of(subscription_id()), vec((text(), options), 1..5)).prop_map(
        move |(packet_id, subscription_id, filters)| Subscribe {
            packet_id,
            subscription_id: subscription_id.filter(|_| has_v5),
            filters,
            user_properties_bytes: 0,
        },
    )
}

fn suback(protocol: Protocol) -> impl Strategy<Value = SubAck> {
    let codes: Vec<ReasonCode> = if protocol == Protocol::V5 {
        codes(PacketType::SubAck)
    } else {
        [0x00, 0x01, 0x02, 0x80].iter().filter_map(|&byte| ReasonCode::from_byte(byte)).collect()
    };
    (packet_id(), vec(prop::sample::select(codes), 1..5)).prop_map(|(packet_id, reasons)| SubAck { packet_id, reasons })
}

fn unsuback(protocol: Protocol) -> impl Strategy<Value = UnsubAck> {
    let count = if protocol == Protocol::V5 { 1..5 } else { 0..1 };
    (packet_id(), vec(prop::sample::select(codes(PacketType::UnsubAck)), count))
        .prop_map(|(packet_id, reasons)| UnsubAck { packet_id, reasons })
}

fn disconnect(protocol: Protocol) -> impl Strategy<Value = Disconnect> {
    let has_v5 = protocol == Protocol::V5;
    let codes = if has_v5 { codes(PacketType::Disconnect) } else { vec![ReasonCode::Success] };
    (prop::sample::select(codes), option::of(any::<u32>()), option::of(text())).prop_map(
        move |(reason, session_expiry_seconds, reason_string)| Disconnect {
            reason,
            session_expiry_seconds: session_expiry_seconds.filter(|_| has_v5),
            reason_string: reason_string.filter(|_| has_v5),
        },
    )
}

fn auth() -> impl Strategy<Value = Packet> {
    let content = (prop::sample::select(codes(PacketType::Auth)), text(), option::of(bytes()));
    option::of(content).prop_map(|content| {
        Packet::Auth(match content {
            None => Auth { reason: ReasonCode::Success, method: None, data: None },
            Some((reason, method, data)) => Auth { reason, method: Some(method), data },
        })
    })
}

/// None when nothing is said.
fn properties() -> impl Strategy<Value = Option<Arc<Properties>>> {
    let format = option::of(any::<bool>());
    let expiry = option::of(any::<u32>());
    (format, expiry, option::of(text()), option::of(topic()), option::of(bytes()), user_properties()).prop_map(
        |(format, expiry_seconds, content_type, response_topic, correlation_data, user_properties)| {
            let properties = Properties {
                payload_format: format.and_then(|is_text| PayloadFormat::from_byte(u8::from(is_text))),
                expiry_seconds,
                content_type,
                response_topic,
                correlation_data,
                user_properties,
            };
            (!properties.is_empty()).then(|| Arc::new(properties))
        },
    )
}

fn user_properties() -> impl Strategy<Value = Vec<(ByteString, ByteString)>> {
    vec((text(), text()), 0..4)
}

fn codes(packet_type: PacketType) -> Vec<ReasonCode> {
    ReasonCode::ALL.iter().copied().filter(|code| code.is_allowed_in(packet_type)).collect()
}

/// Data only with a method.
fn split(method: Option<(ByteString, Option<Bytes>)>) -> (Option<ByteString>, Option<Bytes>) {
    method.map_or((None, None), |(method, data)| (Some(method), data))
}

fn subscription_id() -> impl Strategy<Value = u32> {
    prop_oneof![1_u32..=200, 1_u32..=268_435_455]
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|id| PacketId::new(id).unwrap())
}

fn qos() -> impl Strategy<Value = QoS> {
    (0_u8..3).prop_map(|bits| QoS::from_bits(bits).unwrap())
}

fn text() -> impl Strategy<Value = ByteString> {
    vec(any::<char>().prop_filter("U+0000 is no text", |&c| c != '\0'), 0..12)
        .prop_map(|characters| characters.into_iter().collect::<String>().into())
}

fn topic() -> impl Strategy<Value = TopicName> {
    text().prop_filter_map("a topic name", |text| TopicName::new(text).ok())
}

/// Long enough that lengths take one and two bytes.
fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}
