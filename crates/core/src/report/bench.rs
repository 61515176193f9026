use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, Note};
use crate::checksum::Algorithm;

/// Result of `bench`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchReport {
    /// The object, as a URI or a path.
    pub target: String,
    /// Size in bytes.
    pub object_bytes: u64,
    /// Digests that were computed of every range and discarded.
    pub hashed: Vec<Algorithm>,
    /// One measurement per combination of connections and range size.
    pub loads: Vec<LoadReport>,
    /// What limited the throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<BoundReport>,
    /// The smallest number of connections that reaches nearly the best throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_connections: Option<u64>,
    /// Bytes per GET request at the best throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_range_bytes: Option<u64>,
    /// Throughput of that setting in bytes per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_bytes_per_second: Option<f64>,
    /// Requests of all kinds, including those before the measurements.
    pub requests: u64,
    /// Object bytes received.
    pub received_bytes: u64,
    /// Duration of the command.
    pub elapsed_seconds: f64,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Exit code of the command.
    pub exit_code: Exit,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadReport {
    /// GET requests in flight.
    pub connections: u64,
    /// Bytes per GET request.
    pub range_bytes: u64,
    /// Median throughput over the periods.
    pub bytes_per_second: f64,
    /// Percentiles of the throughput over the periods, in bytes per second.
    pub rates: Percentiles,
    /// Throughput in each period of a quarter of a second, in order, in bytes per second.
    pub periods: Vec<f64>,
    /// Time from sending a request to the first byte of the response.
    pub first_byte_seconds: Percentiles,
    /// Duration of the measurement.
    pub elapsed_seconds: f64,
    /// Object bytes received.
    pub received_bytes: u64,
    /// Number of GET requests.
    pub reads: u64,
    /// Number of throttled responses.
    pub throttled: u64,
    /// Number of repeated requests.
    pub retries: u64,
    /// Average number of busy processors.
    pub cores_busy: f64,
    /// Whether the throughput was stable at the end.
    pub stable: bool,
}

/// Percentiles of a set of values.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    /// 5th percentile.
    pub p5: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

impl Percentiles {
    /// Percentiles by the nearest-rank method; all 0 for an empty set.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| {
            let rank = (values.len() * percent).div_ceil(100).max(1) - 1;
            values.get(rank).copied().unwrap_or_default()
        };
        Percentiles { p5: at(5), p50: at(50), p95: at(95), p99: at(99) }
    }
}

/// What limited the throughput.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoundReport {
    /// `throttling`, `rate limit`, `cpu`, `cpu, in ALGORITHM`, `wire`, `one stored part`, `memory`, `connections` (a
    /// higher number was not tried), `server` or `unknown`.
    pub by: String,
    /// The measurements that show it.
    pub because: String,
}

/// Hashing speed of this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HashesReport {
    /// Number of processors.
    pub cores: u64,
    /// One entry per algorithm.
    pub rates: Vec<HashRateReport>,
    /// Exit code of the command.
    pub exit_code: Exit,
}

/// Hashing speed of one algorithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HashRateReport {
    /// Name of the algorithm.
    pub algorithm: Algorithm,
    /// Number of streams hashed together on one processor.
    pub streams: u64,
    /// Bytes per second that one processor hashes.
    pub bytes_per_second_and_core: f64,
    /// Comparison with common network links.
    pub links: Vec<LinkReport>,
}

/// Whether a network link delivers more than can be hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkReport {
    /// Speed of the link.
    pub gbit_per_second: u64,
    /// Whether hashing limits a digest of the whole object; absent if that digest is combined from ranges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole_binds: Option<bool>,
    /// Whether hashing limits digests of parts, computed on all processors.
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
