use std::fmt;
use std::time::Duration;

use super::ByteSize;

/// An amount of data and the time it took to transfer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throughput {
    /// Bytes transferred.
    pub bytes: u64,
    /// Time taken.
    pub elapsed: Duration,
}

impl Throughput {
    /// Bytes per second; `None` if no time has passed.
    pub fn bytes_per_second(self) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        (seconds > 0.0).then(|| self.bytes as f64 / seconds)
    }

    /// Time that `remaining` bytes take at this rate; `None` if nothing was transferred.
    pub fn time_for(self, remaining: u64) -> Option<Duration> {
        let rate = self.bytes_per_second().filter(|rate| *rate > 0.0)?;
        Duration::try_from_secs_f64(remaining as f64 / rate).ok()
    }
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bytes_per_second() {
            Some(rate) => write!(f, "{}/s", ByteSize(rate as u64)),
            None => f.write_str("-/s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MIB;

    #[test]
    fn rate_and_time_left() {
        let rate = Throughput { bytes: 8 * MIB, elapsed: Duration::from_secs(2) };
        assert_eq!(rate.to_string(), "4 MiB/s");
        assert_eq!(rate.time_for(40 * MIB), Some(Duration::from_secs(10)));
        let still = Throughput { bytes: 0, elapsed: Duration::from_secs(1) };
        assert_eq!(still.time_for(1), None);
        assert_eq!(Throughput { bytes: 1, elapsed: Duration::ZERO }.to_string(), "-/s");
    }
}
