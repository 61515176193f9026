use jiff::Timestamp;

use crate::render::page::tone::Tone;
use crate::report::{AuditedReport, Exit};
use crate::verdict::Verdict;

/// Status of an object, the worst first. Objects without problems are divided by whether every byte was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowStatus {
    Fail,
    Unknown,
    Seen,
    Pass,
}

impl RowStatus {
    /// All statuses, the worst first.
    pub const ALL: [RowStatus; 4] = [RowStatus::Fail, RowStatus::Unknown, RowStatus::Seen, RowStatus::Pass];

    /// The status of an object, from its exit code and verdict.
    pub fn of(report: &AuditedReport) -> Self {
        match (report.exit_code, report.verdict) {
            (Exit::Failed, _) | (_, Verdict::Fail) => RowStatus::Fail,
            (Exit::Passed, Verdict::Pass) => RowStatus::Pass,
            (Exit::Passed, _) => RowStatus::Seen,
            _ => RowStatus::Unknown,
        }
    }

    /// The tone that presents the status.
    pub fn tone(self) -> Tone {
        match self {
            RowStatus::Fail => Tone::Fail,
            RowStatus::Unknown => Tone::Unknown,
            RowStatus::Seen => Tone::Plain,
            RowStatus::Pass => Tone::Pass,
        }
    }

    /// Name in links that filter the table, and CSS class of a row.
    pub fn name(self) -> &'static str {
        match self {
            RowStatus::Fail => Verdict::Fail.name(),
            RowStatus::Unknown => Verdict::Unknown.name(),
            RowStatus::Seen => "seen",
            RowStatus::Pass => Verdict::Pass.name(),
        }
    }

    /// The word shown for the status.
    pub fn word(self) -> &'static str {
        match self {
            RowStatus::Seen => "Seen",
            other => other.tone().word(),
        }
    }

    /// Explanation of the status.
    pub fn meaning(self) -> &'static str {
        match self {
            RowStatus::Fail => "something is wrong",
            RowStatus::Unknown => "something demanded is open",
            RowStatus::Seen => "in order as far as was asked, not proved",
            RowStatus::Pass => "in order, and every byte proved",
        }
    }
}

/// Time since every byte of the present state of an object was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    Days(i64),
    /// The present state has no known proof.
    Never,
    /// The object no longer exists or was not examined.
    NotKnown,
}

impl Age {
    /// The age at `now`; `NotKnown` if `now` or the time of the proof is missing.
    pub fn of(report: &AuditedReport, now: Option<Timestamp>) -> Self {
        match &report.proof {
            None if report.identity.is_none() => Age::NotKnown,
            None => Age::Never,
            Some(proof) => match (proof.at.parse::<Timestamp>(), now) {
                // A clock that is behind must not produce a negative age.
                (Ok(at), Some(now)) => Age::Days(now.duration_since(at).as_hours().div_euclid(24).max(0)),
                _ => Age::NotKnown,
            },
        }
    }
}
