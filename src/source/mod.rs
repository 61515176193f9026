//! Where the bytes of objects come from.

mod bucket;
mod bucket_resolver;
mod error;
pub mod file;
pub mod memory;
mod retry;
#[cfg(feature = "s3")]
pub mod s3;
mod session;
mod throttled;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;

pub use bucket::BucketService;
pub use bucket_resolver::BucketResolver;
pub use error::{ErrorKind, SourceError};
pub use retry::RetryPolicy;
pub use session::{Context, Session};
pub use throttled::{RateLimiter, ThrottledSource};

use crate::facts::{AttributeFacts, LockFacts, ObjectFacts, OwnerCheck, PartFacts};
use crate::ident::{ObjectId, Target};
use crate::progress::Call;
use crate::units::{ByteRange, PartNumber};

/// Bytes of a frame at the most, where they come from a connection. Larger ones fall out of the processor's cache
/// before they are hashed, smaller ones cost more calls.
pub const FRAME: usize = 64 << 10;

/// The bytes of a range, as frames in order.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes, SourceError>> + Send>>;

/// What a request took besides itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Aside {
    /// Further requests.
    pub requests: u64,
    /// Bytes of answers that were the object where something else was asked for.
    pub bytes: u64,
}

/// One object, and everything that can be asked about it. Each method is one
/// request (attributes: one for each page); retrying is the caller's business.
#[async_trait]
pub trait ObjectSource: Send + Sync {
    fn target(&self) -> &Target;

    /// Facts and identity of the object as it is now.
    async fn head(&self) -> Result<ObjectFacts, SourceError>;

    /// The same without the checksums, which may take more permissions.
    async fn head_without_checksums(&self) -> Result<ObjectFacts, SourceError> {
        self.head().await
    }

    /// What a refused HEAD really means, and how many requests it took to learn that.
    async fn explain(&self, error: SourceError) -> (SourceError, u64) {
        (error, 0)
    }

    /// Whether the server looks at the expected owner of the bucket, and how many requests it took to learn that;
    /// `None` where no owner is expected, or the service documents that it does. To be asked after a HEAD.
    async fn owner_check(&self) -> Option<(OwnerCheck, u64)> {
        None
    }

    /// Checksums and parts, as GetObjectAttributes tells them.
    async fn attributes(&self, id: &ObjectId) -> Result<AttributeFacts, SourceError>;

    /// One stored part, as HEAD with a part number tells it.
    async fn part(&self, id: &ObjectId, number: PartNumber) -> Result<PartFacts, SourceError>;

    async fn tags(&self, id: &ObjectId) -> Result<BTreeMap<String, String>, SourceError>;

    /// Retention and legal hold, asked for by themselves.
    async fn lock(&self, id: &ObjectId) -> Result<LockFacts, SourceError>;

    /// What a listing tells of the object; `None` when the listing does not hold it.
    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError>;

    /// Bytes of an object of `size` bytes under the identity `id`. The head of the answer
    /// has been held against the request before the body is handed out.
    async fn read(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Body, SourceError>;

    /// A request that this server is known not to serve, with the reason; it need not be made.
    fn lacks(&self, _call: Call) -> Option<SourceError> {
        None
    }

    /// Requests and bytes that the results of the other methods do not tell of, since this was asked last.
    fn aside(&self) -> Aside {
        Aside::default()
    }

    /// What is worth saying of the answers so far, each once.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// The same object over connections of its own, for a second opinion.
    fn fresh(&self) -> Arc<dyn ObjectSource>;
}
