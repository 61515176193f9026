//! `batch`: checksums that S3 Batch Operations computes at rest.

mod entries;
mod history;
mod known;
mod manifest;
mod plan;
mod reconcile;
mod report_files;
mod submit;

pub use plan::{BatchPlanRequest, Planned, plan_batch, plan_report};
pub use reconcile::{BatchResult, reconcile_folder, reconcile_job};
pub use submit::{BatchServices, BatchSubmission, describe_job, follow_job, submit_job};
