use std::time::Duration;

/// How often a failed request is retried, and how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Consecutive attempts without progress, including the first.
    pub attempts: u32,
    /// Maximum of the first wait; the maximum doubles with each further one.
    pub base: Duration,
    /// Upper limit of a wait.
    pub cap: Duration,
    /// A connection without a frame for this long is closed.
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
    /// The wait before attempt number `failed + 1`, after `failed` consecutive failures; `None` if there are no
    /// attempts left. Full jitter: `random` in `0..1` scales the wait.
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
