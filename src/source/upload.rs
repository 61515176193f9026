use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Body, SourceError};
use crate::checksum::{Algorithm, Digest};
use crate::copy::{LockRequest, UploadChecksum};
use crate::facts::SystemHeaders;
use crate::ident::{ETag, ObjectUri};
use crate::units::{ByteRange, PartNumber};

/// Properties of an object that is written, besides its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewObject {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// Other headers that S3 keeps with the object.
    pub headers: SystemHeaders,
    /// User metadata, with names without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Storage class in S3's spelling; `None` for that of the bucket.
    pub storage_class: Option<String>,
    /// KMS key for SSE-KMS; `None` for the encryption of the bucket.
    pub kms_key: Option<String>,
    /// Object Lock.
    pub lock: LockRequest,
    /// The checksum to store; `None` for the server's choice.
    pub checksum: Option<UploadChecksum>,
}

/// The bytes of a part, as the frames that they were received in.
#[derive(Debug, Clone, Default)]
pub struct PartBody {
    frames: Arc<[Bytes]>,
    length: u64,
}

impl PartBody {
    /// A body of these frames, in order.
    pub fn new(frames: Vec<Bytes>) -> Self {
        PartBody { length: frames.iter().map(|frame| frame.len() as u64).sum(), frames: frames.into() }
    }

    /// Number of bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The frames, in order.
    pub fn frames(&self) -> &[Bytes] {
        &self.frames
    }
}

/// What the server states about a part that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartReceipt {
    /// Number of the part.
    pub number: PartNumber,
    /// Size in bytes; `None` if the server does not state it.
    pub size: Option<u64>,
    /// ETag of the part.
    pub etag: ETag,
    /// The checksum of the part; `None` if the server does not state it.
    pub checksum: Option<Digest>,
}

/// An object that the server copies from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFrom {
    /// The object, with its version if that is known.
    pub uri: ObjectUri,
    /// The ETag that it must have.
    pub etag: ETag,
}

/// What ends an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The parts, in order.
    pub parts: Vec<PartReceipt>,
    /// Size of the object in bytes.
    pub size: u64,
    /// The checksum that was chosen for the upload.
    pub checksum: Option<UploadChecksum>,
    /// The checksum over the bytes of the object, if that is the one to store.
    pub full_object: Option<Digest>,
    /// What must hold at the destination.
    pub conditions: PutConditions,
}

/// What must hold of the key that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutConditions {
    /// There is no object (`If-None-Match: *`).
    Absent,
    /// The object has this ETag (`If-Match`).
    Is(ETag),
}

/// What the server states about an object that it has written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// ETag of the object.
    pub etag: Option<ETag>,
    /// Version id.
    pub version: Option<String>,
}

/// Writes one object. Each method sends one request without retries (`parts`: one per page).
///
/// # Errors
///
/// Each method fails with a [`SourceError`]. After an error that [may be done](SourceError::may_be_done), the server may
/// have carried out the request.
#[async_trait]
pub trait UploadService: Send + Sync {
    /// The object that is written.
    fn uri(&self) -> &ObjectUri;

    /// Begins an upload (CreateMultipartUpload), and returns its id.
    async fn begin(&self, new: &NewObject) -> Result<String, SourceError>;

    /// Sends a part (UploadPart). `checksum` is that of the body, which the server compares.
    async fn part(
        &self,
        upload: &str,
        number: PartNumber,
        body: &PartBody,
        checksum: Option<&Digest>,
    ) -> Result<PartReceipt, SourceError>;

    /// Sends a part of `length` bytes while its bytes arrive. The checksum by the algorithm of `trailer` follows the bytes,
    /// if there is one and the client can compute it.
    async fn part_stream(
        &self,
        upload: &str,
        number: PartNumber,
        (body, length): (Body, u64),
        trailer: Option<Algorithm>,
    ) -> Result<PartReceipt, SourceError>;

    /// Lets the server copy a range of another object as a part (UploadPartCopy), if that object has this ETag. `None`
    /// copies all of it.
    async fn part_copy(
        &self,
        upload: &str,
        number: PartNumber,
        from: &CopyFrom,
        range: Option<ByteRange>,
    ) -> Result<PartReceipt, SourceError>;

    /// The parts that the server holds (ListParts).
    async fn parts(&self, upload: &str) -> Result<Vec<PartReceipt>, SourceError>;

    /// Makes an object of the parts (CompleteMultipartUpload).
    async fn complete(&self, upload: &str, completion: &Completion) -> Result<Written, SourceError>;

    /// Removes the object (DeleteObject), or this version of it.
    async fn remove(&self, version: Option<&str>) -> Result<(), SourceError>;

    /// Removes the upload and its parts (AbortMultipartUpload).
    async fn abort(&self, upload: &str) -> Result<(), SourceError>;

    /// Writes an object in one request (PutObject). `checksum` is that of the body, which the server compares.
    async fn put(
        &self,
        new: &NewObject,
        body: &PartBody,
        checksum: Option<&Digest>,
        conditions: &PutConditions,
    ) -> Result<Written, SourceError>;
}
