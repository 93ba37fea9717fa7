//! Reads and durable commits, in memory and on disk.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use store::{Batch, FjallStore, MemoryStore, Options, Store};

const THREADS: usize = 64;
const COMMITS_EACH: usize = 16;
const QUEUERS: usize = 50;
const BATCHES_EACH: usize = 10;
const ROWS: usize = 20;

fn all(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let disk = FjallStore::open(directory.path(), Options::default()).expect("a new store opens");
    bench(criterion, "memory", &(MemoryStore::new() as Arc<dyn Store>));
    bench(criterion, "fjall", &(disk as Arc<dyn Store>));
}

fn bench(criterion: &mut Criterion, engine: &str, store: &Arc<dyn Store>) {
    let mut group = criterion.benchmark_group(engine);
    let fill = (0..10_000).fold(Batch::new(), |batch, n| batch.put(format!("key/{n:06}"), [7; 512]));
    store.commit(fill).wait().expect("the fill is committed");
    let mut n = 0;
    group.bench_function("get", |bencher| {
        bencher.iter(|| {
            n = (n + 7919) % 10_000;
            black_box(store.get(format!("key/{n:06}").as_bytes()))
        });
    });
    group.sample_size(20);
    group.bench_function("single commit", |bencher| bencher.iter(|| commit(&**store, 0, 0)));
    group.throughput(Throughput::Elements((THREADS * COMMITS_EACH) as u64));
    group.bench_function("commits of 64 threads", |bencher| {
        bencher.iter(|| {
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    scope.spawn(move || (0..COMMITS_EACH).for_each(|n| commit(&**store, thread, n)));
                }
            });
        });
    });
    group.throughput(Throughput::Elements((QUEUERS * BATCHES_EACH * ROWS) as u64));
    group.bench_function("commits of 20 rows of 50 threads", |bencher| {
        bencher.iter(|| {
            std::thread::scope(|scope| {
                for thread in 0..QUEUERS {
                    scope.spawn(move || (0..BATCHES_EACH).for_each(|n| commit_rows(&**store, thread, n)));
                }
            });
        });
    });
    group.finish();
}

/// As messages are queued: a new key each, and one row that every batch writes.
fn commit_rows(store: &dyn Store, thread: usize, n: usize) {
    let batch = (0..ROWS)
        .fold(Batch::new(), |batch, row| batch.put(format!("session/queue/{thread:08}{n:08}{row:04}"), [7; 320]));
    store.commit(batch.put("session/total", [0; 16])).wait().expect("the disk takes it");
}

fn commit(store: &dyn Store, thread: usize, n: usize) {
    let batch = Batch::new().put(format!("bench/{thread}/{n}"), [7; 512]);
    store.commit(batch).wait().expect("the disk takes it");
}

criterion_group!(benches, all);
criterion_main!(benches);
