use super::ReadPlan;
use crate::checksum::{Algorithm, Digest, Hasher};
use crate::units::ByteRange;

/// How far a reading by a plan has come: enough to go on from there in another process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Midway {
    /// Of each range its digests, in the order of [`ReadPlan::per_range`]; absent where it did not come whole.
    pub of_ranges: Vec<Option<Vec<Digest>>>,
    /// Of each list of digests that goes in order, in the order of [`ReadPlan::ordered`].
    pub rows: Vec<RowState>,
}

/// How far a list of digests has come that is computed in order of offset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowState {
    /// Bytes hashed, from the beginning of the object to the end of a range.
    pub at: u64,
    /// Digests of the parts that end there or before.
    pub done: Vec<Digest>,
    /// The state of the hasher of the part that is begun; see [`Hasher::save`].
    pub hasher: Vec<u8>,
}

impl Midway {
    /// Nothing read yet.
    pub fn beginning(plan: &ReadPlan) -> Self {
        Midway { of_ranges: vec![None; plan.ranges().len()], rows: vec![RowState::default(); plan.ordered().len()] }
    }

    /// Whether it can be a reading by this plan, as far as its form tells. In words why not.
    pub fn fits(&self, plan: &ReadPlan) -> Result<(), String> {
        if self.of_ranges.len() != plan.ranges().len() || self.rows.len() != plan.ordered().len() {
            return Err("another number of ranges or of digests in order".to_owned());
        }
        for digests in self.of_ranges.iter().flatten() {
            let algorithms: Vec<Algorithm> = digests.iter().map(Digest::algorithm).collect();
            if algorithms != plan.per_range() {
                return Err("a range has digests by other algorithms".to_owned());
            }
        }
        for (need, row) in plan.ordered().iter().zip(&self.rows) {
            let ends = plan.layout(*need).map(|layout| layout.ends()).unwrap_or_default();
            let boundary = row.at == 0 || plan.ranges().iter().any(|range| range.end() == row.at);
            let parts_done = ends.iter().filter(|end| **end <= row.at).count();
            let begun = row.at == 0 || Hasher::resume(need.algorithm, &row.hasher).is_some();
            let whole = row.done.iter().all(|digest| digest.algorithm() == need.algorithm);
            if !boundary || !begun || !whole || (row.at > 0 && row.done.len() != parts_done) {
                return Err(format!("the state of {} in order contradicts itself", need.algorithm));
            }
        }
        Ok(())
    }

    /// Ranges that must still be read, in order of offset: those that did not come, and those that some list of
    /// digests in order has not had.
    pub fn missing(&self, plan: &ReadPlan) -> Vec<usize> {
        let behind = self.rows.iter().map(|row| row.at).min().unwrap_or(u64::MAX);
        let is_missing = |range: &ByteRange, digests: &Option<Vec<Digest>>| digests.is_none() || range.end() > behind;
        let all = plan.ranges().iter().zip(&self.of_ranges).enumerate();
        all.filter(|(_, (range, digests))| is_missing(range, digests)).map(|(index, _)| index).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Budget, PartLayout};
    use crate::units::{KIB, MIB};

    const SIZE: u64 = 10 * MIB;

    /// SHA-256 by part in the ranges, MD5 of the whole in order.
    fn plan() -> ReadPlan {
        let budget =
            Budget { concurrency: 4, grow_to: 4, range_bytes: None, waiting_room: 4 * MIB, lanes_room: 256 * KIB };
        let wanted =
            [(Algorithm::Sha256, PartLayout::uniform(SIZE, MIB)), (Algorithm::Md5, PartLayout::uniform(SIZE, 5 * MIB))];
        let plan = ReadPlan::new(SIZE, &wanted, budget);
        assert_eq!((plan.ranges().len(), plan.per_range(), plan.ordered().len()), (10, &[Algorithm::Sha256][..], 1));
        plan
    }

    fn digest(algorithm: Algorithm) -> Digest {
        Hasher::digest(algorithm, b"x")
    }

    /// Four ranges came, and the row had so many bytes.
    fn midway(at: u64) -> Midway {
        let mut midway = Midway::beginning(&plan());
        midway.of_ranges.iter_mut().take(4).for_each(|range| *range = Some(vec![digest(Algorithm::Sha256)]));
        let done = vec![digest(Algorithm::Md5); (at / (5 * MIB)) as usize];
        midway.rows[0] = RowState { at, done, hasher: Hasher::new(Algorithm::Md5).save().unwrap() };
        midway
    }

    #[test]
    fn nothing_read_fits_and_lacks_everything() {
        let (plan, beginning) = (plan(), Midway::beginning(&plan()));
        assert_eq!((beginning.of_ranges.len(), beginning.rows.len()), (10, 1));
        assert_eq!(beginning.fits(&plan), Ok(()));
        assert_eq!(beginning.missing(&plan), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn what_a_row_has_not_had_is_read_again() {
        let plan = plan();
        assert_eq!(midway(4 * MIB).missing(&plan), [4, 5, 6, 7, 8, 9]);
        assert_eq!(midway(3 * MIB).missing(&plan), [3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(midway(8 * MIB).missing(&plan), [4, 5, 6, 7, 8, 9], "its digest did not come whole");
        let mut without_rows = midway(0);
        without_rows.rows.clear();
        assert_eq!(without_rows.missing(&plan), [4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn a_state_that_contradicts_itself_or_the_plan_does_not_fit() {
        let plan = plan();
        for at in [0, MIB, 4 * MIB, 5 * MIB, 10 * MIB] {
            assert_eq!(midway(at).fits(&plan), Ok(()), "{at}");
        }
        let wrong = |change: &dyn Fn(&mut Midway)| {
            let mut midway = midway(5 * MIB);
            change(&mut midway);
            midway.fits(&plan).unwrap_err()
        };
        let other = "another number of ranges or of digests in order";
        assert_eq!(wrong(&|midway| drop(midway.of_ranges.pop())), other);
        assert_eq!(wrong(&|midway| midway.rows.clear()), other);
        let algorithms = "a range has digests by other algorithms";
        assert_eq!(wrong(&|midway| midway.of_ranges[0] = Some(vec![digest(Algorithm::Sha1)])), algorithms);
        assert_eq!(wrong(&|midway| midway.of_ranges[0] = Some(Vec::new())), algorithms);
        let row = "the state of md5 in order contradicts itself";
        assert_eq!(wrong(&|midway| midway.rows[0].at += 1), row, "no range ends there");
        assert_eq!(wrong(&|midway| midway.rows[0].hasher.truncate(3)), row);
        assert_eq!(wrong(&|midway| midway.rows[0].done[0] = digest(Algorithm::Sha1)), row);
        assert_eq!(wrong(&|midway| midway.rows[0].done.clear()), row);
        assert_eq!(wrong(&|midway| midway.rows[0].done.push(digest(Algorithm::Md5))), row);
    }
}
