//! What the commands found, as values that can be written down.
//!
//! # The JSON lines
//!
//! With `--json` every command writes one JSON object a line, each with
//! `"schema":"stored-ami/1"` and a `"type"`: `inspect`, `verify`, `preflight`, `stored`, `task`, `bench`, `hashes`, `cost`, `audited`,
//! `audited_bucket`, `observation`, `audit`, `safe`, `ledger_entry`, `ledger`, `error` (a target that could
//! not be worked on) and, last, `summary`. Units are in the names. `unknown` always comes with a
//! reason. Fields may be added under `/1`; the meaning of a field never changes. The JSON Schema
//! of these types is `docs/stored-ami-1.schema.json`, held equal to them by a test.

mod audit;
mod audit_note;
mod bench;
mod consistent;
mod content;
mod cost;
mod demands;
mod exit;
mod finding;
mod inspect;
mod judged;
mod preflight;
mod task;
mod verify;
mod whole;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use audit::{
    AuditReport, AuditedBucketReport, AuditedReport, DeletionAnswer, DeletionSafetyReport, LedgerEntryReport,
    LedgerReport, ObservationReport, ProvedReport,
};
pub use audit_note::AuditNote;
pub use bench::{BenchReport, BoundReport, HashRateReport, HashesReport, LinkReport, LoadReport, Percentiles};
pub use content::{
    EstimateReport, MissingBasisReport, PartRunReport, PartState, ProbeReport, RatioBasisReport, RatioReport,
    RegionReport, StreamReport,
};
pub use cost::{CostLineReport, CostReport, PriceSourceReport};
pub use demands::Demands;
pub use exit::Exit;
pub use finding::{DamageReport, FindingReport, ReasonReport};
pub use inspect::{
    ChecksumReport, ChecksumType, ETagKind, EncryptionReport, FactReport, InspectReport, LockReport, MetadataReport,
    ProofReport, ReadableState, VerifyCostEstimate,
};
pub use judged::{exit_of, verdict_of};
pub use preflight::{PreflightReport, SaidReport, SizeReport, StoredReport, StoredState};
pub use task::{LeftReport, TaskKind, TaskReport};
pub use verify::{DigestReport, IdentityReport, LayoutBasis, LayoutKind, LayoutReport, StatsReport, VerifyReport};
pub use whole::AuditLines;

pub const SCHEMA: &str = "stored-ami/1";

/// Name and version of this program, as what it writes bears them.
pub const TOOL: &str = concat!("stored-ami ", env!("CARGO_PKG_VERSION"));

/// One line of JSON output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// `stored-ami/1`.
    pub schema: String,
    #[serde(flatten)]
    pub report: Report,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Report {
    Inspect(Box<InspectReport>),
    Verify(Box<VerifyReport>),
    Preflight(Box<PreflightReport>),
    Stored(StoredReport),
    Task(Box<TaskReport>),
    Bench(Box<BenchReport>),
    Hashes(HashesReport),
    Cost(Box<CostReport>),
    Audited(Box<AuditedReport>),
    AuditedBucket(AuditedBucketReport),
    Observation(ObservationReport),
    Audit(Box<AuditReport>),
    Safe(Box<DeletionSafetyReport>),
    LedgerEntry(Box<LedgerEntryReport>),
    Ledger(LedgerReport),
    Error(ErrorReport),
    Summary(SummaryReport),
}

/// A target that could not be worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorReport {
    pub target: String,
    /// What is wrong, without the target.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    pub exit_code: Exit,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SummaryReport {
    pub targets: u64,
    pub passed: u64,
    pub failed: u64,
    pub unknown: u64,
    pub errors: u64,
    /// The exit code of the command.
    pub exit_code: Exit,
}

impl Line {
    pub fn new(report: Report) -> Self {
        Line { schema: SCHEMA.to_owned(), report }
    }
}
