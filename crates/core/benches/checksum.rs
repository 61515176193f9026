//! How fast bytes are hashed, by algorithm and by the size of the piece; and how fast digests fold.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use stored_ami_core::checksum::{Algorithm, Digest, Hasher, Kernel, Md5Lanes, Sha256Pairs, Sha512Lanes, fold};
use stored_ami_core::units::{ByteRange, KIB, MIB};

fn bytes(count: u64) -> Vec<u8> {
    (0..count).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 29) as u8).collect()
}

/// What other figures are divided by, so that they compare across machines: see benches/ratios.py.
fn reference(criterion: &mut Criterion) {
    let size = 256 * KIB;
    let (from, mut to) = (bytes(size), bytes(size));
    let mut group = criterion.benchmark_group("reference");
    group.throughput(Throughput::Bytes(size));
    group.bench_function("memcpy", |bencher| {
        bencher.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)));
    });
    group.finish();
}

fn hashing(criterion: &mut Criterion) {
    for algorithm in Algorithm::ALL {
        let mut group = criterion.benchmark_group(format!("digest/{algorithm}"));
        for size in [16 * KIB, 256 * KIB, 8 * MIB] {
            let data = bytes(size);
            group.throughput(Throughput::Bytes(size));
            group.bench_with_input(BenchmarkId::from_parameter(size), &data, |bencher, data| {
                bencher.iter(|| Hasher::digest(algorithm, black_box(data)));
            });
        }
        group.finish();
    }
}

/// MD5 of several streams at once, in every kind of register of the processor, against one after the other, by the size
/// of what each brings.
fn lanes(criterion: &mut Criterion) {
    let kernels = Md5Lanes::all();
    for each in [16 * KIB as usize, 64 * KIB as usize, 256 * KIB as usize] {
        let streams: Vec<Vec<u8>> = (0..32).map(|seed| bytes((each + seed) as u64).split_off(seed)).collect();
        let mut group = criterion.benchmark_group(format!("md5-streams/{each}"));
        for count in [1, 4, 8, 16, 24, 32] {
            let inputs: Vec<&[u8]> = streams.iter().take(count).map(Vec::as_slice).collect();
            group.throughput(Throughput::Bytes((each * count) as u64));
            for kernel in &kernels {
                let name = format!("together, {} at once", kernel.width());
                group.bench_with_input(BenchmarkId::new(name, count), &inputs, |bencher, inputs| {
                    let mut states = vec![<Md5Lanes as Kernel>::State::default(); inputs.len()];
                    bencher.iter(|| kernel.update(&mut states, black_box(inputs)));
                });
            }
            group.bench_with_input(BenchmarkId::new("in turn", count), &inputs, |bencher, inputs| {
                let mut hashers: Vec<Hasher> = inputs.iter().map(|_| Hasher::new(Algorithm::Md5)).collect();
                bencher.iter(|| {
                    hashers.iter_mut().zip(*black_box(&inputs)).for_each(|(hasher, input)| hasher.update(input));
                });
            });
        }
        group.finish();
    }
}

/// SHA-256 and SHA-512 of several streams at once, against one after the other.
fn sha_streams(criterion: &mut Criterion) {
    if let Some(pairs) = Sha256Pairs::detect() {
        together(criterion, &pairs, Algorithm::Sha256, &[2]);
    }
    if let Some(lanes) = Sha512Lanes::detect() {
        together(criterion, &lanes, Algorithm::Sha512, &[1, 2, 3, 4, 6, 8]);
    }
}

fn together<K: Kernel>(criterion: &mut Criterion, kernel: &K, algorithm: Algorithm, counts: &[usize]) {
    let each = 64 * KIB as usize;
    let streams: Vec<Vec<u8>> = (0..8).map(|seed| bytes((each + seed) as u64).split_off(seed)).collect();
    let mut group = criterion.benchmark_group(format!("{algorithm}-streams/{each}"));
    for count in counts {
        let inputs: Vec<&[u8]> = streams.iter().take(*count).map(Vec::as_slice).collect();
        group.throughput(Throughput::Bytes((each * count) as u64));
        group.bench_with_input(BenchmarkId::new("together", count), &inputs, |bencher, inputs| {
            // As the scheduler does, with streams that are thrown away.
            let mut inputs = inputs.clone();
            inputs.resize(kernel.group(*count), inputs[0]);
            let mut states = vec![K::State::default(); inputs.len()];
            bencher.iter(|| kernel.update(&mut states, black_box(&inputs)));
        });
        group.bench_with_input(BenchmarkId::new("in turn", count), &inputs, |bencher, inputs| {
            let mut hashers: Vec<Hasher> = inputs.iter().map(|_| Hasher::new(algorithm)).collect();
            bencher.iter(|| {
                hashers.iter_mut().zip(*black_box(&inputs)).for_each(|(hasher, input)| hasher.update(input));
            });
        });
    }
    group.finish();
}

fn folding(criterion: &mut Criterion) {
    const RANGES: u64 = 10_000;
    const EACH: u64 = 8 * MIB;
    let mut group = criterion.benchmark_group("fold");
    // Most of a second each: a hundred samples would take minutes.
    group.sample_size(10);
    group.throughput(Throughput::Elements(RANGES));
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.folds()) {
        // Folding never sees bytes, so the digests need not be of 80 GB.
        let pieces: Vec<(ByteRange, Digest)> = (0..RANGES)
            .rev()
            .filter_map(|at| {
                let range = ByteRange::new(at * EACH, (at + 1) * EACH)?;
                Some((range, Hasher::digest(algorithm, &at.to_be_bytes())))
            })
            .collect();
        let whole = ByteRange::whole(RANGES * EACH);
        assert!(fold(algorithm, whole, &pieces).is_some(), "the pieces cover the whole");
        group.bench_function(BenchmarkId::from_parameter(algorithm), |bencher| {
            bencher.iter(|| fold(algorithm, whole, black_box(&pieces)));
        });
    }
    group.finish();
}

criterion_group!(benches, reference, hashing, lanes, sha_streams, folding);
criterion_main!(benches);
