use crate::units::{ByteSize, GIB};

/// A limit that AWS states in GB without saying whether that is 10⁹ or 2³⁰ bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GbLimit {
    pub gb: u64,
}

const GB: u64 = 1_000_000_000;

impl GbLimit {
    /// The stricter reading, in bytes.
    pub fn decimal(self) -> u64 {
        self.gb.saturating_mul(GB)
    }

    /// The looser reading, in bytes.
    pub fn binary(self) -> u64 {
        self.gb.saturating_mul(GIB)
    }
}

/// The limits of the service that a preflight holds sizes against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceLimits {
    /// Size of one AMI before compression.
    pub image: GbLimit,
    /// Work in progress at which no further store is admitted.
    pub stores: GbLimit,
    /// Work in progress at which no further restore is admitted.
    pub restores: GbLimit,
    /// When AWS was last seen to state them.
    pub seen: &'static str,
}

impl Default for ServiceLimits {
    /// As AWS stated them on the date in `seen` (EC2 User Guide, *Store and restore an AMI using S3*,
    /// *How AMI store and restore works*). They were raised before: from 1,000, 600 and 300 GB.
    fn default() -> Self {
        ServiceLimits {
            image: GbLimit { gb: 5_000 },
            stores: GbLimit { gb: 1_200 },
            restores: GbLimit { gb: 600 },
            seen: "2026-11-22",
        }
    }
}

/// A size in both units, since AWS's own pages mix them: `558 GiB (599.1 GB)`.
pub fn both_units(bytes: u64) -> String {
    let decimal = bytes as f64 / GB as f64;
    let decimal = format!("{decimal:.1}");
    format!("{} ({} GB)", ByteSize(bytes), decimal.trim_end_matches('0').trim_end_matches('.'))
}

/// A number of gigabytes with a comma between groups of three digits.
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
