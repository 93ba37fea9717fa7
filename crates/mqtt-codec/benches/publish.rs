//! The hot path: a PUBLISH of 256 bytes read from a full buffer, and written into one.

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

use message::QoS;
use mqtt_codec::{PacketId, decode, encode_publish};

const TOPIC: &str = "lamps/kitchen/state";
const PACKETS: usize = 20;
const PACKET_BYTES_MAX: usize = 1 << 20;

fn publish(c: &mut Criterion) {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let packet_id = (qos != QoS::AtMostOnce).then_some(PacketId::MIN);
        let payload = [0x5A; 256];
        let write = |out: &mut BytesMut| encode_publish(TOPIC, &payload, qos, false, false, packet_id, out);

        let mut group = c.benchmark_group(format!("20 PUBLISH of 256 B at QoS {}", qos.bits()));
        group.throughput(Throughput::Elements(PACKETS as u64));
        let mut stream = BytesMut::new();
        (0..PACKETS).for_each(|_| write(&mut stream));
        group.bench_function("decode", |b| {
            let mut buffer = BytesMut::new();
            b.iter(|| {
                buffer.extend_from_slice(&stream);
                while let Ok(Some(packet)) = decode(&mut buffer, PACKET_BYTES_MAX) {
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
}

criterion_group!(benches, publish);
criterion_main!(benches);
