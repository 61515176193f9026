use super::{Basis, PartLayout};
use crate::checksum::{Algorithm, ChecksumKind, Digest};
use crate::verdict::CheckId;

/// A value an object can be held against, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub check: CheckId,
    /// In words, for the report: what it is and who said so.
    pub source: String,
    pub standing: AlgorithmCertainty,
    pub claim: Claim,
}

/// How firmly it is known by what algorithm a value was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlgorithmCertainty {
    /// Stated or documented: bytes that do not give the value are not those it was made of.
    Stated,
    /// An ETag of a server of which nothing documents that its ETags are MD5s.
    UndocumentedETag,
    /// Guessed from the length of the value; `may_be` names other algorithms of that length.
    Guessed { may_be: &'static str },
}

impl Reference {
    /// A reference whose algorithm is stated or documented.
    pub fn new(check: CheckId, source: impl Into<String>, claim: Claim) -> Self {
        Reference { check, source: source.into(), standing: AlgorithmCertainty::Stated, claim }
    }
}

/// A layout under which a claim may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub layout: PartLayout,
    pub basis: Basis,
}

/// What a reference says about the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The digest of all bytes.
    Whole(Digest),
    /// The digest over the parts' digests, under one of the candidate layouts.
    Composite {
        digest: Digest,
        /// Printed with the part count, as an ETag or as a composite checksum.
        shown: String,
        candidates: Vec<Candidate>,
        /// The parts' own values, where the server gave them.
        parts: Option<Vec<Digest>>,
    },
    /// One of the two above. `stated` is what the server calls it: nothing, or a composite without a number of parts,
    /// which some servers call values over the whole object too.
    WholeOrComposite { digest: Digest, candidates: Vec<Candidate>, stated: ChecksumKind },
    /// The digest of each part.
    Parts { layout: PartLayout, digests: Vec<Digest> },
}

impl Claim {
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Claim::Whole(digest) | Claim::Composite { digest, .. } | Claim::WholeOrComposite { digest, .. } => {
                Some(digest.algorithm())
            }
            Claim::Parts { digests, .. } => digests.first().map(Digest::algorithm),
        }
    }

    /// The layouts whose parts must be hashed to judge the claim, on an object of `size` bytes.
    pub fn layouts(&self, size: u64) -> Vec<PartLayout> {
        match self {
            Claim::Whole(_) => vec![PartLayout::whole(size)],
            Claim::Composite { candidates, .. } => candidates.iter().map(|c| c.layout.clone()).collect(),
            Claim::WholeOrComposite { candidates, .. } => {
                std::iter::once(PartLayout::whole(size)).chain(candidates.iter().map(|c| c.layout.clone())).collect()
            }
            Claim::Parts { layout, .. } => vec![layout.clone()],
        }
    }

    /// Whether a mismatch can be narrowed down to parts.
    pub fn places_damage(&self) -> bool {
        matches!(self, Claim::Parts { .. } | Claim::Composite { parts: Some(_), .. })
    }
}
