use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::concurrency::ConcurrencyController;
use crate::clock::Clock;
use crate::sync::lock;

/// How long a number of readers is watched. Shorter, and the burst of new connections would count.
const PERIOD: Duration = Duration::from_secs(2);

/// The readers of one reading: how many there are, and how many there should be.
pub(super) struct ReaderPool {
    state: Mutex<State>,
    /// Bytes since the period began.
    bytes: AtomicU64,
    throttled: AtomicBool,
    /// More readers are wanted.
    pub grown: Notify,
}

struct State {
    climb: ConcurrencyController,
    running: usize,
    began: Instant,
}

impl ReaderPool {
    pub fn new(begin: usize, most: usize, now: Instant) -> Self {
        ReaderPool {
            state: Mutex::new(State { climb: ConcurrencyController::new(begin, most), running: 0, began: now }),
            bytes: AtomicU64::new(0),
            throttled: AtomicBool::new(false),
            grown: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// How many readers must be started for as many as there should be. They count as running from now on.
    pub fn missing(&self) -> usize {
        let mut state = self.state();
        let missing = state.climb.wanted().saturating_sub(state.running);
        state.running += missing;
        missing
    }

    /// Whether a reader should not read on, for there are more than there should be.
    pub fn leaves(&self) -> bool {
        let mut state = self.state();
        let leaves = state.running > state.climb.wanted();
        state.running -= usize::from(leaves);
        leaves
    }

    /// The server asked for fewer requests.
    pub fn throttled(&self, clock: &dyn Clock) {
        self.throttled.store(true, Ordering::Relaxed);
        self.look(clock);
    }

    /// Bytes came.
    pub fn received(&self, bytes: u64, clock: &dyn Clock) {
        const STEP: u64 = 4 << 20;
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before / STEP != (before + bytes) / STEP {
            self.look(clock);
        }
    }

    /// Ends the period, if it is over.
    fn look(&self, clock: &dyn Clock) {
        let now = clock.monotonic();
        let mut state = self.state();
        let elapsed = now.duration_since(state.began);
        if elapsed < PERIOD {
            return;
        }
        state.began = now;
        let rate = self.bytes.swap(0, Ordering::Relaxed) as f64 / elapsed.as_secs_f64();
        let throttled = self.throttled.swap(false, Ordering::Relaxed);
        state.climb.after(rate, throttled);
        if state.running < state.climb.wanted() {
            self.grown.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TestClock;
    use crate::units::MIB;

    #[tokio::test]
    async fn readers_come_while_bytes_come_and_leave_when_asked() {
        let clock = TestClock::default();
        let crowd = ReaderPool::new(4, 16, clock.monotonic());
        assert_eq!((crowd.missing(), crowd.missing()), (4, 0));
        crowd.received(100 * MIB, &clock);
        assert_eq!(crowd.missing(), 0, "the period is not over");
        clock.advance(PERIOD);
        crowd.received(8 * MIB, &clock);
        crowd.grown.notified().await;
        assert_eq!((crowd.missing(), crowd.leaves()), (2, false));
        clock.advance(PERIOD);
        crowd.throttled(&clock);
        assert_eq!(crowd.missing(), 0);
        assert!(crowd.leaves() && crowd.leaves(), "four of six stay");
        assert!(!crowd.leaves());
    }
}
