//! What a reading keeps in memory while it goes on, and how large its ranges are so that this has room.

use super::budget::SMALLEST_RANGE;
use super::range_digests::packed_bytes;
use super::{Budget, Need, PartLayout};
use crate::checksum::{Algorithm, Digest};
use crate::units::{ByteRange, KIB, MIB};

/// S3 advises ranges of 8 to 16 MB (*S3 performance design patterns*).
const USUAL_RANGE: u64 = 16 * MIB;
/// Ranges of one object at the most, beside one for each part; larger objects get larger ranges. Ranges of the usual
/// size come to 15 TiB.
const MOST_RANGES: u64 = 1_000_000;
/// The digests of a range are held by the reading, by a snapshot of it, and as base64 by a checkpoint and by its text.
const RANGE_COPIES: u64 = 5;
/// A range that comes out differently when it is read again is listed.
const DIFFERING_RANGE_BYTES: u64 = size_of::<ByteRange>() as u64;
/// A digest of a part is held by its reference, by who computes it, by the result, and by a checkpoint.
const PART_BYTES: u64 = 4 * size_of::<Option<Digest>>() as u64;
/// A range of a sample is a stretch of its own among those chosen and among those read.
const SAMPLED_RANGE_BYTES: u64 = 2 * size_of::<std::ops::Range<usize>>() as u64;
/// So little need not be counted: shares are rounded by more.
const LITTLE: u64 = 256 * KIB;

/// Bytes that are kept of each range.
pub(super) fn of_range(per_range: &[Algorithm], is_sampled: bool) -> u64 {
    let digests = match packed_bytes(per_range) as u64 {
        0 => 0,
        packed => RANGE_COPIES * packed + DIFFERING_RANGE_BYTES,
    };
    digests + if is_sampled { SAMPLED_RANGE_BYTES } else { 0 }
}

/// Bytes that are kept of parts.
pub(super) fn of_parts(layouts: &[PartLayout], needs: &[Need]) -> u64 {
    let listed = layouts.iter().map(PartLayout::listed_bytes);
    let parts = needs.iter().filter_map(|need| layouts.get(need.layout)).map(|layout| layout.count() as u64);
    listed.chain(parts.map(|count| count.saturating_mul(PART_BYTES))).fold(0, u64::saturating_add)
}

/// What need not be counted.
pub(super) fn little(budget: Budget) -> u64 {
    LITTLE.max(budget.waiting_room / 32)
}

/// Bytes of a range where the proof leaves the choice. They are as many as usual, or as asked for, as long as what is
/// kept of each range has room, in half of what `kept_of_parts` leaves of the room for bytes that wait. A range under
/// way is what a reading loses that is interrupted, so ranges grow only beyond that.
pub(super) fn largest_range(size: u64, kept_of_each: u64, kept_of_parts: u64, budget: Budget) -> u64 {
    let room = budget.waiting_room.saturating_sub(kept_of_parts) / 2;
    let most = (room / kept_of_each.max(1)).clamp(1, MOST_RANGES);
    budget.range_bytes.unwrap_or(USUAL_RANGE).max(size.div_ceil(most))
}

/// Every range in flight has its room, or the oldest could wait for younger ones.
pub(super) fn ordered_range(waiting_room: u64, budget: Budget) -> u64 {
    let share = waiting_room / budget.concurrency.max(1) as u64;
    // Room is counted in whole KiB, rounded up for each range.
    (share / KIB * KIB).clamp(SMALLEST_RANGE, USUAL_RANGE)
}
