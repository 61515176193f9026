//! Checks the conditions that AWS sets for a store or a restore, before it is started.
//!
//! The functions take facts that were collected elsewhere and make no requests. [`judge_store`],
//! [`judge_restore`], [`judge_restored`] and [`judge_stored`] are the entry points; [`OwnershipClaim`]
//! decides which restore made an AMI.

mod bucket;
mod image;
mod in_progress;
mod limits;
mod name_source;
mod next_steps;
mod note;
mod ownership;
mod pace;
mod permission;
mod presence;
mod price;
mod restore;
mod restored;
mod size;
mod store;
mod stored;
mod stored_survey;

pub use bucket::BucketSurvey;
pub use in_progress::{DRILL_TAG, RESTORE_TAG, Work, cautious, restore_work, store_work};
pub use limits::{GbLimit, ServiceLimits, both_units};
pub use name_source::NameSource;
pub use note::{BucketNote, PreflightNote};
pub use ownership::{Claimed, Ownership, OwnershipClaim, Shown, is_token, restored_by, restored_by_some, unmarked};
pub use pace::RestorePace;
pub use permission::DryRun;
pub use presence::Presence;
pub use restore::{LastVerified, RestoreSurvey, SnapshotCount, judge_restore, verified};
pub use restored::{HeldAgainst, SourceFacts, any_encrypted, judge_restored};
pub use size::LogicalSize;
pub use store::{StoreSurvey, judge_store};
pub use stored::{Stored, StoredAnswer, judge_stored};
pub use stored_survey::{FoundCopy, StoredSurvey};

use crate::facts::Fact;
use crate::verdict::{CheckId, Condition, Evidence, Failure, Finding, Outcome, Reason};

/// Result of a preflight.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preflight {
    /// One finding per condition.
    pub findings: Vec<Finding>,
    /// Information without a verdict.
    pub notes: Vec<PreflightNote>,
    /// Further requirements of AWS that cannot be tested before the call.
    pub untested: Vec<String>,
    /// What the user can do about the findings that stop the task.
    pub next_steps: Vec<String>,
}

fn finding(condition: Condition, outcome: Outcome) -> Finding {
    Finding { check: CheckId::Condition(condition), required: true, outcome }
}

fn pass(condition: Condition, source: &str, expected: impl Into<String>, observed: impl Into<String>) -> Finding {
    finding(condition, Outcome::Pass(Evidence::of_rule(source, expected, observed)))
}

fn fail(condition: Condition, source: &str, expected: impl Into<String>, observed: impl Into<String>) -> Finding {
    finding(condition, Outcome::Fail(Failure::of_rule(Evidence::of_rule(source, expected, observed))))
}

fn unknown(condition: Condition, reason: Reason) -> Finding {
    finding(condition, Outcome::Unknown(reason))
}

/// A finding that does not block the task if it is unknown.
fn optional(finding: Finding) -> Finding {
    Finding { required: false, ..finding }
}

/// Why a fact is not known, with its subject.
fn reason<T>(fact: &Fact<T>, subject: &str) -> Reason {
    match fact {
        Fact::NotPermitted { needs } => Reason::NotPermitted { needs: (*needs).to_owned() },
        Fact::Absent { source } => Reason::Unanswered { detail: format!("{subject}: not found ({source})") },
        other => Reason::Unanswered { detail: format!("{subject}: {}", other.why_not().unwrap_or_default()) },
    }
}
