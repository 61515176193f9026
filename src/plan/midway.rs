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
