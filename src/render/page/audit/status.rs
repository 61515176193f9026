use jiff::Timestamp;

use crate::render::page::tone::Tone;
use crate::report::{AuditedReport, Exit};
use crate::verdict::Verdict;

/// What an object came to, the worst first. An object in order is told apart by whether every byte of it was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowStatus {
    Fail,
    Unknown,
    Seen,
    Pass,
}

impl RowStatus {
    pub const ALL: [RowStatus; 4] = [RowStatus::Fail, RowStatus::Unknown, RowStatus::Seen, RowStatus::Pass];

    pub fn of(report: &AuditedReport) -> Self {
        match (report.exit_code, report.verdict) {
            (Exit::Failed, _) | (_, Verdict::Fail) => RowStatus::Fail,
            (Exit::Passed, Verdict::Pass) => RowStatus::Pass,
            (Exit::Passed, _) => RowStatus::Seen,
            _ => RowStatus::Unknown,
        }
    }

    pub fn tone(self) -> Tone {
        match self {
            RowStatus::Fail => Tone::Fail,
            RowStatus::Unknown => Tone::Unknown,
            RowStatus::Seen => Tone::Plain,
            RowStatus::Pass => Tone::Pass,
        }
    }

    /// Names it in links to a choice of the table, and as the class of a row.
    pub fn name(self) -> &'static str {
        match self {
            RowStatus::Fail => Verdict::Fail.name(),
            RowStatus::Unknown => Verdict::Unknown.name(),
            RowStatus::Seen => "seen",
            RowStatus::Pass => Verdict::Pass.name(),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            RowStatus::Seen => "Seen",
            other => other.tone().word(),
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            RowStatus::Fail => "something is wrong",
            RowStatus::Unknown => "something demanded is open",
            RowStatus::Seen => "in order as far as was asked, not proved",
            RowStatus::Pass => "in order, and every byte proved",
        }
    }
}

/// How long ago every byte of an object, as it is now, was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    Days(i64),
    /// No proof of its present state is known.
    Never,
    /// It is gone, or was not looked at.
    NotKnown,
}

impl Age {
    /// At `now`; without a time, or with a proof of no time, it is not known.
    pub fn of(report: &AuditedReport, now: Option<Timestamp>) -> Self {
        match &report.proof {
            None if report.identity.is_none() => Age::NotKnown,
            None => Age::Never,
            Some(proof) => match (proof.at.parse::<Timestamp>(), now) {
                // A clock that is behind makes no proof of tomorrow.
                (Ok(at), Some(now)) => Age::Days(now.duration_since(at).as_hours().div_euclid(24).max(0)),
                _ => Age::NotKnown,
            },
        }
    }
}
