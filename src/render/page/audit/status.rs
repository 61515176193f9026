use jiff::Timestamp;

use crate::render::page::tone::Tone;
use crate::report::{AuditedReport, Exit, Severity};
use crate::verdict::Verdict;

/// Status of an object, the worst first. Objects without problems are divided by whether every byte was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowStatus {
    Damaged,
    Missing,
    Replaced,
    Policy,
    Unknown,
    Seen,
    Pass,
}

impl RowStatus {
    /// All statuses, the worst first.
    pub(super) const ALL: [RowStatus; 7] = [
        RowStatus::Damaged,
        RowStatus::Missing,
        RowStatus::Replaced,
        RowStatus::Policy,
        RowStatus::Unknown,
        RowStatus::Seen,
        RowStatus::Pass,
    ];

    /// The status of an object, from its exit code, its verdict and its findings.
    pub(super) fn of(report: &AuditedReport) -> Self {
        match (report.exit_code, report.verdict) {
            (Exit::Failed, _) | (_, Verdict::Fail) => match report.severity() {
                Severity::Missing => RowStatus::Missing,
                Severity::Replaced => RowStatus::Replaced,
                Severity::Policy => RowStatus::Policy,
                // A failure that no finding explains is presented as the worst.
                Severity::Damaged | Severity::Unknown | Severity::Good => RowStatus::Damaged,
            },
            (Exit::Passed, Verdict::Pass) => RowStatus::Pass,
            (Exit::Passed, _) => RowStatus::Seen,
            _ => RowStatus::Unknown,
        }
    }

    /// The tone that presents the status.
    pub(super) fn tone(self) -> Tone {
        match self {
            RowStatus::Damaged | RowStatus::Missing | RowStatus::Replaced | RowStatus::Policy => Tone::Fail,
            RowStatus::Unknown => Tone::Unknown,
            RowStatus::Seen => Tone::Plain,
            RowStatus::Pass => Tone::Pass,
        }
    }

    /// Name in links that filter the table, and CSS class of a row.
    pub(super) fn name(self) -> &'static str {
        match self {
            RowStatus::Damaged => "damaged",
            RowStatus::Missing => "missing",
            RowStatus::Replaced => "replaced",
            RowStatus::Policy => "policy",
            RowStatus::Unknown => "unknown",
            RowStatus::Seen => "seen",
            RowStatus::Pass => "pass",
        }
    }

    /// The word shown for the status.
    pub(super) fn word(self) -> &'static str {
        match self {
            RowStatus::Damaged => "Damaged",
            RowStatus::Missing => "Missing",
            RowStatus::Replaced => "Replaced",
            RowStatus::Policy => "Policy",
            RowStatus::Unknown => "Unknown",
            RowStatus::Seen => "Not proved",
            RowStatus::Pass => "Good",
        }
    }

    /// The status in a sentence, after a number of objects.
    pub(super) fn counted(self) -> &'static str {
        match self {
            RowStatus::Damaged => "damaged",
            RowStatus::Missing => "missing",
            RowStatus::Replaced => "replaced",
            RowStatus::Policy => "against the policy",
            RowStatus::Unknown => "unknown",
            RowStatus::Seen => "good (not proved)",
            RowStatus::Pass => "good (proved)",
        }
    }

    /// Explanation of the status.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            RowStatus::Damaged => "the bytes differ from a reference",
            RowStatus::Missing => "known before, and gone",
            RowStatus::Replaced => "other content than before",
            RowStatus::Policy => "the policy is not met",
            RowStatus::Unknown => "a required check was not answered",
            RowStatus::Seen => "no problem found; not every byte proved",
            RowStatus::Pass => "no problem found, every byte proved",
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
    pub(super) fn of(report: &AuditedReport, now: Option<Timestamp>) -> Self {
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
