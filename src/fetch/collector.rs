use std::sync::{Mutex, MutexGuard};

use super::lanes::LaneDigest;
use crate::checksum::Digest;
use crate::plan::{RangeDigests, Spans};
use crate::sync::lock;

/// Collects the digests of ranges from all readers.
pub(super) struct RangeDigestCollector {
    state: Mutex<State>,
    /// Places of the digests that lanes compute, among those of a range.
    places: Vec<usize>,
}

struct State {
    /// A range is marked when the digests that it computed itself are added.
    digests: RangeDigests,
    /// Ranges whose digest from the lanes has been added, for each place.
    together: Vec<Spans>,
}

impl RangeDigestCollector {
    /// Starts with the digests of an earlier read.
    pub(super) fn new(known: RangeDigests, places: Vec<usize>) -> Self {
        let together = vec![known.done().clone(); places.len()];
        RangeDigestCollector { state: Mutex::new(State { digests: known, together }), places }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Adds the digests that a range computed itself, after all its bytes were read.
    pub(super) fn add(&self, range: usize, digests: &[Digest]) {
        let mut state = self.state();
        let places = (0..state.digests.algorithms().len()).filter(|place| !self.places.contains(place));
        for (place, digest) in places.zip(digests) {
            state.digests.write(range, place, digest);
        }
        state.digests.mark(range..range + 1);
    }

    /// Adds the digests that lanes computed.
    pub(super) fn add_together(&self, digests: Vec<LaneDigest>) {
        let mut state = self.state();
        let State { digests: all, together } = &mut *state;
        for LaneDigest { range, place, digest } in digests {
            all.write(range, place, &digest);
            let together = self.places.iter().zip(&mut *together).find(|(of, _)| **of == place);
            together.into_iter().for_each(|(_, ranges)| ranges.insert(range));
        }
    }

    /// The digests of all ranges. Only ranges with all their digests are marked.
    pub(super) fn whole(&self) -> RangeDigests {
        let state = self.state();
        let done = state.digests.done().clone();
        let done = state.together.iter().fold(done, |done, together| done.intersection(together));
        state.digests.clone().with_done(done)
    }
}
