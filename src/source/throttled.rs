use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::StreamExt;

use super::{Aside, Body, ObjectSource, SourceError};
use crate::clock::Clock;
use crate::facts::{AttributeFacts, LockFacts, ObjectFacts, OwnerCheck, PartFacts};
use crate::ident::{ObjectId, Target};
use crate::progress::Call;
use crate::sync::lock;
use crate::units::{ByteRange, PartNumber};

/// A limit in bytes per second, for all sources that share it.
pub struct RateLimiter {
    clock: Arc<dyn Clock>,
    bytes_per_second: u64,
    /// Time at which the next frame is due.
    next: Mutex<Option<Instant>>,
}

/// Unused time is carried over up to this duration.
const SAVED: Duration = Duration::from_millis(100);

impl RateLimiter {
    /// `bytes_per_second` is at least 1.
    pub fn new(bytes_per_second: u64, clock: Arc<dyn Clock>) -> Self {
        RateLimiter { clock, bytes_per_second: bytes_per_second.max(1), next: Mutex::new(None) }
    }

    /// The limit.
    pub fn bytes_per_second(&self) -> u64 {
        self.bytes_per_second
    }

    /// How long a frame of `bytes` bytes must wait.
    fn wait(&self, bytes: usize, now: Instant) -> Duration {
        let takes = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        let mut next = lock(&self.next);
        let turn = next.unwrap_or(now).max(now.checked_sub(SAVED).unwrap_or(now));
        *next = Some(turn + takes);
        turn.saturating_duration_since(now)
    }
}

/// An object source whose bytes arrive at most at the rate of a limiter.
pub struct ThrottledSource {
    source: Arc<dyn ObjectSource>,
    pace: Arc<RateLimiter>,
}

impl ThrottledSource {
    /// Limits `source` by `pace`, which other sources may share.
    pub fn new(source: Arc<dyn ObjectSource>, pace: Arc<RateLimiter>) -> Self {
        ThrottledSource { source, pace }
    }
}

// A default method would answer for the wrapper and not for the inner source.
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ObjectSource for ThrottledSource {
    fn target(&self) -> &Target {
        self.source.target()
    }

    async fn head(&self) -> Result<ObjectFacts, SourceError> {
        self.source.head().await
    }

    async fn head_without_checksums(&self) -> Result<ObjectFacts, SourceError> {
        self.source.head_without_checksums().await
    }

    async fn explain(&self, error: SourceError) -> (SourceError, u64) {
        self.source.explain(error).await
    }

    async fn owner_check(&self) -> Option<(OwnerCheck, u64)> {
        self.source.owner_check().await
    }

    async fn attributes(&self, id: &ObjectId) -> Result<AttributeFacts, SourceError> {
        self.source.attributes(id).await
    }

    async fn part(&self, id: &ObjectId, number: PartNumber) -> Result<PartFacts, SourceError> {
        self.source.part(id, number).await
    }

    async fn tags(&self, id: &ObjectId) -> Result<BTreeMap<String, String>, SourceError> {
        self.source.tags(id).await
    }

    async fn lock(&self, id: &ObjectId) -> Result<LockFacts, SourceError> {
        self.source.lock(id).await
    }

    async fn find(&self) -> Result<Option<ObjectFacts>, SourceError> {
        self.source.find().await
    }

    async fn read(&self, id: &ObjectId, size: u64, range: ByteRange) -> Result<Body, SourceError> {
        let body = self.source.read(id, size, range).await?;
        let pace = Arc::clone(&self.pace);
        Ok(Box::pin(body.then(move |frame| {
            let bytes = frame.as_ref().map_or(0, bytes::Bytes::len);
            let wait = pace.wait(bytes, pace.clock.monotonic());
            let clock = Arc::clone(&pace.clock);
            async move {
                clock.sleep(wait).await;
                frame
            }
        })))
    }

    fn lacks(&self, call: Call) -> Option<SourceError> {
        self.source.lacks(call)
    }

    fn aside(&self) -> Aside {
        self.source.aside()
    }

    fn notes(&self) -> Vec<String> {
        self.source.notes()
    }

    fn reads_are_pinned(&self) -> bool {
        self.source.reads_are_pinned()
    }

    fn fresh(&self) -> Arc<dyn ObjectSource> {
        Arc::new(ThrottledSource { source: self.source.fresh(), pace: Arc::clone(&self.pace) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_take_turns_at_the_pace() {
        let pace = RateLimiter::new(1000, Arc::new(crate::clock::SystemClock));
        let now = Instant::now();
        assert_eq!(pace.wait(500, now), Duration::ZERO, "nobody before it");
        assert_eq!(pace.wait(500, now), Duration::from_millis(500));
        assert_eq!(pace.wait(1, now + Duration::from_millis(400)), Duration::from_millis(600));
        // No burst after a long pause.
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.wait(1000, later), Duration::ZERO);
        assert_eq!(pace.wait(1, later), Duration::from_millis(900));
    }
}
