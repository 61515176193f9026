use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Exit;
use crate::checksum::Algorithm;

/// What `bench` measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchReport {
    pub target: String,
    pub object_bytes: u64,
    /// Digests that were computed of every range, and dropped.
    pub hashed: Vec<Algorithm>,
    pub loads: Vec<LoadReport>,
    /// What kept it from being faster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<BoundReport>,
    /// The fewest connections that brought nearly as much as any number did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_connections: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_range_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_bytes_per_second: Option<f64>,
    /// All requests, those before reading too.
    pub requests: u64,
    pub received_bytes: u64,
    pub elapsed_seconds: f64,
    pub notes: Vec<String>,
    pub exit_code: Exit,
}

/// One reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadReport {
    /// GETs in flight.
    pub connections: u64,
    /// What one GET asked for.
    pub range_bytes: u64,
    /// The median of its periods.
    pub bytes_per_second: f64,
    /// Bytes a second over its periods.
    pub rates: Percentiles,
    /// Bytes a second in each period of a quarter of a second, in order.
    pub periods: Vec<f64>,
    /// From sending a request to the first byte of its answer.
    pub first_byte_seconds: Percentiles,
    pub elapsed_seconds: f64,
    pub received_bytes: u64,
    pub reads: u64,
    /// Answers that asked for fewer requests.
    pub throttled: u64,
    pub retries: u64,
    /// Processors that were busy with it, on average.
    pub cores_busy: f64,
    /// Whether the rate no longer changed when it ended.
    pub stable: bool,
}

/// Values below which so many in a hundred lie.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    pub p5: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Percentiles {
    /// By the nearest rank; all zero without values.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| {
            let rank = (values.len() * percent).div_ceil(100).max(1) - 1;
            values.get(rank).copied().unwrap_or_default()
        };
        Percentiles { p5: at(5), p50: at(50), p95: at(95), p99: at(99) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoundReport {
    /// `throttling`, `cpu`, `cpu, in ALGORITHM`, `wire`, `one stored part`, `memory`, `connections` (more would
    /// have brought more), `server` or `unknown`.
    pub by: String,
    pub because: String,
}

/// How fast this machine hashes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HashesReport {
    pub cores: u64,
    pub rates: Vec<HashRateReport>,
    pub exit_code: Exit,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HashRateReport {
    pub algorithm: Algorithm,
    /// Streams that go side by side in one processor.
    pub streams: u64,
    pub bytes_per_second_and_core: f64,
    pub links: Vec<LinkReport>,
}

/// Whether a link brings more than is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkReport {
    pub gbit_per_second: u64,
    /// For a digest of the whole object; absent where that is not computed so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole_binds: Option<bool>,
    /// For digests of parts, with all processors.
    pub parts_bind: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_the_nearest_rank() {
        let of = |values: &[f64]| Percentiles::of(values.to_vec());
        assert_eq!(of(&[]), Percentiles::default());
        assert_eq!(of(&[7.0]), Percentiles { p5: 7.0, p50: 7.0, p95: 7.0, p99: 7.0 });
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(of(&hundred), Percentiles { p5: 5.0, p50: 50.0, p95: 95.0, p99: 99.0 });
    }
}
