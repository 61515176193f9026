use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::checksum::{Algorithm, ChecksumType};
use crate::content::Source;
use crate::record::ObjectRecord;

/// A multipart upload in progress. Uploads do not survive a restart.
#[derive(Debug)]
pub(crate) struct Upload {
    pub initiated: Timestamp,
    /// The object to be: everything but what the parts decide.
    pub draft: ObjectRecord,
    /// `None` when the object is to be stored without a checksum.
    pub checksum: Option<(Algorithm, ChecksumType)>,
    /// Whether the client chose the checksum or S3 did.
    pub checksum_chosen: bool,
    pub parts: BTreeMap<u32, UploadedPart>,
}

#[derive(Debug, Clone)]
pub(crate) struct UploadedPart {
    pub source: Source,
    pub size: u64,
    /// Without quotes; no MD5 when keys of KMS or the customer encrypt it.
    pub etag: String,
    /// Raw digest in the upload's algorithm.
    pub digest: Option<Vec<u8>>,
    pub last_modified: Timestamp,
}
