//! Time and random numbers as parameters, so that tests can control them.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::sync::lock;

/// A source of time and random numbers.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time of day, in whole seconds.
    fn now(&self) -> Timestamp;
    /// A time that only moves forward.
    fn monotonic(&self) -> Instant;
    /// Waits because the caller chose to: between attempts, frames or measurements. A test clock may shorten it.
    async fn sleep(&self, time: Duration);
    /// Waits for a time limit of other work. A test clock does not shorten it, because the work could then not finish
    /// in time.
    async fn limit(&self, time: Duration);
    /// A random number in `0..1`.
    fn random(&self) -> f64;
}

/// The work did not end within its time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time limit is over")]
pub struct LimitReached;

/// Runs work for at most this long.
///
/// # Errors
///
/// [`LimitReached`]; the work is dropped.
pub async fn within<T>(clock: &dyn Clock, time: Duration, work: impl Future<Output = T>) -> Result<T, LimitReached> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = clock.limit(time) => Err(LimitReached),
    }
}

/// The clock and the random numbers of the system.
#[derive(Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        time_of_day(SystemTime::now())
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn limit(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn random(&self) -> f64 {
        fastrand::f64()
    }
}

/// A clock for tests: pauses are skipped and recorded, limits last as long as they say, and the monotonic time can be
/// advanced.
#[derive(Debug, Default)]
pub struct TestClock(Mutex<Tested>);

#[derive(Debug, Default)]
struct Tested {
    slept: Vec<Duration>,
    moved: Duration,
    random: f64,
}

impl TestClock {
    /// A clock whose random number is always `random`.
    pub fn new(random: f64) -> Self {
        TestClock(Mutex::new(Tested { random, ..Tested::default() }))
    }

    /// Advances the monotonic time.
    pub fn advance(&self, time: Duration) {
        lock(&self.0).moved += time;
    }

    /// The pauses that were skipped, in order.
    pub fn slept(&self) -> Vec<Duration> {
        lock(&self.0).slept.clone()
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        time_of_day(SystemTime::now())
    }

    fn monotonic(&self) -> Instant {
        Instant::now() + lock(&self.0).moved
    }

    async fn sleep(&self, time: Duration) {
        lock(&self.0).slept.push(time);
        tokio::task::yield_now().await;
    }

    async fn limit(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn random(&self) -> f64 {
        lock(&self.0).random
    }
}

/// In whole seconds. If the clock is set beyond the years -9999 to 9999, the nearest time that can be written.
fn time_of_day(now: SystemTime) -> Timestamp {
    let (seconds, nearest) = match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => (i64::try_from(since.as_secs()).ok(), Timestamp::MAX),
        Err(before) => (i64::try_from(before.duration().as_secs()).ok().map(|seconds| -seconds), Timestamp::MIN),
    };
    let whole = Timestamp::from_second(nearest.as_second()).unwrap_or(nearest);
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_beyond_what_can_be_written_is_held_at_the_end() {
        let year = Duration::from_secs(366 * 24 * 60 * 60);
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(time_of_day(epoch + Duration::from_millis(1_500)).to_string(), "1970-01-01T00:00:01Z");
        assert!(time_of_day(epoch + year * 8_029).to_string().starts_with("9999-12-"));
        assert!(time_of_day(epoch + year * 1_000_000).to_string().starts_with("9999-12-"));
        assert!(time_of_day(epoch - year * 1_000_000).to_string().starts_with("-009999-"));
        assert!(time_of_day(SystemTime::now()) > Timestamp::UNIX_EPOCH);
    }
}
