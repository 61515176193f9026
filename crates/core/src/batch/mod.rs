//! S3 Batch Operations, *Compute checksum*: what to ask for, and what the completion report shows.
//!
//! S3 states the checksum of an object at rest, without a download and without a restore from an archive class. The
//! statement is a proof where an earlier value of the same algorithm and type is known; alone it is a new reference, a
//! *baseline*. A [`BatchPlan`] binds each object to the state in which it was planned and to its reference.
//! [`parse_report`] reads the files of a completion report, and [`reconcile`] holds their rows against a planned job.

mod choose;
mod completion;
mod job;
mod job_manifest;
mod judge;
mod plan;
mod reconcile;
mod rows;

pub use choose::{COMPUTED, KnownValue, baseline_algorithm, choose};
pub use completion::{CompletionManifest, ReportFile};
pub use job::{
    BatchPlace, JobFacts, JobMismatch, JobOfPlan, JobState, ManifestPlace, NewJob, ReportPlace, job_of_plan, token,
};
pub use job_manifest::can_be_named;
pub use judge::{BatchOutcome, Judged, Unclear, judge};
pub use plan::{BatchPlan, ChecksumScope, PlanError, PlannedJob, PlannedObject, PlannedReference, ReferenceOrigin};
pub use reconcile::{Reconciled, matches_of, reconcile};
pub use rows::{ComputedChecksum, ReportRow, RowOutcome, UnreadableRow, parse_report};
