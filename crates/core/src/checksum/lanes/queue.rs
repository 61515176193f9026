use std::collections::VecDeque;
use std::io::Read as _;

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

    /// Moves the next bytes, which may span several frames, to `block`.
    pub(crate) fn take(&mut self, mut block: &mut [u8]) {
        while let Ok(taken @ 1..) = self.contiguous().read(block) {
            block = block.split_at_mut(taken).1;
            self.skip(taken);
        }
    }
}
