use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ContentFingerprint, Level, LookResult, Word};
use crate::ident::ObjectIdentity;
use crate::manifest::PartRun;
use crate::verdict::{CheckId, Doubt, Verdict};

/// One line of the history of an archive, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    Proof(Box<Proof>),
    Gone(Gone),
    Acceptance(Acceptance),
}

/// What looking at one object once came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// RFC 3339.
    pub at: String,
    /// Name and version of the program.
    pub tool: String,
    pub target: String,
    /// `facts`, `sample` or `bytes`.
    pub level: Word<Level>,
    /// `pass`, `fail` or `unknown`: what the object itself came to, whatever it was before.
    pub verdict: Word<Verdict>,
    /// Nothing that this level demands of it was left open.
    pub settled: bool,
    pub object: ObjectIdentity,
    /// How a listing shows the same object, where it tells another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<ObjectIdentity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Bytes that were read.
    pub covered_bytes: u64,
    /// What the reading saw that speaks against the bytes without refuting them. Entries of format 1 lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Checks of the object itself that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Word<CheckId>>,
    /// References that matched over every byte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proved_by: Vec<Word<CheckId>>,
    /// The parts under which the ETag matched, run by run, where it goes by part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub etag_parts: Vec<PartRun>,
    /// Values of its content: those that were proved, or all that S3 states where none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ContentFingerprint>,
}

/// An object was not there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    pub at: String,
    pub tool: String,
    pub target: String,
}

/// A person says that the object is right as it was seen last, or rightly gone: what was known of it before no longer
/// counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acceptance {
    pub at: String,
    pub tool: String,
    pub target: String,
    /// The state that is right; absent where it is right that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectIdentity>,
    pub reason: String,
}

/// When a proof must have been made to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidityWindow {
    /// Times are kept in whole seconds, so one that is this very second may be older.
    pub since: Option<Timestamp>,
    /// A clock that was ahead once must not keep a proof young for years.
    pub until: Timestamp,
}

/// Maximum clock skew.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(1);

impl ValidityWindow {
    /// No longer ago than so much; any time ago for `None`.
    pub fn back_to(age: Option<SignedDuration>, now: Timestamp) -> Self {
        ValidityWindow {
            since: age.map(|age| now.checked_sub(age).unwrap_or(Timestamp::MIN)),
            until: now.checked_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX),
        }
    }
}

impl Entry {
    pub fn target(&self) -> &str {
        match self {
            Entry::Proof(proof) => &proof.target,
            Entry::Gone(gone) => &gone.target,
            Entry::Acceptance(acceptance) => &acceptance.target,
        }
    }

    pub fn at(&self) -> &str {
        match self {
            Entry::Proof(proof) => &proof.at,
            Entry::Gone(gone) => &gone.at,
            Entry::Acceptance(acceptance) => &acceptance.at,
        }
    }
}

impl Proof {
    /// Whether every byte was held against a reference, and matched.
    pub fn proves(&self) -> bool {
        self.standing() == LookResult::Proved
    }

    /// Whether it was made in a term.
    pub fn is_in(&self, term: ValidityWindow) -> bool {
        let since = term.since.unwrap_or(Timestamp::MIN);
        self.at.parse::<Timestamp>().is_ok_and(|at| at > since && at <= term.until)
    }

    /// Whether nothing is left to do for an object that must be looked at so hard. A sample says nothing of the bytes of
    /// the next one.
    pub fn satisfies(&self, level: Level) -> bool {
        match self.standing() {
            LookResult::Proved => true,
            LookResult::InOrder => level == Level::Facts,
            LookResult::Damaged | LookResult::Doubted(_) | LookResult::Open => false,
        }
    }
}
