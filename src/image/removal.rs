use async_trait::async_trait;
use jiff::Timestamp;

use crate::facts::{ImageFacts, SnapshotFacts};
use crate::source::SourceError;

/// The error codes of DescribeImages that state that there is no such AMI. EC2 may still know the id of one that was
/// deregistered (EC2 API Reference, *Error codes*).
pub const NO_IMAGE: [&str; 2] = ["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"];
/// The error codes that state that there is no such snapshot.
pub const NO_SNAPSHOT: [&str; 1] = ["InvalidSnapshot.NotFound"];

/// An AMI or a snapshot that was removed and that a rule of the Recycle Bin keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recycled {
    /// Its id.
    pub id: String,
    /// When it is permanently deleted; `None` if the answer has no such time.
    pub until: Option<Timestamp>,
}

/// EC2 in one Region, as far as removing an AMI and its snapshots needs it: what keeps them in use, and the two requests
/// that remove. Those are sent once; all others are retried where that may help.
///
/// # Errors
///
/// Each method returns the [`SourceError`] of its last attempt.
#[async_trait]
pub trait RemovalService: Send + Sync {
    /// An AMI (DescribeImages). `None` only if EC2 states that it does not exist: an answer that may come from another
    /// server is an error.
    async fn image(&self, id: &str) -> Result<Option<ImageFacts>, SourceError>;

    /// A snapshot (DescribeSnapshots). `None` as for an AMI.
    async fn snapshot(&self, id: &str) -> Result<Option<SnapshotFacts>, SourceError>;

    /// Instances that were launched from an AMI and are not terminated (DescribeInstances).
    async fn instances_of(&self, image: &str) -> Result<Vec<String>, SourceError>;

    /// Volumes that were made from a snapshot (DescribeVolumes).
    async fn volumes_of(&self, snapshot: &str) -> Result<Vec<String>, SourceError>;

    /// Accounts, groups and organizations that may launch an AMI (DescribeImageAttribute).
    async fn who_may_launch(&self, image: &str) -> Result<Vec<String>, SourceError>;

    /// Accounts and groups that may make volumes from a snapshot (DescribeSnapshotAttribute).
    async fn who_may_use(&self, snapshot: &str) -> Result<Vec<String>, SourceError>;

    /// Snapshots of the account with this value of a tag (DescribeSnapshots).
    async fn tagged_snapshots(&self, tag: &str, value: &str) -> Result<Vec<SnapshotFacts>, SourceError>;

    /// Which of these AMIs are in the Recycle Bin (ListImagesInRecycleBin). Nothing is requested for no ids.
    async fn recycled_images(&self, ids: &[String]) -> Result<Vec<Recycled>, SourceError>;

    /// Which of these snapshots are in the Recycle Bin (ListSnapshotsInRecycleBin). Nothing is requested for no ids.
    async fn recycled_snapshots(&self, ids: &[String]) -> Result<Vec<Recycled>, SourceError>;

    /// Deregisters an AMI (DeregisterImage). Its snapshots stay.
    async fn deregister(&self, image: &str) -> Result<(), SourceError>;

    /// Deletes a snapshot (DeleteSnapshot).
    async fn delete_snapshot(&self, snapshot: &str) -> Result<(), SourceError>;
}
