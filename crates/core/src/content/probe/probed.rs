use std::collections::HashMap;

use super::estimate::{Piece, mean};
use super::{Content, Estimate, Measure, ProbePlan};
use crate::checksum::Digest;
use crate::units::ByteRange;

/// Bits a byte of the highest entropy there is.
const ENTROPY_MOST: f64 = 8.0;

/// What the windows say of an object. Each estimate is for the mean over all windows that the object has; if all were
/// read, it is that mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// Windows that were read. With none of them the intervals are as wide as can be and the values mean nothing.
    pub windows: usize,
    pub window_bytes: u64,
    pub seed: u64,
    /// Order-0 entropy, in bits a byte.
    pub entropy_bits: Estimate,
    pub zero_share: Estimate,
    /// Share of bytes in blocks of 4 KiB that occur elsewhere in the object too. The value is what the sample shows, a
    /// floor: most repeats lie outside it. So only the lower bound comes from the windows, and the upper one is 1
    /// unless all of the object was read.
    pub repeated_share: Estimate,
    pub zstd_share: Estimate,
    pub gzip_share: Estimate,
    /// At most 64 equal stretches of the object, in order.
    pub regions: Vec<Region>,
}

/// A stretch of the object: means over its windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    pub range: ByteRange,
    /// Windows of it that were read; without any the means are 0.
    pub windows: usize,
    pub content: Content,
    pub entropy_bits: f64,
    pub zero_share: f64,
    pub zstd_share: f64,
    pub gzip_share: f64,
}

/// A stratum with the measure of its window.
type Read<'a> = (ByteRange, &'a Option<Measure>);

impl Probed {
    /// From one measure for each window of the plan, `None` where it was not read.
    pub(super) fn new(plan: &ProbePlan, measures: &[Option<Measure>]) -> Self {
        let read: Vec<Read<'_>> = plan.strata().iter().copied().zip(measures).collect();
        let estimate = |values: &mut dyn FnMut(&Measure) -> f64| {
            let pieces: Vec<Piece> = read
                .iter()
                .zip(plan.windows())
                .map(|((stratum, measure), window)| Piece {
                    value: measure.as_ref().map(&mut *values),
                    weight: stratum.len() as f64,
                    whole: stratum == window,
                })
                .collect();
            Estimate::of(&pieces)
        };
        let all_read = plan.strata() == plan.windows() && measures.iter().all(Option::is_some);
        let times = occurrences(measures);
        let mut repeated_share = estimate(&mut |measure| repeated(measure, &times));
        if !all_read {
            repeated_share.high = 1.0;
        }
        let mut rest = read.as_slice();
        let regions = plan
            .regions()
            .filter_map(|strata| {
                let (region, further) = rest.split_at_checked(strata)?;
                rest = further;
                Region::new(region)
            })
            .collect();
        Probed {
            windows: measures.iter().flatten().count(),
            window_bytes: plan.window_bytes(),
            seed: plan.seed(),
            entropy_bits: estimate(&mut |measure| measure.entropy_bits / ENTROPY_MOST).times(ENTROPY_MOST),
            zero_share: estimate(&mut |measure| measure.zero_share),
            repeated_share,
            zstd_share: estimate(&mut |measure| measure.zstd_share),
            gzip_share: estimate(&mut |measure| measure.gzip_share),
            regions,
        }
    }
}

impl Region {
    /// `None` of no strata.
    fn new(read: &[Read<'_>]) -> Option<Self> {
        let range = ByteRange::new(read.first()?.0.start(), read.last()?.0.end())?;
        let over = |value: fn(&Measure) -> f64| {
            mean(read.iter().filter_map(|(stratum, measure)| Some((value(measure.as_ref()?), stratum.len() as f64))))
        };
        let windows = read.iter().filter(|(_, measure)| measure.is_some()).count();
        let (entropy_bits, zero_share) = (over(|measure| measure.entropy_bits), over(|measure| measure.zero_share));
        let (zstd_share, gzip_share) = (over(|measure| measure.zstd_share), over(|measure| measure.gzip_share));
        let content = match windows {
            0 => Content::Unread,
            _ => Content::of(entropy_bits, zero_share, zstd_share.min(gzip_share)),
        };
        Some(Region { range, windows, content, entropy_bits, zero_share, zstd_share, gzip_share })
    }
}

/// How often each block occurs in the windows.
pub(super) fn occurrences(measures: &[Option<Measure>]) -> HashMap<&Digest, usize> {
    let mut times = HashMap::new();
    for block in measures.iter().flatten().flat_map(|measure| &measure.blocks) {
        *times.entry(&block.digest).or_default() += 1;
    }
    times
}

/// Share of bytes of a window in blocks that occur more than once. A sampled window repeats in the sample at most as
/// much as in the object, so that a lower bound got from the sample holds for the object.
pub(super) fn repeated(measure: &Measure, times: &HashMap<&Digest, usize>) -> f64 {
    mean(measure.blocks.iter().map(|block| {
        let repeats = times.get(&block.digest).is_some_and(|times| *times > 1);
        (f64::from(u8::from(repeats)), block.bytes as f64)
    }))
}
