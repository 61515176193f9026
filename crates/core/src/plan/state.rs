//! The memory that a read needs for its state, and the range size at which that memory suffices.

use super::budget::SMALLEST_RANGE;
use super::{Budget, PartLayout};
use crate::checksum::{Algorithm, Digest};
use crate::units::{ByteRange, KIB, MIB};

/// S3 recommends ranges of 8 to 16 MB (S3 User Guide, *Performance design patterns*).
const USUAL_RANGE: u64 = 16 * MIB;
/// The most ranges of one object, besides one for each part. Larger objects get larger ranges; ranges of the
/// usual size cover 15 TiB.
const MOST_RANGES: u64 = 1_000_000;
/// Copies of the digests of a range: in the read, in a snapshot of it, and as base64 in a checkpoint and its
/// text.
const RANGE_COPIES: u64 = 5;
/// A range that differs when it is read again is listed.
const DIFFERING_RANGE_BYTES: u64 = size_of::<ByteRange>() as u64;
/// Copies of the digest of a part: in its reference, its hasher, the result, and a checkpoint.
const PART_BYTES: u64 = 4 * size_of::<Option<Digest>>() as u64;
/// In a sample, each range is a separate span in the set chosen and in the set read.
const SAMPLED_RANGE_BYTES: u64 = 2 * size_of::<std::ops::Range<usize>>() as u64;
/// State of this size is not counted; the rounding of the shares exceeds it.
const UNCOUNTED: u64 = 256 * KIB;

/// Bytes that the digests of one range take.
pub(super) fn packed_bytes(algorithms: &[Algorithm]) -> usize {
    algorithms.iter().map(|algorithm| algorithm.digest_len()).sum()
}

/// Bytes of state per range.
pub(super) fn bytes_per_range(per_range: &[Algorithm], is_sampled: bool) -> u64 {
    let digests = match packed_bytes(per_range) as u64 {
        0 => 0,
        packed => RANGE_COPIES * packed + DIFFERING_RANGE_BYTES,
    };
    digests + if is_sampled { SAMPLED_RANGE_BYTES } else { 0 }
}

/// Bytes of state for all parts: of the layouts, and of each list of digests by the layout that it follows.
pub(super) fn bytes_of_parts<'a>(layouts: &[PartLayout], needed: impl Iterator<Item = &'a PartLayout>) -> u64 {
    let listed = layouts.iter().map(PartLayout::listed_bytes);
    let parts = needed.map(|layout| layout.count() as u64);
    listed.chain(parts.map(|count| count.saturating_mul(PART_BYTES))).fold(0, u64::saturating_add)
}

/// Bytes of state that are not counted.
pub(super) fn uncounted(budget: Budget) -> u64 {
    UNCOUNTED.max(budget.waiting_room / 32)
}

/// Range size in bytes where the references do not determine it: the usual or the requested size, as long as
/// the state of all ranges fits into half of the buffer memory that `kept_of_parts` leaves. An interrupted
/// read loses the ranges in flight, so ranges grow only when they must.
pub(super) fn largest_range(size: u64, kept_of_each: u64, kept_of_parts: u64, budget: Budget) -> u64 {
    let room = budget.waiting_room.saturating_sub(kept_of_parts) / 2;
    let most = (room / kept_of_each.max(1)).clamp(1, MOST_RANGES);
    budget.range_bytes.unwrap_or(USUAL_RANGE).max(size.div_ceil(most))
}

/// Range size at which every range in flight has its own room. Otherwise the oldest range could wait for
/// younger ones.
pub(super) fn ordered_range(waiting_room: u64, budget: Budget) -> u64 {
    let share = waiting_room / budget.concurrency.max(1) as u64;
    // Room is counted in whole KiB, rounded up for each range.
    (share / KIB * KIB).clamp(SMALLEST_RANGE, USUAL_RANGE)
}
