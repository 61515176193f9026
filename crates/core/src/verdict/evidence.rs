use crate::units::ByteRange;

/// The number of bytes of an object that a statement covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Bytes covered.
    pub bytes: u64,
    /// Size of the object in bytes.
    pub of: u64,
}

impl Coverage {
    /// Whether every byte is covered.
    pub fn complete(self) -> bool {
        self.bytes == self.of
    }
}

/// An expected value and the one that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Kind and origin of the expected value, for the report.
    pub source: String,
    /// The expected value, for the report.
    pub expected: String,
    /// The value found, for the report.
    pub observed: String,
    /// The bytes that the evidence covers; `None` if it is not about bytes.
    pub coverage: Option<Coverage>,
}

impl Evidence {
    /// Evidence about a rule that does not concern bytes.
    pub fn of_rule(source: impl Into<String>, expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Evidence { source: source.into(), expected: expected.into(), observed: observed.into(), coverage: None }
    }
}

/// How often the bytes of a mismatch were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Once: the mismatch may be an error of the transfer.
    One,
    /// Twice, the second time over a new connection, with the same wrong digest.
    Reproduced,
}

/// A part whose digest differs from the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Number of the part, from 1.
    pub part: u64,
    /// Bytes of the object that the part covers.
    pub range: ByteRange,
    /// The expected digest.
    pub expected: String,
    /// The digest of the first read.
    pub observed: String,
    /// The digest of the second read; `None` if there was none.
    pub second_read: Option<String>,
}

/// A reference that the bytes contradict, or a rule that is violated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The comparison.
    pub evidence: Evidence,
    /// How often the bytes were read; `None` if it is not about bytes.
    pub reads: Option<Reads>,
    /// The damaged parts; empty if the reference cannot locate them.
    pub damage: Vec<Damage>,
}

impl Failure {
    /// The violation of a rule that does not concern bytes.
    pub fn of_rule(evidence: Evidence) -> Self {
        Failure { evidence, reads: None, damage: Vec::new() }
    }
}
