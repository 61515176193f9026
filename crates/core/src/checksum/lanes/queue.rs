use std::collections::VecDeque;

use super::kernel::BLOCK;

/// Frames of one stream that are not hashed yet, in order.
pub(super) struct Queue<F> {
    frames: VecDeque<F>,
    /// Bytes of the first frame that are already hashed.
    at: usize,
    waiting: usize,
}

impl<F> Default for Queue<F> {
    fn default() -> Self {
        Queue { frames: VecDeque::new(), at: 0, waiting: 0 }
    }
}

impl<F> Queue<F> {
    /// Number of bytes that are not hashed yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }
}

impl<F: AsRef<[u8]>> Queue<F> {
    pub(crate) fn push(&mut self, frame: F) {
        self.waiting += frame.as_ref().len();
        self.frames.push_back(frame);
    }

    /// Appends the frames of a queue of which nothing is hashed yet.
    pub(crate) fn append(&mut self, later: Self) {
        self.waiting += later.waiting;
        self.frames.extend(later.frames);
    }

    /// The rest of the first frame.
    pub(crate) fn contiguous(&self) -> &[u8] {
        self.frames.front().and_then(|frame| frame.as_ref().get(self.at..)).unwrap_or_default()
    }

    pub(crate) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
        self.waiting -= bytes;
        if self.frames.front().is_some_and(|frame| frame.as_ref().len() == self.at) {
            self.frames.pop_front();
            self.at = 0;
        }
    }

    /// Removes and returns the next block, which may span several frames.
    pub(crate) fn block(&mut self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            let piece = self.contiguous();
            let take = piece.len().min(BLOCK - filled);
            if take == 0 {
                break;
            }
            if let (Some(to), Some(from)) = (block.get_mut(filled..filled + take), piece.get(..take)) {
                to.copy_from_slice(from);
            }
            filled += take;
            self.skip(take);
        }
        block
    }
}
