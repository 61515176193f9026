//! Time and chance, as parameters, so that tests can hold them still.

use std::time::{Duration, Instant};

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
        let now = Timestamp::now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
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
