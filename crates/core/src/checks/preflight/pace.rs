use std::time::Duration;

/// Throughput of earlier restores by this user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestorePace {
    /// Bytes of logical size per second.
    pub bytes_per_second: f64,
    /// Number of restores.
    pub restores: usize,
}

impl RestorePace {
    /// How long the restore of this many bytes of logical size takes; `None` if the throughput is zero.
    pub fn time(self, bytes: u64) -> Option<Duration> {
        let pace = Some(self.bytes_per_second).filter(|pace| *pace > 0.0)?;
        Duration::try_from_secs_f64(bytes as f64 / pace).ok()
    }
}
