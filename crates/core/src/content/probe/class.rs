use crate::text::words;

/// A window with less entropy, in bits per byte, counts as one repeated value. Seven other bytes in 8 KiB
/// reach this limit.
const UNIFORM_BITS: f64 = 0.01;
/// With at least this share of the bytes in runs of zeros, the zeros dominate the storage cost.
const SPARSE_ZEROS: f64 = 0.5;
/// Data that no compressor shrinks below this share is already compressed or encrypted. JPEG and similar
/// formats stay above it; text, programs, base64 and tables are far below.
const DENSE_SHARE: f64 = 0.95;

words! {
    /// What a window of bytes looks like.
    pub enum Content {
        /// Compressed or encrypted: bytes alone cannot say which.
        Dense = "dense",
        /// A compressor finds something in it.
        Structured = "structured",
        /// Mostly runs of zeros, and something in between.
        Sparse = "sparse",
        /// One value only, zero or another.
        Uniform = "uniform",
        /// No window of it was read.
        Unread = "unread",
    }
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
