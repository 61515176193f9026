use crate::checksum::{Algorithm, Digest};
use crate::plan::PartLayout;

/// The digests that a read computed: one list per algorithm and layout, with `None` for parts that were not
/// read completely.
#[derive(Debug, Clone, Default)]
pub struct Digests {
    lists: Vec<(Algorithm, PartLayout, Vec<Option<Digest>>)>,
}

impl Digests {
    /// Adds a list. If there is one for the same algorithm and layout, only its gaps are filled.
    pub fn insert(&mut self, algorithm: Algorithm, layout: PartLayout, digests: Vec<Option<Digest>>) {
        match self.lists.iter_mut().find(|(a, l, _)| *a == algorithm && *l == layout) {
            Some((_, _, held)) => {
                for (held, new) in held.iter_mut().zip(digests) {
                    *held = held.or(new);
                }
            }
            None => self.lists.push((algorithm, layout, digests)),
        }
    }

    /// The list for an algorithm and a layout.
    pub fn parts(&self, algorithm: Algorithm, layout: &PartLayout) -> Option<&[Option<Digest>]> {
        self.lists.iter().find(|(a, l, _)| *a == algorithm && l == layout).map(|(_, _, digests)| digests.as_slice())
    }

    /// The digests of all parts; `None` unless every part has one.
    pub fn all_parts(&self, algorithm: Algorithm, layout: &PartLayout) -> Option<Vec<Digest>> {
        self.parts(algorithm, layout)?.iter().copied().collect()
    }

    /// The digest of a whole object of `size` bytes.
    pub fn whole(&self, algorithm: Algorithm, size: u64) -> Option<Digest> {
        self.all_parts(algorithm, &PartLayout::whole(size))?.first().copied()
    }

    /// All lists.
    pub fn iter(&self) -> impl Iterator<Item = (Algorithm, &PartLayout, &[Option<Digest>])> {
        self.lists.iter().map(|(algorithm, layout, digests)| (*algorithm, layout, digests.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Hasher;

    #[test]
    fn lists_of_one_algorithm_and_layout_fill_each_other_and_no_others() {
        let digest = |algorithm, text: &[u8]| Some(Hasher::digest(algorithm, text));
        let (layout, other) = (PartLayout::uniform(20, 10), PartLayout::uniform(20, 15));
        let (sha1, sha256) = (Algorithm::Sha1, Algorithm::Sha256);
        let mut digests = Digests::default();
        digests.insert(sha1, layout.clone(), vec![digest(sha1, b"a"), None]);
        digests.insert(sha1, other.clone(), vec![None, digest(sha1, b"x")]);
        digests.insert(sha256, layout.clone(), vec![None, digest(sha256, b"y")]);
        digests.insert(sha1, layout.clone(), vec![digest(sha1, b"later"), digest(sha1, b"b")]);
        assert_eq!(digests.iter().count(), 3);
        let both: Vec<_> = [digest(sha1, b"a"), digest(sha1, b"b")].into_iter().flatten().collect();
        assert_eq!(digests.all_parts(sha1, &layout), Some(both), "what is known stays");
        assert_eq!(digests.all_parts(sha1, &other), None);
        assert_eq!(digests.all_parts(sha256, &layout), None);
    }
}
