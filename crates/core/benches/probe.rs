//! What a probe costs against the cheapest sum over the same object, and of that a window of each kind of content.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use stored_ami_core::checksum::{Algorithm, Hasher};
use stored_ami_core::content::{Gauge, Probe, ProbePlan, WindowCapture};
use stored_ami_core::units::{GIB, KIB, MIB};

const SIZE: u64 = 2 * GIB;
const RANGE: u64 = 8 * MIB;
const FRAME: u64 = 256 * KIB;

fn noise(count: u64) -> Vec<u8> {
    (0..count).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 29) as u8).collect()
}

/// Of this program: machine code, which is the dearest to compress.
fn code(count: u64) -> Vec<u8> {
    let program = std::env::current_exe().and_then(std::fs::read).unwrap_or_default();
    program.into_iter().cycle().skip(MIB as usize).take(count as usize).collect()
}

fn probing(criterion: &mut Criterion) {
    let contents = [("dense", noise(RANGE)), ("code", code(RANGE)), ("zeros", vec![0; RANGE as usize])];
    let mut group = criterion.benchmark_group("probe/window");
    for (name, bytes) in &contents {
        let window = 8 * KIB as usize;
        group.throughput(Throughput::Bytes(window as u64));
        let mut windows = bytes.chunks_exact(window).cycle();
        let Some(mut gauge) = Gauge::new() else { return };
        group.bench_function(*name, |bencher| bencher.iter(|| gauge.measure(black_box(windows.next()?))));
    }
    group.finish();

    let mut group = criterion.benchmark_group("probe/2GiB");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(SIZE));
    // The bytes of one range stand for those of every other.
    for (name, bytes) in &contents {
        let plan = Arc::new(ProbePlan::new(SIZE, ProbePlan::usual_windows(SIZE), 1));
        group.bench_with_input(BenchmarkId::new("probe", name), bytes, |bencher, bytes| {
            bencher.iter(|| {
                let mut probe = Probe::new(Arc::clone(&plan));
                for start in (0..SIZE).step_by(RANGE as usize) {
                    let mut tap = WindowCapture::new(&plan, start);
                    bytes.chunks(FRAME as usize).for_each(|frame| tap.take(frame));
                    probe.add(tap);
                }
                probe.finish()
            });
        });
    }
    group.bench_function("crc64nvme", |bencher| {
        bencher.iter(|| {
            let mut hasher = Hasher::new(Algorithm::Crc64Nvme);
            for _ in 0..SIZE / RANGE {
                contents.iter().take(1).for_each(|(_, bytes)| hasher.update(black_box(bytes)));
            }
            hasher.finish()
        });
    });
    group.finish();
}

criterion_group!(benches, probing);
criterion_main!(benches);
