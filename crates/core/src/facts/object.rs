use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use super::{Fact, LegalHold, LockMode, RestoreState, Service};
use crate::checksum::{Digest, StoredChecksum};
use crate::ident::{ETag, ETagForm, ObjectId, ObjectIdentity};
use crate::units::PartNumber;

/// Server-side encryption, as far as it bears on what an ETag can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// None stated.
    None,
    /// SSE-S3, `AES256`.
    S3Managed,
    /// `aws:kms` or `aws:kms:dsse`, with the key where it is shown.
    Kms { kind: String, key: Option<String> },
    /// SSE-C.
    CustomerKey,
    /// A kind this tool does not know.
    Other(String),
}

impl Encryption {
    /// Why an ETag under this encryption is no MD5; `None` where it may be one
    /// (S3 API reference, `Object.ETag`).
    pub fn hides_md5(&self) -> Option<String> {
        match self {
            Encryption::None | Encryption::S3Managed => None,
            Encryption::Kms { kind, .. } => Some(format!("the object is encrypted with {kind}")),
            Encryption::CustomerKey => Some("the object is encrypted with a customer key (SSE-C)".to_owned()),
            Encryption::Other(kind) => Some(format!("the object is encrypted with {kind}, whose ETags are not known")),
        }
    }
}

/// Until when a lock lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockEnd {
    At(Timestamp),
    /// Beyond the calendar of this tool, which ends on the last days of 9999.
    Beyond,
    /// What was stated is no time, or several: the text as it came.
    NotKnown(String),
}

impl fmt::Display for LockEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockEnd::At(time) => time.fmt(f),
            LockEnd::Beyond => f.write_str("9999-12-31 or later"),
            LockEnd::NotKnown(text) => f.write_str(text),
        }
    }
}

/// S3 Object Lock. A word or a date that comes twice with different values is one that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockFacts {
    pub mode: Option<LockMode>,
    pub retain_until: Option<LockEnd>,
    pub legal_hold: Option<LegalHold>,
}

/// What HEAD (or a local file system) tells of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFacts {
    pub id: ObjectId,
    /// The call that answered.
    pub source: &'static str,
    /// Who answered; what is not S3 itself is not bound by its documentation.
    pub service: Service,
    /// Bytes.
    pub size: u64,
    pub last_modified: Option<Timestamp>,
    pub checksums: Fact<Vec<StoredChecksum>>,
    /// Stored values that could not be read, in words.
    pub unreadable_checksums: Vec<String>,
    /// S3's word; `STANDARD` where the header is absent. `None` for a file.
    pub storage_class: Option<String>,
    /// `x-amz-archive-status` of an object in Intelligent-Tiering.
    pub archive_status: Option<String>,
    /// `x-amz-restore`; the text where it could not be read.
    pub restore: Option<Result<RestoreState, String>>,
    pub encryption: Encryption,
    pub version: Option<String>,
    pub lock: LockFacts,
    pub replication: Option<String>,
    /// `x-amz-expiration`: when a lifecycle rule will remove the object; in words, where what is stated contradicts
    /// itself.
    pub expiration: Result<Option<String>, String>,
    pub content_type: Option<String>,
    pub metadata: BTreeMap<String, String>,
    /// Metadata entries that S3 left out because headers cannot carry them.
    pub missing_metadata: u32,
    pub tag_count: Option<u32>,
}

/// HEAD tells whole seconds, a listing may tell more.
pub(super) fn whole_second(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

impl ObjectFacts {
    /// What marks the state that was told.
    pub fn identity(&self) -> ObjectIdentity {
        ObjectIdentity {
            object_bytes: Some(self.size),
            etag: self.id.etag.clone(),
            last_modified: self.last_modified.map(|time| time.to_string()),
            version_id: self.version.clone(),
        }
    }

    /// The same as far as a listing tells it too; see [`ListedObject::identity`](super::ListedObject::identity).
    pub fn listed_identity(&self) -> ObjectIdentity {
        ObjectIdentity { last_modified: self.last_modified.map(whole_second), version_id: None, ..self.identity() }
    }

    /// An object of which only identity and size are known yet.
    pub fn new(id: ObjectId, source: &'static str, size: u64) -> Self {
        ObjectFacts {
            id,
            source,
            service: Service::Other,
            size,
            last_modified: None,
            checksums: Fact::NotApplicable,
            unreadable_checksums: Vec::new(),
            storage_class: None,
            archive_status: None,
            restore: None,
            encryption: Encryption::None,
            version: None,
            lock: LockFacts::default(),
            replication: None,
            expiration: Ok(None),
            content_type: None,
            metadata: BTreeMap::new(),
            missing_metadata: 0,
            tag_count: None,
        }
    }

    /// The number of parts the ETag speaks of; `None` when it has no multipart form.
    pub fn etag_parts(&self) -> Option<u32> {
        match self.id.etag.as_ref().map(ETag::form) {
            Some(ETagForm::Multipart { parts, .. }) => Some(parts),
            _ => None,
        }
    }
}

/// What GetObjectAttributes tells, all pages together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributeFacts {
    pub etag: Option<ETag>,
    pub size: Option<u64>,
    pub checksums: Vec<StoredChecksum>,
    pub unreadable_checksums: Vec<String>,
    /// Stated even where the parts themselves are not listed.
    pub parts_count: Option<u32>,
    /// Only objects with a composite checksum list their parts.
    pub parts: Vec<PartFacts>,
    /// Requests that it took.
    pub pages: u32,
}

/// What is known of one stored part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFacts {
    pub number: PartNumber,
    /// Bytes.
    pub size: u64,
    /// The part's own values; only composites have them.
    pub checksums: Vec<Digest>,
    /// `x-amz-mp-parts-count`, which only HEAD with a part number tells.
    pub of: Option<u32>,
}
