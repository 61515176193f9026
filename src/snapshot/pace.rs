use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::sync::lock;

/// Unused time is carried over up to this duration.
const SAVED: Duration = Duration::from_millis(100);
/// Requests are sent in groups, this time apart. A timer for each request costs more than sending it.
const STEP: Duration = Duration::from_millis(8);
/// The rate is halved at most once in this time: the requests in flight are refused together.
const PAUSE: Duration = Duration::from_secs(1);
/// Share of the limit by which the rate grows in a second without throttling.
const GROWTH: f64 = 0.05;
/// The lowest rate, as a share of the limit.
const LOWEST: f64 = 1.0 / 64.0;

/// A limit of the rate of GetSnapshotBlock, which all snapshots of a run share. The rate is halved when EBS throttles,
/// and grows again slowly: other programs share the account's limit.
pub struct BlockPace {
    clock: Arc<dyn Clock>,
    limit: f64,
    /// The groups are counted from here.
    began: Instant,
    state: Mutex<State>,
}

struct State {
    /// Requests per second.
    rate: f64,
    /// Time at which the next request is due.
    next: Option<Instant>,
    slowed: Option<Instant>,
    /// Time up to which growth is counted in `rate`.
    grown: Option<Instant>,
}

impl BlockPace {
    /// At most `limit` requests per second.
    pub fn new(limit: u32, clock: Arc<dyn Clock>) -> Self {
        let limit = f64::from(limit.max(1));
        let state = State { rate: limit, next: None, slowed: None, grown: None };
        BlockPace { began: clock.monotonic(), clock, limit, state: Mutex::new(state) }
    }

    /// Waits until a request may be sent.
    pub async fn turn(&self) {
        let wait = self.wait(self.clock.monotonic());
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }

    fn wait(&self, now: Instant) -> Duration {
        let mut state = lock(&self.state);
        if state.rate < self.limit {
            let from = state.grown.or(state.slowed).unwrap_or(now);
            let seconds = now.saturating_duration_since(from).as_secs_f64();
            state.rate = (state.rate + self.limit * GROWTH * seconds).min(self.limit);
            state.grown = Some(now);
        }
        let turn = state.next.unwrap_or(now).max(now.checked_sub(SAVED).unwrap_or(now));
        state.next = Some(turn + Duration::from_secs_f64(1.0 / state.rate));
        self.group(turn).saturating_duration_since(now)
    }

    /// When the group of this turn is sent.
    fn group(&self, turn: Instant) -> Instant {
        let passed = turn.saturating_duration_since(self.began).as_nanos();
        let groups = passed.div_ceil(STEP.as_nanos());
        self.began + STEP.saturating_mul(u32::try_from(groups).unwrap_or(u32::MAX))
    }

    /// Halves the rate, because a request was throttled.
    pub fn slow_down(&self) {
        self.slow_down_at(self.clock.monotonic());
    }

    fn slow_down_at(&self, now: Instant) {
        let mut state = lock(&self.state);
        if state.slowed.is_some_and(|slowed| now.saturating_duration_since(slowed) < PAUSE) {
            return;
        }
        state.rate = (state.rate / 2.0).max(self.limit * LOWEST);
        (state.slowed, state.grown) = (Some(now), Some(now));
        state.next = Some(state.next.unwrap_or(now).max(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    /// Requests that are sent within a time, each as soon as it may be.
    fn sent(pace: &BlockPace, from: Instant, within: Duration) -> u64 {
        let (mut now, mut count) = (from, 0);
        while now.duration_since(from) < within {
            now += pace.wait(now);
            count += 1;
        }
        count
    }

    #[test]
    fn the_rate_is_held() {
        for limit in [1, 7, 500, 1_000] {
            let pace = BlockPace::new(limit, Arc::new(SystemClock));
            let count = sent(&pace, Instant::now(), Duration::from_secs(20));
            let expected = u64::from(limit) * 20;
            assert!((expected..=expected + 1 + expected / 100).contains(&count), "{limit}: {count}");
        }
    }

    #[test]
    fn requests_of_one_step_are_sent_together() {
        let pace = BlockPace::new(1_000, Arc::new(SystemClock));
        // All ask at the same time, as tasks that wait for their turn do.
        let waits: Vec<Duration> = (0..80).map(|_| pace.wait(pace.began)).collect();
        assert!(waits.iter().all(|wait| wait.as_nanos() % STEP.as_nanos() == 0), "{waits:?}");
        let groups: Vec<usize> = waits.chunk_by(|a, b| a == b).map(<[Duration]>::len).collect();
        assert_eq!(groups, [&[1][..], &[8; 9], &[7]].concat(), "the first one need not wait");
    }

    #[test]
    fn throttling_halves_it_once_and_it_grows_again() {
        let pace = BlockPace::new(100, Arc::new(SystemClock));
        let start = Instant::now();
        for _ in 0..48 {
            pace.slow_down_at(start);
        }
        let second = Duration::from_secs(1);
        let first = sent(&pace, start, second);
        assert!((48..=56).contains(&first), "{first}");
        let later = start + 12 * second;
        pace.wait(later);
        let after = sent(&pace, later + second, second);
        assert!((95..=115).contains(&after), "{after}");
        for minute in 0..10 {
            pace.slow_down_at(later + Duration::from_secs(5 + 2 * minute));
        }
        assert!(lock(&pace.state).rate >= 100.0 * LOWEST);
    }
}
