use super::draft::Draft;
use super::moved::AROUND_PARTS;
use crate::price::numbers::gb;
use crate::price::{CostItem, CostLine, Item, PriceTable, StorageClass};

/// A copy of an object to another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopySubject<'a> {
    /// Size in bytes.
    pub bytes: u64,
    /// Storage class of the source in S3's spelling; `None` for a file.
    pub from: Option<&'a str>,
    /// Number of requests to read every byte once.
    pub gets: u64,
    /// Storage class of the copy in S3's spelling.
    pub to: &'a str,
    /// Number of parts; `None` if the copy is written in one request.
    pub parts: Option<u64>,
    /// Whether both ends are known to be in one partition. Then this machine may be in the Region of the source, and
    /// reading is free of transfer.
    pub one_partition: bool,
}

/// The class of this name, for a price.
fn class<'a>(draft: Draft<'a>, name: &str) -> (Draft<'a>, Option<StorageClass>) {
    match StorageClass::from_name(name) {
        Some(class) => (draft, Some(class)),
        None => (draft.unknown(format!("no price of the class {name} is known here")), None),
    }
}

/// What a copy costs: reading the source, the transfer, writing, and a month of the copy.
pub fn estimate_copy(subject: &CopySubject<'_>, table: &PriceTable) -> Vec<CostLine> {
    let mut lines = Vec::new();
    let size = gb(subject.bytes);
    if let Some(from) = subject.from {
        lines.push(CostLine { here: true, ..reading(subject, table, from) });
        let least = if subject.one_partition { 0.0 } else { size };
        let draft = Draft::new(table).range(Item::TransferOut, Some(least), Some(size), "GB");
        let draft = match subject.one_partition {
            true => draft.remark("nothing if this machine is in the Region of the source"),
            false => draft,
        };
        lines.push(draft.line(CostItem::CopyOut, "to the internet"));
    }
    let requests = subject.parts.map_or(1, |parts| parts + AROUND_PARTS);
    let (draft, to) = class(Draft::new(table), subject.to);
    let draft = match to {
        Some(to) => draft.exactly(Item::Put(to), requests as f64, "PUT requests"),
        None => draft,
    };
    lines.push(draft.line(CostItem::Write, subject.to));
    let (draft, to) = class(Draft::new(table), subject.to);
    let draft = match to {
        Some(to) => draft.exactly(Item::Storage(to), gb(subject.bytes.max(to.minimum_bytes())), "GB"),
        None => draft,
    };
    lines.push(draft.line(CostItem::Keep, subject.to));
    lines
}

fn reading(subject: &CopySubject<'_>, table: &PriceTable, from: &str) -> CostLine {
    let (draft, from_class) = class(Draft::new(table), from);
    let draft = match from_class {
        None => draft,
        Some(class) if class.archives() => {
            draft.unknown("`stored-ami thaw` states what it costs to bring it back".into())
        }
        Some(class) => {
            let draft = draft.exactly(Item::Get(class), subject.gets as f64, "GET requests");
            match class.charges_reading() {
                true => draft.exactly(Item::Retrieval(class), gb(subject.bytes), "GB"),
                false => draft,
            }
        }
    };
    draft.line(CostItem::Read, from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: CopySubject<'_> = CopySubject {
        bytes: 100_000_000_000,
        from: Some("STANDARD_IA"),
        gets: 12_000,
        to: "GLACIER_IR",
        parts: Some(1_000),
        one_partition: false,
    };

    /// Least and most, in dollars.
    type Range = (f64, f64);

    fn amounts(subject: &CopySubject<'_>) -> Vec<(CostItem, Result<Range, String>)> {
        let of = |line: CostLine| {
            let both = |amount: crate::price::Amount| (amount.least.unwrap(), amount.most.unwrap());
            (line.item, line.amount.map(both))
        };
        estimate_copy(subject, &PriceTable::built_in()).into_iter().map(of).collect()
    }

    #[test]
    fn requests_retrieval_transfer_and_a_month() {
        let expected = [
            (CostItem::Read, 12_000.0 * 0.000_001 + 1.0, 12_000.0 * 0.000_001 + 1.0),
            (CostItem::CopyOut, 9.0, 9.0),
            (CostItem::Write, 1_002.0 * 0.000_02, 1_002.0 * 0.000_02),
            (CostItem::Keep, 0.4, 0.4),
        ];
        let found = amounts(&SUBJECT);
        assert_eq!(found.len(), expected.len());
        for ((item, amount), (expected_item, least, most)) in found.into_iter().zip(expected) {
            let (from, to) = amount.unwrap();
            assert_eq!(item, expected_item);
            assert!((from - least).abs() < 1e-9 && (to - most).abs() < 1e-9, "{item}: {from} {to}");
        }
    }

    #[test]
    fn transfer_is_free_within_a_region_and_from_a_file() {
        let inside = amounts(&CopySubject { one_partition: true, ..SUBJECT });
        assert_eq!(inside[1], (CostItem::CopyOut, Ok((0.0, 9.0))));
        let file = amounts(&CopySubject { from: None, parts: None, ..SUBJECT });
        assert_eq!(file.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [CostItem::Write, CostItem::Keep]);
        assert_eq!(file[0].1, Ok((0.000_02, 0.000_02)));
    }

    #[test]
    fn a_price_that_is_not_known_is_named() {
        let unknown = amounts(&CopySubject { from: Some("GLACIER"), to: "EXPRESS_ONEZONE", ..SUBJECT });
        assert!(unknown[0].1.as_ref().unwrap_err().contains("stored-ami thaw"));
        assert!(unknown[2].1.as_ref().unwrap_err().contains("EXPRESS_ONEZONE"));
    }
}
