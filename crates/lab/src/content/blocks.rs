use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use stored_ami_core::units::MIB;

/// Number of bytes collected into one piece of memory.
pub(crate) const BLOCK: usize = MIB as usize;

/// An immutable run of bytes in pieces; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blocks {
    /// Each piece with the offset it starts at.
    pieces: Arc<Vec<(u64, Bytes)>>,
    len: u64,
}

impl Blocks {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn concat(all: &[Blocks]) -> Self {
        let mut joined = BlockWriter::default();
        for piece in all.iter().flat_map(|blocks| blocks.pieces.iter()) {
            joined.seal(piece.1.clone());
        }
        joined.finish()
    }

    /// Up to `max` bytes from `at`, from one piece; empty behind the end.
    pub(crate) fn slice(&self, at: u64, max: u64) -> Bytes {
        let index = self.pieces.partition_point(|(start, _)| *start <= at);
        let Some((start, piece)) = index.checked_sub(1).and_then(|index| self.pieces.get(index)) else {
            return Bytes::new();
        };
        let from = ((at - start) as usize).min(piece.len());
        let to = piece.len().min(from.saturating_add(max as usize));
        piece.slice(from..to)
    }
}

impl From<Bytes> for Blocks {
    fn from(bytes: Bytes) -> Self {
        let mut writer = BlockWriter::default();
        writer.seal(bytes);
        writer.finish()
    }
}

/// Gathers small pieces into blocks, so that a body read from a socket in
/// scraps is served in large frames.
#[derive(Debug, Default)]
pub(crate) struct BlockWriter {
    pieces: Vec<(u64, Bytes)>,
    len: u64,
    tail: BytesMut,
}

impl BlockWriter {
    pub(crate) fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.tail.capacity() == 0 {
                self.tail.reserve(BLOCK);
            }
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK.saturating_sub(self.tail.len())));
            self.tail.extend_from_slice(now);
            bytes = rest;
            if self.tail.len() >= BLOCK {
                let block = std::mem::take(&mut self.tail).freeze();
                self.seal(block);
            }
        }
    }

    pub(crate) fn finish(mut self) -> Blocks {
        // A small object must not keep the room of a whole block.
        let tail = std::mem::take(&mut self.tail);
        let is_small = tail.len() < BLOCK / 2;
        self.seal(if is_small { Bytes::copy_from_slice(&tail) } else { tail.freeze() });
        Blocks { pieces: Arc::new(self.pieces), len: self.len }
    }

    fn seal(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            let start = self.len;
            self.len += piece.len() as u64;
            self.pieces.push((start, piece));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scraps_become_blocks_and_come_back_whole() {
        let data: Vec<u8> = (0..2_500_003u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let mut writer = BlockWriter::default();
        data.chunks(70_001).for_each(|scrap| writer.write(scrap));
        let blocks = Blocks::concat(&[writer.finish(), Blocks::from(Bytes::from_static(b"tail"))]);
        assert_eq!(blocks.len(), data.len() as u64 + 4);
        let mut read = Vec::new();
        while (read.len() as u64) < blocks.len() {
            let frame = blocks.slice(read.len() as u64, 100_003);
            assert!(!frame.is_empty() && frame.len() <= 100_003);
            read.extend_from_slice(&frame);
        }
        assert_eq!(read, [&data[..], b"tail"].concat());
        assert!(blocks.slice(blocks.len(), 1).is_empty());
    }
}
