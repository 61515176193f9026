use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::checksum::Digest;

/// The digests of ranges, as many readers bring them.
pub(super) struct Collected {
    ranges: Mutex<Vec<Entry>>,
    /// Where the digest that comes by another way stands among those of a range.
    column: Option<usize>,
}

#[derive(Clone, Default)]
struct Entry {
    /// What the range computed by itself.
    alone: Option<Vec<Digest>>,
    /// What it computed together with others.
    together: Option<Digest>,
}

impl Collected {
    /// Begins with what is known of the ranges.
    pub fn new(known: Vec<Option<Vec<Digest>>>, column: Option<usize>) -> Self {
        let entry = |known: Option<Vec<Digest>>| match (known, column) {
            (Some(mut digests), Some(column)) if column < digests.len() => {
                let together = Some(digests.remove(column));
                Entry { alone: Some(digests), together }
            }
            (known, _) => Entry { alone: known, together: None },
        };
        Collected { ranges: Mutex::new(known.into_iter().map(entry).collect()), column }
    }

    fn ranges(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.ranges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a range computed by itself, now that it came whole.
    pub fn add(&self, range: usize, digests: Vec<Digest>) {
        if let Some(entry) = self.ranges().get_mut(range) {
            entry.alone = Some(digests);
        }
    }

    /// What ranges computed together with others.
    pub fn add_together(&self, digests: Vec<(usize, Digest)>) {
        let mut ranges = self.ranges();
        for (range, digest) in digests {
            if let Some(entry) = ranges.get_mut(range) {
                entry.together = Some(digest);
            }
        }
    }

    /// The digests of each range. One that lacks any has none.
    pub fn whole(&self) -> Vec<Option<Vec<Digest>>> {
        let whole = |entry: &Entry| {
            let mut digests = entry.alone.clone()?;
            if let Some(column) = self.column {
                let together = entry.together.filter(|_| column <= digests.len())?;
                digests.insert(column, together);
            }
            Some(digests)
        };
        self.ranges().iter().map(whole).collect()
    }
}
