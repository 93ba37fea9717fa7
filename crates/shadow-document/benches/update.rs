//! What an update costs: reading the request, merging, and the messages, by the size of the shadow.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use shadow_document::{Limits, Stored, UpdateRequest, get, update};

const NOW: u64 = 1_700_000_000;

fn all(criterion: &mut Criterion) {
    for (size, fields) in [("34 B", 1), ("1 KB", 40), ("7 KB", 300)] {
        let limits = Limits::default();
        let body = |section: &str, fields: usize| {
            let fields: Vec<_> = (0..fields).map(|n| format!("\"field{n:03}\":\"value{n:05}\"")).collect();
            format!("{{\"state\":{{\"{section}\":{{{}}}}}}}", fields.join(","))
        };
        let whole = body("reported", fields);
        let read = |body: &str| UpdateRequest::parse(body.as_bytes(), &limits).expect("a good request");
        let made = update(None, read(&whole), NOW, &limits).expect("an accepted update");
        let record = made.shadow.to_stored();
        let stored = Stored::from_stored(&record).expect("a record");

        let mut group = criterion.benchmark_group(format!("shadow of {size}"));
        group.bench_function("read the record", |b| b.iter(|| Stored::from_stored(black_box(&record))));
        group.bench_function("read a request for all of it", |b| b.iter(|| read(black_box(&whole))));
        for (name, body) in [("all fields", whole.clone()), ("one field", body("reported", 1))] {
            group.bench_function(format!("update {name}"), |b| {
                b.iter(|| update(Some(&stored), read(black_box(&body)), NOW, &limits).map(|updated| updated.shadow));
            });
            let updated = update(Some(&stored), read(&body), NOW, &limits).expect("an accepted update");
            group.bench_function(format!("accepted of {name}"), |b| b.iter(|| black_box(&updated).accepted()));
            group.bench_function(format!("documents of {name}"), |b| b.iter(|| black_box(&updated).documents()));
        }
        group.bench_function("write the record", |b| b.iter(|| black_box(&made.shadow).to_stored()));
        group.bench_function("get", |b| b.iter(|| get(black_box(&made.shadow), NOW, None)));
        group.finish();
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
