use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::{RatioBasis, Ratios};
use crate::content::{Content, Decoded, Estimate, Format, Probed, Region};
use crate::text::words;

/// Logical size over stored size, on every basis there is. None of them is *the* compression ratio: what AWS counts is
/// not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioReport {
    pub stored_bytes: u64,
    pub bases: Vec<RatioBasisReport>,
    /// Bases that are not known, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingBasisReport>,
    /// Lowest and highest ratio, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<(f64, f64)>,
}

/// A compression ratio with what it goes by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioBasisReport {
    pub basis: RatioBasis,
    pub logical_bytes: u64,
    /// Logical bytes over stored bytes.
    pub ratio: f64,
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingBasisReport {
    pub basis: RatioBasis,
    pub reason: String,
    /// How to have it known.
    pub advice: String,
}

/// What a sample of small windows says of the content. It tells dense bytes from structured ones; whether dense bytes
/// are compressed or encrypted they cannot tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeReport {
    pub windows: u64,
    pub window_bytes: u64,
    /// Chose the windows: the same one chooses the same windows of an object of the same size.
    pub seed: u64,
    /// Order-0 entropy of a window, in bits a byte.
    pub entropy_bits_per_byte: EstimateReport,
    /// Share of bytes that lie in runs of zeros.
    pub zero_share: EstimateReport,
    /// Share of blocks that repeat another block of the object. The value is a floor, as the sample shows only a part
    /// of the repeats; the upper bound is 1 unless all of the object was read.
    pub repeated_share: EstimateReport,
    /// What zstd would make of the bytes, window by window: compressed size over size.
    pub zstd_share: EstimateReport,
    /// The same by gzip.
    pub gzip_share: EstimateReport,
    /// Equal stretches of the object, in order.
    pub regions: Vec<RegionReport>,
}

/// A mean over the object, estimated from the windows, and its 95% confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EstimateReport {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// A stretch of the object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RegionReport {
    pub offset: u64,
    pub bytes: u64,
    /// Windows in it that were looked at.
    pub windows: u64,
    pub content: Content,
    pub entropy_bits_per_byte: f64,
    pub zero_share: f64,
    pub zstd_share: f64,
    pub gzip_share: f64,
}

impl From<&Probed> for ProbeReport {
    fn from(probed: &Probed) -> Self {
        ProbeReport {
            windows: probed.windows as u64,
            window_bytes: probed.window_bytes,
            seed: probed.seed,
            entropy_bits_per_byte: probed.entropy_bits.into(),
            zero_share: probed.zero_share.into(),
            repeated_share: probed.repeated_share.into(),
            zstd_share: probed.zstd_share.into(),
            gzip_share: probed.gzip_share.into(),
            regions: probed.regions.iter().map(RegionReport::from).collect(),
        }
    }
}

impl From<Estimate> for EstimateReport {
    fn from(Estimate { value, low, high }: Estimate) -> Self {
        EstimateReport { value, low, high }
    }
}

impl From<&Region> for RegionReport {
    fn from(region: &Region) -> Self {
        RegionReport {
            offset: region.range.start(),
            bytes: region.range.len(),
            windows: region.windows as u64,
            content: region.content,
            entropy_bits_per_byte: region.entropy_bits,
            zero_share: region.zero_share,
            zstd_share: region.zstd_share,
            gzip_share: region.gzip_share,
        }
    }
}

/// What decoding the bytes as a stream came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamReport {
    pub format: Format,
    /// In words: which frames there were, and how the stream ended.
    pub detail: String,
    /// Frames of zstd, members of gzip.
    pub frames: u64,
    /// Frames and members whose own checksum was held against what came out.
    pub checksums: u64,
    pub decoded_bytes: u64,
    /// Bytes of the object up to which it was decoded without a complaint.
    pub good_bytes: u64,
}

/// Parts side by side in the same state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartRunReport {
    pub first_part: u64,
    pub last_part: u64,
    pub offset: u64,
    pub bytes: u64,
    pub state: PartState,
}

words! {
    /// What is known of a part, from the worst.
    pub enum PartState {
        /// A reference that did not match names it.
        Damaged = "damaged",
        /// A reference that cannot place damage did not match.
        InQuestion = "in_question",
        Unread = "unread",
        /// It was read, and nothing proves it.
        Read = "read",
        /// A reference that matched covers it.
        Proved = "proved",
    }
}

impl From<&Ratios> for RatioReport {
    fn from(ratios: &Ratios) -> Self {
        let stored_bytes = ratios.stored_bytes;
        let known = ratios.known.iter().filter_map(|ratio| {
            Some(RatioBasisReport {
                basis: ratio.basis,
                logical_bytes: ratio.logical_bytes,
                ratio: ratio.value(stored_bytes)?,
                source: ratio.source.clone(),
            })
        });
        let missing = ratios.missing.iter().map(|missing| MissingBasisReport {
            basis: missing.basis,
            reason: missing.because.clone(),
            advice: missing.advice.to_owned(),
        });
        RatioReport { stored_bytes, bases: known.collect(), missing: missing.collect(), spread: ratios.spread() }
    }
}

impl From<&Decoded> for StreamReport {
    fn from(decoded: &Decoded) -> Self {
        StreamReport {
            format: decoded.format.unwrap_or(Format::None),
            detail: decoded.to_string(),
            frames: decoded.frames,
            checksums: decoded.checksums,
            decoded_bytes: decoded.decoded_bytes,
            good_bytes: decoded.good_bytes,
        }
    }
}
