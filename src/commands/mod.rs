//! One module per command: each turns a request into a report. Nothing is printed here.

mod ask;
pub mod audit;
#[cfg(feature = "batch")]
pub mod batch;
pub mod bench;
#[cfg(feature = "ebs")]
pub mod blocks;
pub mod compare;
pub mod copy;
pub mod cost;
mod discover;
#[cfg(feature = "ec2")]
pub mod doctor;
#[cfg(feature = "ebs")]
pub mod drill;
mod exit;
mod follow;
pub mod iam_policy;
pub mod inspect;
mod known;
mod logical_size;
pub mod preflight;
mod probe;
mod queue;
pub mod restore;
mod services;
mod signal;
mod stated;
pub mod store;
pub mod stored;
pub mod thaw;
pub mod verify;

pub use discover::{Discovery, discover};
pub use exit::exit_of;
pub use logical_size::LogicalSizeSource;
pub use queue::QueueEnd;
pub use services::{ObjectServices, RegionClients, RegionServices};
use signal::before_signal;

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::bench::{BenchRequest, bench};
    use super::cost::{CostRequest, cost_of_target};
    use super::inspect::{InspectOptions, inspect};
    use super::verify::{VerifyOptions, verify, verify_discovered};
    use super::*;

    use crate::plan::Budget;
    use crate::price::PriceTable;

    use crate::source::file::FileSource;
    use crate::source::{Context, Session};

    #[tokio::test]
    async fn reports_hold_their_own_counts() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        let source = Arc::new(FileSource::new(file.path()));
        let context = Context::default();
        let session = Session::new(source.clone(), context);
        let (budget, never) = (Budget::default(), CancellationToken::new());

        let logical = LogicalSizeSource { record: None, stated: None };
        let known = inspect(&session, &InspectOptions { budget, logical, probe: Some(2) }).await.unwrap();
        assert!(known.requests > 1 && known.received_bytes > 0, "{known:?}");

        let request = VerifyOptions {
            expect: vec!["md5:00000000000000000000000000000000".parse().unwrap()],
            budget,
            ..VerifyOptions::default()
        };
        let stats = verify(&session, &request, &never).await.unwrap().report.stats;
        assert_eq!((stats.reads, stats.received_bytes), (2, 20_000), "a mismatch is read again: {stats:?}");
        assert!(stats.requests > stats.reads);
        let found = discover(&session).await.unwrap();
        let stats = verify_discovered(&session, &request, found, &never).await.unwrap().report.stats;
        assert_eq!((stats.reads, stats.received_bytes), (2, 20_000), "the discovery is not counted again: {stats:?}");

        let table = PriceTable::built_in();
        let request = CostRequest { table, region: None, record: None, logical_size: None, budget };
        assert_eq!(cost_of_target(&session, &request).await.unwrap().requests, 1);

        let request = BenchRequest {
            connections: vec![4],
            range_bytes: vec![4096],
            hash: Vec::new(),
            time: None,
            total_time: None,
            max_memory: 256 << 20,
        };
        let (measured, _) = bench(&session, &request, &never).await.unwrap();
        let reads: u64 = measured.loads.iter().map(|load| load.reads).sum();
        assert_eq!(measured.requests, reads + 1);
    }
}
