use std::fmt;

use jiff::Timestamp;

use crate::facts::{LegalHold, LockEnd, LockFacts, LockMode};

/// Object Lock to apply to a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockRequest {
    /// Retention; `None` for the bucket's own.
    pub retention: Option<RetentionRequest>,
    /// Whether to place a legal hold.
    pub legal_hold: bool,
}

/// Retention to apply to a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRequest {
    /// Mode.
    pub mode: LockMode,
    /// End.
    pub until: Timestamp,
}

impl LockRequest {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.retention.is_none() && !self.legal_hold
    }

    /// Whether an object has this lock.
    pub fn is_met_by(&self, lock: &LockFacts) -> bool {
        let retained = self.retention.as_ref().is_none_or(|asked| {
            // S3 keeps whole milliseconds at the most.
            let is_until =
                matches!(&lock.retain_until, Some(LockEnd::At(end)) if end.as_second() == asked.until.as_second());
            lock.mode.as_ref() == Some(&asked.mode) && is_until
        });
        retained && (!self.legal_hold || lock.legal_hold == Some(LegalHold::On))
    }
}

impl fmt::Display for LockRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.retention, self.legal_hold) {
            (Some(retention), false) => retention.fmt(f),
            (Some(retention), true) => write!(f, "{retention} and a legal hold"),
            (None, true) => f.write_str("a legal hold"),
            (None, false) => f.write_str("no lock"),
        }
    }
}

impl fmt::Display for RetentionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} until {}", self.mode.as_str(), self.until)
    }
}
