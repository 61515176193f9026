use crate::units::{ByteSize, GIB};

/// A limit that AWS states in GB without saying whether a GB is 10⁹ or 2³⁰ bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GbLimit {
    /// The number as AWS states it.
    pub gb: u64,
}

const GB: u64 = 1_000_000_000;

impl GbLimit {
    /// The stricter reading, in bytes (10⁹ per GB).
    pub fn decimal(self) -> u64 {
        self.gb.saturating_mul(GB)
    }

    /// The looser reading, in bytes (2³⁰ per GB).
    pub fn binary(self) -> u64 {
        self.gb.saturating_mul(GIB)
    }
}

/// Service limits that a preflight compares sizes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceLimits {
    /// Size of one AMI before compression.
    pub image: GbLimit,
    /// Work in progress at which no further store is admitted.
    pub stores: GbLimit,
    /// Work in progress at which no further restore is admitted.
    pub restores: GbLimit,
    /// The date on which the documentation was read.
    pub seen: &'static str,
}

impl Default for ServiceLimits {
    /// The limits that AWS stated on the date in `seen` (EC2 User Guide, *Store and restore an AMI using S3*,
    /// *How AMI store and restore works*). AWS raised them before: from 1,000, 600 and 300 GB.
    fn default() -> Self {
        ServiceLimits {
            image: GbLimit { gb: 5_000 },
            stores: GbLimit { gb: 1_200 },
            restores: GbLimit { gb: 600 },
            seen: "2026-11-22",
        }
    }
}

/// Formats a size in both units, because AWS's documentation mixes them: `558 GiB (599.1 GB)`.
pub fn both_units(bytes: u64) -> String {
    let decimal = bytes as f64 / GB as f64;
    let decimal = format!("{decimal:.1}");
    format!("{} ({} GB)", ByteSize(bytes), decimal.trim_end_matches('0').trim_end_matches('.'))
}

/// A number with commas between groups of three digits.
pub(super) fn grouped(gb: u64) -> String {
    ByteSize(gb).grouped()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readings() {
        let limit = GbLimit { gb: 600 };
        assert_eq!((limit.decimal(), limit.binary()), (600_000_000_000, 644_245_094_400));
        assert_eq!(both_units(558 * GIB), "558 GiB (599.1 GB)");
        assert_eq!(both_units(0), "0 B (0 GB)");
    }
}
