use std::fmt;

/// Below this, in bits a byte, one value fills a window: 7 other bytes in 8 KiB make as much.
const UNIFORM_BITS: f64 = 0.01;
/// With half the bytes in runs of zeros, the zeros decide what the stretch costs to store.
const SPARSE_ZEROS: f64 = 0.5;
/// What no compressor brings below this has been through one, or a cipher. JPEG and the like stay above it; text,
/// programs, base64 and tables lie far below.
const DENSE_SHARE: f64 = 0.95;

/// What kind of bytes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Compressed or encrypted: bytes alone cannot say which.
    Dense,
    /// A compressor finds something in it.
    Structured,
    /// Mostly runs of zeros, and something in between.
    Sparse,
    /// One value only, zero or another.
    Uniform,
    /// No window of it was read.
    Unread,
}

impl Content {
    /// By the measures of a window, or by their means over a stretch; `best_share` is the smaller one of those by zstd
    /// and gzip. A stretch of dense and other windows is structured unless nearly all are dense.
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
