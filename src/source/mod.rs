//! Access to the bytes and facts of objects: in S3, in local files, and in memory for tests.

mod absent;
mod advice;
mod archive;
mod bucket;
mod bucket_resolver;
mod error;
pub mod file;
pub mod memory;
mod refused;
mod retry;
#[cfg(feature = "s3")]
pub mod s3;
mod session;
mod throttled;
mod upload;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;

pub use absent::write_absent;
pub use advice::{Advice, NamedEndpoint};
pub use archive::{ArchiveAnswer, ArchiveService, RestoreFromArchive};
pub use bucket::BucketService;
pub use bucket_resolver::BucketResolver;
pub use error::{ErrorKind, SourceError};
pub use refused::Refused;
pub use retry::RetryPolicy;
pub use session::{Context, Session};
pub use throttled::{RateLimiter, ThrottledSource};
pub use upload::{Completion, CopyFrom, NewObject, PartBody, PartReceipt, PutConditions, UploadService, Written};

use crate::facts::{AttributeFacts, LockFacts, ObjectFacts, OwnerCheck, PartFacts};
use crate::ident::{ObjectId, Target};
use crate::progress::Call;
use crate::units::{ByteRange, PartNumber};

/// Maximum length in bytes of a frame from a connection. Smaller frames cost more system calls and acknowledgements;
/// larger ones take more memory while they wait for vector lanes.
pub const FRAME: usize = 128 << 10;

/// The bytes of a range, as frames in order.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes, SourceError>> + Send>>;

/// Costs of requests that their results do not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Aside {
    /// Additional requests.
    pub requests: u64,
    /// Bytes of responses that were the object itself in place of the requested document.
    pub bytes: u64,
}

/// One object, and the requests about it. Each method sends one request (`attributes`: one per page), without retries;
/// [`Session`] adds them.
///
/// # Errors
///
/// Each method fails with a [`SourceError`], whose [`kind`](SourceError::kind) says what the caller can do.
#[async_trait]
pub trait ObjectSource: Send + Sync {
    /// The object that this source accesses.
    fn target(&self) -> &Target;

    /// Current facts and identity of the object (HeadObject).
    async fn head(&self) -> Result<ObjectFacts, SourceError>;

    /// The same without checksums, which may require more permissions.
    async fn head_without_checksums(&self) -> Result<ObjectFacts, SourceError> {
        self.head().await
    }

    /// Replaces the error of a refused HEAD by a more specific one if possible. Returns it with the number of requests
    /// sent.
    async fn explain(&self, error: SourceError) -> (SourceError, u64) {
        (error, 0)
    }

    /// Whether the server checks the expected owner of the bucket, and the number of requests sent. `None` if no owner
    /// is expected or the service documents that it does. The caller must have seen a HEAD succeed.
    async fn owner_check(&self) -> Option<(OwnerCheck, u64)> {
        None
    }

    /// Checksums and parts (GetObjectAttributes).
    async fn attributes(&self, id: &ObjectId) -> Result<AttributeFacts, SourceError>;

    /// One stored part (HeadObject with a part number).
    async fn part(&self, id: &ObjectId, number: PartNumber) -> Result<PartFacts, SourceError>;

    /// Tags (GetObjectTagging).
    async fn tags(&self, id: &ObjectId) -> Result<BTreeMap<String, String>, SourceError>;

    /// Retention and legal hold (GetObjectRetention, GetObjectLegalHold).
    async fn lock(&self, id: &ObjectId) -> Result<LockFacts, SourceError>;

    /// Facts from a listing (ListObjectsV2); `None` if the listing does not contain the object.
    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError>;

    /// Reads bytes of an object of `size` bytes with the identity `id` (GetObject). The head of the response is checked
    /// against the request before the body is returned.
    async fn read(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Body, SourceError>;

    /// The reason why the server is known not to support a request, which then need not be sent.
    fn lacks(&self, _call: Call) -> Option<SourceError> {
        None
    }

    /// Requests and bytes since the last call that the results of other methods do not show.
    fn aside(&self) -> Aside {
        Aside::default()
    }

    /// Notes about responses since the last call, for the user; each note is returned once.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the response of every read so far named the state it is of, so that no read can have returned bytes of
    /// another one.
    fn reads_are_pinned(&self) -> bool {
        false
    }

    /// The same object over new connections, for a second read.
    fn fresh(&self) -> Arc<dyn ObjectSource>;
}

/// Opens a target with the default [`Context`]: a local file, or an object over a new connection to S3. For several
/// objects, open one [`Connection`](s3::Connection) and make a [`Session`] of each.
///
/// # Errors
///
/// [`ErrorKind::Configuration`] if profile, Region, endpoint or another setting of the connection is wrong.
#[cfg(feature = "s3")]
pub async fn open(target: &Target, options: s3::S3Options) -> Result<Session, SourceError> {
    let source: Arc<dyn ObjectSource> = match target {
        Target::File(path) => Arc::new(file::FileSource::new(path)),
        Target::Object(uri) => Arc::new(s3::Connection::open(options).await?.object(uri.clone())),
        Target::Presigned(url) => Arc::new(s3::Connection::open(options.unsigned()).await?.presigned(url.clone())),
    };
    Ok(Session::new(source, Context::default()))
}
