use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::clock::Clock;

/// Limits of bytes and time over several reads. Clones share the limits.
#[derive(Debug, Clone, Default)]
pub struct Quota {
    until: Option<Instant>,
    bytes_left: Option<Arc<AtomicU64>>,
    begun: Arc<AtomicBool>,
}

/// Ranges in progress at the deadline may take this much longer. Then their requests are cancelled, and their bytes do
/// not count as read.
const READS_GRACE: Duration = Duration::from_secs(2);
/// Requests that follow a read may take this much longer than the deadline.
const GRACE: Duration = Duration::from_millis(2_500);

impl Quota {
    /// `until` is the deadline, `bytes` the number of bytes; `None` is no limit.
    pub fn new(until: Option<Instant>, bytes: Option<u64>) -> Self {
        Quota { until, bytes_left: bytes.map(|bytes| Arc::new(AtomicU64::new(bytes))), begun: Arc::default() }
    }

    /// Takes the bytes of a range that is about to be read, and that takes at least the time `least`. A range that would
    /// be cancelled is not begun. The first range is always begun, so that a series of runs makes progress.
    pub(super) fn take(&self, bytes: u64, now: Instant, least: Duration) -> Result<(), Spent> {
        if !self.begun.swap(true, Ordering::Relaxed) {
            if let Some(left) = &self.bytes_left {
                let less = |left: u64| Some(left.saturating_sub(bytes));
                let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            }
            return Ok(());
        }
        if self.until.is_some_and(|until| now >= until || now + least > until + READS_GRACE) {
            return Err(Spent::Time);
        }
        let Some(left) = &self.bytes_left else { return Ok(()) };
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| Spent::Bytes)
    }

    /// Runs work that is not a read until the deadline. `None` if it did not finish in time.
    pub async fn within<T>(&self, clock: &dyn Clock, work: impl Future<Output = T>) -> Option<T> {
        let now = clock.monotonic();
        self.done_in(clock, self.until.map(|until| until.saturating_duration_since(now)), work).await
    }

    /// The same for work that follows a read, which may end a little after the deadline.
    pub async fn within_grace<T>(&self, clock: &dyn Clock, work: impl Future<Output = T>) -> Option<T> {
        let now = clock.monotonic();
        self.done_in(clock, self.until.map(|until| (until + GRACE).saturating_duration_since(now)), work).await
    }

    async fn done_in<T>(&self, clock: &dyn Clock, left: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
        let Some(left) = left else { return Some(work.await) };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = clock.sleep(left) => None,
        }
    }

    /// Time until reads must end, even in the middle of a range; `None` without a deadline.
    pub(super) fn ends_in(&self, now: Instant) -> Option<Duration> {
        Some((self.until? + READS_GRACE).saturating_duration_since(now))
    }
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// `--max-time`.
    Time,
    /// `--max-bytes`.
    Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn work_beside_the_reading_ends_with_the_time() {
        let over = Quota::new(Some(Instant::now()), None);
        assert_eq!(over.within(&SystemClock, std::future::pending::<()>()).await, None);
        assert_eq!(over.within(&SystemClock, std::future::ready(1)).await, Some(1), "what is done is done");
        assert_eq!(Quota::default().within(&SystemClock, tokio::task::yield_now()).await, Some(()));
        let left = Quota::new(Instant::now().checked_add(GRACE), None);
        assert_eq!(left.within_grace(&SystemClock, tokio::task::yield_now()).await, Some(()));
    }

    impl Quota {
        fn after_first(self) -> Self {
            self.begun.store(true, Ordering::Relaxed);
            self
        }
    }

    #[test]
    fn what_is_taken_is_gone_for_all() {
        let (now, none) = (Instant::now(), Duration::ZERO);
        let quota = Quota::new(Some(now + Duration::from_secs(5)), Some(100));
        let other = quota.clone();
        assert_eq!(quota.take(60, now, none), Ok(()));
        assert_eq!(other.take(41, now, none), Err(Spent::Bytes));
        assert_eq!(other.take(40, now, none), Ok(()));
        assert_eq!(quota.take(0, now + Duration::from_secs(5), none), Err(Spent::Time));
        assert_eq!(Quota::default().take(u64::MAX, now, none), Ok(()));
        let slow = |seconds| Quota::new(quota.until, None).after_first().take(1, now, Duration::from_secs(seconds));
        assert_eq!((slow(7), slow(8)), (Ok(()), Err(Spent::Time)), "the deadline is in 5 s, and 2 s later it is over");
        let little = Quota::new(Some(now), Some(1));
        assert_eq!(little.take(100, now, none), Ok(()), "the first one may");
        assert_eq!(Quota { until: None, ..little }.take(1, now, none), Err(Spent::Bytes));
    }
}
