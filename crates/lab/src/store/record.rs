use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::checksum::StoredChecksum;

/// What S3 knows of one object version, apart from its bytes. Tests change it
/// through [`Lab::with_object`](crate::Lab::with_object).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectRecord {
    pub key: String,
    /// `null` when the bucket is not versioned.
    pub version_id: String,
    /// A delete marker has neither bytes nor an ETag.
    pub delete_marker: bool,
    /// Bytes, as HEAD, listings and attributes report them.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    pub last_modified: Timestamp,
    pub checksum: Option<StoredChecksum>,
    /// Empty unless the object came from a multipart upload.
    pub parts: Vec<PartRecord>,
    /// `content-type`, `cache-control` and the like.
    pub headers: BTreeMap<String, String>,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// How many metadata entries S3 says it leaves out as unprintable.
    pub missing_meta: u32,
    /// `STANDARD` and the other names; unknown ones are passed on.
    pub storage_class: String,
    /// `ARCHIVE_ACCESS` or `DEEP_ARCHIVE_ACCESS` (Intelligent-Tiering).
    pub archive_status: Option<String>,
    pub restore: Option<RestoreState>,
    pub encryption: Encryption,
    pub tags: Vec<(String, String)>,
    pub retention: Option<Retention>,
    /// `ON` or `OFF`.
    pub legal_hold: Option<String>,
    pub replication_status: Option<String>,
    /// Value of `x-amz-expiration`.
    pub expiration: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    pub number: u32,
    /// Bytes.
    pub size: u64,
    /// MD5 of the part in hexadecimal, unless keys of the customer's or of KMS encrypt it.
    pub etag: String,
    /// Base64, in the algorithm of the object's checksum.
    pub checksum: Option<String>,
}

impl PartRecord {
    pub(crate) fn new(number: u32, size: u64, md5: &[u8], checksum: Option<&[u8]>) -> Self {
        let checksum = checksum.map(|digest| STANDARD.encode(digest));
        PartRecord { number, size, etag: hex::encode(md5), checksum }
    }
}

/// Where a temporary copy of an archived object stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestoreState {
    Ongoing,
    Done { expires: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encryption {
    /// `AES256`: what S3 does when nothing is asked for.
    S3,
    /// `aws:kms`
    Kms { key_id: String, bucket_key: bool },
    /// `aws:kms:dsse`
    Dsse { key_id: String },
    /// SSE-C. The key itself is never kept, only its MD5 in base64.
    Customer { key_md5: String },
    /// Objects from before S3 encrypted everything.
    None,
}

impl Encryption {
    /// Whether an MD5 of plain bytes can be behind the ETag.
    pub fn etag_is_md5(&self) -> bool {
        matches!(self, Encryption::S3 | Encryption::None)
    }

    pub fn needs_kms(&self) -> bool {
        matches!(self, Encryption::Kms { .. } | Encryption::Dsse { .. })
    }

    /// Value of `x-amz-server-side-encryption`.
    pub fn header_value(&self) -> Option<&'static str> {
        match self {
            Encryption::S3 => Some("AES256"),
            Encryption::Kms { .. } => Some("aws:kms"),
            Encryption::Dsse { .. } => Some("aws:kms:dsse"),
            Encryption::Customer { .. } | Encryption::None => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    pub retain_until: Timestamp,
}

impl ObjectRecord {
    pub(crate) fn is_multipart(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Must be restored before it can be read, and has not been.
    pub(crate) fn is_archived(&self, now: Timestamp) -> bool {
        let asleep = matches!(self.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE")
            || (self.storage_class == "INTELLIGENT_TIERING" && self.archive_status.is_some());
        let awake = matches!(&self.restore, Some(RestoreState::Done { expires }) if *expires > now);
        asleep && !awake
    }

    /// Start and length in bytes of a part; a plain object is its own part 1.
    pub(crate) fn part_range(&self, number: u32) -> Option<(u64, u64)> {
        if !self.is_multipart() {
            return (number == 1).then_some((0, self.size));
        }
        let mut start = 0;
        for part in &self.parts {
            if part.number == number {
                return Some((start, part.size));
            }
            start += part.size;
        }
        None
    }
}
