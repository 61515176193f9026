//! Making a readable copy of an archived object (S3 API Reference, `RestoreObject`): its state, how long each tier takes,
//! and for how many days the copy must stay.

mod days;
mod state;

pub use days::{ReadingRate, ThawRequest, ThawTimes, judge_thaw};
pub use state::{ArchiveState, ArchiveTier, archive_state};

use crate::text::words;
use crate::verdict::Verdict;

words! {
    /// What is checked before a copy is asked for.
    pub enum ThawCheck {
        /// The object is archived, and no copy of it is made yet.
        State = "state",
        /// S3 has the tier for this object.
        Tier = "tier",
        /// The copy stays as long as it is needed.
        Days = "days",
        /// What it costs.
        Price = "price",
        /// S3 takes the request.
        Request = "request",
    }
}

/// The result of a check before a copy is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThawFinding {
    /// The check.
    pub check: ThawCheck,
    /// Whether nothing is asked for without it.
    pub required: bool,
    /// Pass, fail or unknown.
    pub verdict: Verdict,
    /// What was found, for the user.
    pub text: String,
}

impl ThawFinding {
    /// A check that passed.
    pub fn pass(check: ThawCheck, text: impl Into<String>) -> Self {
        ThawFinding { check, required: true, verdict: Verdict::Pass, text: text.into() }
    }

    /// A check that failed.
    pub fn fail(check: ThawCheck, text: impl Into<String>) -> Self {
        ThawFinding { check, required: true, verdict: Verdict::Fail, text: text.into() }
    }

    /// A required check that cannot be answered.
    pub fn open(check: ThawCheck, text: impl Into<String>) -> Self {
        ThawFinding { check, required: true, verdict: Verdict::Unknown, text: text.into() }
    }

    /// Something that is not known and prevents nothing.
    pub fn aside(check: ThawCheck, text: impl Into<String>) -> Self {
        ThawFinding { check, required: false, verdict: Verdict::Unknown, text: text.into() }
    }
}
