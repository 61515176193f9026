use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuditNote, Exit, FindingReport, IdentityReport};
use crate::audit::{ChangeKind, ContentFingerprint, Entry, Level, Observation, ObservationKind, Proof, Word};
use crate::ident::ObjectUri;
use crate::text::words;
use crate::verdict::{CheckId, Verdict};

/// What an audit says of one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditedReport {
    pub target: ObjectUri,
    /// `pass` where every byte is proved, now or by a proof that still holds, and nothing else is wrong; `fail`;
    /// `unknown`. At the levels `facts` and `sample` an object that is in order is `unknown`, and `exit_code` is 0.
    pub verdict: Verdict,
    /// `facts`, `sample` or `bytes`: how hard it was looked at in this run; absent where a proof still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examined: Option<Level>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Since it was first seen, or accepted: `new`, `same`, `replaced_same_content`, `replaced`, `replaced_unclear`,
    /// `missing`; absent without a ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeKind>,
    /// The newest proof of every byte of this very state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProvedReport>,
    /// Values of its content: `algorithm:value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ContentFingerprint>,
    pub findings: Vec<FindingReport>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    pub requests: u64,
    pub received_bytes: u64,
    pub elapsed_seconds: f64,
    /// Whether anything that this level demands is wrong or open.
    pub exit_code: Exit,
}

/// A proof over every byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvedReport {
    /// RFC 3339.
    pub at: String,
    pub by: Vec<Word<CheckId>>,
    pub tool: String,
}

/// What a bucket's own settings are, where a policy asks for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditedBucketReport {
    pub bucket: String,
    pub verdict: Verdict,
    pub findings: Vec<FindingReport>,
    pub exit_code: Exit,
}

/// Something that shows when objects are seen together, or beside the account's AMIs; it has no verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ObservationReport {
    /// `duplicate`, `copy_without_image`, `image_without_copy`, `store_failed`, `store_in_progress` or `upload_left`.
    pub kind: Word<ObservationKind>,
    pub subject: String,
    pub detail: String,
}

/// What a whole audit came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditReport {
    /// What was listed.
    pub scope: Vec<String>,
    pub level: Level,
    /// RFC 3339.
    pub began: String,
    /// Stored AMI objects listed.
    pub listed: u64,
    pub listed_bytes: u64,
    /// Objects whose name is not that of a stored AMI: counted and left alone.
    pub other_objects: u64,
    /// Of those listed, objects of other slices.
    pub other_slices: u64,
    /// Looked at in this run.
    pub examined: u64,
    /// Not looked at, for an earlier proof still holds.
    pub still_good: u64,
    /// Objects of which every byte is proved as they are now, in this run or by a proof that still holds.
    pub proved: u64,
    /// Due, and not reached: the time, the bytes or the money had been spent.
    pub left: u64,
    /// Known from before, and not there any more.
    pub missing: u64,
    /// Which share this is; absent for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// SHA-256 over what was listed, by which shards of one audit know each other.
    pub listing_sha256: String,
    /// Lines of objects in this report.
    pub objects: u64,
    /// How old a proof may be that still holds, in seconds; absent for any age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<i64>,
    /// What was read of each object, at level `sample`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// SHA-256 over what the policy demands; absent where it demands nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_sha256: Option<String>,
    /// `ENTRIES:SHA256` of the ledger at the end. Keep it elsewhere, for `ledger verify --head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_head: Option<String>,
    /// Estimated by list prices of us-east-1, of the reads in this run, in US dollars; absent where not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_dollars: Option<f64>,
    pub requests: u64,
    /// Of these, those that list.
    pub listing_requests: u64,
    pub received_bytes: u64,
    pub elapsed_seconds: f64,
    /// What kept the whole from being done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub notes: Vec<AuditNote>,
    pub exit_code: Exit,
}

words! {
    /// Whether an AMI may be deleted.
    pub enum DeletionAnswer {
        MayGo = "may_go",
        MustStay = "must_stay",
        CannotTell = "cannot_tell",
    }
}

impl DeletionAnswer {
    /// As the verdict on the demand that the AMI may go.
    pub fn verdict(self) -> Verdict {
        match self {
            DeletionAnswer::MayGo => Verdict::Pass,
            DeletionAnswer::MustStay => Verdict::Fail,
            DeletionAnswer::CannotTell => Verdict::Unknown,
        }
    }
}

/// Whether an AMI and its snapshots may be deleted, for a stored copy stands in for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeletionSafetyReport {
    pub image: String,
    /// `may_go`, `must_stay` or `cannot_tell`.
    pub answer: DeletionAnswer,
    /// The copy that stands in for it; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    /// What each copy that was found lacks, and what else speaks against it.
    pub because: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    pub requests: u64,
    pub exit_code: Exit,
}

/// An entry of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerEntryReport {
    /// Counted from 1.
    pub number: u64,
    /// SHA-256 over the digest before it and the entry as it is kept.
    pub sha256: String,
    pub entry: Entry,
}

/// What was found or done about a ledger as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerReport {
    pub ledger: String,
    /// `pass` where every entry is as it was written, `fail` where one is not; absent where that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// `ENTRIES:SHA256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    pub exit_code: Exit,
}

impl From<&Proof> for ProvedReport {
    fn from(proof: &Proof) -> Self {
        ProvedReport { at: proof.at.clone(), by: proof.proved_by.clone(), tool: proof.tool.clone() }
    }
}

impl From<&Observation> for ObservationReport {
    fn from(observation: &Observation) -> Self {
        ObservationReport {
            kind: observation.kind.into(),
            subject: observation.subject.clone(),
            detail: observation.detail.clone(),
        }
    }
}
