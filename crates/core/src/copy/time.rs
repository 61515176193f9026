use std::fmt;

use jiff::SignedDuration;

use crate::text::words;

words! {
    /// Where the rate of an estimated time comes from.
    pub enum RateBasis {
        /// `--max-rate`.
        Limit = "max_rate",
        /// Nothing was measured or stated: [`ASSUMED_RATE`].
        Assumed = "assumed",
    }
}

/// Bytes per second of a copy where nothing states more. It is a guess for a path across Regions, and reports say so.
pub const ASSUMED_RATE: u64 = 100_000_000;

/// Estimated time of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyTime {
    /// The time.
    pub duration: SignedDuration,
    /// Bytes per second.
    pub bytes_per_second: u64,
    /// Where the rate comes from.
    pub basis: RateBasis,
}

impl CopyTime {
    /// The time for `bytes` bytes. `limit` is the rate in bytes per second that the user allows.
    pub fn of(bytes: u64, limit: Option<u64>) -> Self {
        let (bytes_per_second, basis) = match limit {
            Some(limit) if limit <= ASSUMED_RATE => (limit.max(1), RateBasis::Limit),
            _ => (ASSUMED_RATE, RateBasis::Assumed),
        };
        let seconds = i64::try_from(bytes.div_ceil(bytes_per_second)).unwrap_or(i64::MAX);
        CopyTime { duration: SignedDuration::from_secs(seconds), bytes_per_second, basis }
    }
}

impl fmt::Display for CopyTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.duration.as_secs();
        match seconds {
            ..120 => write!(f, "about {seconds} s")?,
            120..7200 => write!(f, "about {} min", (seconds + 30) / 60)?,
            7200..172_800 => write!(f, "about {} h", (seconds + 1800) / 3600)?,
            _ => write!(f, "about {} days", (seconds + 43_200) / 86_400)?,
        }
        let megabytes = self.bytes_per_second as f64 / 1e6;
        match self.basis {
            RateBasis::Limit => write!(f, " at the {megabytes} MB/s of --max-rate"),
            RateBasis::Assumed => write!(f, " at an assumed {megabytes} MB/s"),
        }
    }
}
