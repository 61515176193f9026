use super::draft::Draft;
use crate::price::numbers::gb;
use crate::price::{CostItem, CostLine, Item, PriceTable, RetrievalTier, StorageClass};

/// Days of a month in these estimates.
const MONTH: f64 = 30.0;

/// The cost of making `bytes` in an archive class readable in a tier, and of the temporary copy for some days. An object
/// in Intelligent-Tiering gets no copy (`days` is `None`).
pub fn thaw_cost(
    class: StorageClass,
    tier: Option<RetrievalTier>,
    days: Option<u32>,
    bytes: u64,
    table: &PriceTable,
) -> Vec<CostLine> {
    let retrieval = tier.map(|tier| retrieval(class, tier, bytes, table));
    let copy = days.map(|days| {
        let draft = Draft::new(table)
            .exactly(Item::Storage(StorageClass::Standard), gb(bytes), "GB")
            .share(f64::from(days) / MONTH, format!("for {days} of {MONTH} days"));
        draft.line(CostItem::TemporaryCopy, format!("{}, beside {class}", StorageClass::Standard))
    });
    retrieval.into_iter().chain(copy).collect()
}

/// A restore from an archive class in a tier.
pub(super) fn retrieval(class: StorageClass, tier: RetrievalTier, bytes: u64, table: &PriceTable) -> CostLine {
    let draft = Draft::new(table).exactly(Item::BringBack(class, tier), gb(bytes), "GB");
    let draft = match Item::BringBackRequest(class, tier) {
        item if class == StorageClass::DeepArchive => draft.exactly(item, 1.0, "request"),
        _ if class == StorageClass::IntelligentTiering => draft,
        _ => draft.remark("without the request itself"),
    };
    let takes = tier.takes(class).map(str::to_owned);
    CostLine { takes, ..draft.line(CostItem::BringBack, format!("{class}, {}", tier.name())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retrieval_and_copy_by_hand() {
        let table = PriceTable::built_in();
        let gb100 = 100_000_000_000;
        let dollars = |class, tier, days| {
            let lines = thaw_cost(class, Some(tier), days, gb100, &table);
            lines.iter().map(|line| line.amount.as_ref().ok().and_then(|amount| amount.most)).collect::<Vec<_>>()
        };
        let near = |found: Vec<Option<f64>>, expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?} {expected}");
            }
        };
        // 100 GB at $0.02, one request at $0.10 per 1,000, and $0.023 per GB and month for three days.
        let deep = dollars(StorageClass::DeepArchive, RetrievalTier::Standard, Some(3));
        near(deep, &[2.0 + 0.0001, 0.23]);
        near(dollars(StorageClass::Glacier, RetrievalTier::Bulk, Some(30)), &[0.0, 2.3]);
        near(dollars(StorageClass::IntelligentTiering, RetrievalTier::Standard, None), &[0.0]);
        let unknown = thaw_cost(StorageClass::IntelligentTiering, Some(RetrievalTier::Expedited), None, gb100, &table);
        assert!(unknown[0].amount.as_ref().unwrap_err().contains("Expedited retrieval from INTELLIGENT_TIERING"));
    }
}
