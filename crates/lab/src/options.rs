use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::deny::Deny;

/// Account of the lab, unless its options name another.
pub(crate) const ACCOUNT: &str = "123456789012";

/// What advances stores, restores and copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskPace {
    /// The clock: each task takes this long.
    Time(Duration),
    /// Describing calls: a task is complete after this number of them. For tests without a clock.
    Polls(u32),
}

/// Settings of a [`Lab`](crate::Lab). The default listens on a free loopback port and keeps objects
/// in memory.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// Port 0 takes any free port.
    pub bind: SocketAddr,
    /// Folder for objects; `None` keeps them in memory.
    pub data: Option<PathBuf>,
    /// Actions that are denied from the start.
    pub deny: Vec<Deny>,
    /// Region of the endpoint, and of buckets created without one. It decides the partition in ARNs.
    pub region: String,
    /// Account of twelve digits that the caller belongs to and that owns the buckets.
    pub account: String,
    /// Delay before each answer.
    pub latency: Duration,
    /// Limit in bytes per second over all connections; `None` for no limit.
    pub rate: Option<u64>,
    /// Whether objects uploaded without a checksum get CRC64NVME, as in S3 since December 2024.
    pub default_checksum: bool,
    /// Whether answers carry `x-amz-expiration`, which many servers do not send.
    pub expiration_header: bool,
    /// Smallest size in bytes of any part but the last: 5 MiB in S3, less in tests.
    pub min_part_bytes: u64,
    /// Speed of stores, restores and copies.
    pub tasks: TaskPace,
    /// Stores are refused while this many GiB or more are in progress.
    pub store_limit: u64,
    /// A token of a block expires after this number of reads of blocks; `None` for tokens that last seven days.
    pub block_token_reads: Option<u64>,
    /// More reads of blocks within a second are refused, as EBS does above 1,000; `None` for no limit.
    pub block_reads_per_second: Option<u64>,
    /// Restores are refused while this many GiB or more are in progress.
    pub restore_limit: u64,
}

impl Default for LabOptions {
    fn default() -> Self {
        LabOptions {
            bind: (Ipv4Addr::LOCALHOST, 0).into(),
            data: None,
            deny: Vec::new(),
            region: "us-east-1".to_owned(),
            account: ACCOUNT.to_owned(),
            latency: Duration::ZERO,
            rate: None,
            default_checksum: true,
            expiration_header: true,
            min_part_bytes: 0,
            tasks: TaskPace::Time(Duration::from_secs(3)),
            store_limit: 1_200,
            restore_limit: 600,
            block_token_reads: None,
            block_reads_per_second: None,
        }
    }
}
