use super::draft::Draft;
use crate::price::numbers::gb;
use crate::price::{CostItem, CostLine, Item, PriceTable, StorageClass, Subject};

/// Seconds of a day, and the days of a month in these estimates.
const DAY: f64 = 86_400.0;
const MONTH: f64 = 30.0;

/// Billed size in GB.
fn billed(class: StorageClass, bytes: u64) -> f64 {
    gb(bytes.max(class.minimum_bytes()))
}

/// Storage for a month in each class.
pub(super) fn storage(subject: &Subject, table: &PriceTable, bytes: u64) -> Vec<CostLine> {
    let mut lines = Vec::new();
    for class in StorageClass::ALL {
        let here = subject.is_in(class);
        let draft = Draft::new(table).exactly(Item::Storage(class), billed(class, bytes), "GB");
        if class != StorageClass::IntelligentTiering {
            lines.push(CostLine { here, ..draft.line(CostItem::Keep, class.name()) });
            continue;
        }
        // HEAD states only the archive tiers of Intelligent-Tiering, so the other tiers are all listed.
        let tiers = [
            (Item::Storage(class), "frequent"),
            (Item::TieringInfrequent, "infrequent"),
            (Item::TieringArchiveInstant, "archive instant"),
        ];
        for (item, tier) in tiers.into_iter().filter(|(item, _)| table.has(*item) || !table.built_in) {
            let draft = Draft::new(table).exactly(item, gb(bytes), "GB").exactly(Item::Monitoring, 1.0, "object");
            lines.push(CostLine { here, ..draft.line(CostItem::Keep, format!("{class}, {tier}")) });
        }
    }
    if let Some(other) = subject.class.as_ref().filter(|_| subject.class().is_none()) {
        let draft = Draft::new(table).unknown(format!("no price of the class {other} is known here"));
        lines.push(CostLine { here: true, ..draft.line(CostItem::Keep, other) });
    }
    lines
}

/// The charge for the rest of the minimum storage duration, if the object were deleted now.
pub(super) fn early_deletion(subject: &Subject, table: &PriceTable, bytes: u64) -> Option<CostLine> {
    let class = subject.class()?;
    let minimum = class.minimum_days()?;
    let draft = Draft::new(table);
    let draft = match subject.modified {
        None => draft.unknown("when it was last modified is not stated".to_owned()),
        Some(modified) => {
            let passed = (subject.now.as_second() - modified.as_second()) as f64 / DAY;
            let left = (f64::from(minimum) - passed.max(0.0)).max(0.0);
            let words = format!(
                "{left:.1} of {minimum} days left, a month taken as {MONTH} days; counted from when it was last \
                 modified, and anew if it came into the class later"
            );
            draft.exactly(Item::Storage(class), billed(class, bytes), "GB").share(left / MONTH, words)
        }
    };
    Some(CostLine { here: true, ..draft.line(CostItem::EarlyDeletion, class.name()) })
}

/// Reading every byte once with the requests of `verify`. Archive classes are left out, because their objects
/// must be restored first.
pub(super) fn reading(subject: &Subject, table: &PriceTable, bytes: u64) -> Vec<CostLine> {
    let Some(requests) = subject.requests else { return Vec::new() };
    let readable = StorageClass::ALL.into_iter().filter(|class| !class.archives());
    let lines = readable.filter_map(|class| {
        let here = subject.is_in(class);
        if !here && table.built_in && !table.has(Item::Get(class)) {
            return None;
        }
        let mut draft = Draft::new(table).exactly(Item::Get(class), requests as f64, "request");
        if class.charges_reading() {
            draft = draft.exactly(Item::Retrieval(class), gb(bytes), "GB");
        }
        Some(CostLine { here, ..draft.line(CostItem::Read, class.name()) })
    });
    lines.collect()
}
