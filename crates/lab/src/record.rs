use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::checksum::StoredChecksum;

/// Metadata of an object version. Tests change it through
/// [`Lab::with_object`](crate::Lab::with_object).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectRecord {
    /// Decoded.
    pub key: String,
    /// `null` when the bucket is not versioned.
    pub version_id: String,
    /// A delete marker has neither bytes nor an ETag.
    pub delete_marker: bool,
    /// Size in bytes that HEAD, listings and attributes state.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// Time of the upload.
    pub last_modified: Timestamp,
    /// The additional checksum, if one is stored.
    pub checksum: Option<StoredChecksum>,
    /// Parts of a multipart upload; empty for an object of one PUT.
    pub parts: Vec<PartRecord>,
    /// `content-type`, `cache-control` and the like.
    pub headers: BTreeMap<String, String>,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// Value of `x-amz-missing-meta`: number of metadata entries that S3 leaves out as unprintable.
    pub missing_meta: u32,
    /// `STANDARD` or another name; unknown names are kept.
    pub storage_class: String,
    /// `ARCHIVE_ACCESS` or `DEEP_ARCHIVE_ACCESS` (Intelligent-Tiering).
    pub archive_status: Option<String>,
    /// State of a restore from an archive class.
    pub restore: Option<RestoreState>,
    /// Server-side encryption.
    pub encryption: Encryption,
    /// Object tags, in order.
    pub tags: Vec<(String, String)>,
    /// Object Lock retention.
    pub retention: Option<Retention>,
    /// `ON` or `OFF`.
    pub legal_hold: Option<String>,
    /// Value of `x-amz-replication-status`.
    pub replication_status: Option<String>,
    /// Value of `x-amz-expiration`.
    pub expiration: Option<String>,
}

/// A part of a multipart object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// From 1 to 10,000.
    pub number: u32,
    /// Bytes.
    pub size: u64,
    /// MD5 of the part in hexadecimal; some other value under SSE-C or KMS.
    pub etag: String,
    /// Checksum of the part in base64, by the algorithm of the object's checksum.
    pub checksum: Option<String>,
}

impl PartRecord {
    pub(crate) fn new(number: u32, size: u64, md5: &[u8], checksum: Option<&[u8]>) -> Self {
        let checksum = checksum.map(|digest| STANDARD.encode(digest));
        PartRecord { number, size, etag: hex::encode(md5), checksum }
    }
}

/// State of the temporary copy of an archived object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestoreState {
    /// The restore is in progress until another state is set.
    Ongoing,
    /// The restore was asked for, and is in progress until the pace of tasks ends it.
    Requested {
        /// When it was asked for.
        at: Timestamp,
        /// Number of HEAD requests since.
        looks: u32,
        /// Days that the copy will stay; `None` in Intelligent-Tiering, whose objects return to the frequent access tier.
        days: Option<i64>,
    },
    /// A temporary copy can be read.
    Done {
        /// When the copy is removed.
        expires: Timestamp,
    },
}

/// Server-side encryption of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encryption {
    /// `AES256`, the default of S3.
    S3,
    /// `aws:kms`
    Kms {
        /// ARN of the key.
        key_id: String,
        /// Whether an S3 Bucket Key is used.
        bucket_key: bool,
    },
    /// `aws:kms:dsse`
    Dsse {
        /// ARN of the key.
        key_id: String,
    },
    /// SSE-C. The lab does not keep the key.
    Customer {
        /// MD5 of the key in base64.
        key_md5: String,
    },
    /// None, as for objects uploaded before S3 encrypted by default.
    None,
}

impl Encryption {
    /// Whether the ETag is the MD5 of the plaintext (or of the MD5s of the parts).
    pub fn etag_is_md5(&self) -> bool {
        matches!(self, Encryption::S3 | Encryption::None)
    }

    /// Whether readers need permission to use a KMS key.
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

/// Object Lock retention of an object version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// Until when the version cannot be deleted.
    pub retain_until: Timestamp,
}

impl ObjectRecord {
    pub(crate) fn is_multipart(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Whether the object must be restored before it can be read.
    pub(crate) fn is_archived(&self, now: Timestamp) -> bool {
        let asleep = matches!(self.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE")
            || (self.storage_class == "INTELLIGENT_TIERING" && self.archive_status.is_some());
        let awake = matches!(&self.restore, Some(RestoreState::Done { expires }) if *expires > now);
        asleep && !awake
    }

    /// Offset and length in bytes of a part. An object of one PUT is its own part 1.
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
