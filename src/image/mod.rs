//! AMIs, snapshots, and the tasks that store and restore them.

#[cfg(feature = "ec2")]
pub mod ec2;
mod removal;

pub use removal::{NO_IMAGE, NO_SNAPSHOT, Recycled, RemovalService};

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::facts::{EbsDefault, ImageFacts, SnapshotFacts, StoreTask};
use crate::ident::AmiId;
use crate::source::SourceError;

/// A store to start (CreateStoreImageTask).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRequest {
    /// The AMI to store.
    pub image: AmiId,
    /// Bucket, or bucket and path.
    pub bucket: String,
    /// Tags of the object, at most ten.
    pub tags: BTreeMap<String, String>,
}

/// A restore to start (CreateRestoreImageTask).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    /// Bucket of the object.
    pub bucket: String,
    /// Key of the object.
    pub key: String,
    /// Name of the new AMI. `None` lets EC2 take the name of the source AMI; only a dry run may omit it.
    pub name: Option<String>,
    /// Tags of the AMI and of all its snapshots.
    pub tags: BTreeMap<String, String>,
}

/// Which store tasks to list. EC2 keeps tasks for 31 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskFilter {
    /// Tasks of all AMIs into this bucket.
    Bucket(String),
    /// Tasks in progress, of all AMIs into all buckets.
    Running,
    /// The newest task of one AMI. EC2 has been observed to omit the others if asked this way.
    Image(AmiId),
}

/// EC2 in one Region, as far as stored AMIs need it. Requests are counted. Requests that change nothing are retried
/// where that may help; requests that start a task are sent once.
///
/// # Errors
///
/// Each method returns the [`SourceError`] of its last attempt.
#[async_trait]
pub trait ImageService: Send + Sync {
    /// Region of the requests.
    fn region(&self) -> &str;

    /// The AMIs with these ids that exist and are visible (DescribeImages).
    async fn images(&self, ids: &[String]) -> Result<Vec<ImageFacts>, SourceError>;

    /// All AMIs of the account in every state, including deprecated and disabled ones (DescribeImages).
    async fn own_images(&self) -> Result<Vec<ImageFacts>, SourceError>;

    /// Whether the launch permissions of an AMI name this account (DescribeImages).
    async fn shared_with_us(&self, id: &AmiId) -> Result<bool, SourceError>;

    /// The snapshots with these ids that exist and are visible (DescribeSnapshots).
    async fn snapshots(&self, ids: &[String]) -> Result<Vec<SnapshotFacts>, SourceError>;

    /// The ids among these of snapshots that are shared with this account by name (DescribeSnapshots).
    async fn restorable(&self, ids: &[String]) -> Result<Vec<String>, SourceError>;

    /// Snapshots of the account that are not complete yet (DescribeSnapshots).
    async fn pending_snapshots(&self) -> Result<Vec<SnapshotFacts>, SourceError>;

    /// Counts the snapshots of the account over at most `pages` pages. The flag says whether those were all pages.
    async fn count_snapshots(&self, pages: usize) -> Result<(u64, bool), SourceError>;

    /// Store tasks (DescribeStoreImageTasks).
    async fn store_tasks(&self, filter: &TaskFilter) -> Result<Vec<StoreTask>, SourceError>;

    /// Whether EBS encrypts new volumes by default, and the key for it.
    async fn ebs_default(&self) -> Result<EbsDefault, SourceError>;

    /// Starts a store, or checks its permissions with `dry_run`. Returns the key of the future object.
    ///
    /// # Errors
    ///
    /// A permitted dry run is an error with [`DryRunAllowed`](crate::source::ErrorKind::DryRunAllowed).
    async fn store(&self, request: &StoreRequest, dry_run: bool) -> Result<String, SourceError>;

    /// Starts a restore, or checks its permissions with `dry_run`. Returns the id of the new AMI.
    ///
    /// # Errors
    ///
    /// A permitted dry run is an error with [`DryRunAllowed`](crate::source::ErrorKind::DryRunAllowed).
    async fn restore(&self, request: &RestoreRequest, dry_run: bool) -> Result<String, SourceError>;
}
