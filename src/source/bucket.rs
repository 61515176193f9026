use async_trait::async_trait;

use super::SourceError;
use crate::facts::{
    BucketEncryption, BucketFacts, BucketLock, LifecycleRule, ListedObject, ListedPage, UploadFacts, Versioning, Walk,
};

/// Requests about one bucket. Implementations count requests and retry them where that may help.
///
/// # Errors
///
/// Each method returns the [`SourceError`] of its last attempt. [`ErrorKind::Denied`](super::ErrorKind::Denied) names
/// the missing permission; [`ErrorKind::Protocol`](super::ErrorKind::Protocol) means that the response contradicts
/// itself or the request.
#[async_trait]
pub trait BucketService: Send + Sync {
    /// Name of the bucket.
    fn name(&self) -> &str;

    /// Whether the bucket exists and is visible, and its Region (HeadBucket).
    async fn facts(&self) -> Result<BucketFacts, SourceError>;

    /// State of versioning (GetBucketVersioning).
    async fn versioning(&self) -> Result<Versioning, SourceError>;

    /// Default encryption (GetBucketEncryption). [`ErrorKind::NotFound`](super::ErrorKind::NotFound) if none is set.
    async fn encryption(&self) -> Result<BucketEncryption, SourceError>;

    /// Whether all four settings of Block Public Access are on (GetPublicAccessBlock).
    async fn public_access_blocked(&self) -> Result<bool, SourceError>;

    /// Whether the policy makes the bucket public (GetBucketPolicyStatus).
    /// [`ErrorKind::NotFound`](super::ErrorKind::NotFound) if there is no policy.
    async fn policy_is_public(&self) -> Result<bool, SourceError>;

    /// The grants of the ACL to everybody, or to every AWS account, for the user (GetBucketAcl).
    async fn public_grants(&self) -> Result<Vec<String>, SourceError>;

    /// Object Lock of the bucket (GetObjectLockConfiguration). [`ErrorKind::NotFound`](super::ErrorKind::NotFound) if it
    /// was never enabled.
    async fn object_lock(&self) -> Result<BucketLock, SourceError>;

    /// Lifecycle rules (GetBucketLifecycleConfiguration); empty if the server states that there are none.
    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, SourceError>;

    /// The next page of a listing (ListObjectsV2). A page that contradicts itself, the request or earlier pages is an
    /// error.
    async fn list(&self, walk: &mut Walk) -> Result<ListedPage, SourceError>;

    /// Incomplete multipart uploads under a prefix (ListMultipartUploads).
    async fn uploads(&self, prefix: &str) -> Result<Vec<UploadFacts>, SourceError>;

    /// All objects whose key ends with this file name, under any path. Lists the whole bucket.
    async fn objects_named(&self, file: &str) -> Result<Vec<ListedObject>, SourceError>;

    /// Versions and delete markers of one key (ListObjectVersions).
    async fn versions_of(&self, key: &str) -> Result<Vec<ListedObject>, SourceError>;

    /// Incomplete multipart uploads whose key ends with this file name.
    async fn uploads_named(&self, file: &str) -> Result<Vec<UploadFacts>, SourceError>;
}
