//! Time and chance, as parameters, so that tests can hold them still.

use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use jiff::Timestamp;

#[async_trait]
pub trait Clock: Send + Sync {
    /// The time of day, in whole seconds.
    fn now(&self) -> Timestamp;
    /// A time that only moves forward.
    fn monotonic(&self) -> Instant;
    async fn sleep(&self, time: Duration);
    /// A number in `0..1`.
    fn random(&self) -> f64;
}

/// The machine's own clock and random source.
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

    fn random(&self) -> f64 {
        fastrand::f64()
    }
}

/// In whole seconds; the nearest time that can be written where a clock is set beyond the years -9999 to 9999.
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
