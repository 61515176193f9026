use std::hint::black_box;
use std::time::Duration;

use crate::checksum::{Algorithm, Hasher, Kernel, Md5Lanes, Sha256Pairs, Sha512Lanes};
use crate::clock::Clock;
use crate::machine;
use crate::report::{Exit, HashRateReport, HashesReport, LinkReport};

/// Bytes per update of a hasher, as in a body that arrives over a connection.
const FRAME: usize = 64 << 10;
const LINKS_GBIT: [u64; 3] = [10, 25, 100];

/// Measures how fast this machine computes each algorithm, and which link speeds exceed that.
pub fn hashes(clock: &dyn Clock) -> HashesReport {
    let cores = machine::cores();
    let mut rates = Vec::new();
    for algorithm in Algorithm::ALL {
        rates.push(row(algorithm, 1, one_stream(clock, algorithm), cores));
        if let Some((streams, rate)) = together(clock, algorithm) {
            rates.push(row(algorithm, streams, rate, cores));
        }
    }
    HashesReport { cores: cores as u64, rates, exit_code: Exit::Passed }
}

/// Bytes per second that one processor hashes while many ranges are in flight.
pub fn hash_rates(clock: &dyn Clock, algorithms: &[Algorithm]) -> Vec<(Algorithm, f64)> {
    let rate = |algorithm| together(clock, algorithm).map_or_else(|| one_stream(clock, algorithm), |(_, rate)| rate);
    algorithms.iter().map(|algorithm| (*algorithm, rate(*algorithm))).collect()
}

fn row(algorithm: Algorithm, streams: usize, rate: f64, cores: usize) -> HashRateReport {
    let all = rate * cores as f64;
    // CRCs of ranges can be combined, so all processors hash the object; other algorithms are computed in order by one.
    let whole = if algorithm.folds() { Some(all) } else { Some(rate).filter(|_| streams == 1) };
    let links = LINKS_GBIT.map(|gbit_per_second| {
        let link = gbit_per_second as f64 * 1e9 / 8.0;
        LinkReport { gbit_per_second, whole_binds: whole.map(|whole| whole < link), parts_bind: all < link }
    });
    HashRateReport { algorithm, streams: streams as u64, bytes_per_second_and_core: rate, links: links.into() }
}

/// Test data. The number of frames is small, so that they stay in the cache like frames that have just arrived.
fn frames(count: usize) -> Vec<Vec<u8>> {
    let byte = |at: usize| ((at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8;
    (0..count).map(|frame| (0..FRAME).map(|at| byte(at + frame * 7)).collect()).collect()
}

fn one_stream(clock: &dyn Clock, algorithm: Algorithm) -> f64 {
    let frames = frames(4);
    let mut hasher = Hasher::new(algorithm);
    timed(clock, 4 * FRAME, || frames.iter().for_each(|frame| hasher.update(black_box(frame))))
}

/// The number of streams that are hashed together, and their rate. `None` if each is hashed by itself.
fn together(clock: &dyn Clock, algorithm: Algorithm) -> Option<(usize, f64)> {
    match algorithm {
        Algorithm::Md5 => Some(streams(clock, &Md5Lanes::detect()?)),
        Algorithm::Sha256 => Some(streams(clock, &Sha256Pairs::detect()?)),
        Algorithm::Sha512 => Some(streams(clock, &Sha512Lanes::detect()?)),
        _ => None,
    }
}

fn streams<K: Kernel>(clock: &dyn Clock, kernel: &K) -> (usize, f64) {
    let streams = kernel.width();
    let frames = frames(streams);
    let inputs: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let mut states = vec![K::State::default(); streams];
    (streams, timed(clock, streams * FRAME, || kernel.update(&mut states, black_box(&inputs))))
}

/// Bytes per second: the best of several rounds, because other load on the machine can only slow a round down.
fn timed(clock: &dyn Clock, bytes: usize, mut work: impl FnMut()) -> f64 {
    const ROUND: Duration = Duration::from_millis(10);
    let mut best: f64 = 0.0;
    for _ in 0..5 {
        let begun = clock.monotonic();
        let mut done = 0_u64;
        let mut elapsed = Duration::ZERO;
        while elapsed < ROUND {
            work();
            done += bytes as u64;
            elapsed = clock.monotonic().duration_since(begun);
        }
        best = best.max(done as f64 / elapsed.as_secs_f64());
    }
    best
}
