use super::{Basis, PartLayout};
use crate::checksum::{Algorithm, ChecksumKind, Digest};
use crate::verdict::CheckId;

/// A value that an object can be compared with, and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The check that this reference answers.
    pub check: CheckId,
    /// Kind and source of the value, for the report.
    pub source: String,
    /// How certain the algorithm of the value is.
    pub standing: AlgorithmCertainty,
    /// What the value says about the bytes.
    pub claim: Claim,
}

/// How certain it is which algorithm made a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlgorithmCertainty {
    /// Stated or documented: if the bytes do not give the value, they are not the bytes it was made from.
    Stated,
    /// An ETag from a server that does not document its ETags as MD5s.
    UndocumentedETag,
    /// Guessed from the length of the value.
    Guessed {
        /// Other algorithms of that length, for the report.
        may_be: &'static str,
    },
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
    /// The parts.
    pub layout: PartLayout,
    /// How the layout is known.
    pub basis: Basis,
}

/// What a reference says about the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The digest of all bytes.
    Whole(Digest),
    /// A digest over the digests of the parts, under one of the candidate layouts.
    Composite {
        /// The value.
        digest: Digest,
        /// The value as printed, with the part count, as an ETag or a composite checksum.
        shown: String,
        /// The layouts to try.
        candidates: Vec<Candidate>,
        /// The parts' own values, if the server returned them.
        parts: Option<Vec<Digest>>,
    },
    /// Either of the two above: the server states no type, or calls the value a composite without a number of
    /// parts, which some servers also do for values over the whole object.
    WholeOrComposite {
        /// The value.
        digest: Digest,
        /// The layouts to try besides the whole object.
        candidates: Vec<Candidate>,
        /// The type that the server states.
        stated: ChecksumKind,
    },
    /// The digest of each part.
    Parts {
        /// The parts.
        layout: PartLayout,
        /// One digest per part, in order.
        digests: Vec<Digest>,
    },
}

impl Claim {
    /// The algorithm of the value; `None` for [`Claim::Parts`] without digests.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Claim::Whole(digest) | Claim::Composite { digest, .. } | Claim::WholeOrComposite { digest, .. } => {
                Some(digest.algorithm())
            }
            Claim::Parts { digests, .. } => digests.first().map(Digest::algorithm),
        }
    }

    /// The layouts whose parts must be hashed to judge the claim, for an object of `size` bytes.
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

    /// Whether a mismatch can be located in individual parts.
    pub fn places_damage(&self) -> bool {
        matches!(self, Claim::Parts { .. } | Claim::Composite { parts: Some(_), .. })
    }
}
