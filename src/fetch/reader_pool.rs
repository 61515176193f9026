use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::concurrency::ConcurrencyController;
use crate::clock::Clock;
use crate::sync::lock;

/// Duration of a measurement. A shorter one would count the burst of new connections.
const PERIOD: Duration = Duration::from_secs(2);

/// The readers of one read: how many there are, and how many there should be.
pub(super) struct ReaderPool {
    state: Mutex<State>,
    /// Bytes since the start of the period.
    bytes: AtomicU64,
    throttled: AtomicBool,
    /// Notified when more readers are wanted.
    pub grown: Notify,
}

struct State {
    climb: ConcurrencyController,
    running: usize,
    began: Instant,
}

impl ReaderPool {
    /// Starts with `begin` readers and grows to at most `most`.
    pub(super) fn new(begin: usize, most: usize, now: Instant) -> Self {
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

    /// Number of readers to start. They count as running from now on.
    pub(super) fn missing(&self) -> usize {
        let mut state = self.state();
        let missing = state.climb.wanted().saturating_sub(state.running);
        state.running += missing;
        missing
    }

    /// Whether the calling reader should end because there are too many. It then no longer counts as running.
    pub(super) fn leaves(&self) -> bool {
        let mut state = self.state();
        let leaves = state.running > state.climb.wanted();
        state.running -= usize::from(leaves);
        leaves
    }

    /// Records that the server asked for fewer requests.
    pub(super) fn throttled(&self, clock: &dyn Clock) {
        self.throttled.store(true, Ordering::Relaxed);
        self.look(clock);
    }

    /// Records received bytes.
    pub(super) fn received(&self, bytes: u64, clock: &dyn Clock) {
        const STEP: u64 = 4 << 20;
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before / STEP != (before + bytes) / STEP {
            self.look(clock);
        }
    }

    /// Ends the period if its time is over, and adjusts the number of readers.
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
