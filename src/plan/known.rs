use super::{Basis, Candidate, PartLayout, uniform_candidates};
use crate::checksum::{Algorithm, Digest};
use crate::facts::PartFacts;

/// What is known of where the parts of an object end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLayout {
    /// The number of parts, where anything states it.
    pub parts_count: Option<u32>,
    /// Layouts to try, most likely first; a proved one stands alone.
    pub candidates: Vec<Candidate>,
    /// Why there is no candidate.
    pub why_none: Option<String>,
    /// The parts as listed or asked, all of them in order.
    pub parts: Vec<PartFacts>,
}

impl KnownLayout {
    /// An object written in one piece.
    pub fn single(size: u64) -> Self {
        KnownLayout {
            parts_count: None,
            candidates: vec![Candidate {
                layout: PartLayout::whole(size),
                basis: Basis::Proved { by: "not multipart" },
            }],
            why_none: None,
            parts: Vec::new(),
        }
    }

    pub fn unknown(parts_count: Option<u32>, because: impl Into<String>) -> Self {
        KnownLayout { parts_count, candidates: Vec::new(), why_none: Some(because.into()), parts: Vec::new() }
    }

    pub fn assumed(parts_count: u32, layouts: impl IntoIterator<Item = PartLayout>, from: &'static str) -> Self {
        let candidates = layouts.into_iter().map(|layout| Candidate { layout, basis: Basis::Assumed { from } });
        KnownLayout {
            parts_count: Some(parts_count),
            candidates: candidates.collect(),
            why_none: None,
            parts: Vec::new(),
        }
    }

    /// From parts that were all listed or asked; in words why not, where they do not make up the object.
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
        })
    }

    /// What may be assumed of a value that was made elsewhere: that it goes over the same parts, or
    /// over parts of any uniform size that fits. How it was made is not known, so nothing is proved.
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

    /// The layout, if every part of it was listed or asked.
    pub fn proved_layout(&self) -> Option<&PartLayout> {
        self.candidates.iter().find(|c| matches!(c.basis, Basis::Proved { .. })).map(|c| &c.layout)
    }

    /// The parts' own values by one algorithm; `None` unless every part has one.
    pub fn part_digests(&self, algorithm: Algorithm) -> Option<Vec<Digest>> {
        let of = |part: &PartFacts| part.checksums.iter().copied().find(|digest| digest.algorithm() == algorithm);
        let digests: Option<Vec<_>> = self.parts.iter().map(of).collect();
        digests.filter(|digests| !digests.is_empty())
    }
}
