use crate::text::words;

/// Below this, in bits a byte, one value fills a window: 7 other bytes in 8 KiB make as much.
const UNIFORM_BITS: f64 = 0.01;
/// With half the bytes in runs of zeros, the zeros decide what the stretch costs to store.
const SPARSE_ZEROS: f64 = 0.5;
/// What no compressor brings below this has been through one, or a cipher. JPEG and the like stay above it; text,
/// programs, base64 and tables lie far below.
const DENSE_SHARE: f64 = 0.95;

words! {
    /// What kind of bytes there are.
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
