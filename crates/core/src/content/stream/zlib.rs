use flate2::Decompress;

use super::gzip::{Inflated, inflate};
use super::{End, Out, Step};

/// A zlib stream (RFC 1950). The decoder compares the output with the Adler-32.
pub(super) struct Zlib {
    inflate: Decompress,
    /// Its first two bytes, until they were passed to the decoder.
    head: Option<[u8; 2]>,
}

/// Whether two bytes are a valid zlib header (RFC 1950, 2.2): deflate, a window of at most 32 KiB, a correct
/// header check, and no preset dictionary.
pub(super) fn is_head([method, flags]: [u8; 2]) -> bool {
    let both = u16::from_be_bytes([method, flags]);
    method & 0x0F == 8 && method >> 4 <= 7 && both.is_multiple_of(31) && flags & 0x20 == 0
}

impl Zlib {
    pub(crate) fn new(head: [u8; 2]) -> Self {
        Zlib { inflate: Decompress::new(true), head: Some(head) }
    }

    pub(crate) fn take(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Step {
        if let Some(head) = self.head.take()
            && let Inflated::Stop(end) = inflate(&mut self.inflate, &head, out, 0, |_| {})
        {
            return Step::Stop(end);
        }
        match inflate(&mut self.inflate, bytes, out, 0, |_| {}) {
            Inflated::More => Step::More,
            Inflated::Ended(used) => Step::Frame { used, checksum: true },
            Inflated::Stop(End::Damaged { what, whole, .. }) => Step::Stop(End::Damaged { frame_at: 0, what, whole }),
            Inflated::Stop(end) => Step::Stop(end),
        }
    }
}
