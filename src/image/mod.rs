//! AMIs, snapshots, and the tasks that store and restore them.

#[cfg(feature = "ec2")]
pub mod ec2;

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::facts::{EbsDefault, ImageFacts, SnapshotFacts, StoreTask};
use crate::ident::AmiId;
use crate::source::SourceError;

/// A store to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRequest {
    pub image: AmiId,
    /// Bucket, or bucket and path.
    pub bucket: String,
    /// Of the object; ten at most.
    pub tags: BTreeMap<String, String>,
}

/// A restore to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    pub bucket: String,
    pub key: String,
    /// `None` lets EC2 take the name of the source; only `DryRun` may leave it open.
    pub name: Option<String>,
    /// Of the AMI and of all its snapshots.
    pub tags: BTreeMap<String, String>,
}

/// Which store tasks to list; tasks are kept for 31 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskFilter {
    /// Of all AMIs, into this bucket.
    Bucket(String),
    /// In progress, of all AMIs into all buckets.
    Running,
    /// The newest of one AMI: asked this way, EC2 is seen to hide the others.
    Image(AmiId),
}

/// EC2 in one Region, as far as stored AMIs need it. Requests are counted, and those that change nothing are made
/// again where that may help. Requests that start a task are made once.
#[async_trait]
pub trait ImageService: Send + Sync {
    /// Region of the calls.
    fn region(&self) -> &str;

    /// The AMIs with these ids that are there and visible.
    async fn images(&self, ids: &[String]) -> Result<Vec<ImageFacts>, SourceError>;

    /// All AMIs of the account, in every state, deprecated and disabled ones too.
    async fn own_images(&self) -> Result<Vec<ImageFacts>, SourceError>;

    /// Whether this account is among the launch permissions of an AMI by name.
    async fn shared_with_us(&self, id: &AmiId) -> Result<bool, SourceError>;

    /// The snapshots with these ids that are there and visible.
    async fn snapshots(&self, ids: &[String]) -> Result<Vec<SnapshotFacts>, SourceError>;

    /// Those of these snapshots that are shared with this account by name.
    async fn restorable(&self, ids: &[String]) -> Result<Vec<String>, SourceError>;

    /// Own snapshots that are not complete yet.
    async fn pending_snapshots(&self) -> Result<Vec<SnapshotFacts>, SourceError>;

    /// How many snapshots the account owns, counted over at most `pages` pages; and whether those were all.
    async fn count_snapshots(&self, pages: usize) -> Result<(u64, bool), SourceError>;

    async fn store_tasks(&self, filter: &TaskFilter) -> Result<Vec<StoreTask>, SourceError>;

    async fn ebs_default(&self) -> Result<EbsDefault, SourceError>;

    /// Starts a store, or asks whether that would be allowed; the key of the object to be. A dry run that would be
    /// allowed is an error with the code `DryRunOperation`.
    async fn store(&self, request: &StoreRequest, dry_run: bool) -> Result<String, SourceError>;

    /// Starts a restore, or asks whether that would be allowed; the id of the new AMI.
    async fn restore(&self, request: &RestoreRequest, dry_run: bool) -> Result<String, SourceError>;
}
