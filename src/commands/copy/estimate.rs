//! Time and costs of a copy.

use super::{CopyEnds, CopyRequest};
use crate::commands::Discovery;
use crate::commands::inspect::reading_ranges;
use crate::copy::{CopyLayout, CopyTime, WriteMode};
use crate::price::{Carrier, CopySubject, StorageClass, estimate_copy};
use crate::report::{CopyEstimateReport, EndReport};
use crate::source::NewObject;

/// Estimated time of the transfer of `bytes` bytes. A limit of the rate is one of this machine.
pub(super) fn time(ends: &CopyEnds, request: &CopyRequest, bytes: u64) -> CopyTime {
    let pace = ends.source.context().pace.as_ref().filter(|_| !request.by_server);
    CopyTime::of(bytes, pace.map(|pace| pace.bytes_per_second()))
}

/// Who moves the bytes between these ends.
fn carrier(from: &EndReport, to: &EndReport, by_server: bool) -> Carrier {
    match by_server {
        true => Carrier::Server { one_region: from.region.is_some() && from.region == to.region },
        false => Carrier::Client { one_partition: from.partition.is_some() && from.partition == to.partition },
    }
}

/// Time and costs of a copy, by list prices.
pub(super) fn estimate(
    ends: &CopyEnds,
    request: &CopyRequest,
    found: &Discovery,
    (plan, new): (&CopyLayout, &NewObject),
) -> CopyEstimateReport {
    let facts = &found.facts;
    let gets = reading_ranges(found, request.verify.budget);
    let subject = CopySubject {
        bytes: facts.size,
        from: facts.storage_class.as_deref(),
        gets,
        to: new.storage_class.as_deref().unwrap_or(StorageClass::Standard.name()),
        parts: (plan.mode == WriteMode::Multipart).then(|| plan.layout.count() as u64),
        carrier: carrier(&ends.from, &ends.to, request.by_server),
        read_back: request.verify_destination.then_some(gets),
    };
    let time = time(ends, request, facts.size);
    CopyEstimateReport::new(time, &estimate_copy(&subject, &request.prices), &request.prices)
}
