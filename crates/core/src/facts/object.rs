use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use super::{Fact, FactsSource, LegalHold, LockMode, RestoreState, Service, ValueShape};
use crate::checksum::{Digest, StoredChecksum};
use crate::ident::{ETag, ETagForm, ObjectId, ObjectIdentity, Target};
use crate::units::PartNumber;

/// Server-side encryption, as far as it determines the meaning of the ETag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// No encryption is stated.
    None,
    /// SSE-S3, `AES256`.
    S3Managed,
    /// SSE-KMS or DSSE-KMS.
    Kms {
        /// `aws:kms` or `aws:kms:dsse`.
        kind: String,
        /// Id or ARN of the key, if stated.
        key: Option<String>,
    },
    /// SSE-C, with a key that the customer provides.
    CustomerKey,
    /// An unknown kind, as the server wrote it.
    Other(String),
}

impl Encryption {
    /// Why an ETag under this encryption is not an MD5, for the report; `None` if it may be one (S3 API
    /// Reference, `Object.ETag`).
    pub fn hides_md5(&self) -> Option<String> {
        match self {
            Encryption::None | Encryption::S3Managed => None,
            Encryption::Kms { kind, .. } => Some(format!("the object is encrypted with {kind}")),
            Encryption::CustomerKey => Some("the object is encrypted with a customer key (SSE-C)".to_owned()),
            Encryption::Other(kind) => Some(format!("the object is encrypted with {kind}, whose ETags are not known")),
        }
    }
}

/// The end of a retention period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockEnd {
    /// It ends at this time.
    At(Timestamp),
    /// It ends after the latest time that can be represented, at the end of the year 9999.
    Beyond,
    /// The text as received, if it is not a time or there are several.
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

/// S3 Object Lock. A value that is stated twice with different content counts as unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockFacts {
    /// Retention mode.
    pub mode: Option<LockMode>,
    /// End of the retention.
    pub retain_until: Option<LockEnd>,
    /// Legal hold.
    pub legal_hold: Option<LegalHold>,
}

/// Headers that S3 keeps with an object and sends with it (S3 User Guide, *Working with object metadata*), besides
/// `Content-Type`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemHeaders {
    /// `Content-Encoding`, without `aws-chunked`, which is the framing of an upload.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Expires`, as text.
    pub expires: Option<String>,
}

impl SystemHeaders {
    /// Those that are set, with their names.
    pub fn set(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("Content-Encoding", &self.content_encoding),
            ("Content-Disposition", &self.content_disposition),
            ("Content-Language", &self.content_language),
            ("Cache-Control", &self.cache_control),
            ("Expires", &self.expires),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// What HEAD, or the local file system, states about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFacts {
    /// Target and ETag.
    pub id: ObjectId,
    /// What stated them.
    pub source: FactsSource,
    /// The service that answered. The documentation of S3 applies only to S3 itself.
    pub service: Service,
    /// Size in bytes.
    pub size: u64,
    /// Time of last modification.
    pub last_modified: Option<Timestamp>,
    /// Checksums that are stored with the object.
    pub checksums: Fact<Vec<StoredChecksum>>,
    /// Stored checksums that could not be parsed, for the report.
    pub unreadable_checksums: Vec<String>,
    /// Storage class in S3's spelling; `STANDARD` if the header is absent, `None` for a file.
    pub storage_class: Option<String>,
    /// `x-amz-archive-status` of an object in Intelligent-Tiering.
    pub archive_status: Option<String>,
    /// `x-amz-restore`, or its text if it could not be parsed.
    pub restore: Option<Result<RestoreState, String>>,
    /// Server-side encryption.
    pub encryption: Encryption,
    /// Version id.
    pub version: Option<String>,
    /// Object Lock.
    pub lock: LockFacts,
    /// Replication status in S3's spelling.
    pub replication: Option<String>,
    /// `x-amz-expiration`, by which a lifecycle rule will remove the object; an error text if the statements
    /// contradict each other.
    pub expiration: Result<Option<String>, String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// Other headers that were set by whoever wrote the object.
    pub headers: SystemHeaders,
    /// User metadata, with names without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// Number of metadata entries that S3 left out because headers cannot carry them (`x-amz-missing-meta`).
    pub missing_metadata: u32,
    /// Number of tags, if stated.
    pub tag_count: Option<u32>,
    /// The headers of the response, without those of the user metadata: their names, and shapes of their values.
    pub stated_headers: Vec<(String, ValueShape)>,
}

/// Storage classes of general purpose buckets (S3 API Reference, `StorageClass`). The rule for ETags is
/// documented only for these.
const GENERAL_PURPOSE: [&str; 8] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
];

/// HEAD tells whole seconds, a listing may tell more.
pub(super) fn whole_second(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// User metadata of a copy whose bytes nothing need have proved when it was written: name and value. The values of such a
/// copy say nothing about its source.
pub const UNPROVED_COPY: (&str, &str) = ("stored-ami-source", "unproved");

impl ObjectFacts {
    /// Whether the object bears the mark [`UNPROVED_COPY`].
    pub fn is_unproved_copy(&self) -> bool {
        let (name, value) = UNPROVED_COPY;
        self.metadata.get(name).is_some_and(|stated| stated == value)
    }

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

    /// An object of which only identity and size are known.
    pub fn new(id: ObjectId, source: FactsSource, size: u64) -> Self {
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
            headers: SystemHeaders::default(),
            metadata: BTreeMap::new(),
            missing_metadata: 0,
            tag_count: None,
            stated_headers: Vec::new(),
        }
    }

    /// The number of parts that the ETag states; `None` if it has no multipart form.
    pub fn etag_parts(&self) -> Option<u32> {
        match self.id.etag.as_ref().map(ETag::form) {
            Some(ETagForm::Multipart { parts, .. }) => Some(parts),
            _ => None,
        }
    }

    /// Whether S3 documents the ETag as an MD5 of the body or of the parts' MD5s (S3 API Reference,
    /// `Object.ETag`): on an endpoint of AWS, in a general purpose bucket, without KMS or customer keys.
    pub fn etag_is_documented(&self) -> bool {
        let directory_bucket = match &self.id.target {
            Target::Object(uri) => uri.bucket.ends_with("--x-s3"),
            Target::Presigned(url) => url.object().bucket.ends_with("--x-s3"),
            Target::File(_) => return false,
        };
        let class = self.storage_class.as_deref();
        self.service == Service::Aws
            && self.encryption.hides_md5().is_none()
            && !directory_bucket
            && class.is_some_and(|class| GENERAL_PURPOSE.contains(&class))
    }
}

/// What GetObjectAttributes states, over all its pages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributeFacts {
    /// ETag of the object.
    pub etag: Option<ETag>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Checksums of the object.
    pub checksums: Vec<StoredChecksum>,
    /// Checksums that could not be parsed, for the report.
    pub unreadable_checksums: Vec<String>,
    /// Number of parts, which is stated even if the parts are not listed.
    pub parts_count: Option<u32>,
    /// The parts. S3 lists them only for objects with a composite checksum.
    pub parts: Vec<PartFacts>,
    /// Number of requests made.
    pub pages: u32,
}

/// A stored part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFacts {
    /// Number of the part.
    pub number: PartNumber,
    /// Size in bytes.
    pub size: u64,
    /// The part's own checksums; only objects with a composite checksum have them.
    pub checksums: Vec<Digest>,
    /// `x-amz-mp-parts-count`, which only a HEAD with a part number returns.
    pub of: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_etag_is_documented() {
        let of = |uri: &str, change: &dyn Fn(&mut ObjectFacts)| {
            let id = ObjectId { target: uri.parse().unwrap(), etag: None };
            let mut facts = ObjectFacts {
                service: Service::Aws,
                ..ObjectFacts::new(id, crate::facts::FactsSource::Other("test"), 1)
            };
            facts.storage_class = Some("STANDARD".to_owned());
            change(&mut facts);
            facts.etag_is_documented()
        };
        let class = |class: &'static str| move |facts: &mut ObjectFacts| facts.storage_class = Some(class.to_owned());
        assert!(of("s3://b/k", &|_| {}));
        assert!(of("s3://b/k", &|facts| facts.encryption = Encryption::S3Managed));
        assert!(of("s3://b/k", &class("DEEP_ARCHIVE")));
        assert!(!of("s3://b--use1-az4--x-s3/k", &|_| {}), "a directory bucket");
        for other in ["EXPRESS_ONEZONE", "FSX_OPENZFS", "SOMETHING_NEW"] {
            assert!(!of("s3://b/k", &class(other)), "{other}");
        }
        assert!(!of("s3://b/k", &|facts| facts.service = Service::Other));
        assert!(!of("s3://b/k", &|facts| facts.encryption = Encryption::CustomerKey));
        assert!(!of("s3://b/k", &|facts| facts.encryption = Encryption::Kms { kind: "aws:kms".into(), key: None }));
        assert!(!of("/a/file", &|_| {}));
    }
}
