use std::sync::{Mutex, MutexGuard};

use crate::checksum::Digest;
use crate::plan::{RangeDigests, Spans};
use crate::sync::lock;

/// The digests of ranges, as many readers bring them.
pub(super) struct RangeDigestCollector {
    state: Mutex<State>,
    /// Where the digest that comes by another way stands among those of a range.
    column: Option<usize>,
}

struct State {
    /// Marked are the ranges whose own digests came.
    digests: RangeDigests,
    /// Ranges whose digest came that is computed together with others.
    together: Spans,
}

impl RangeDigestCollector {
    /// Begins with what is known of the ranges.
    pub fn new(known: RangeDigests, column: Option<usize>) -> Self {
        let together = known.done().clone();
        RangeDigestCollector { state: Mutex::new(State { digests: known, together }), column }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// What a range computed by itself, now that it came whole.
    pub fn add(&self, range: usize, digests: &[Digest]) {
        let mut state = self.state();
        let columns = (0..state.digests.algorithms().len()).filter(|column| Some(*column) != self.column);
        for (column, digest) in columns.zip(digests) {
            state.digests.write(range, column, digest);
        }
        state.digests.mark(range..range + 1);
    }

    /// What ranges computed together with others.
    pub fn add_together(&self, digests: Vec<(usize, Digest)>) {
        let Some(column) = self.column else { return };
        let mut state = self.state();
        for (range, digest) in digests {
            state.digests.write(range, column, &digest);
            state.together.insert(range);
        }
    }

    /// The digests of each range. One that lacks any has none.
    pub fn whole(&self) -> RangeDigests {
        let state = self.state();
        let done = match self.column {
            Some(_) => state.digests.done().intersection(&state.together),
            None => state.digests.done().clone(),
        };
        state.digests.clone().with_done(done)
    }
}
