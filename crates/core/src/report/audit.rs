use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuditNote, AuditScope, ChangedReport, Exit, FindingReport, IdentityReport, Note, TroubleReport};
use crate::audit::{
    BatchEngine, ChangeKind, ContentFingerprint, Entry, Level, Observation, ObservationKind, Partition, Proof, Word,
};
use crate::ident::ObjectUri;
use crate::text::words;
use crate::verdict::{CheckId, ProofKind, Verdict};

/// Result of an audit for one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditedReport {
    /// The object as `s3://bucket/key`.
    pub target: ObjectUri,
    /// `pass` if every byte is proved, in this run or by a proof that is still valid, and nothing else is
    /// wrong; otherwise `fail` or `unknown`. At the levels `facts` and `sample` an object without problems is
    /// `unknown`, and `exit_code` is 0.
    pub verdict: Verdict,
    /// Level of the examination in this run: `facts`, `sample` or `bytes`. Absent if an earlier proof made it
    /// unnecessary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examined: Option<Level>,
    /// The state of the object that was examined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityReport>,
    /// Storage class in S3's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Number of its parts, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
    /// Change since the object was first seen or accepted: `new`, `same`, `replaced_same_content`,
    /// `replaced`, `replaced_unclear` or `missing`. Absent without a ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeKind>,
    /// The newest proof of every byte of this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProvedReport>,
    /// The newest proof of this state that did not read it: the object was written from proved bytes, or S3 states its
    /// checksum. It never makes `verdict` a `pass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_proof: Option<ProvedReport>,
    /// Checksums of the content, as `algorithm:value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ContentFingerprint>,
    /// One finding per check.
    pub findings: Vec<FindingReport>,
    /// Remarks that do not affect the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Requests made for this object.
    pub requests: u64,
    /// Object bytes received for this object.
    pub received_bytes: u64,
    /// Duration of the examination.
    pub elapsed_seconds: f64,
    /// Exit code for this object alone: whether anything that the level requires is wrong or unknown.
    pub exit_code: Exit,
}

/// A proof of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvedReport {
    /// Time of the proof, RFC 3339.
    pub at: String,
    /// Names of the references that matched.
    pub by: Vec<Word<CheckId>>,
    /// Name and version of the program.
    pub tool: String,
    /// `read`, `written` or `stated-by-s3`. Reports of earlier versions lack it: every byte was read.
    #[serde(default = "read")]
    pub kind: Word<ProofKind>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn read() -> Word<ProofKind> {
    ProofKind::Read.into()
}

/// Settings of a bucket that a policy checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditedBucketReport {
    /// Name of the bucket.
    pub bucket: String,
    /// `pass`, `fail` or `unknown`, over all findings.
    pub verdict: Verdict,
    /// One finding per setting.
    pub findings: Vec<FindingReport>,
    /// Exit code for this bucket alone.
    pub exit_code: Exit,
}

/// An observation across objects, or between objects and the account's AMIs. It has no verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ObservationReport {
    /// `duplicate`, `copy_without_image`, `image_without_copy`, `store_failed`, `store_in_progress` or
    /// `upload_left`.
    pub kind: Word<ObservationKind>,
    /// The object, AMI or upload it is about.
    pub subject: String,
    /// The observation, for the user.
    pub detail: String,
}

/// Result of an audit as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditReport {
    /// The prefixes or lists that were audited.
    pub scope: Vec<AuditScope>,
    /// `facts`, `sample` or `bytes`.
    pub level: Level,
    /// Start of the audit, RFC 3339.
    pub began: String,
    /// Number of stored AMI objects listed.
    pub listed: u64,
    /// Sum of their sizes in bytes.
    pub listed_bytes: u64,
    /// Number of objects without the name of a stored AMI, which are not examined.
    pub other_objects: u64,
    /// Number of the listed objects that belong to other slices.
    pub other_slices: u64,
    /// Number of objects examined in this run.
    pub examined: u64,
    /// Number of objects not examined because an earlier proof is still valid.
    pub still_good: u64,
    /// Number of objects of which every byte is proved in their current state, in this run or by a proof that
    /// is still valid.
    pub proved: u64,
    /// Number of objects that were due but not examined because a limit on time, bytes or cost was reached.
    pub left: u64,
    /// Number of objects without a line of their own, because a signal ended the run before them, or a result that could
    /// not be recorded did.
    #[serde(default)]
    pub cut_off: u64,
    /// Number of objects that are known from earlier runs and no longer exist.
    pub missing: u64,
    /// The shard that was audited; absent for all objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Partition>,
    /// The batch engine that numbered this shard, with `--shard auto/N`: `aws-batch`, `slurm`, `kubernetes` or
    /// `gnu-parallel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_from: Option<BatchEngine>,
    /// SHA-256 of what all shards of the run have in common, with `--results`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_sha256: Option<String>,
    /// The Regions of the buckets, by which `audit merge` judges `other-region`; absent if no policy needs them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub regions: BTreeMap<String, String>,
    /// The slice that was audited; absent for all objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<Partition>,
    /// SHA-256 of the listing, by which the shards of one audit are recognised.
    pub listing_sha256: String,
    /// Number of objects in this report.
    pub objects: u64,
    /// Objects with more bytes than this are read in runs of parts by all shards; absent without `--split`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_bytes: Option<u64>,
    /// Number of lines of type `audited_run`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub runs: u64,
    /// Maximum age of a valid proof in seconds; absent for any age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<i64>,
    /// The age in seconds that the policy allows for a proof, by which `audit merge` judges `proof-age`; absent if it
    /// demands none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_age_seconds: Option<i64>,
    /// The part that was read of each object, at level `sample`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// Origins of further references, as `--using` names them; absent if only the values that S3 stores are used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub using: Vec<String>,
    /// SHA-256 of the policy's requirements; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_sha256: Option<String>,
    /// `ENTRIES:SHA256` of the ledger at the end. Keep it elsewhere, for `ledger verify --head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_head: Option<String>,
    /// Estimated cost of the reads in this run in US dollars, by list prices of us-east-1; absent if not
    /// requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_dollars: Option<f64>,
    /// Requests of all kinds.
    pub requests: u64,
    /// Number of these that list.
    pub listing_requests: u64,
    /// Object bytes received.
    pub received_bytes: u64,
    /// Duration of the audit.
    pub elapsed_seconds: f64,
    /// Why the audit is incomplete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Remarks that do not affect the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub notes: Vec<AuditNote>,
    /// Exit code of the audit.
    pub exit_code: Exit,
    /// What can be done about the problems. Not in JSON.
    #[serde(skip)]
    pub steps: Vec<AuditStep>,
    /// Path of the ledger, for the commands that are proposed. Not in JSON.
    #[serde(skip)]
    pub ledger: Option<String>,
}

/// What can be done about a problem of an audit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditStep {
    /// Ask for a permission on a bucket.
    Allow {
        /// The bucket.
        bucket: String,
    },
    /// Advice as text.
    Advice(String),
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

/// Whether an AMI and its snapshots may be deleted because a stored copy can replace them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeletionSafetyReport {
    /// Id of the AMI.
    pub image: String,
    /// `may_go`, `must_stay` or `cannot_tell`.
    pub answer: DeletionAnswer,
    /// The copy that can replace it; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    /// The proof of that copy, on which the answer rests: nothing of the copy is read for the answer but one byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<CopyProofReport>,
    /// What each copy lacks, and other objections.
    pub because: Vec<String>,
    /// Remarks that do not affect the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Requests of all kinds.
    pub requests: u64,
    /// Exit code of the command.
    pub exit_code: Exit,
    /// What can be done so that a copy replaces the AMI. Not in JSON.
    #[serde(skip)]
    pub steps: Vec<DeletionStep>,
}

/// The proof of a copy, and how old it is when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopyProofReport {
    /// The proof.
    #[serde(flatten)]
    pub proved: ProvedReport,
    /// Its age in seconds. Damage since then is not known.
    pub age_seconds: i64,
    /// The age in seconds up to which it counts.
    pub max_age_seconds: i64,
}

/// What can be done so that a copy replaces an AMI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletionStep {
    /// Store the AMI: there is no copy.
    Store {
        /// The bucket.
        bucket: String,
    },
    /// Read every byte of the copies that are not proved.
    Prove {
        /// Prefixes of the copies.
        prefixes: Vec<String>,
        /// The ledger that gets the proofs.
        ledger: String,
    },
    /// Wait until the store that is in progress has ended.
    Wait,
    /// Check the id and the Region: there is no such AMI.
    CheckImage,
    /// What can be done about a prefix that could not be listed.
    Listing(AuditStep),
}

/// An entry of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerEntryReport {
    /// Number of the entry, from 1.
    pub number: u64,
    /// SHA-256 of the previous digest and the entry as stored.
    pub sha256: String,
    /// `read`, `written` or `stated-by-s3`; absent if the entry proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_kind: Option<ProofKind>,
    /// What is known to be wrong with the bytes of the object, in `ledger list` and `ledger accept`: the newest entry need
    /// not be the one that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<TroubleReport>,
    /// What an audit has against the change of the object since it was first seen or accepted: in `ledger show` up to
    /// this entry, in `ledger list` and `ledger accept` up to the newest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<ChangedReport>,
    /// The entry.
    pub entry: Entry,
}

/// Result of an operation on a ledger as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerReport {
    /// Path of the ledger.
    pub ledger: String,
    /// `pass` if every entry is unchanged, `fail` if one is not; absent if this was not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// `ENTRIES:SHA256` of the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Number of entries that prove an object, by the kind of proof.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proofs: BTreeMap<ProofKind, u64>,
    /// The first entry that is not unchanged, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Exit code of the command.
    pub exit_code: Exit,
}

impl From<&Proof> for ProvedReport {
    fn from(proof: &Proof) -> Self {
        let kind = proof.kind().map(Word::from).or(proof.proof_kind.clone()).unwrap_or_else(read);
        ProvedReport { at: proof.at.clone(), by: proof.proved_by.clone(), tool: proof.tool.clone(), kind }
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
