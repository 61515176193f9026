use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::deny::Deny;

/// How store tasks, restores and copies get on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskPace {
    /// By the clock; each takes this long.
    Time(Duration),
    /// By one step whenever they are described: no clock, for tests.
    Polls(u32),
}

/// How a lab starts.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// Port 0 takes any free port.
    pub bind: SocketAddr,
    /// Keeps objects in this folder; in memory when `None`.
    pub data: Option<PathBuf>,
    pub deny: Vec<Deny>,
    /// Region of buckets that name none, and of the endpoint.
    pub region: String,
    /// Waited before each answer.
    pub latency: Duration,
    /// Bytes per second over all connections; `None` is as fast as can be.
    pub rate: Option<u64>,
    /// `false` stores objects without any checksum unless the client sends
    /// one, as S3 did before December 2024.
    pub default_checksum: bool,
    /// `false` sends no `x-amz-expiration`, as many servers do.
    pub expiration_header: bool,
    /// Smallest size in bytes of a part that is not the last; S3 has 5 MiB,
    /// tests want less.
    pub min_part_bytes: u64,
    pub tasks: TaskPace,
    /// GiB of stores in progress at which no more is admitted.
    pub store_limit: u64,
    /// GiB of restores in progress at which no more is admitted.
    pub restore_limit: u64,
}

impl Default for LabOptions {
    fn default() -> Self {
        LabOptions {
            bind: (Ipv4Addr::LOCALHOST, 0).into(),
            data: None,
            deny: Vec::new(),
            region: "us-east-1".to_owned(),
            latency: Duration::ZERO,
            rate: None,
            default_checksum: true,
            expiration_header: true,
            min_part_bytes: 0,
            tasks: TaskPace::Time(Duration::from_secs(3)),
            store_limit: 1_200,
            restore_limit: 600,
        }
    }
}
