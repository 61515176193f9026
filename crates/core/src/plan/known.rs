use super::{Basis, Candidate, PartLayout, uniform_candidates};
use crate::checksum::{Algorithm, ChecksumKind, Digest, StoredChecksum, composite};
use crate::facts::PartFacts;
use crate::units::{MIB, PartNumber};

/// Where the ends of parts are known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// Not stated: there are no parts, or they are assumed.
    None,
    /// One response that lists all parts (GetObjectAttributes).
    List,
    /// One response per part (HEAD with `partNumber`).
    Parts,
}

/// What is known about the parts of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLayout {
    /// The number of parts, if anything states it.
    pub parts_count: Option<u32>,
    /// Layouts to try, most likely first. A proved layout is the only candidate.
    pub candidates: Vec<Candidate>,
    /// Why there is no candidate, for the report.
    pub why_none: Option<String>,
    /// The parts as the server stated them, all of them and in order; empty if it did not.
    pub parts: Vec<PartFacts>,
    /// Where `parts` comes from.
    pub witness: Witness,
}

impl KnownLayout {
    /// The layout of an object that was not uploaded in parts.
    pub fn single(size: u64) -> Self {
        KnownLayout {
            parts_count: None,
            candidates: vec![Candidate {
                layout: PartLayout::whole(size),
                basis: Basis::Proved { by: "not multipart" },
            }],
            why_none: None,
            parts: Vec::new(),
            witness: Witness::None,
        }
    }

    /// No candidate layout, for the given reason.
    pub fn unknown(parts_count: Option<u32>, because: impl Into<String>) -> Self {
        KnownLayout {
            parts_count,
            candidates: Vec::new(),
            why_none: Some(because.into()),
            parts: Vec::new(),
            witness: Witness::None,
        }
    }

    /// Candidate layouts that fit size and number of parts. `from` names the source of the assumption in the
    /// report.
    pub fn assumed(parts_count: u32, layouts: impl IntoIterator<Item = PartLayout>, from: &'static str) -> Self {
        let candidates = layouts.into_iter().map(|layout| Candidate { layout, basis: Basis::Assumed { from } });
        KnownLayout {
            parts_count: Some(parts_count),
            candidates: candidates.collect(),
            why_none: None,
            parts: Vec::new(),
            witness: Witness::None,
        }
    }

    /// A layout from a complete set of parts. `by` names the source in the report.
    ///
    /// # Errors
    ///
    /// When a part number occurs twice or the sizes do not add up to `size`; the text is for the report.
    pub fn proved(size: u64, mut parts: Vec<PartFacts>, by: &'static str) -> Result<Self, String> {
        parts.sort_by_key(|part| part.number);
        if parts.iter().zip(parts.iter().skip(1)).any(|(one, next)| one.number == next.number) {
            return Err(format!("{by}: a part number comes twice"));
        }
        let layout =
            PartLayout::from_sizes(size, parts.iter().map(|part| part.size)).map_err(|e| format!("{by}: {e}"))?;
        Ok(KnownLayout {
            parts_count: u32::try_from(parts.len()).ok(),
            candidates: vec![Candidate { layout, basis: Basis::Proved { by } }],
            why_none: None,
            parts,
            witness: Witness::Parts,
        })
    }

    /// Checks that the values of the parts make up the stored composite checksums. If they do not, the parts
    /// differ from those of the object, are in another order, or one of the responses is wrong.
    ///
    /// # Errors
    ///
    /// When a stored composite differs from the one computed from the parts; the text is for the report.
    pub fn agreeing_with(self, stored: &[StoredChecksum]) -> Result<Self, String> {
        let differs = |stored: &&StoredChecksum| {
            let own = self.part_digests(stored.algorithm());
            matches!(stored.kind, ChecksumKind::Composite { .. })
                && own.is_some_and(|own| composite(stored.algorithm(), &own) != stored.digest)
        };
        match stored.iter().find(differs) {
            Some(stored) => Err(format!("the {} values of the parts do not make up {stored}", stored.algorithm())),
            None => Ok(self),
        }
    }

    /// Marks the parts as taken from one list.
    pub fn listed(self) -> Self {
        KnownLayout { witness: Witness::List, ..self }
    }

    /// The same parts without their own checksums.
    pub fn without_values(mut self) -> Self {
        self.parts.iter_mut().for_each(|part| part.checksums.clear());
        self
    }

    /// The layouts to assume for a value of unknown origin: the object's own parts, and parts of any uniform
    /// size that fits. Neither counts as proved.
    pub fn as_assumption(&self, size: u64, parts: u32) -> Self {
        let own = self.candidates.iter().map(|candidate| candidate.layout.clone());
        let uniform = uniform_candidates(size, parts).into_iter().map(|part| PartLayout::uniform(size, part));
        let mut layouts: Vec<PartLayout> = Vec::new();
        for layout in own.chain(uniform).filter(|layout| layout.count() == parts as usize) {
            if !layouts.contains(&layout) {
                layouts.push(layout);
            }
        }
        if layouts.is_empty() {
            return Self::unknown(Some(parts), format!("no uniform part size cuts {size} bytes into {parts} parts"));
        }
        Self::assumed(parts, layouts, "how the given value was made is not known")
    }

    /// The layout, if the size of every part is known from the server or there is one part.
    pub fn proved_layout(&self) -> Option<&PartLayout> {
        self.candidates.iter().find(|c| matches!(c.basis, Basis::Proved { .. })).map(|c| &c.layout)
    }

    /// The same after a read in which a digest over these parts matched, which proves the one of several candidates.
    #[must_use]
    pub fn matched(self, layout: &PartLayout) -> Self {
        let is_candidate = self.candidates.iter().any(|candidate| candidate.layout == *layout);
        if self.proved_layout().is_some() || !is_candidate {
            return self;
        }
        let basis = Basis::Proved { by: "the ETag, which matches over these parts" };
        KnownLayout { candidates: vec![Candidate { layout: layout.clone(), basis }], ..self }
    }

    /// The parts by which a manifest locates damage: those of the object, otherwise pieces of 8 MiB, or
    /// larger if there would be more than 10,000.
    pub fn for_manifest(&self, size: u64) -> PartLayout {
        match self.candidates.first() {
            Some(first) if first.layout.count() > 1 => first.layout.clone(),
            _ => {
                let least = size.div_ceil(u64::from(PartNumber::MAX)).next_multiple_of(MIB);
                PartLayout::uniform(size, least.max(8 * MIB))
            }
        }
    }

    /// The parts' own values of one algorithm; `None` unless every part has one.
    pub fn part_digests(&self, algorithm: Algorithm) -> Option<Vec<Digest>> {
        let of = |part: &PartFacts| part.checksums.iter().copied().find(|digest| digest.algorithm() == algorithm);
        let digests: Option<Vec<_>> = self.parts.iter().map(of).collect();
        digests.filter(|digests| !digests.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Hasher;

    #[test]
    fn parts_that_do_not_make_up_the_stored_value_prove_nothing() {
        let own = |text: &[u8]| Hasher::digest(Algorithm::Sha256, text);
        let part = |number, text: &[u8]| PartFacts {
            number: PartNumber::new(number).unwrap(),
            size: text.len() as u64,
            checksums: vec![own(text)],
            of: None,
        };
        let stored = StoredChecksum {
            digest: composite(Algorithm::Sha256, &[own(b"aaa"), own(b"bbb")]),
            kind: ChecksumKind::Composite { parts: Some(2) },
        };
        let of = |parts| KnownLayout::proved(6, parts, "test").unwrap().agreeing_with(&[stored]);
        assert!(of(vec![part(1, b"aaa"), part(2, b"bbb")]).is_ok());
        assert!(of(vec![part(3, b"aaa"), part(2, b"bbb")]).unwrap_err().contains("sha256"), "another order");
        assert!(of(vec![part(1, b"aaa"), part(2, b"bbc")]).is_err(), "another value");
        let silent = |number| PartFacts { checksums: Vec::new(), ..part(number, b"aaa") };
        assert!(of(vec![silent(1), silent(2)]).is_ok(), "nothing is said of them");
        let full = StoredChecksum { kind: ChecksumKind::FullObject, ..stored };
        let layout = KnownLayout::proved(6, vec![part(1, b"aaa"), part(2, b"bbb")], "test").unwrap();
        assert!(layout.agreeing_with(&[full]).is_ok(), "a value that does not go by part");
    }

    #[test]
    fn a_manifest_has_no_more_parts_than_an_upload() {
        for size in [0, 1, 8 * MIB, 8 * MIB + 1, 1 << 40, 1 << 50, (1 << 63) - 1, u64::MAX] {
            let layout = KnownLayout::single(size).for_manifest(size);
            assert!(layout.size() == size && layout.count() <= PartNumber::MAX as usize, "{size}");
        }
        let own = PartLayout::uniform(20, 8);
        assert_eq!(KnownLayout::assumed(3, [own.clone()], "test").for_manifest(20), own);
    }

    #[test]
    fn only_a_proved_layout_is_one() {
        let layout = PartLayout::uniform(20, 8);
        let part = |number, size| PartFacts {
            number: PartNumber::new(number).unwrap(),
            size,
            checksums: Vec::new(),
            of: None,
        };
        let proved = KnownLayout::proved(20, vec![part(1, 8), part(2, 8), part(3, 4)], "test").unwrap();
        assert_eq!(proved.proved_layout(), Some(&layout));
        assert_eq!(KnownLayout::assumed(3, [layout], "test").proved_layout(), None);
    }

    #[test]
    fn a_value_from_elsewhere_may_go_over_the_same_parts_or_uniform_ones() {
        let uneven = PartLayout::from_sizes(20, [5, 9, 6]).unwrap();
        let known = KnownLayout::assumed(3, [uneven.clone()], "test");
        let layouts = |size, parts| {
            let assumed = known.as_assumption(size, parts);
            assumed.candidates.into_iter().map(|candidate| candidate.layout).collect::<Vec<_>>()
        };
        let three = layouts(20, 3);
        assert_eq!(three.first(), Some(&uneven));
        assert!(three.iter().all(|layout| layout.count() == 3) && three.len() > 1);
        let distinct: std::collections::BTreeSet<_> =
            three.iter().map(|layout| layout.ends().collect::<Vec<_>>()).collect();
        assert_eq!(distinct.len(), three.len(), "each once");
        assert!(layouts(20, 2).iter().all(|layout| layout.count() == 2));
    }
}
