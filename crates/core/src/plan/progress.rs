use super::{RangeDigests, ReadPlan, Spans};
use crate::checksum::{Digest, Hasher};

/// Progress of a read by a plan, sufficient to resume it in another process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadProgress {
    /// The ranges that are complete, with their digests.
    pub of_ranges: RangeDigests,
    /// One state per entry of [`ReadPlan::ordered`], in the same order.
    pub rows: Vec<SerialDigestState>,
}

/// Progress of digests that are computed in order of offset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SerialDigestState {
    /// Bytes hashed from the start of the object. Always the end of a range.
    pub at: u64,
    /// Digests of the parts that end at or before that offset.
    pub done: Vec<Digest>,
    /// State of the hasher of the unfinished part; see [`Hasher::save`].
    pub hasher: Vec<u8>,
}

impl ReadProgress {
    /// Progress before the first byte.
    pub fn beginning(plan: &ReadPlan) -> Self {
        ReadProgress {
            of_ranges: RangeDigests::of(plan),
            rows: vec![SerialDigestState::default(); plan.ordered().len()],
        }
    }

    /// Checks that this can be the progress of a read by `plan`, as far as its structure shows.
    ///
    /// # Errors
    ///
    /// When it belongs to another plan or contradicts itself; the text is for the report.
    pub fn fits(&self, plan: &ReadPlan) -> Result<(), String> {
        if !self.of_ranges.fit(plan) || self.rows.len() != plan.ordered().len() {
            return Err("another number of ranges or of digests in order, or other algorithms".to_owned());
        }
        for (need, row) in plan.ordered().iter().zip(&self.rows) {
            let boundary = row.at == 0 || plan.ranges().ends_at(row.at);
            let parts_done = plan.layout(*need).map_or(0, |layout| layout.ended_by(row.at));
            let begun = row.at == 0 || Hasher::resume(need.algorithm, &row.hasher).is_some();
            let whole = row.done.iter().all(|digest| digest.algorithm() == need.algorithm);
            if !boundary || !begun || !whole || (row.at > 0 && row.done.len() != parts_done) {
                return Err(format!("the state of {} in order contradicts itself", need.algorithm));
            }
        }
        Ok(())
    }

    /// The ranges to read: those that are not complete, and those that a digest in order has not passed.
    pub fn missing(&self, plan: &ReadPlan) -> Spans {
        let count = plan.ranges().len();
        let mut missing = self.of_ranges.done().missing(count);
        if let Some(behind) = self.rows.iter().map(|row| row.at).min() {
            missing.insert_span(plan.ranges().partition_point(|range| range.end() <= behind)..count);
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Algorithm;
    use crate::plan::{Budget, Limits, PartLayout};
    use crate::units::{KIB, MIB};

    const SIZE: u64 = 10 * MIB;

    /// SHA-256 per part in the ranges, MD5 of the whole object in order.
    fn plan() -> ReadPlan {
        let budget = Budget {
            concurrency: 4,
            grow_to: 4,
            range_bytes: None,
            waiting_room: 4 * MIB,
            lanes_room: 256 * KIB,
            limits: Limits::default(),
        };
        let wanted =
            [(Algorithm::Sha256, PartLayout::uniform(SIZE, MIB)), (Algorithm::Md5, PartLayout::uniform(SIZE, 5 * MIB))];
        let plan = ReadPlan::new(SIZE, &wanted, budget);
        assert_eq!((plan.ranges().len(), plan.per_range(), plan.ordered().len()), (10, &[Algorithm::Sha256][..], 1));
        plan
    }

    fn digest(algorithm: Algorithm) -> Digest {
        Hasher::digest(algorithm, b"x")
    }

    /// Four ranges are complete, and the digest in order has passed `at` bytes.
    fn midway(at: u64) -> ReadProgress {
        let mut midway = ReadProgress::beginning(&plan());
        (0..4).for_each(|range| midway.of_ranges.set(range, &[digest(Algorithm::Sha256)]));
        let done = vec![digest(Algorithm::Md5); (at / (5 * MIB)) as usize];
        midway.rows[0] = SerialDigestState { at, done, hasher: Hasher::new(Algorithm::Md5).save().unwrap() };
        midway
    }

    #[test]
    fn nothing_read_fits_and_lacks_everything() {
        let (plan, beginning) = (plan(), ReadProgress::beginning(&plan()));
        assert_eq!((beginning.of_ranges.done().count(), beginning.rows.len()), (0, 1));
        assert_eq!(beginning.fits(&plan), Ok(()));
        assert_eq!(beginning.missing(&plan), Spans::first(10));
    }

    #[test]
    fn what_a_row_has_not_had_is_read_again() {
        let plan = plan();
        let last = |from: usize| Spans::from_iter(std::iter::once(from..10));
        assert_eq!(midway(4 * MIB).missing(&plan), last(4));
        assert_eq!(midway(3 * MIB).missing(&plan), last(3));
        assert_eq!(midway(8 * MIB).missing(&plan), last(4), "its digest did not come whole");
        let mut without_rows = midway(0);
        without_rows.rows.clear();
        assert_eq!(without_rows.missing(&plan), last(4));
    }

    #[test]
    fn a_state_that_contradicts_itself_or_the_plan_does_not_fit() {
        let plan = plan();
        for at in [0, MIB, 4 * MIB, 5 * MIB, 10 * MIB] {
            assert_eq!(midway(at).fits(&plan), Ok(()), "{at}");
        }
        let wrong = |change: &dyn Fn(&mut ReadProgress)| {
            let mut midway = midway(5 * MIB);
            change(&mut midway);
            midway.fits(&plan).unwrap_err()
        };
        let other = "another number of ranges or of digests in order, or other algorithms";
        let budget = Budget::default();
        let of = |size, algorithm| {
            RangeDigests::of(&ReadPlan::new(size, &[(algorithm, PartLayout::uniform(size, MIB))], budget))
        };
        assert_eq!(wrong(&|midway| midway.of_ranges = of(9 * MIB, Algorithm::Sha256)), other);
        assert_eq!(wrong(&|midway| midway.of_ranges = of(SIZE, Algorithm::Sha1)), other);
        assert_eq!(wrong(&|midway| midway.of_ranges = RangeDigests::default()), other);
        assert_eq!(wrong(&|midway| midway.rows.clear()), other);
        let row = "the state of md5 in order contradicts itself";
        assert_eq!(wrong(&|midway| midway.rows[0].at += 1), row, "no range ends there");
        assert_eq!(wrong(&|midway| midway.rows[0].hasher.truncate(3)), row);
        assert_eq!(wrong(&|midway| midway.rows[0].done[0] = digest(Algorithm::Sha1)), row);
        assert_eq!(wrong(&|midway| midway.rows[0].done.clear()), row);
        assert_eq!(wrong(&|midway| midway.rows[0].done.push(digest(Algorithm::Md5))), row);
    }
}
