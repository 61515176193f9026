use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, IdentityReport, LayoutReport, Note, ProbeReport, RatioReport, ReasonReport};
use crate::checksum::{Algorithm, ChecksumKind};
use crate::facts::{Encryption, Fact, LockFacts, Recognised};
use crate::text::words;
use crate::verdict::CheckId;

/// Result of `inspect`. No byte of the object is read, except for windows of a probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InspectReport {
    /// The object, as a URI or a path.
    pub target: String,
    /// The API call behind size, ETag and the other values without a source of their own.
    pub source: String,
    /// The state of the object.
    pub identity: IdentityReport,
    /// Form of the ETag: `md5`, `multipart`, `opaque` or `none`.
    pub etag_form: ETagKind,
    /// The parts of the object.
    pub layout: LayoutReport,
    /// The checksums that S3 stores.
    pub checksums: Vec<ChecksumReport>,
    /// Source of the checksums, or why there are none.
    pub checksums_source: String,
    /// Storage class in S3's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// `now`, `until` (through a temporary copy) or `archived`.
    pub readable: ReadableState,
    /// Where it is archived, or when the temporary copy expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_detail: Option<String>,
    /// Server-side encryption.
    pub encryption: EncryptionReport,
    /// Object Lock.
    pub lock: FactReport<LockReport>,
    /// Replication status in S3's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<String>,
    /// When a lifecycle rule will remove the object, as S3 states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
    /// `Content-Type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Tags of the object.
    pub tags: FactReport<BTreeMap<String, String>>,
    /// User metadata.
    pub metadata: Vec<MetadataReport>,
    /// Compression ratios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<RatioReport>,
    /// Estimates about the content, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeReport>,
    /// The references, and whether `verify` can use them.
    pub proofs: Vec<ProofReport>,
    /// Requests and bytes of a complete `verify`; absent if nothing would be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_cost: Option<VerifyCostEstimate>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Requests of all kinds.
    pub requests: u64,
    /// Object bytes received: of windows, and of responses that contained the object although something else
    /// was requested.
    #[serde(default, skip_serializing_if = "is_none")]
    pub received_bytes: u64,
    /// Exit code for this target.
    pub exit_code: Exit,
}

fn is_none(bytes: &u64) -> bool {
    *bytes == 0
}

words! {
    /// What the text of an ETag looks like.
    pub enum ETagKind {
        /// 32 hexadecimal digits.
        Md5 = "md5",
        /// 32 hexadecimal digits and a number of parts.
        Multipart = "multipart",
        Opaque = "opaque",
        /// There is no ETag.
        None = "none",
    }
}

words! {
    /// Whether the bytes can be read.
    pub enum ReadableState {
        Now = "now",
        /// A temporary copy can be read.
        Until = "until",
        Archived = "archived",
        /// A permission is missing.
        No = "no",
    }
}

words! {
    /// What a stored checksum covers.
    pub enum ChecksumType {
        FullObject = "full_object",
        /// The values of the parts.
        Composite = "composite",
        Unstated = "unstated",
    }
}

impl From<ChecksumKind> for ChecksumType {
    fn from(kind: ChecksumKind) -> Self {
        match kind {
            ChecksumKind::FullObject => ChecksumType::FullObject,
            ChecksumKind::Composite { .. } => ChecksumType::Composite,
            ChecksumKind::Unstated => ChecksumType::Unstated,
        }
    }
}

/// A checksum that S3 stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChecksumReport {
    /// Name of the algorithm.
    pub algorithm: Algorithm,
    /// `full_object`, `composite` or `unstated`.
    pub kind: ChecksumType,
    /// The value in base64, for composites possibly with the part count.
    pub value: String,
}

/// A value that was requested separately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FactReport<T> {
    /// The value; absent or `null` if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<T>,
    /// Source of the value, or why there is none.
    pub source: String,
}

/// Server-side encryption of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EncryptionReport {
    /// S3's term, `SSE-C`, or `none stated`.
    pub kind: String,
    /// Id or ARN of the KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}

/// Object Lock of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockReport {
    /// Retention mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// End of the retention, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<String>,
    /// Legal hold, `ON` or `OFF`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_hold: Option<String>,
}

/// One entry of the user metadata, unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetadataReport {
    /// Name without `x-amz-meta-`.
    pub name: String,
    /// The value.
    pub value: String,
    /// Kind of the value: `account`, `date`, `ami_id` or `ami_name`. It is recognised by the value, because
    /// the names that EC2 uses are not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recognised: Option<Recognised>,
}

/// A reference, and whether `verify` can compare the bytes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProofReport {
    /// Name of the check.
    pub check: CheckId,
    /// Whether `verify` can use it.
    pub reachable: bool,
    /// What a match proves or a mismatch shows; empty if it cannot be used.
    pub detail: String,
    /// Why it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonReport>,
}

/// Requests and bytes of a complete `verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifyCostEstimate {
    /// Requests of all kinds, if none must be repeated.
    pub requests: u64,
    /// Object bytes to read.
    pub read_bytes: u64,
}

impl<T> FactReport<T> {
    /// Converts a fact; `show` converts its value.
    pub fn from_fact<U>(fact: &Fact<U>, show: impl FnOnce(&U) -> T) -> Self {
        match fact {
            Fact::Known { value, source } => FactReport { value: Some(show(value)), source: (*source).to_owned() },
            other => FactReport { value: None, source: other.why_not().unwrap_or_default() },
        }
    }
}

impl From<&Encryption> for EncryptionReport {
    fn from(encryption: &Encryption) -> Self {
        let (kind, kms_key) = match encryption {
            Encryption::None => ("none stated", None),
            Encryption::S3Managed => ("AES256", None),
            Encryption::Kms { kind, key } => (kind.as_str(), key.clone()),
            Encryption::CustomerKey => ("SSE-C", None),
            Encryption::Other(kind) => (kind.as_str(), None),
        };
        EncryptionReport { kind: kind.to_owned(), kms_key }
    }
}

impl From<&LockFacts> for LockReport {
    fn from(lock: &LockFacts) -> Self {
        LockReport {
            mode: lock.mode.as_ref().map(ToString::to_string),
            retain_until: lock.retain_until.as_ref().map(ToString::to_string),
            legal_hold: lock.legal_hold.as_ref().map(ToString::to_string),
        }
    }
}
