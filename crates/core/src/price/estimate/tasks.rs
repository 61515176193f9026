use super::draft::Draft;
use super::moved::AROUND_PARTS;
use crate::price::numbers::blocks;
use crate::price::{CostItem, CostLine, Item, PriceTable, StorageClass, Subject};

/// The most parts of an object (S3 User Guide, *Amazon S3 multipart upload limits*).
const MOST_PARTS: u64 = 10_000;

/// A store task: snapshot blocks read and parts uploaded.
pub(super) fn store(subject: &Subject, table: &PriceTable) -> CostLine {
    let (least, most) = match subject.parts {
        Some(parts) => (u64::from(parts), u64::from(parts)),
        None => (1, MOST_PARTS),
    };
    let request = |parts: u64| Some((parts + AROUND_PARTS) as f64);
    by_blocks(Draft::new(table), Item::GetBlock, subject)
        .range(Item::Put(StorageClass::Standard), request(least), request(most), "PUT request")
        .line(CostItem::Store, "GetSnapshotBlock")
}

/// A restore task: snapshot blocks written.
pub(super) fn restore(subject: &Subject, table: &PriceTable) -> CostLine {
    by_blocks(Draft::new(table), Item::PutBlock, subject)
        .remark("besides reading the object")
        .line(CostItem::Restore, "PutSnapshotBlock")
}

/// A range from the blocks that were written to all blocks of the volumes.
fn by_blocks<'a>(draft: Draft<'a>, item: Item, subject: &Subject) -> Draft<'a> {
    let count = |bytes: Option<u64>| bytes.map(|bytes| blocks(bytes) as f64);
    // The written blocks cannot exceed the volumes. If they do, one figure is wrong, and the range covers
    // both.
    let (least, most) = match (subject.written, subject.volumes) {
        (Some(written), Some(volumes)) => (Some(written.min(volumes)), Some(volumes.max(written))),
        (written, volumes) => (written, volumes),
    };
    if least.is_none() && most.is_none() {
        return draft.unknown(format!("the size before compression is not known: {}", subject.no_size));
    }
    draft.range(item, count(least), count(most), "block")
}
