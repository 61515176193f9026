use std::fmt;

/// A window with less entropy, in bits per byte, counts as one repeated value. Seven other bytes in 8 KiB
/// reach this limit.
const UNIFORM_BITS: f64 = 0.01;
/// With at least this share of the bytes in runs of zeros, the zeros dominate the storage cost.
const SPARSE_ZEROS: f64 = 0.5;
/// Data that no compressor shrinks below this share is already compressed or encrypted. JPEG and similar
/// formats stay above it; text, programs, base64 and tables are far below.
const DENSE_SHARE: f64 = 0.95;

/// Classes of content, by compressibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Compressed or encrypted. The bytes alone cannot show which.
    Dense,
    /// Compressible data.
    Structured,
    /// Mostly runs of zeros, with other data between them.
    Sparse,
    /// A single repeated byte value, zero or another.
    Uniform,
    /// No window of the region was read.
    Unread,
}

impl Content {
    /// Classifies a window by its measures, or a region by their means. `best_share` is the smaller of the
    /// zstd and gzip shares. A region that mixes dense and other windows is structured unless nearly all
    /// windows are dense.
    pub(super) fn of(entropy_bits: f64, zero_share: f64, best_share: f64) -> Self {
        if entropy_bits < UNIFORM_BITS {
            Content::Uniform
        } else if zero_share >= SPARSE_ZEROS {
            Content::Sparse
        } else if best_share >= DENSE_SHARE {
            Content::Dense
        } else {
            Content::Structured
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Content::Dense => "dense",
            Content::Structured => "structured",
            Content::Sparse => "sparse",
            Content::Uniform => "uniform",
            Content::Unread => "unread",
        })
    }
}
