//! Time and costs of a copy.

use super::{CopyEnds, CopyRequest};
use crate::commands::Discovery;
use crate::commands::inspect::reading_ranges;
use crate::copy::{CopyLayout, CopyTime, WriteMode};
use crate::price::{CopySubject, PriceTable, StorageClass, estimate_copy};
use crate::report::CopyEstimateReport;
use crate::source::NewObject;

/// Estimated time of the transfer of `bytes` bytes.
pub(super) fn time(ends: &CopyEnds, bytes: u64) -> CopyTime {
    CopyTime::of(bytes, ends.source.context().pace.as_ref().map(|pace| pace.bytes_per_second()))
}

/// Time and costs of a copy, by list prices.
pub(super) fn estimate(
    ends: &CopyEnds,
    request: &CopyRequest,
    found: &Discovery,
    (plan, new): (&CopyLayout, &NewObject),
) -> CopyEstimateReport {
    let facts = &found.facts;
    let table = PriceTable::built_in();
    let subject = CopySubject {
        bytes: facts.size,
        from: facts.storage_class.as_deref(),
        gets: reading_ranges(found, request.verify.budget),
        to: new.storage_class.as_deref().unwrap_or(StorageClass::Standard.name()),
        parts: (plan.mode == WriteMode::Multipart).then(|| plan.layout.count() as u64),
        one_partition: ends.from.partition.is_some() && ends.from.partition == ends.to.partition,
    };
    CopyEstimateReport::new(time(ends, facts.size), &estimate_copy(&subject, &table), &table)
}
