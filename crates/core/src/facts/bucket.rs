use jiff::Timestamp;

use crate::ident::{ETag, ObjectIdentity};

/// What a bucket's own settings say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BucketFacts {
    /// Where it is, as HeadBucket tells it; other servers may not.
    pub region: Option<String>,
}

/// What a server does with the expected owner of a bucket (`x-amz-expected-bucket-owner`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerCheck {
    /// It refused the same request under another owner.
    Heeded,
    /// It answered under another owner too, so its answers say nothing about the owner.
    Ignored { owner: String },
    /// Its answer under another owner shows neither.
    NotShown { owner: String, because: String },
}

impl OwnerCheck {
    /// What must be said of it. That it is heeded needs no words: a bucket of another owner is an error.
    pub fn note(&self) -> Option<String> {
        match self {
            OwnerCheck::Heeded => None,
            OwnerCheck::Ignored { owner } => Some(format!(
                "the server ignores the expected bucket owner: it answers whichever is named, so nothing shows that \
                 the bucket belongs to {owner}"
            )),
            OwnerCheck::NotShown { owner, because } => {
                Some(format!("nothing shows that the server heeds the expected bucket owner {owner}: {because}"))
            }
        }
    }
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
    /// What marks the state that was listed, without a version id and with its time in whole seconds, as a ledger keeps
    /// it.
    pub fn identity(&self) -> ObjectIdentity {
        ObjectIdentity {
            object_bytes: Some(self.size.unwrap_or_default()),
            etag: self.etag.clone(),
            last_modified: self.modified.map(super::object::whole_second),
            version_id: None,
        }
    }

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
