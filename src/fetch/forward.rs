use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::checksum::Digest;
use crate::source::SourceError;
use crate::units::ByteRange;

/// Receives the bytes of a read, besides the hashers.
///
/// Several ranges arrive at the same time. The bytes of one range arrive in order.
///
/// # Errors
///
/// Each method fails if the bytes cannot be taken. The error ends the read; it must not be transient, because a
/// transient error would only repeat the range.
#[async_trait]
pub trait RangeSink: Send + Sync {
    /// Waits until there is room for a range. Called in order of offset; the oldest range that was admitted must always
    /// be able to end without another one. By default there is always room.
    async fn admit(&self, _range: ByteRange) -> Result<(), SourceError> {
        Ok(())
    }

    /// Takes the next bytes of a range, which start at this offset of the object.
    async fn take(&self, at: u64, bytes: Bytes) -> Result<(), SourceError>;

    /// All bytes of a range were taken. `_digests` are those that were computed of the range in passing. By default
    /// nothing happens.
    async fn end(&self, _range: ByteRange, _digests: &[Digest]) -> Result<(), SourceError> {
        Ok(())
    }

    /// How many ranges of this length it admits at the same time. More readers would only wait.
    fn at_once(&self, _length: u64) -> usize {
        usize::MAX
    }
}

/// Passes the bytes of one range on to a sink.
pub(super) struct Forwarding {
    to: Arc<dyn RangeSink>,
    range: ByteRange,
    at: u64,
    waiting: Vec<Bytes>,
}

impl Forwarding {
    pub(super) fn new(to: Arc<dyn RangeSink>, range: ByteRange) -> Self {
        Forwarding { to, range, at: range.start(), waiting: Vec::new() }
    }

    /// Adds bytes to those that the next call of [`pass`](Self::pass) passes on.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.waiting.push(bytes);
    }

    /// Passes on the bytes that were pushed.
    ///
    /// # Errors
    ///
    /// The error of the sink.
    pub(super) async fn pass(&mut self) -> Result<(), SourceError> {
        for bytes in self.waiting.drain(..) {
            let length = bytes.len() as u64;
            self.to.take(self.at, bytes).await?;
            self.at += length;
        }
        Ok(())
    }

    /// Passes on the last bytes, and ends the range.
    ///
    /// # Errors
    ///
    /// The error of the sink.
    pub(super) async fn end(&mut self, digests: &[Digest]) -> Result<(), SourceError> {
        self.pass().await?;
        self.to.end(self.range, digests).await
    }
}
