use flate2::{Compress, Compression, FlushCompress, Status};

use super::Content;
use crate::checksum::{Algorithm, Digest, Hasher};
use crate::units::KIB;

/// Block size for finding repeats, in bytes: that of most file systems.
const BLOCK: usize = 4 * KIB as usize;
/// Minimum length of a run of zeros that counts as empty space. Shorter runs are common in headers and
/// tables.
const ZERO_RUN: usize = 64;
/// The default level of `gzip`.
const GZIP_LEVEL: u32 = 6;
/// The default level of `zstd`.
const ZSTD_LEVEL: i32 = 3;

/// The measures of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Order-0 entropy in bits per byte. Random bytes measure below 8, and more so in small windows: by 0.02
    /// in 8 KiB.
    pub entropy_bits: f64,
    /// Share of the bytes, 0 to 1, in runs of at least 64 zeros within the window.
    pub zero_share: f64,
    /// Compressed size by zstd at level 3 over the original size, at most 1. Bytes that do not shrink count as stored
    /// unchanged, without the overhead of a frame.
    pub zstd_share: f64,
    /// The same for deflate at level 6, without the 18 bytes of gzip's header and trailer.
    pub gzip_share: f64,
    pub(super) blocks: Vec<Block>,
}

impl Measure {
    /// The class of content that the measures indicate.
    pub fn content(&self) -> Content {
        Content::of(self.entropy_bits, self.zero_share, self.zstd_share.min(self.gzip_share))
    }
}

/// A block of a window. The last block may be short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub digest: Digest,
    pub bytes: usize,
}

/// Measures windows one after another and reuses its compressors, which are expensive to set up.
pub struct Gauge {
    gzip: Compress,
    zstd: zstd::bulk::Compressor<'static>,
    room: Vec<u8>,
}

impl Gauge {
    /// `None` if there is no memory for a compressor.
    pub fn new() -> Option<Self> {
        let mut zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL).ok()?;
        zstd.include_contentsize(false).ok()?;
        Some(Gauge { gzip: Compress::new(Compression::new(GZIP_LEVEL), false), zstd, room: Vec::new() })
    }

    /// `None` for an empty window, and if a compressor fails, which only a lack of memory causes.
    pub fn measure(&mut self, bytes: &[u8]) -> Option<Measure> {
        (!bytes.is_empty()).then_some(())?;
        Some(Measure {
            entropy_bits: entropy_bits(bytes),
            zero_share: share(zeros(bytes), bytes.len()),
            zstd_share: share(self.zstd(bytes)?, bytes.len()),
            gzip_share: share(self.gzip(bytes)?, bytes.len()),
            blocks: bytes
                .chunks(BLOCK)
                .map(|block| Block { digest: Hasher::digest(Algorithm::Xxh128, block), bytes: block.len() })
                .collect(),
        })
    }

    fn zstd(&mut self, bytes: &[u8]) -> Option<usize> {
        self.room.clear();
        self.room.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        self.zstd.compress_to_buffer(bytes, &mut self.room).ok()
    }

    /// Output that does not fit into `bytes.len()` bytes counts as that many bytes.
    fn gzip(&mut self, bytes: &[u8]) -> Option<usize> {
        self.gzip.reset();
        self.room.clear();
        self.room.reserve(bytes.len());
        match self.gzip.compress_vec(bytes, &mut self.room, FlushCompress::Finish).ok()? {
            Status::StreamEnd => Some(self.room.len()),
            Status::Ok | Status::BufError => Some(bytes.len()),
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    (part as f64 / whole as f64).min(1.0)
}

/// Shannon entropy of the byte frequencies, in bits per byte.
fn entropy_bits(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let all = bytes.len() as f64;
    let terms = counts.iter().filter(|count| **count > 0).map(|count| {
        let frequency = f64::from(*count) / all;
        frequency * -frequency.log2()
    });
    terms.sum::<f64>().clamp(0.0, 8.0)
}

fn zeros(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte != 0).map(<[u8]>::len).filter(|run| *run >= ZERO_RUN).sum()
}
