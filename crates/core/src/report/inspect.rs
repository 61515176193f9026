use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, IdentityReport, LayoutReport, ProbeReport, RatioReport, ReasonReport};
use crate::checksum::{Algorithm, ChecksumKind};
use crate::facts::{Encryption, Fact, LockFacts, Recognised};
use crate::text::words;
use crate::verdict::CheckId;

/// What `inspect` found. No byte of the object was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InspectReport {
    pub target: String,
    /// The API call that told size, ETag and what has no source of its own here.
    pub source: String,
    pub identity: IdentityReport,
    pub etag_form: ETagKind,
    pub layout: LayoutReport,
    pub checksums: Vec<ChecksumReport>,
    /// Where the checksums come from, or why there are none.
    pub checksums_source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    pub readable: ReadableState,
    /// Where it is archived, or when the temporary copy ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_detail: Option<String>,
    pub encryption: EncryptionReport,
    pub lock: FactReport<LockReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<String>,
    /// When a lifecycle rule will remove the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    pub tags: FactReport<BTreeMap<String, String>>,
    pub metadata: Vec<MetadataReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<RatioReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeReport>,
    /// Proofs that a `verify` could reach, and those it could not.
    pub proofs: Vec<ProofReport>,
    /// What a `verify` of every byte would take; absent when nothing would be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_cost: Option<VerifyCostEstimate>,
    pub notes: Vec<String>,
    pub requests: u64,
    /// Object bytes that came over the wire: of windows that were read, and of answers that were the object where
    /// something else was asked for.
    #[serde(default, skip_serializing_if = "is_none")]
    pub received_bytes: u64,
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

/// A checksum S3 stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChecksumReport {
    pub algorithm: Algorithm,
    pub kind: ChecksumType,
    pub value: String,
}

/// A fact that was asked for by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FactReport<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<T>,
    /// Where the value comes from, or why there is none.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EncryptionReport {
    /// S3's word, `SSE-C`, or `none stated`.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockReport {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_hold: Option<String>,
}

/// One entry of user metadata, verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetadataReport {
    pub name: String,
    pub value: String,
    /// What the value looks like; the names that EC2 uses are not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recognised: Option<Recognised>,
}

/// A reference, and whether a `verify` could hold the bytes against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProofReport {
    pub check: CheckId,
    pub reachable: bool,
    /// What a match would prove, or what a mismatch could show; empty when out of reach.
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifyCostEstimate {
    /// All requests, metadata included, when nothing must be repeated.
    pub requests: u64,
    pub read_bytes: u64,
}

impl<T> FactReport<T> {
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
