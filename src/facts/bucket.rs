use jiff::Timestamp;

use crate::ident::ETag;

/// What a bucket's own settings say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BucketFacts {
    /// Where it is, as HeadBucket tells it; other servers may not.
    pub region: Option<String>,
}

/// Default encryption of a bucket (`GetBucketEncryption`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketEncryption {
    /// `AES256`, `aws:kms` and others.
    pub algorithm: String,
    pub key: Option<String>,
}

/// An object as a listing tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    pub key: String,
    /// Bytes; `None` for a delete marker.
    pub size: Option<u64>,
    pub modified: Option<Timestamp>,
    pub etag: Option<ETag>,
    /// S3's word; `None` for a delete marker.
    pub storage_class: Option<String>,
    /// Of a listing of versions.
    pub version: Option<String>,
    pub latest: bool,
}

impl ListedObject {
    pub fn is_delete_marker(&self) -> bool {
        self.size.is_none()
    }
}

/// A multipart upload that has not been completed (`ListMultipartUploads`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadFacts {
    pub key: String,
    pub initiated: Option<Timestamp>,
}
