use std::collections::HashMap;

use super::estimate::{Piece, mean};
use super::{Content, Estimate, Measure, ProbePlan};
use crate::checksum::Digest;
use crate::units::ByteRange;

/// The maximum entropy, in bits per byte.
const ENTROPY_MOST: f64 = 8.0;

/// Estimates for an object from its sampled windows. Each estimate is for the mean over all windows of the
/// object; if all were read, it is that mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// Number of windows that were read. If it is 0, the intervals have their full width and the values have
    /// no meaning.
    pub windows: usize,
    /// Bytes of a window, except at the end of the object.
    pub window_bytes: u64,
    /// The seed that chose the windows.
    pub seed: u64,
    /// Order-0 entropy in bits per byte.
    pub entropy_bits: Estimate,
    /// Share of the bytes, 0 to 1, in runs of at least 64 zeros.
    pub zero_share: Estimate,
    /// Share of the bytes in blocks of 4 KiB that occur more than once in the object. The value is what the
    /// sample shows, which is a lower limit because most repeats lie outside the sample. The lower bound
    /// comes from the windows; the upper bound is 1 unless the whole object was read.
    pub repeated_share: Estimate,
    /// Compressed size by zstd at level 3 over the original size, 0 to 1.
    pub zstd_share: Estimate,
    /// Compressed size by deflate at level 6 over the original size, 0 to 1.
    pub gzip_share: Estimate,
    /// At most 64 adjacent regions that cover the object, in order.
    pub regions: Vec<Region>,
}

/// A region of the object, with the means over its windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Bytes of the object that the region covers.
    pub range: ByteRange,
    /// Number of its windows that were read; if 0, the means are 0.
    pub windows: usize,
    /// Class of content by the means.
    pub content: Content,
    /// Order-0 entropy in bits per byte.
    pub entropy_bits: f64,
    /// Share of the bytes in runs of at least 64 zeros.
    pub zero_share: f64,
    /// Compressed size by zstd over the original size.
    pub zstd_share: f64,
    /// Compressed size by deflate over the original size.
    pub gzip_share: f64,
}

/// A stratum and the measure of its window.
type Read<'a> = (ByteRange, &'a Option<Measure>);

impl Probed {
    /// Takes one measure per window of the plan, `None` for a window that was not read.
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
    /// `None` if there are no strata.
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

/// Number of occurrences of each block in the windows.
pub(super) fn occurrences(measures: &[Option<Measure>]) -> HashMap<&Digest, usize> {
    let mut times = HashMap::new();
    for block in measures.iter().flatten().flat_map(|measure| &measure.blocks) {
        *times.entry(&block.digest).or_default() += 1;
    }
    times
}

/// Share of a window's bytes in blocks that occur more than once. Blocks repeat in the sample at most as
/// often as in the object, so a lower bound from the sample holds for the object.
pub(super) fn repeated(measure: &Measure, times: &HashMap<&Digest, usize>) -> f64 {
    mean(measure.blocks.iter().map(|block| {
        let repeats = times.get(&block.digest).is_some_and(|times| *times > 1);
        (f64::from(u8::from(repeats)), block.bytes as f64)
    }))
}
