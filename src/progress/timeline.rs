use std::time::{Duration, Instant};

/// Received bytes over time, in periods of equal length. At most [`Timeline::MOST`] periods are kept: if there would be
/// more, each two are merged.
#[derive(Debug, Clone)]
pub struct Timeline {
    began: Option<Instant>,
    period: Duration,
    bytes: Vec<u64>,
}

impl Timeline {
    /// Maximum number of periods.
    pub const MOST: usize = 240;
    /// Initial length of a period.
    const SHORTEST: Duration = Duration::from_millis(50);

    /// Adds bytes that arrived at `now`.
    pub fn add(&mut self, bytes: u64, now: Instant) {
        let elapsed = now.duration_since(*self.began.get_or_insert(now));
        let mut position = self.position(elapsed);
        while position >= Self::MOST {
            self.bytes = self.bytes.chunks(2).map(|two| two.iter().sum()).collect();
            self.period *= 2;
            position = self.position(elapsed);
        }
        if self.bytes.len() <= position {
            self.bytes.resize(position + 1, 0);
        }
        if let Some(sum) = self.bytes.get_mut(position) {
            *sum += bytes;
        }
    }

    fn position(&self, elapsed: Duration) -> usize {
        usize::try_from(elapsed.as_nanos() / self.period.as_nanos()).unwrap_or(usize::MAX)
    }

    /// Length of each period.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Bytes per second in each period. The last period is not complete, and is left out unless it is the only one.
    pub fn rates(&self) -> Vec<f64> {
        let whole = self.bytes.len().saturating_sub(usize::from(self.bytes.len() > 1));
        self.bytes.iter().take(whole).map(|bytes| *bytes as f64 / self.period.as_secs_f64()).collect()
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Timeline { began: None, period: Self::SHORTEST, bytes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_fall_into_their_periods_and_none_are_lost() {
        let start = Instant::now();
        let mut timeline = Timeline::default();
        for tick in 0..1_000u64 {
            timeline.add(7, start + Duration::from_millis(30 * tick));
        }
        assert!(timeline.bytes.len() <= Timeline::MOST);
        assert_eq!(timeline.bytes.iter().sum::<u64>(), 7_000);
        assert_eq!(timeline.period(), Duration::from_millis(200), "30 s in at most 240 periods");
        let rates = timeline.rates();
        assert!(rates.iter().all(|rate| (210.0..=245.1).contains(rate)), "7 bytes each 30 ms: {rates:?}");
    }

    #[test]
    fn a_pause_is_seen() {
        let start = Instant::now();
        let mut timeline = Timeline::default();
        timeline.add(50, start);
        timeline.add(100, start + Duration::from_millis(160));
        timeline.add(100, start + Duration::from_millis(210));
        assert_eq!(timeline.rates(), [1_000.0, 0.0, 0.0, 2_000.0]);
    }
}
