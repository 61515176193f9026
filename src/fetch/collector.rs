use std::sync::{Mutex, MutexGuard};

use crate::checksum::Digest;
use crate::plan::{RangeDigests, Spans};
use crate::sync::lock;

/// Collects the digests of ranges from all readers.
pub(super) struct RangeDigestCollector {
    state: Mutex<State>,
    /// Column of the digest that lanes compute; `None` if each range computes all its digests.
    column: Option<usize>,
}

struct State {
    /// A range is marked when the digests that it computed itself are added.
    digests: RangeDigests,
    /// Ranges whose digest from the lanes has been added.
    together: Spans,
}

impl RangeDigestCollector {
    /// Starts with the digests of an earlier read.
    pub(super) fn new(known: RangeDigests, column: Option<usize>) -> Self {
        let together = known.done().clone();
        RangeDigestCollector { state: Mutex::new(State { digests: known, together }), column }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Adds the digests that a range computed itself, after all its bytes were read.
    pub(super) fn add(&self, range: usize, digests: &[Digest]) {
        let mut state = self.state();
        let columns = (0..state.digests.algorithms().len()).filter(|column| Some(*column) != self.column);
        for (column, digest) in columns.zip(digests) {
            state.digests.write(range, column, digest);
        }
        state.digests.mark(range..range + 1);
    }

    /// Adds the digests that lanes computed.
    pub(super) fn add_together(&self, digests: Vec<(usize, Digest)>) {
        let Some(column) = self.column else { return };
        let mut state = self.state();
        for (range, digest) in digests {
            state.digests.write(range, column, &digest);
            state.together.insert(range);
        }
    }

    /// The digests of all ranges. Only ranges with all their digests are marked.
    pub(super) fn whole(&self) -> RangeDigests {
        let state = self.state();
        let done = match self.column {
            Some(_) => state.digests.done().intersection(&state.together),
            None => state.digests.done().clone(),
        };
        state.digests.clone().with_done(done)
    }
}
