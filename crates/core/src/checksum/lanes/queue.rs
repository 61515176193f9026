use std::collections::VecDeque;

use super::kernel::BLOCK;

/// Bytes that wait, in order.
pub(super) struct Queue<F> {
    frames: VecDeque<F>,
    /// Bytes of the first frame that are hashed already.
    at: usize,
    waiting: usize,
}

impl<F> Default for Queue<F> {
    fn default() -> Self {
        Queue { frames: VecDeque::new(), at: 0, waiting: 0 }
    }
}

impl<F> Queue<F> {
    /// Bytes that wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

impl<F: AsRef<[u8]>> Queue<F> {
    pub fn push(&mut self, frame: F) {
        self.waiting += frame.as_ref().len();
        self.frames.push_back(frame);
    }

    /// Puts frames behind, of which nothing is hashed yet.
    pub fn append(&mut self, later: Self) {
        self.waiting += later.waiting;
        self.frames.extend(later.frames);
    }

    /// What is left of the first frame.
    pub fn contiguous(&self) -> &[u8] {
        self.frames.front().and_then(|frame| frame.as_ref().get(self.at..)).unwrap_or_default()
    }

    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
        self.waiting -= bytes;
        if self.frames.front().is_some_and(|frame| frame.as_ref().len() == self.at) {
            self.frames.pop_front();
            self.at = 0;
        }
    }

    /// The next block, out of as many frames as it takes.
    pub fn block(&mut self) -> [u8; BLOCK] {
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
