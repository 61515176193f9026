use crate::units::ByteRange;

/// How many bytes of an object a statement speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    pub bytes: u64,
    pub of: u64,
}

impl Coverage {
    pub fn complete(self) -> bool {
        self.bytes == self.of
    }
}

/// A reference, and what was found in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What the reference is and where it comes from.
    pub source: String,
    pub expected: String,
    pub observed: String,
    pub coverage: Coverage,
}

/// How often the bytes of a mismatch were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Once: the mismatch may have arisen on the way.
    One,
    /// Twice, the second time over a new connection, with the same wrong digest.
    Reproduced,
}

/// A part whose bytes are not those of its reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Counted from 1, as S3 counts parts.
    pub part: u64,
    pub range: ByteRange,
    pub expected: String,
    pub observed: String,
    /// The digest of the second read; absent when there was none.
    pub second_read: Option<String>,
}

/// A reference that the bytes contradict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub evidence: Evidence,
    pub reads: Reads,
    /// Empty when the reference cannot place the damage.
    pub damage: Vec<Damage>,
}
