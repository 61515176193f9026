use std::collections::BTreeMap;

use super::RetrievalTier::{Bulk, Expedited, Standard as Usual};
use super::StorageClass::{DeepArchive, Glacier, GlacierIr, IntelligentTiering, OneZoneIa, Standard, StandardIa};
use super::{Figure, Item, PriceTable, Source, Step};

const REGION: &str = "us-east-1";
/// The date on which undated sources were read.
const SEEN: &str = "2026-11-22";

/// The source of a figure.
#[derive(Clone, Copy)]
enum From {
    /// EBS User Guide, *Pricing for EBS direct APIs*.
    EbsGuide,
    /// AWS's price list, as quoted elsewhere with a date.
    Dated,
    /// AWS's price list, as quoted elsewhere without a date.
    Undated,
}

impl From {
    fn source(self) -> Source {
        let (name, date) = match self {
            From::EbsGuide => ("EBS User Guide", None),
            From::Dated => ("AWS price list, as quoted by others", Some("2026-08-01")),
            From::Undated => ("AWS price list, as quoted by others", None),
        };
        Source {
            name: name.to_owned(),
            region: REGION.to_owned(),
            date: date.map(str::to_owned),
            seen: date.is_none().then(|| SEEN.to_owned()),
        }
    }
}

/// US dollars per unit, or per thousand units for items priced by the thousand.
const FIGURES: &[(Item, f64, From)] = &[
    (Item::GetBlock, 0.003, From::EbsGuide),
    (Item::PutBlock, 0.006, From::EbsGuide),
    (Item::ListBlocks, 0.0006, From::EbsGuide),
    (Item::Storage(Standard), 0.023, From::Dated),
    (Item::Put(Standard), 0.005, From::Dated),
    (Item::Get(Standard), 0.0004, From::Dated),
    (Item::Storage(StandardIa), 0.0125, From::Dated),
    (Item::Put(StandardIa), 0.01, From::Dated),
    (Item::Get(StandardIa), 0.001, From::Dated),
    (Item::Retrieval(StandardIa), 0.01, From::Dated),
    (Item::Storage(OneZoneIa), 0.01, From::Undated),
    (Item::Put(OneZoneIa), 0.01, From::Undated),
    (Item::Get(OneZoneIa), 0.001, From::Undated),
    (Item::Retrieval(OneZoneIa), 0.01, From::Undated),
    (Item::Storage(IntelligentTiering), 0.023, From::Dated),
    (Item::TieringArchiveInstant, 0.004, From::Dated),
    (Item::Monitoring, 0.0025, From::Dated),
    (Item::BringBack(IntelligentTiering, Usual), 0.0, From::Dated),
    (Item::Storage(GlacierIr), 0.004, From::Dated),
    (Item::Put(GlacierIr), 0.02, From::Dated),
    (Item::Get(GlacierIr), 0.01, From::Dated),
    (Item::Retrieval(GlacierIr), 0.03, From::Dated),
    (Item::Storage(Glacier), 0.0036, From::Undated),
    (Item::Put(Glacier), 0.05, From::Undated),
    (Item::Transition(Glacier), 0.05, From::Undated),
    (Item::BringBack(Glacier, Expedited), 0.03, From::Undated),
    (Item::BringBack(Glacier, Usual), 0.01, From::Undated),
    (Item::BringBack(Glacier, Bulk), 0.0, From::Undated),
    (Item::Storage(DeepArchive), 0.00099, From::Undated),
    (Item::Put(DeepArchive), 0.05, From::Undated),
    (Item::Transition(DeepArchive), 0.05, From::Undated),
    (Item::BringBack(DeepArchive, Usual), 0.02, From::Undated),
    (Item::BringBackRequest(DeepArchive, Usual), 0.1, From::Undated),
    (Item::BringBack(DeepArchive, Bulk), 0.0025, From::Undated),
    (Item::BringBackRequest(DeepArchive, Bulk), 0.025, From::Undated),
    (Item::TransferOut, 0.09, From::Undated),
    (Item::ComputeChecksum, 0.004, From::Dated),
];

/// The number of units up to which the figure is known: the first step of its price.
fn known_up_to(item: Item) -> Option<f64> {
    match item {
        Item::Storage(Standard) => Some(50_000.0),
        Item::TransferOut => Some(10_000.0),
        _ => None,
    }
}

impl PriceTable {
    /// List prices of us-east-1.
    pub fn built_in() -> Self {
        let figure = |&(item, dollars, from): &(Item, f64, From)| {
            let each = if item.unit().by_thousands() { dollars / 1000.0 } else { dollars };
            let steps = vec![Step { up_to: known_up_to(item), each }];
            (item, Ok(Figure { steps, source: from.source() }))
        };
        PriceTable {
            region: REGION.to_owned(),
            name: "the built-in table".to_owned(),
            built_in: true,
            figures: FIGURES.iter().map(figure).collect::<BTreeMap<_, _>>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::blocks;

    #[test]
    fn what_the_fact_sheet_derives() {
        const GIB: u64 = 1 << 30;
        let table = PriceTable::built_in();
        assert_eq!(table.figures.len(), FIGURES.len(), "no item twice");
        for (item, gib, dollars) in [
            (Item::GetBlock, 100, 0.61),
            (Item::GetBlock, 1_200, 7.37),
            (Item::GetBlock, 5_000, 30.72),
            (Item::PutBlock, 100, 1.23),
            (Item::PutBlock, 600, 7.37),
            (Item::PutBlock, 5_000, 61.44),
        ] {
            let charge = table.charge(item, blocks(gib * GIB) as f64).unwrap();
            assert!((charge.dollars - dollars).abs() < 0.005, "{item} of {gib} GiB: {charge:?}");
        }
        // Ranges of 8 MiB: 128 GETs per GiB.
        let reading = table.charge(Item::Get(Standard), 128.0).unwrap().dollars;
        assert!((reading - 0.00005).abs() < 0.000_002, "{reading}");
    }
}
