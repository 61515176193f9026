use std::ops::Range;

use super::state::packed_bytes;
use super::{ReadPlan, Spans};
use crate::checksum::{Algorithm, Digest};

/// The digests of the ranges that are complete, packed without padding. If the plan has no digests per range,
/// only the set of complete ranges is held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RangeDigests {
    algorithms: Vec<Algorithm>,
    /// The number of ranges of the plan.
    ranges: usize,
    bytes: Vec<u8>,
    done: Spans,
}

impl RangeDigests {
    /// The state in which no range is complete.
    pub fn of(plan: &ReadPlan) -> Self {
        let (algorithms, ranges) = (plan.per_range().to_vec(), plan.ranges().len());
        let bytes = vec![0; ranges.saturating_mul(packed_bytes(&algorithms))];
        RangeDigests { algorithms, ranges, bytes, done: Spans::default() }
    }

    /// Whether algorithms and number of ranges agree with a plan.
    pub fn fit(&self, plan: &ReadPlan) -> bool {
        self.algorithms == plan.per_range() && self.ranges == plan.ranges().len()
    }

    /// The algorithms of each range's digests, in packing order.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The ranges that are complete.
    pub fn done(&self) -> &Spans {
        &self.done
    }

    /// The digest of a complete range. `column` is the position in [`Self::algorithms`].
    pub fn get(&self, range: usize, column: usize) -> Option<Digest> {
        let algorithm = *self.algorithms.get(column)?;
        let digest = Digest::new(algorithm, self.bytes.get(self.place(range, column)?)?);
        digest.filter(|_| self.done.contains(range))
    }

    /// Whether two reads of one range gave the same digests.
    pub fn same(&self, other: &Self, range: usize) -> bool {
        self.span_bytes(range..range + 1) == other.span_bytes(range..range + 1)
    }

    /// Marks a range as complete, with its digests in the order of [`Self::algorithms`].
    pub fn set(&mut self, range: usize, digests: &[Digest]) {
        digests.iter().enumerate().for_each(|(column, digest)| self.write(range, column, digest));
        self.mark(range..range + 1);
    }

    /// The packed digests of adjacent ranges.
    pub fn span_bytes(&self, span: Range<usize>) -> &[u8] {
        let each = packed_bytes(&self.algorithms);
        self.bytes.get(span.start.saturating_mul(each)..span.end.saturating_mul(each)).unwrap_or_default()
    }

    /// Marks adjacent ranges as complete. `None` if the ranges do not exist, one of them is already complete,
    /// or the length of `packed` does not fit.
    pub fn set_span(&mut self, span: Range<usize>, packed: &[u8]) -> Option<()> {
        let each = packed_bytes(&self.algorithms);
        let new = span.start < span.end && span.end <= self.ranges;
        let free = self.done.intersection(&Spans::from_iter([span.clone()])).is_empty();
        let slot = self.bytes.get_mut(span.start.checked_mul(each)?..span.end.checked_mul(each)?)?;
        if !new || !free || slot.len() != packed.len() {
            return None;
        }
        slot.copy_from_slice(packed);
        self.mark(span);
        Some(())
    }

    /// Takes over the ranges that another read completed, replacing those held here.
    pub fn overlay(&mut self, other: &Self) {
        for span in other.done.iter() {
            let each = packed_bytes(&self.algorithms);
            let slot = self.bytes.get_mut(span.start.saturating_mul(each)..span.end.saturating_mul(each));
            let new = other.span_bytes(span.clone());
            if let Some(slot) = slot.filter(|slot| slot.len() == new.len()) {
                slot.copy_from_slice(new);
                self.mark(span);
            }
        }
    }

    /// Stores one digest. It counts once the range is marked with [`Self::mark`].
    pub fn write(&mut self, range: usize, column: usize, digest: &Digest) {
        let own = self.algorithms.get(column) == Some(&digest.algorithm());
        if let Some(slot) = self.place(range, column).filter(|_| own).and_then(|place| self.bytes.get_mut(place)) {
            slot.copy_from_slice(digest.as_bytes());
        }
    }

    /// Marks ranges as complete, whose digests were stored by [`Self::write`].
    pub fn mark(&mut self, span: Range<usize>) {
        self.done.insert_span(span.start..span.end.min(self.ranges));
    }

    /// The same digests with another set of complete ranges.
    pub fn with_done(mut self, done: Spans) -> Self {
        self.done = done;
        self
    }

    fn place(&self, range: usize, column: usize) -> Option<Range<usize>> {
        let before = packed_bytes(self.algorithms.get(..column)?);
        let start = range.checked_mul(packed_bytes(&self.algorithms))?.checked_add(before)?;
        Some(start..start + self.algorithms.get(column)?.digest_len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Hasher;
    use crate::plan::{Budget, PartLayout};
    use crate::units::MIB;

    fn digests(text: &[u8]) -> [Digest; 2] {
        [Algorithm::Sha256, Algorithm::Md5].map(|algorithm| Hasher::digest(algorithm, text))
    }

    fn five() -> RangeDigests {
        let parts = PartLayout::uniform(5 * MIB, MIB);
        let wanted = [(Algorithm::Md5, parts.clone()), (Algorithm::Sha256, parts)];
        let five = RangeDigests::of(&ReadPlan::new(5 * MIB, &wanted, Budget::default()));
        assert_eq!((five.algorithms(), five.ranges), (&[Algorithm::Sha256, Algorithm::Md5][..], 5));
        five
    }

    #[test]
    fn what_came_is_what_is_there() {
        let mut all = five();
        all.set(3, &digests(b"x"));
        all.write(1, 0, &digests(b"y")[0]);
        assert_eq!((all.get(3, 0), all.get(3, 1)), (Some(digests(b"x")[0]), Some(digests(b"x")[1])));
        assert_eq!([all.get(1, 0), all.get(3, 2), all.get(5, 0), all.get(usize::MAX, 1)], [None; 4]);
        all.set(9, &digests(b"z"));
        assert!(all.done().iter().eq(std::iter::once(3..4)), "there is no tenth");
    }

    #[test]
    fn packed_ranges_are_taken_once_and_whole() {
        let mut all = five();
        all.set(1, &digests(b"x"));
        all.set(2, &digests(b"y"));
        let packed = all.span_bytes(1..3).to_vec();
        let mut again = five();
        assert_eq!(again.set_span(1..3, &packed), Some(()));
        assert_eq!(again, all);
        for (span, bytes) in [(1..3, &packed[..]), (2..4, &packed), (4..6, &packed), (3..5, &packed[1..]), (3..3, &[])]
        {
            assert_eq!(again.set_span(span.clone(), bytes), None, "{span:?}");
        }
        assert_eq!(again, all, "what is refused changes nothing");
        let mut other = five();
        other.set(2, &digests(b"z"));
        other.set(4, &digests(b"z"));
        again.overlay(&other);
        assert_eq!((again.get(1, 1), again.get(2, 1)), (all.get(1, 1), other.get(2, 1)));
        assert_eq!(again.done().iter().collect::<Vec<_>>(), [1..3, 4..5]);
        assert!(again.same(&all, 1) && !again.same(&all, 2));
    }
}
