//! The published DCOM detection over events that are in memory.
//!
//! This stands for a hunter's second search in a shell: the logs are read, the question is new. It measures parsing,
//! planning, pruning by shape, wildcard and regex matching on dictionary columns, and the final sort; not reading.

#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spelunk_benches::{loaded, rows};
use tokio::runtime::Runtime;

fn detection(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("dcom detection in memory");
    group.sample_size(20);
    for events in [100_000_u64, 1_000_000] {
        let session = runtime.block_on(loaded(events)).unwrap();
        let hits = events / 10_000;
        group.throughput(Throughput::Elements(events));
        group.bench_with_input(BenchmarkId::from_parameter(events), &session, |bencher, session| {
            bencher.iter(|| {
                let found = runtime.block_on(rows(session, spelunk_datasets::DCOM_SPL)).unwrap();
                assert_eq!(found as u64, hits);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, detection);
criterion_main!(benches);
