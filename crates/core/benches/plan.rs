//! Planning one pass over the largest object there is: 50 TB in 10,000 parts, every algorithm
//! by part, and the CRCs over the whole.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use stored_ami_core::checksum::{Algorithm, Digest, Hasher};
use stored_ami_core::plan::{Budget, PartLayout, ReadPlan};

const SIZE: u64 = 50_000_000_000_000;

fn planning(criterion: &mut Criterion) {
    let parts = PartLayout::uniform(SIZE, SIZE / 10_000);
    assert_eq!(parts.count(), 10_000);
    let mut wanted: Vec<_> = Algorithm::ALL.into_iter().map(|algorithm| (algorithm, parts.clone())).collect();
    let crcs = Algorithm::ALL.into_iter().filter(|algorithm| algorithm.folds());
    wanted.extend(crcs.map(|algorithm| (algorithm, PartLayout::whole(SIZE))));
    let budget = Budget::default();
    let new = || ReadPlan::new(black_box(SIZE), black_box(&wanted), budget);
    let plan = new();
    assert!(plan.ordered().is_empty(), "all of it comes from ranges");
    let mut group = criterion.benchmark_group("plan/50TB_10000_parts");
    group.bench_function("new", |bencher| bencher.iter(new));
    // Three folds of 10,000 ranges take seconds: a hundred samples would take minutes.
    group.sample_size(10);
    let digests: Vec<Digest> = plan.per_range().iter().map(|algorithm| Hasher::digest(*algorithm, b"any")).collect();
    group.bench_function("fold_ranges", |bencher| {
        bencher.iter(|| plan.fold_ranges(|_, column| black_box(&digests).get(column).copied()))
    });
    group.finish();
}

criterion_group!(benches, planning);
criterion_main!(benches);
