use std::ops::Range;

/// A set of positions, stored as sorted, disjoint spans. Its memory depends on the number of spans only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spans(Vec<Range<usize>>);

impl Spans {
    /// The positions `0..count`.
    pub fn first(count: usize) -> Self {
        Spans::from_iter(std::iter::once(0..count))
    }

    /// Adds a position.
    pub fn insert(&mut self, position: usize) {
        self.insert_span(position..position.saturating_add(1));
    }

    /// Adds a span of positions, which may overlap the set.
    pub fn insert_span(&mut self, span: Range<usize>) {
        if span.is_empty() {
            return;
        }
        // Spans that touch the new one are merged with it.
        let from = self.0.partition_point(|own| own.end < span.start);
        let to = self.0.partition_point(|own| own.start <= span.end);
        let start = self.0.get(from).map_or(span.start, |own| own.start.min(span.start));
        let last = to.checked_sub(1).and_then(|last| self.0.get(last));
        let end = last.map_or(span.end, |own| own.end.max(span.end));
        if from == to {
            self.0.insert(from, span);
        } else {
            drop(self.0.splice(from..to, std::iter::once(start..end)));
        }
    }

    /// Whether the set contains a position.
    pub fn contains(&self, position: usize) -> bool {
        let before = self.0.partition_point(|own| own.start <= position);
        before.checked_sub(1).and_then(|index| self.0.get(index)).is_some_and(|own| position < own.end)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of positions.
    pub fn count(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).sum()
    }

    /// The spans, in order, with a gap between any two.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Range<usize>> + '_ {
        self.0.iter().cloned()
    }

    /// The positions, in order.
    pub fn into_positions(self) -> impl Iterator<Item = usize> + Send {
        self.0.into_iter().flatten()
    }

    /// The positions below `count` that are not in the set.
    pub fn missing(&self, count: usize) -> Self {
        let mut at = 0;
        let mut missing = Vec::with_capacity(self.0.len() + 1);
        for own in self.0.iter().cloned().chain(std::iter::once(count..count)) {
            missing.push(at..own.start.min(count));
            at = own.end;
        }
        missing.retain(|span| !span.is_empty());
        Spans(missing)
    }

    /// The positions that are in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut shared_spans, mut others) = (Vec::new(), other.0.iter().peekable());
        for own in &self.0 {
            while let Some(one) = others.peek() {
                let shared = own.start.max(one.start)..own.end.min(one.end);
                if !shared.is_empty() {
                    shared_spans.push(shared);
                }
                if one.end > own.end {
                    break;
                }
                others.next();
            }
        }
        Spans(shared_spans)
    }
}

impl FromIterator<Range<usize>> for Spans {
    fn from_iter<I: IntoIterator<Item = Range<usize>>>(spans: I) -> Self {
        let mut all = Spans::default();
        spans.into_iter().for_each(|span| all.insert_span(span));
        all
    }
}

impl FromIterator<usize> for Spans {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        let mut all = Spans::default();
        positions.into_iter().for_each(|position| all.insert(position));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn spans() -> impl Strategy<Value = Vec<Range<usize>>> {
        proptest::collection::vec((0usize..60, 0usize..8).prop_map(|(start, len)| start..start + len), 0..20)
    }

    proptest! {
        #[test]
        fn they_are_the_set_of_their_positions(ones in spans(), others in spans(), count in 0usize..80) {
            let set = |list: &[Range<usize>]| list.iter().cloned().flatten().collect::<BTreeSet<_>>();
            let (a, b) = (set(&ones), set(&others));
            let one: Spans = ones.iter().cloned().collect();
            let other: Spans = b.iter().rev().copied().collect();
            prop_assert_eq!(one.count(), a.len());
            prop_assert_eq!(one.is_empty(), a.is_empty());
            prop_assert!((0..80).all(|at| one.contains(at) == a.contains(&at)));
            prop_assert!(one.iter().zip(one.iter().skip(1)).all(|(first, next)| first.end < next.start));
            let missing: BTreeSet<_> = (0..count).filter(|at| !a.contains(at)).collect();
            prop_assert_eq!(one.missing(count).into_positions().collect::<BTreeSet<_>>(), missing);
            let both: BTreeSet<_> = a.intersection(&b).copied().collect();
            prop_assert_eq!(one.intersection(&other).into_positions().collect::<BTreeSet<_>>(), both);
            prop_assert_eq!(one.intersection(&other), other.intersection(&one));
        }
    }
}
