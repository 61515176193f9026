//! Jobs of S3 Batch Operations.

mod control;

use async_trait::async_trait;

pub use control::S3Control;

use crate::batch::{JobFacts, NewJob};
use crate::source::SourceError;

/// S3 Control in one Region, as far as jobs need it. Requests are counted, and retried where that may help.
///
/// # Errors
///
/// Each method returns the [`SourceError`] of its last attempt.
#[async_trait]
pub trait JobService: Send + Sync {
    /// Creates a job, and returns its id (CreateJob). The token makes it safe to repeat.
    async fn create(&self, account: &str, job: &NewJob) -> Result<String, SourceError>;

    /// A job as it is now (DescribeJob).
    async fn describe(&self, account: &str, id: &str) -> Result<JobFacts, SourceError>;
}
