use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::{RatioBasis, Ratios};
use crate::content::{Content, Decoded, Estimate, Format, Probed, Region};
use crate::text::words;

/// Logical size over stored size, by every known measure. None of them is the actual compression ratio,
/// because AWS does not publish which measure applies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioReport {
    /// Size of the object in bytes.
    pub stored_bytes: u64,
    /// The known measures.
    pub bases: Vec<RatioBasisReport>,
    /// The measures that are not known, with reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingBasisReport>,
    /// The lowest and the highest ratio, if there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<(f64, f64)>,
}

/// A compression ratio and its measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioBasisReport {
    /// `volumes` (size of all volumes), `written` (blocks written to all snapshots), `stated` (by the user)
    /// or `decoded` (bytes decoded from the object).
    pub basis: RatioBasis,
    /// Logical size in bytes.
    pub logical_bytes: u64,
    /// Logical bytes per stored byte.
    pub ratio: f64,
    /// Source of the logical size.
    pub source: String,
}

/// A measure that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingBasisReport {
    /// The measure.
    pub basis: RatioBasis,
    /// Why it is not known.
    pub reason: String,
    /// How to obtain it.
    pub advice: String,
}

/// Estimates about the content from a sample of small windows. They distinguish dense from structured
/// content, but cannot show whether dense content is compressed or encrypted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeReport {
    /// Number of windows read.
    pub windows: u64,
    /// Bytes of a window.
    pub window_bytes: u64,
    /// Seed of the sample. The same seed selects the same windows of an object of the same size.
    pub seed: u64,
    /// Order-0 entropy of a window in bits per byte.
    pub entropy_bits_per_byte: EstimateReport,
    /// Share of the bytes in runs of zeros.
    pub zero_share: EstimateReport,
    /// Share of the blocks that occur more than once in the object. The value is a lower limit, because the
    /// sample shows only some of the repeats; the upper bound is 1 unless the whole object was read.
    pub repeated_share: EstimateReport,
    /// Compressed size over size if each window is compressed with zstd.
    pub zstd_share: EstimateReport,
    /// The same with gzip.
    pub gzip_share: EstimateReport,
    /// Regions of the object, in order.
    pub regions: Vec<RegionReport>,
}

/// A mean over the object, estimated from the windows, with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EstimateReport {
    /// Mean over the windows that were read.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// A region of the object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RegionReport {
    /// Offset of the first byte.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// Number of its windows that were read.
    pub windows: u64,
    /// `dense` (compressed or encrypted), `structured`, `sparse`, `uniform` or `unread`.
    pub content: Content,
    /// Mean order-0 entropy in bits per byte.
    pub entropy_bits_per_byte: f64,
    /// Share of the bytes in runs of zeros.
    pub zero_share: f64,
    /// Compressed size by zstd over size.
    pub zstd_share: f64,
    /// Compressed size by gzip over size.
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

/// Result of decoding the object as a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamReport {
    /// `zstd`, `gzip`, `zlib`, `zeros` or `unknown`.
    pub format: Format,
    /// The frames found and the end of the stream, for the user.
    pub detail: String,
    /// Number of complete zstd frames or gzip members.
    pub frames: u64,
    /// Number of these whose own checksum matched the decoded bytes.
    pub checksums: u64,
    /// Bytes decoded.
    pub decoded_bytes: u64,
    /// Bytes of the object, from its start, that decoded without an error.
    pub good_bytes: u64,
}

/// Adjacent parts in the same state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartRunReport {
    /// Number of the first part, from 1.
    pub first_part: u64,
    /// Number of the last part.
    pub last_part: u64,
    /// Offset of the first byte.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// `proved` (covered by a reference that matched), `damaged` (located by one that did not), `in_question`
    /// (a reference that cannot locate damage did not match), `read` (not covered by any reference) or
    /// `unread`.
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
