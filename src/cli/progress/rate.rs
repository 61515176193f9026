use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::units::Throughput;

/// Samples of a total over the last seconds, for a rate that follows changes.
pub(super) struct Rate {
    samples: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// Length of the window.
    const WINDOW: Duration = Duration::from_secs(10);
    /// Minimum time between two samples.
    const EVERY: Duration = Duration::from_millis(250);

    /// Starts at this total.
    pub(super) fn new(now: Instant, total: u64) -> Self {
        Rate { samples: VecDeque::from([(now, total)]) }
    }

    /// Records the total.
    pub(super) fn sample(&mut self, now: Instant, total: u64) {
        if self.samples.back().is_some_and(|(at, _)| now.saturating_duration_since(*at) < Self::EVERY) {
            return;
        }
        self.samples.push_back((now, total));
        // The first sample in the window needs one before it.
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= Self::WINDOW) {
            self.samples.pop_front();
        }
    }

    /// The rate from the oldest sample to this total.
    pub(super) fn at(&self, now: Instant, total: u64) -> Throughput {
        let (since, from) = self.samples.front().copied().unwrap_or((now, total));
        Throughput { bytes: total.saturating_sub(from), elapsed: now.saturating_duration_since(since) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut rate = Rate::new(start, 0);
        let mut total = 0;
        for second in 1..=60 {
            total += if second <= 30 { 1000 } else { 10 };
            rate.sample(start + Duration::from_secs(second), total);
        }
        assert_eq!(rate.at(start + Duration::from_secs(60), total).bytes_per_second(), Some(10.0));
        assert!(rate.samples.len() <= 12);
    }
}
