use std::sync::Arc;

use proptest::prelude::*;

use super::estimate::Piece;
use super::probed::{occurrences, repeated};
use super::*;
use crate::checksum::{Algorithm, Hasher};
use crate::units::{GIB, KIB, MIB};

const WINDOW: u64 = 8 * KIB;

fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| random.u8(..)).take(count).collect()
}

/// Words from a small dictionary, a few of them more frequent than the rest.
fn text(seed: u64, count: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let words: Vec<String> = (0..400).map(|_| (0..random.usize(2..10)).map(|_| random.lowercase()).collect()).collect();
    let mut text = Vec::new();
    while text.len() < count {
        let rank = random.usize(0..20) * random.usize(0..20);
        text.extend_from_slice(words[rank].as_bytes());
        text.push(b" \n"[usize::from(random.u8(..) < 20)]);
    }
    text.truncate(count);
    text
}

/// Entropy-coded data like that of a JPEG: nearly random, with a zero after each 0xFF and slightly uneven
/// frequencies.
fn jpeg(seed: u64, count: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let byte = if random.u8(..) < 60 { random.u8(..) & random.u8(..) } else { random.u8(..) };
        bytes.push(byte);
        if byte == 0xFF {
            bytes.push(0);
        }
    }
    bytes.truncate(count);
    bytes
}

/// A nearly empty file system: one piece in 16 has content.
fn sparse(seed: u64, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let mut random = fastrand::Rng::with_seed(seed);
    for piece in bytes.chunks_mut(256) {
        if random.u8(..) < 16 {
            piece.fill_with(|| random.u8(..) | 1);
        }
    }
    bytes
}

fn probe(bytes: &[u8], windows: usize, seed: u64) -> Probed {
    let plan = Arc::new(ProbePlan::new(bytes.len() as u64, windows, seed));
    let mut tap = WindowCapture::new(&plan, 0);
    tap.take(bytes);
    let mut probe = Probe::new(plan);
    probe.add(tap);
    probe.finish()
}

fn exact(value: f64) -> Estimate {
    Estimate { value, low: value, high: value }
}

#[test]
fn contents_are_told_apart() {
    let mut gauge = Gauge::new().unwrap();
    let mut content = |bytes: &[u8]| gauge.measure(bytes).unwrap().content();
    let count = WINDOW as usize;
    assert_eq!(content(&noise(1, count)), Content::Dense);
    assert_eq!(content(&jpeg(1, count)), Content::Dense);
    assert_eq!(content(&text(1, count)), Content::Structured);
    assert_eq!(content(&hex::encode(noise(1, count / 2)).into_bytes()), Content::Structured);
    assert_eq!(content(&sparse(1, count)), Content::Sparse);
    assert_eq!(content(&vec![0; count]), Content::Uniform);
    assert_eq!(content(&vec![0xFF; count]), Content::Uniform);
    assert!(gauge.measure(&[]).is_none());
}

#[test]
fn measures_are_those_of_the_bytes() {
    let mut gauge = Gauge::new().unwrap();
    let zeros = gauge.measure(&vec![0; WINDOW as usize]).unwrap();
    assert_eq!((zeros.entropy_bits, zeros.zero_share), (0.0, 1.0));
    assert!(zeros.zstd_share < 0.01 && zeros.gzip_share < 0.01, "{zeros:?}");
    let random = gauge.measure(&noise(7, WINDOW as usize)).unwrap();
    assert!((7.96..8.0).contains(&random.entropy_bits), "{}", random.entropy_bits);
    assert_eq!((random.zero_share, random.zstd_share, random.gzip_share), (0.0, 1.0, 1.0));
    let every: Vec<u8> = (0..=255).collect();
    assert_eq!(gauge.measure(&every).unwrap().entropy_bits, 8.0);
    // A run of 63 zeros does not count; 64 do, also at both ends.
    let runs = [vec![0; 63], vec![1], vec![0; 64], vec![1], vec![0; 128]].concat();
    assert_eq!(gauge.measure(&runs).unwrap().zero_share, 192.0 / 257.0);
    // A gauge that was used before gives the same measures.
    assert_eq!(gauge.measure(&runs), Gauge::new().unwrap().measure(&runs));
}

#[test]
fn next_to_nothing_is_sane() {
    let empty = probe(&[], 64, 1);
    assert_eq!((empty.windows, empty.regions.len()), (0, 0));
    assert_eq!((empty.entropy_bits, empty.zstd_share), (exact(0.0), exact(0.0)));
    let one = probe(b"x", 64, 1);
    assert_eq!((one.windows, one.regions.len(), one.regions[0].range.len()), (1, 1, 1));
    assert_eq!((one.entropy_bits, one.zstd_share), (exact(0.0), exact(1.0)));
    let short = probe(&text(3, 1000), 64, 1);
    assert_eq!((short.windows, short.regions[0].content), (1, Content::Structured));
    assert_eq!(short.gzip_share.low, short.gzip_share.high);
    let none = probe(&noise(1, 100_000), 0, 1);
    assert_eq!((none.windows, none.regions.len()), (0, 0));
}

#[test]
fn what_is_read_whole_is_known() {
    let bytes = [text(1, 100_000), vec![0; 50_000], noise(2, 30_001)].concat();
    let probed = probe(&bytes, 64, 1);
    assert_eq!(probed, Probed { seed: 1, ..probe(&bytes, 64, 2) });
    assert_eq!(probed.windows, bytes.len().div_ceil(WINDOW as usize));
    for estimate in [probed.entropy_bits, probed.zero_share, probed.repeated_share, probed.zstd_share] {
        assert!(estimate.high - estimate.low < 1e-12 && estimate.low <= estimate.value, "{estimate:?}");
    }
    let zeros = 50_000.0 / bytes.len() as f64;
    assert!((probed.zero_share.value - zeros).abs() < 1e-3, "{:?}", probed.zero_share);
    // Twelve blocks of 4 KiB lie wholly within the 50,000 zeros, and one more shares zeros with text.
    let repeated = (11 * 4096) as f64 / bytes.len() as f64;
    assert!((probed.repeated_share.value - repeated).abs() < 1e-9, "{:?}", probed.repeated_share);
}

#[test]
fn what_was_not_read_may_be_anything() {
    let bytes = text(1, 64 * WINDOW as usize);
    let plan = Arc::new(ProbePlan::new(bytes.len() as u64, 64, 1));
    let mut tap = WindowCapture::new(&plan, 0);
    tap.take(&bytes[..bytes.len() / 4 + 1]);
    let mut probe = Probe::new(plan);
    probe.add(tap);
    let probed = probe.finish();
    assert_eq!(probed.windows, 16);
    assert!((probed.zstd_share.high - probed.zstd_share.low - 0.75).abs() < 1e-9, "{:?}", probed.zstd_share);
    assert!(probed.zero_share.low == 0.0 && probed.zero_share.high == 0.75, "{:?}", probed.zero_share);
    assert_eq!(probed.repeated_share.high, 1.0);
    let unread = |region: &&Region| region.content == Content::Unread && region.windows == 0;
    assert_eq!(probed.regions.iter().filter(unread).count(), 48);
    let nothing = Probe::new(Arc::new(ProbePlan::new(GIB, 64, 1))).finish();
    assert_eq!(nothing.entropy_bits, Estimate { value: 0.0, low: 0.0, high: 8.0 });
}

#[test]
fn usual_numbers_of_windows_grow_with_what_pays_for_them() {
    let usual = ProbePlan::usual_windows;
    assert_eq!([0, MIB, 384 * MIB, GIB, 3 * GIB, 50_000 * GIB].map(usual), [16, 16, 16, 42, 128, 128]);
    assert!((0..200).map(|at| usual(at * 24 * MIB)).all(|count| count <= 64 || count % 2 == 0));
}

#[test]
fn the_same_numbers_choose_the_same_windows() {
    let starts = |seed| ProbePlan::new(GIB, 4, seed).windows().iter().map(|w| w.start() / WINDOW).collect::<Vec<_>>();
    // Expected values are literals, because a seed must choose the same windows in every version.
    assert_eq!(starts(1), [18_565, 57_205, 97_353, 112_864]);
    assert_ne!(starts(2), starts(1));
    let largest = ProbePlan::new(u64::MAX, 128, 1);
    assert_eq!(largest.windows().len(), 128);
}

#[test]
fn regions_are_equal_stretches_in_order() {
    let plan = ProbePlan::new(1000 * WINDOW, 128, 1);
    let probed = Probed::new(&plan, &vec![None; 128]);
    assert_eq!(probed.regions.len(), 64);
    assert!(probed.regions.iter().all(|region| (15..=16).contains(&(region.range.len() / WINDOW))));
    assert_eq!(probed.regions[63].range.end(), plan.size());
}

/// If nothing was found, the betting interval equals that of Clopper and Pearson except for the spread of the
/// stakes.
#[test]
fn what_no_window_shows_may_still_be_there() {
    let piece = |value| Piece { value: Some(value), weight: 1.0, whole: false };
    let none = Estimate::of(&[piece(0.0); 128]);
    assert!(none.low == 0.0 && (0.028..0.042).contains(&none.high), "{none:?}");
    let all = Estimate::of(&[piece(1.0); 128]);
    assert!((all.low - (1.0 - none.high)).abs() < 1e-6 && all.high == 1.0, "{all:?}");
    let one = Estimate::of(&[piece(0.25)]);
    assert!(one.low < 0.02 && one.high > 0.95, "{one:?}");
}

fn sampled(plan: &ProbePlan, population: &[Measure]) -> Vec<Option<Measure>> {
    plan.windows().iter().map(|window| population.get((window.start() / WINDOW) as usize).cloned()).collect()
}

type Kind = Vec<Measure>;

/// Arrangement of the rarer content: whether window `cell` of `cells` has it, at a rate of one in `one_in`.
type Lie = fn(cell: usize, cells: usize, one_in: usize) -> bool;

const LIES: [(&str, Lie); 6] = [
    ("at the start", |cell, cells, one_in| cell < cells / one_in),
    ("in the middle", |cell, cells, one_in| cell >= cells / 3 && cell < cells / 3 + cells / one_in),
    ("every n-th", |cell, _, one_in| cell % one_in == one_in - 1),
    ("grains of 16", |cell, _, one_in| (cell / 16) % one_in == 1),
    ("grains of a stratum", |cell, cells, one_in| (cell * 128 / cells) % one_in == 1),
    ("anywhere", |cell, _, one_in| fastrand::Rng::with_seed(cell as u64).usize(..one_in) == 0),
];

/// All windows of an object, of two kinds. Every other window gets unique blocks, unless it is empty.
fn population(cells: usize, many: &Kind, few: &Kind, is_few: impl Fn(usize) -> bool) -> Vec<Measure> {
    let window = |cell: usize| {
        let kind = if is_few(cell) { few } else { many };
        let mut measure = kind[cell % kind.len()].clone();
        if cell.is_multiple_of(2) && measure.zero_share == 0.0 {
            for (at, block) in measure.blocks.iter_mut().enumerate() {
                block.digest = Hasher::digest(Algorithm::Xxh128, format!("{cell} {at}").as_bytes());
            }
        }
        measure
    };
    (0..cells).map(window).collect()
}

/// For each measure, how many of `runs` seeds give an interval that contains the true mean, and the mean
/// width.
fn coverage(population: &[Measure], windows: usize, runs: u64) -> ([u64; 5], [f64; 5]) {
    let truth = truth(population);
    let (mut held, mut width) = ([0; 5], [0.0; 5]);
    for seed in 0..runs {
        let plan = ProbePlan::new(population.len() as u64 * WINDOW, windows, seed);
        let probed = Probed::new(&plan, &sampled(&plan, population));
        for (at, (estimate, truth)) in estimates(&probed).into_iter().zip(truth).enumerate() {
            held[at] += u64::from((estimate.low..=estimate.high).contains(&truth));
            width[at] += (estimate.high - estimate.low) / runs as f64;
        }
    }
    (held, width)
}

/// Of 100 seeds, at least 95 give an interval that contains the mean over all windows, for each measure and
/// mixture.
#[test]
fn intervals_hold_the_truth_in_95_of_100_runs() {
    let mut gauge = Gauge::new().unwrap();
    let mut kind = |make: fn(u64, usize) -> Vec<u8>| -> Kind {
        (0..8).map(|seed| gauge.measure(&make(seed, WINDOW as usize)).unwrap()).collect()
    };
    let (random, words, image) = (kind(noise), kind(text), kind(jpeg));
    let (zeros, empty) = (kind(|_, count| vec![0; count]), kind(sparse));
    let half = kind(|seed, count| [text(seed, count / 2), vec![0; count - count / 2]].concat());
    let pairs: [(&str, &Kind, &Kind); 7] = [
        ("text in random", &random, &words),
        ("random in text", &words, &random),
        ("random in zeros", &zeros, &random),
        ("zeros in random", &random, &zeros),
        ("JPEG in sparse", &empty, &image),
        ("sparse in text", &words, &empty),
        ("text and zeros in JPEG", &image, &half),
    ];
    println!("entropy, zeros, repeated, zstd, gzip: intervals of 100 that hold, at the worst lie, and widths there");
    // Strata of exactly 100 windows, whose divisors are the periods; strata with no common divisor; short
    // strata.
    for (cells, windows) in [(12_800, 128), (6_001, 42), (300, 16)] {
        for (name, many, few) in pairs {
            for one_in in [50, 20, 2] {
                let (mut least, mut widths) = ([u64::MAX; 5], [0.0f64; 5]);
                for (lie, is_few) in LIES {
                    let all = population(cells, many, few, |cell| is_few(cell, cells, one_in));
                    let (held, width) = coverage(&all, windows, 100);
                    assert!(held.iter().all(|held| *held >= 95), "{windows}, 1/{one_in} {name}, {lie}: {held:?}");
                    least = std::array::from_fn(|at| least[at].min(held[at]));
                    widths = std::array::from_fn(|at| widths[at].max(width[at]));
                }
                println!("{windows:3} windows, 1/{one_in:<2} {name:22}: {least:3?} {widths:.3?}");
            }
        }
    }
}

fn estimates(probed: &Probed) -> [Estimate; 5] {
    [probed.entropy_bits, probed.zero_share, probed.repeated_share, probed.zstd_share, probed.gzip_share]
}

fn truth(population: &[Measure]) -> [f64; 5] {
    let all: Vec<Option<Measure>> = population.iter().cloned().map(Some).collect();
    let times = occurrences(&all);
    let over = |value: &dyn Fn(&Measure) -> f64| population.iter().map(value).sum::<f64>() / population.len() as f64;
    [
        over(&|measure| measure.entropy_bits),
        over(&|measure| measure.zero_share),
        over(&|measure| repeated(measure, &times)),
        over(&|measure| measure.zstd_share),
        over(&|measure| measure.gzip_share),
    ]
}

proptest! {
    #[test]
    fn windows_lie_in_their_strata(size in 0u64..1 << 40, windows in 0usize..200, seed: u64) {
        let plan = ProbePlan::new(size, windows, seed);
        prop_assert_eq!(plan.windows().len() as u64, (windows as u64).min(size.div_ceil(WINDOW)));
        let mut end = 0;
        for (window, stratum) in plan.windows().iter().zip(plan.strata()) {
            prop_assert!(stratum.start() == end && stratum.start() <= window.start() && window.end() <= stratum.end());
            prop_assert!(window.start() % WINDOW == 0 && (window.len() == WINDOW || window.end() == size));
            end = stratum.end();
        }
        prop_assert!(plan.windows().is_empty() || end == size);
        prop_assert_eq!(plan.regions().sum::<usize>(), plan.strata().len());
    }

    /// The result does not depend on how the object is cut into ranges, their order, the frame sizes, or
    /// ranges that are read twice or read again after an error.
    #[test]
    fn cuts_and_order_change_nothing(
        size in 0usize..300_000,
        windows in 1usize..20,
        cuts in prop::collection::vec(0.0f64..1.0, 0..12),
        order: u64,
    ) {
        let bytes = [text(order, size / 2), noise(order, size - size / 2)].concat();
        let mut random = fastrand::Rng::with_seed(order);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| (cut * size as f64) as usize).chain([0, size]).collect();
        cuts.sort_unstable();
        let mut ranges: Vec<(usize, usize)> = cuts.windows(2).map(|ends| (ends[0], ends[1])).collect();
        let again = ranges[random.usize(..ranges.len())];
        ranges.extend([again, (again.0, again.0.midpoint(again.1))]);
        random.shuffle(&mut ranges);
        let plan = Arc::new(ProbePlan::new(size as u64, windows, order));
        let mut joined = Probe::new(Arc::clone(&plan));
        for (start, end) in ranges {
            let mut tap = WindowCapture::new(&plan, start as u64);
            let mut rest = &bytes[start..end];
            while !rest.is_empty() {
                let (frame, further) = rest.split_at(random.usize(0..=rest.len()));
                tap.take(frame);
                rest = further;
            }
            joined.add(tap);
        }
        prop_assert_eq!(joined.finish(), probe(&bytes, windows, order));
    }

    #[test]
    fn a_mean_lies_in_its_interval(
        values in prop::collection::vec((prop::option::of(0.0f64..=1.0), 1.0f64..1e9, any::<bool>()), 1..150),
    ) {
        let pieces: Vec<Piece> =
            values.iter().map(|(value, weight, whole)| Piece { value: *value, weight: *weight, whole: *whole }).collect();
        let Estimate { value, low, high } = Estimate::of(&pieces);
        prop_assert!(0.0 <= low && low <= value && value <= high && high <= 1.0, "{} {} {}", low, value, high);
    }
}
