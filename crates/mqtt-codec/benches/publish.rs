//! The hot path: a PUBLISH of 256 bytes read from a full buffer, and written into one, in MQTT 3.1.1, in MQTT 5 without
//! properties, and in MQTT 5 with some.

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

use message::{Properties, QoS};
use mqtt_codec::{Outgoing, PacketId, PacketType, Protocol, ReasonCode, decode, encode_ack, encode_publish};

const TOPIC: &str = "lamps/kitchen/state";
const PACKETS: usize = 20;
const PACKET_BYTES_MAX: usize = 1 << 20;

fn publish(c: &mut Criterion) {
    let properties = Properties {
        expiry_seconds: Some(60),
        content_type: Some("application/json".into()),
        user_properties: vec![("trace".into(), "00112233".into())],
        ..Properties::default()
    };
    let cases = [
        ("3.1.1", Protocol::V311, None),
        ("5", Protocol::V5, None),
        ("5 with properties", Protocol::V5, Some(&properties)),
    ];
    for (name, protocol, properties) in cases {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            let publish = Outgoing {
                topic: TOPIC,
                topic_alias: None,
                payload: &[0x5A; 256],
                qos,
                dup: false,
                retain: false,
                packet_id: (qos != QoS::AtMostOnce).then_some(PacketId::MIN),
                properties,
                expiry_seconds: None,
                subscription_ids: &[],
            };
            let name = format!("MQTT {name}: 20 PUBLISH of 256 B at QoS {}", qos.bits());
            measure(c, &name, protocol, |out| encode_publish(&publish, protocol, out));
        }
    }
}

fn puback(c: &mut Criterion) {
    for (name, protocol) in [("3.1.1", Protocol::V311), ("5", Protocol::V5)] {
        let write = |out: &mut BytesMut| {
            encode_ack(PacketType::PubAck, PacketId::MIN, ReasonCode::Success, protocol, out);
        };
        measure(c, &format!("MQTT {name}: 20 PUBACK"), protocol, write);
    }
}

/// Reads and writes 20 packets at a time.
fn measure(c: &mut Criterion, name: &str, protocol: Protocol, write: impl Fn(&mut BytesMut)) {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(PACKETS as u64));
    let mut stream = BytesMut::new();
    (0..PACKETS).for_each(|_| write(&mut stream));
    group.bench_function("decode", |b| {
        let mut buffer = BytesMut::new();
        b.iter(|| {
            buffer.extend_from_slice(&stream);
            while let Ok(Some(packet)) = decode(&mut buffer, PACKET_BYTES_MAX, protocol) {
                black_box(packet);
            }
        });
    });
    group.bench_function("encode", |b| {
        let mut out = BytesMut::new();
        b.iter(|| {
            out.clear();
            (0..PACKETS).for_each(|_| write(&mut out));
            black_box(out.len())
        });
    });
    group.finish();
}

criterion_group!(benches, publish, puback);
criterion_main!(benches);
