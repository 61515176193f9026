use async_trait::async_trait;

use super::SourceError;
use crate::facts::{
    BucketEncryption, BucketFacts, LifecycleRule, ListedObject, ListedPage, UploadFacts, Versioning, Walk,
};

/// One bucket, and what can be asked about it. Requests are counted, and made again where that may help.
#[async_trait]
pub trait BucketService: Send + Sync {
    fn name(&self) -> &str;

    /// HeadBucket: there, visible, and where.
    async fn facts(&self) -> Result<BucketFacts, SourceError>;

    async fn versioning(&self) -> Result<Versioning, SourceError>;

    async fn encryption(&self) -> Result<BucketEncryption, SourceError>;

    /// Whether all four settings of Block Public Access are on.
    async fn public_access_blocked(&self) -> Result<bool, SourceError>;

    /// The rules of its lifecycle; empty where the server says that there are none.
    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, SourceError>;

    /// The next page of a listing. One that contradicts itself, the request or the pages before is an error.
    async fn list(&self, walk: &mut Walk) -> Result<ListedPage, SourceError>;

    /// Multipart uploads under a prefix that are not completed.
    async fn uploads(&self, prefix: &str) -> Result<Vec<UploadFacts>, SourceError>;

    /// All objects whose key ends in this file name, under whatever path. Reads the listing of the whole bucket.
    async fn objects_named(&self, file: &str) -> Result<Vec<ListedObject>, SourceError>;

    /// Versions and delete markers of one key.
    async fn versions_of(&self, key: &str) -> Result<Vec<ListedObject>, SourceError>;

    /// Multipart uploads that are not completed, whose key ends in this file name.
    async fn uploads_named(&self, file: &str) -> Result<Vec<UploadFacts>, SourceError>;
}
