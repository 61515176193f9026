use std::fmt;

use jiff::Timestamp;

use super::LockMode;

use crate::ident::{ETag, ObjectIdentity};

/// Properties of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BucketFacts {
    /// Region of the bucket (`HeadBucket`); `None` if the server does not state it.
    pub region: Option<String>,
}

/// Whether a server checks the expected owner of a bucket (`x-amz-expected-bucket-owner`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerCheck {
    /// It refused the same request with another owner.
    Heeded,
    /// It also answered with another owner, so its responses do not confirm the owner.
    Ignored {
        /// Account that was expected.
        owner: String,
    },
    /// Its response with another owner shows neither.
    NotShown {
        /// Account that was expected.
        owner: String,
        /// The response, for the report.
        because: String,
    },
}

impl OwnerCheck {
    /// A note for the report. `None` if the owner is checked, because a bucket of another owner is then an
    /// error.
    pub fn note(&self) -> Option<String> {
        match self {
            OwnerCheck::Heeded => None,
            OwnerCheck::Ignored { owner } => Some(format!(
                "the server ignores the expected bucket owner: it answers whichever is named, so nothing shows that \
                 the bucket belongs to {owner}"
            )),
            OwnerCheck::NotShown { owner, because } => {
                Some(format!("nothing shows that the server honours the expected bucket owner {owner}: {because}"))
            }
        }
    }
}

/// Default encryption of a bucket (`GetBucketEncryption`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketEncryption {
    /// `ServerSideEncryption`: `AES256`, `aws:kms` and others.
    pub algorithm: String,
    /// Id or ARN of the KMS key; `None` for the default key or another algorithm.
    pub key: Option<String>,
}

/// Object Lock of a bucket (`GetObjectLockConfiguration`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketLock {
    /// Whether objects can be locked.
    pub is_enabled: bool,
    /// Retention of new objects; `None` if the bucket sets none.
    pub default: Option<DefaultRetention>,
}

/// The retention that a bucket gives to new objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultRetention {
    /// Mode.
    pub mode: LockMode,
    /// Length.
    pub period: RetentionPeriod,
}

/// Length of a default retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionPeriod {
    /// Days.
    Days(u32),
    /// Years.
    Years(u32),
    /// The server states no usable length.
    NotStated,
}

impl fmt::Display for DefaultRetention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.mode.as_str();
        match self.period {
            RetentionPeriod::Days(days) => write!(f, "{days} days ({mode})"),
            RetentionPeriod::Years(years) => write!(f, "{years} years ({mode})"),
            RetentionPeriod::NotStated => write!(f, "a time that is not stated ({mode})"),
        }
    }
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Key of the object.
    pub key: String,
    /// Size in bytes; `None` for a delete marker.
    pub size: Option<u64>,
    /// Time of last modification.
    pub modified: Option<Timestamp>,
    /// ETag of the object.
    pub etag: Option<ETag>,
    /// Storage class in S3's spelling; `None` for a delete marker.
    pub storage_class: Option<String>,
    /// Version id; `None` in a listing without versions.
    pub version: Option<String>,
    /// Whether it is the current version.
    pub latest: bool,
}

impl ListedObject {
    /// What marks the state that was listed, without a version id and with its time in whole seconds, as a ledger keeps
    /// it.
    pub fn identity(&self) -> ObjectIdentity {
        ObjectIdentity {
            object_bytes: self.size,
            etag: self.etag.clone(),
            last_modified: self.modified.map(super::object::whole_second),
            version_id: None,
        }
    }

    /// Whether the listing shows a delete marker, which has no size.
    pub fn is_delete_marker(&self) -> bool {
        self.size.is_none()
    }
}

/// A multipart upload that is not completed (`ListMultipartUploads`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadFacts {
    /// Key of the object that the upload will create.
    pub key: String,
    /// Id of the upload, if the listing states it.
    pub id: Option<String>,
    /// Start of the upload.
    pub initiated: Option<Timestamp>,
}
