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
    /// Which bytes it speaks for; `None` where it is not about bytes.
    pub coverage: Option<Coverage>,
}

impl Evidence {
    /// A rule, and what was found where it applies.
    pub fn of_rule(source: impl Into<String>, expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Evidence { source: source.into(), expected: expected.into(), observed: observed.into(), coverage: None }
    }
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
    /// How often the bytes were read; `None` where it is not about bytes.
    pub reads: Option<Reads>,
    /// Empty when the reference cannot place the damage.
    pub damage: Vec<Damage>,
}

impl Failure {
    /// A rule that is broken; nothing was read for it.
    pub fn of_rule(evidence: Evidence) -> Self {
        Failure { evidence, reads: None, damage: Vec::new() }
    }
}
