use std::time::Duration;

/// How often and how patiently a failed request is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in a row without progress, the first one included.
    pub attempts: u32,
    /// The first wait is at most this long; each further one at most twice the one before.
    pub base: Duration,
    /// No wait is longer.
    pub cap: Duration,
    /// No frame for this long: the connection is given up.
    pub stall: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts: 8,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(20),
            stall: Duration::from_secs(20),
        }
    }
}

impl RetryPolicy {
    /// The wait before attempt number `failed + 1`, after `failed` failures in a row; `None`
    /// when enough attempts were made. Full jitter: `random` in `0..1` scales the wait.
    pub fn wait(&self, failed: u32, random: f64) -> Option<Duration> {
        if failed >= self.attempts {
            return None;
        }
        let doublings = failed.saturating_sub(1).min(16);
        Some(self.base.saturating_mul(1 << doublings).min(self.cap).mul_f64(random.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_end() {
        let policy = RetryPolicy {
            attempts: 5,
            base: Duration::from_millis(100),
            cap: Duration::from_millis(350),
            ..RetryPolicy::default()
        };
        let waits: Vec<_> = (1..7).map(|failed| policy.wait(failed, 1.0).map(|w| w.as_millis())).collect();
        assert_eq!(waits, [Some(100), Some(200), Some(350), Some(350), None, None]);
        assert_eq!(policy.wait(2, 0.5), Some(Duration::from_millis(100)));
    }
}
