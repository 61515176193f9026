use super::draft::Draft;
use super::thawed::retrieval;
use crate::price::numbers::gb;
use crate::price::{CostItem, CostLine, Item, PriceTable, RetrievalTier, StorageClass, Subject};

/// CopyObject copies objects of up to 5 GB (S3 API Reference, `CopyObject`).
const ONE_COPY: u64 = 5_000_000_000;
/// Parts have 5 MiB to 5 GiB, and an upload has at most 10,000 (S3 User Guide, *Amazon S3 multipart upload
/// limits*).
const LARGEST_PART: u64 = 5 << 30;
const SMALLEST_PART: u64 = 5 << 20;
const MOST_PARTS: u64 = 10_000;
/// Requests to create and to complete a multipart upload.
pub(super) const AROUND_PARTS: u64 = 2;

/// Restores from each archive class in each of its tiers.
pub(super) fn bring_back(subject: &Subject, table: &PriceTable, bytes: u64) -> Vec<CostLine> {
    let mut lines = Vec::new();
    for class in [StorageClass::Glacier, StorageClass::DeepArchive] {
        for tier in RetrievalTier::of(class) {
            let line = retrieval(class, *tier, bytes, table);
            lines.push(CostLine { here: subject.is_in(class), ..line });
        }
    }
    let tiering = StorageClass::IntelligentTiering;
    if let Some(status) = subject.archive_status.as_ref().filter(|_| subject.is_in(tiering)) {
        let item = Item::BringBack(tiering, RetrievalTier::Standard);
        let line = Draft::new(table)
            .exactly(item, gb(bytes), "GB")
            .line(CostItem::BringBack, format!("{status}, {}", RetrievalTier::Standard.name()));
        let takes = (status == "ARCHIVE_ACCESS").then(|| "3–5 h".to_owned());
        lines.push(CostLine { here: true, takes, ..line });
    }
    lines
}

pub(super) fn copy_out(table: &PriceTable, bytes: u64) -> CostLine {
    let draft = Draft::new(table).exactly(Item::TransferOut, gb(bytes), "GB");
    draft.remark("besides reading it").line(CostItem::CopyOut, "to the internet")
}

/// Moves into each other class; for a local file, uploads into each class.
pub(super) fn change_class(subject: &Subject, table: &PriceTable, bytes: u64) -> Vec<CostLine> {
    let others = StorageClass::ALL.into_iter().filter(|class| !subject.is_in(*class));
    let known = others.filter(|class| !table.built_in || table.has(Item::Put(*class)));
    known.map(|class| class_change(class, subject, table, bytes).line(CostItem::Move, class.name())).collect()
}

fn class_change<'a>(class: StorageClass, subject: &Subject, table: &'a PriceTable, bytes: u64) -> Draft<'a> {
    let draft = Draft::new(table);
    if subject.class.is_none() {
        let most = bytes.div_ceil(SMALLEST_PART).clamp(1, MOST_PARTS) + AROUND_PARTS;
        let least = if bytes <= ONE_COPY { 1 } else { bytes.div_ceil(LARGEST_PART) + AROUND_PARTS };
        return draft.range(Item::Put(class), Some(least as f64), Some(most as f64), "PUT request");
    }
    let from = subject.class();
    // Lifecycle rules move objects only to colder classes.
    if class.archives() && from != Some(StorageClass::DeepArchive) {
        return draft.exactly(Item::Transition(class), 1.0, "transition by a lifecycle rule");
    }
    let copies = if bytes <= ONE_COPY { 1 } else { bytes.div_ceil(LARGEST_PART) + AROUND_PARTS };
    let draft = draft.exactly(Item::Put(class), copies as f64, "copy request");
    match from {
        Some(from) if from.charges_reading() => draft.exactly(Item::Retrieval(from), gb(bytes), "GB"),
        Some(from) if from.archives() => draft.remark("once it is brought back"),
        _ => draft,
    }
}
