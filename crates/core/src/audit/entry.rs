use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ContentFingerprint, Level, LookResult, Word};
use crate::ident::ObjectIdentity;
use crate::manifest::PartRun;
use crate::verdict::{CheckId, Doubt, Verdict};

/// One entry of the history of an archive, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// The result of one examination.
    Proof(Box<Proof>),
    /// The object no longer existed.
    Gone(Gone),
    /// The user accepted a change.
    Acceptance(Acceptance),
}

/// The result of one examination of an object. [`Proof::standing`] decides whether it is a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Time of the examination, RFC 3339.
    pub at: String,
    /// Name and version of the program.
    pub tool: String,
    /// The object as `s3://bucket/key`.
    pub target: String,
    /// `facts`, `sample` or `bytes`.
    pub level: Word<Level>,
    /// `pass`, `fail` or `unknown` for the object itself, without regard to earlier states.
    pub verdict: Word<Verdict>,
    /// Whether nothing that the level requires was left unknown.
    pub settled: bool,
    /// The state of the object by HEAD.
    pub object: ObjectIdentity,
    /// The state by a listing, if the listing states another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<ObjectIdentity>,
    /// Version id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Storage class in S3's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Bytes that were read.
    pub covered_bytes: u64,
    /// The doubt that the read cast on the bytes without refuting them. Entries of format 1 lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Checks of the object itself that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Word<CheckId>>,
    /// References that matched over every byte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proved_by: Vec<Word<CheckId>>,
    /// The parts under which a multipart ETag matched, as runs of equal sizes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub etag_parts: Vec<PartRun>,
    /// Checksums of the content: those that were proved, or all that S3 states if none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ContentFingerprint>,
}

/// An object no longer existed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    /// Time of the listing, RFC 3339.
    pub at: String,
    /// Name and version of the program.
    pub tool: String,
    /// The object as `s3://bucket/key`.
    pub target: String,
}

/// The user states that the last state of an object, or its absence, is correct. Earlier states no longer
/// count as a reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acceptance {
    /// Time of the acceptance, RFC 3339.
    pub at: String,
    /// Name and version of the program.
    pub tool: String,
    /// The object as `s3://bucket/key`.
    pub target: String,
    /// The state that is correct; absent if the absence is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectIdentity>,
    /// The reason that the user gave.
    pub reason: String,
}

/// The time within which a proof must have been made to be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidityWindow {
    /// Proofs must be later than this. Times are kept in whole seconds, so a proof of this very second may be
    /// older.
    pub since: Option<Timestamp>,
    /// Proofs must not be later than this, so that a clock that was wrong once does not extend their
    /// validity.
    pub until: Timestamp,
}

/// Maximum clock skew.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(1);

impl ValidityWindow {
    /// The window that reaches back for `age`; `None` for any age.
    pub fn back_to(age: Option<SignedDuration>, now: Timestamp) -> Self {
        ValidityWindow {
            since: age.map(|age| now.checked_sub(age).unwrap_or(Timestamp::MIN)),
            until: now.checked_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX),
        }
    }
}

impl Entry {
    /// The object as `s3://bucket/key`.
    pub fn target(&self) -> &str {
        match self {
            Entry::Proof(proof) => &proof.target,
            Entry::Gone(gone) => &gone.target,
            Entry::Acceptance(acceptance) => &acceptance.target,
        }
    }

    /// Time of the entry, RFC 3339.
    pub fn at(&self) -> &str {
        match self {
            Entry::Proof(proof) => &proof.at,
            Entry::Gone(gone) => &gone.at,
            Entry::Acceptance(acceptance) => &acceptance.at,
        }
    }
}

impl Proof {
    /// Whether every byte was compared with a reference and matched.
    pub fn proves(&self) -> bool {
        self.standing() == LookResult::Proved
    }

    /// Whether it was made within a window.
    pub fn is_in(&self, term: ValidityWindow) -> bool {
        let since = term.since.unwrap_or(Timestamp::MIN);
        self.at.parse::<Timestamp>().is_ok_and(|at| at > since && at <= term.until)
    }

    /// Whether the object needs no further examination at `level`. A sample never satisfies a later one,
    /// because each sample reads other bytes.
    pub fn satisfies(&self, level: Level) -> bool {
        match self.standing() {
            LookResult::Proved => true,
            LookResult::InOrder => level == Level::Facts,
            LookResult::Damaged | LookResult::Doubted(_) | LookResult::Open => false,
        }
    }
}
