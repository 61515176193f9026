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
    /// Who moves the bytes.
    pub carrier: Carrier,
    /// Number of requests to read every byte of the copy afterwards; `None` if it is not read.
    pub read_back: Option<u64>,
}

/// Who moves the bytes of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// This machine reads and writes them.
    Client {
        /// Whether both ends are known to be in one partition. Then this machine may be in the Region of the source,
        /// and reading is free of transfer.
        one_partition: bool,
    },
    /// The server copies the parts.
    Server {
        /// Whether both ends are known to be in one Region, between whose buckets transfer is free.
        one_region: bool,
    },
}

/// Prices at both ends of a copy.
#[derive(Debug, Clone)]
pub struct CopyPrices {
    /// In the Region of the source.
    pub from: PriceTable,
    /// In the Region of the destination.
    pub to: PriceTable,
}

/// The class of this name, for a price.
fn class<'a>(draft: Draft<'a>, name: &str) -> (Draft<'a>, Option<StorageClass>) {
    match StorageClass::from_name(name) {
        Some(class) => (draft, Some(class)),
        None => (draft.unknown(format!("no price of the class {name} is known here")), None),
    }
}

/// What a copy costs: reading the source, the transfer, writing, a month of the copy, and reading it afterwards.
pub fn estimate_copy(subject: &CopySubject<'_>, prices: &CopyPrices) -> Vec<CostLine> {
    let mut lines = Vec::new();
    if let Some(from) = subject.from {
        lines.push(CostLine { here: true, ..reading(subject, &prices.from, from) });
        lines.extend(transfer(subject, &prices.from));
    }
    let requests = subject.parts.map_or(1, |parts| parts + AROUND_PARTS);
    let (draft, to) = class(Draft::new(&prices.to), subject.to);
    let draft = match to {
        Some(to) => draft.exactly(Item::Put(to), requests as f64, "PUT request"),
        None => draft,
    };
    lines.push(draft.line(CostItem::Write, subject.to));
    let (draft, to) = class(Draft::new(&prices.to), subject.to);
    let draft = match to {
        Some(to) => draft.exactly(Item::Storage(to), gb(subject.bytes.max(to.minimum_bytes())), "GB"),
        None => draft,
    };
    lines.push(draft.line(CostItem::Keep, subject.to));
    lines.extend(subject.read_back.map(|gets| read_back(subject, &prices.to, gets)));
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
            let draft = match subject.carrier {
                Carrier::Client { .. } => draft.exactly(Item::Get(class), subject.gets as f64, "GET request"),
                // The requests that copy are those that write.
                Carrier::Server { .. } => draft,
            };
            retrieved(draft, class, subject.bytes)
        }
    };
    draft.line(CostItem::Read, from)
}

/// Adds what the class charges for every byte that is read.
fn retrieved(draft: Draft<'_>, class: StorageClass, bytes: u64) -> Draft<'_> {
    match class.charges_reading() {
        true => draft.exactly(Item::Retrieval(class), gb(bytes), "GB"),
        false => draft,
    }
}

/// The transfer of the bytes; `None` if it is free.
fn transfer(subject: &CopySubject<'_>, table: &PriceTable) -> Option<CostLine> {
    let size = gb(subject.bytes);
    let draft = Draft::new(table);
    match subject.carrier {
        Carrier::Client { one_partition: false } => {
            Some(draft.exactly(Item::TransferOut, size, "GB").line(CostItem::CopyOut, "to the internet"))
        }
        Carrier::Client { one_partition: true } => {
            let draft = draft.range(Item::TransferOut, Some(0.0), Some(size), "GB");
            let draft = draft.remark("nothing if this machine is in the Region of the source");
            Some(draft.line(CostItem::CopyOut, "to the internet"))
        }
        Carrier::Server { one_region: true } => None,
        Carrier::Server { one_region: false } => {
            let why = "no price of the transfer between these Regions is known here";
            Some(draft.unknown(why.to_owned()).line(CostItem::CopyOut, "to the other Region"))
        }
    }
}

/// The copy is read over the network from its Region.
fn read_back(subject: &CopySubject<'_>, table: &PriceTable, gets: u64) -> CostLine {
    let (draft, to) = class(Draft::new(table), subject.to);
    let draft = match to {
        Some(to) => retrieved(draft.exactly(Item::Get(to), gets as f64, "GET request"), to, subject.bytes),
        None => draft,
    };
    let draft = draft.range(Item::TransferOut, Some(0.0), Some(gb(subject.bytes)), "GB");
    let draft = draft.remark("no transfer if this machine is in the Region of the copy");
    draft.line(CostItem::ReadBack, subject.to)
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
        carrier: Carrier::Client { one_partition: false },
        read_back: None,
    };

    /// Least and most, in dollars.
    type Range = (f64, f64);

    fn amounts(subject: &CopySubject<'_>) -> Vec<(CostItem, Result<Range, String>)> {
        let of = |line: CostLine| {
            let both = |amount: crate::price::Amount| (amount.least.unwrap(), amount.most.unwrap());
            (line.item, line.amount.map(both))
        };
        let prices = CopyPrices { from: PriceTable::built_in(), to: PriceTable::built_in() };
        estimate_copy(subject, &prices).into_iter().map(of).collect()
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
        let inside = amounts(&CopySubject { carrier: Carrier::Client { one_partition: true }, ..SUBJECT });
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
    #[test]
    fn the_server_reads_without_requests_and_moves_within_a_region_for_nothing() {
        let near = amounts(&CopySubject { carrier: Carrier::Server { one_region: true }, ..SUBJECT });
        assert_eq!(
            near.iter().map(|(item, _)| *item).collect::<Vec<_>>(),
            [CostItem::Read, CostItem::Write, CostItem::Keep]
        );
        assert_eq!(near[0].1, Ok((1.0, 1.0)), "the retrieval alone");
        let far = amounts(&CopySubject { carrier: Carrier::Server { one_region: false }, ..SUBJECT });
        assert_eq!(far[1].0, CostItem::CopyOut);
        assert!(far[1].1.as_ref().unwrap_err().contains("between these Regions"));
    }

    #[test]
    fn the_copy_is_read_in_its_own_class() {
        let (item, amount) = amounts(&CopySubject { read_back: Some(1_000), ..SUBJECT }).pop().unwrap();
        let (least, most) = amount.unwrap();
        let (requests, retrieval) = (1_000.0 * 0.000_01, 3.0);
        assert_eq!(item, CostItem::ReadBack);
        assert!((least - requests - retrieval).abs() < 1e-9 && (most - least - 9.0).abs() < 1e-9, "{least} {most}");
    }
}
