//! The results of commands, as serialisable values.
//!
//! # The JSON lines
//!
//! With `--json`, every command writes one JSON object per line, each with `"schema":"stored-ami/1"` and a
//! `"type"`: `inspect`, `verify`, `preflight`, `stored`, `task`, `task_list`, `copy`, `compare`, `thaw`, `fingerprint`, `prove`, `drill`,
//! `bench`, `hashes`, `doctor`, `cost`, `audited`, `audited_run`, `audited_bucket`, `observation`, `audit`, `safe`, `ledger_entry`, `ledger`, `error` (a target that could
//! not be processed) and, last, `summary`. Names of fields include the unit. `unknown` always comes with a
//! reason. Fields may be added under `/1`; the meaning of a field never changes. The JSON Schema of these
//! types is `docs/stored-ami-1.schema.json`; a test keeps it up to date.

mod audit;
mod audit_note;
mod audited_run;
mod batch;
mod bench;
mod blocks;
mod compare;
mod consistent;
mod content;
mod copy;
mod cost;
mod damage;
mod demands;
mod doctor;
mod drill;
mod exit;
mod facts_file;
mod files;
mod finding;
mod inspect;
mod judged;
mod line;
mod note;
mod object_proof;
mod preflight;
mod scope;
mod sentence;
mod severity;
mod task;
mod task_list;
mod thaw;
mod trouble;
mod verify;
mod whole;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use audit::{
    AuditReport, AuditStep, AuditedBucketReport, AuditedReport, CopyProofReport, DeletionAnswer, DeletionSafetyReport,
    DeletionStep, LedgerEntryReport, LedgerReport, ObservationReport, ProvedReport,
};
pub use audit_note::AuditNote;
pub use audited_run::{AuditedRunReport, RunReferenceReport, ValueCovers};
pub use batch::{
    BatchBasis, BatchCounts, BatchJobReport, BatchObjectReport, BatchPlanReport, BatchReport, BatchStep, LeftOutCode,
    LeftOutReport, PlannedJobReport,
};
pub use bench::{BenchReport, BoundReport, HashRateReport, HashesReport, LinkReport, LoadReport, Percentiles};
pub use blocks::{
    BlockDifferenceReport, BlockEstimateReport, BlockStatsReport, FingerprintOutcome, FingerprintReport,
    FingerprintedVolumeReport, ProofSource, ProveReport, ProvedVolumeReport, UnprovedReport,
};
pub use compare::{
    CompareBasis, CompareFindingReport, CompareReport, CompareStep, ComparedReport, FirstDifferenceReport,
    PartPlaceReport,
};
pub use content::{
    EstimateReport, MissingBasisReport, PartRunReport, PartState, ProbeReport, RatioBasisReport, RatioReport,
    RegionReport, StreamReport,
};
pub use copy::{
    CopyEnd, CopyEstimateReport, CopyFindingReport, CopyOutcome, CopyReport, EndOption, EndReport, RecordedReport,
    arguments, aws_arguments,
};
pub use cost::{CostLineReport, CostReport, PriceSourceReport};
pub use damage::DamageSummary;
pub use demands::Demands;
pub use doctor::{DoctorCheck, DoctorFindingReport, DoctorRateReport, DoctorReport};
pub use drill::{
    BackupValidation, DrillOutcome, DrillPhase, DrillPhaseReport, DrillQuotaReport, DrillReport, DrillResourceReport,
    DrillResourceState, DrillState, RecycleBinReport,
};
pub use exit::Exit;
pub use facts_file::{AnswerWord, FactsFile, KeyForm, PublicFacts, ServerWord};
pub use files::{FileKind, WrittenFile};
pub use finding::{DamageReport, FindingReport, ReasonReport};
pub use inspect::{
    ChecksumReport, ChecksumType, ETagKind, EncryptionReport, FactReport, InspectReport, LockReport, MetadataReport,
    ProofReport, ReadableState, VerifyCostEstimate,
};
pub use judged::{exit_of, verdict_of};
pub use line::Line;
pub use note::{
    AuditedNote, BenchNote, CostNote, DeletionNote, DiscoveryNote, InputNote, InspectNote, Note, TaskNote, VerifyNote,
};
pub use object_proof::{ObjectProofReport, ObjectProofState, ProofLimit, limit_of};
pub use preflight::{
    DamagedObject, FoundCopyReport, PreflightReport, SaidReport, SizeReport, StoredReport, StoredState,
};
pub use scope::AuditScope;
pub use severity::Severity;
pub use task::{LeftReport, TaskKind, TaskReport};
pub use task_list::{TaskListEstimate, TaskListReport, TaskRowReport, TaskRowState};
pub use thaw::{ThawFindingReport, ThawOutcome, ThawReport, ThawState};
pub use trouble::{ChangedReport, TroubleReport};
pub use verify::{DigestReport, IdentityReport, LayoutBasis, LayoutKind, LayoutReport, StatsReport, VerifyReport};
pub use whole::{AuditCheck, CheckedAudit, LineCounts};

/// Value of `schema` in every line.
pub const SCHEMA: &str = "stored-ami/1";

/// Name and version of this program, as recorded in the documents it writes.
pub const TOOL: &str = concat!("stored-ami ", env!("CARGO_PKG_VERSION"));

/// The results that commands write, distinguished by `type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Report {
    /// Result of `inspect`.
    Inspect(Box<InspectReport>),
    /// Result of `verify`.
    Verify(Box<VerifyReport>),
    /// Conditions of a store or a restore.
    Preflight(Box<PreflightReport>),
    /// Whether a bucket contains an AMI.
    Stored(StoredReport),
    /// A store or a restore task.
    Task(Box<TaskReport>),
    /// Several stores or restores of a list.
    TaskList(Box<TaskListReport>),
    /// A copy of an object.
    Copy(Box<CopyReport>),
    /// Whether two objects are the same.
    Compare(Box<CompareReport>),
    /// A readable copy of an archived object.
    Thaw(Box<ThawReport>),
    /// The content of an AMI, block by block.
    Fingerprint(Box<FingerprintReport>),
    /// Whether an AMI has the content that it should have.
    Prove(Box<ProveReport>),
    /// What S3 is asked to compute at rest.
    BatchPlan(Box<BatchPlanReport>),
    /// A job of S3 Batch Operations.
    BatchJob(BatchJobReport),
    /// What a completion report shows of an object.
    BatchObject(Box<BatchObjectReport>),
    /// What a completion report shows as a whole.
    Batch(Box<BatchReport>),
    /// A restore that was tried, proved and removed.
    Drill(Box<DrillReport>),
    /// Result of `bench`.
    Bench(Box<BenchReport>),
    /// Hashing speed of this machine.
    Hashes(HashesReport),
    /// Whether this machine is ready for the other commands.
    Doctor(Box<DoctorReport>),
    /// Cost estimates.
    Cost(Box<CostReport>),
    /// One object of an audit.
    Audited(Box<AuditedReport>),
    /// One run of parts of an object of an audit.
    AuditedRun(Box<AuditedRunReport>),
    /// One bucket of an audit.
    AuditedBucket(AuditedBucketReport),
    /// An observation of an audit across objects.
    Observation(ObservationReport),
    /// The end of an audit.
    Audit(Box<AuditReport>),
    /// Whether an AMI may be deleted.
    Safe(Box<DeletionSafetyReport>),
    /// One entry of a ledger.
    LedgerEntry(Box<LedgerEntryReport>),
    /// Result of an operation on a ledger.
    Ledger(LedgerReport),
    /// A target that could not be processed.
    Error(ErrorReport),
    /// The last line of a command.
    Summary(SummaryReport),
}

/// A target that could not be processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorReport {
    /// The target as given.
    pub target: String,
    /// The error, without the target.
    pub message: String,
    /// What the user can do about it. The text is for people and may be reworded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Error code of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Id of the failed request, for AWS support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Exit code for this target.
    pub exit_code: Exit,
}

/// The last line of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SummaryReport {
    /// Number of targets.
    pub targets: u64,
    /// Number of targets that passed.
    pub passed: u64,
    /// Number of targets that failed.
    pub failed: u64,
    /// Number of targets that are unknown.
    pub unknown: u64,
    /// Number of targets that could not be processed.
    pub errors: u64,
    /// Exit code of the command.
    pub exit_code: Exit,
    /// What environment variables and the configuration file set; absent if they set nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingReport>,
    /// Files that the command wrote and that are there at its end.
    #[serde(default)]
    pub files_written: Vec<WrittenFile>,
}

/// A setting that no flag gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingReport {
    /// Its key in the configuration file.
    pub name: String,
    /// Its value as it was written, without the secrets of URLs.
    pub value: String,
    /// The environment variable, or the path of the configuration file.
    pub source: String,
}
