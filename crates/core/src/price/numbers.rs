use super::{Amount, Item, PriceTable};

/// Bytes of a block of an EBS snapshot (EBS User Guide, *EBS direct APIs*).
const BLOCK: u64 = 512 << 10;

/// Number of snapshot blocks that hold `bytes` bytes.
pub fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK)
}

/// Bytes in GB (10⁹ bytes), the unit of S3's bills.
pub(super) fn gb(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

/// A note about the price of the snapshot blocks of an AMI, as a range from the written blocks to all blocks
/// of its volumes, by the built-in table. `None` if the size of the volumes is not known. Price files are not
/// considered: a preflight checks conditions, and the price is only a note.
pub fn block_note(item: Item, volumes: Option<u64>, written: Option<u64>) -> Option<String> {
    let table = PriceTable::built_in();
    let volumes = volumes?;
    let charge = |bytes| table.charge(item, blocks(bytes) as f64).ok();
    let most = charge(volumes)?;
    let least = written.filter(|written| *written < volumes).and_then(charge).map(|charge| charge.dollars);
    let amount = Amount { least, most: Some(most.dollars) };
    Some(format!(
        "about {} for {item} at the list price of {} ({}); S3 and transfer are extra: `stored-ami cost`, which takes \
         other prices too",
        amount.describe(),
        most.source.region,
        most.source.describe()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn prices_go_by_blocks() {
        assert_eq!((blocks(0), blocks(1), blocks(GIB)), (0, 1, 2048));
        let note = block_note(Item::PutBlock, Some(600 * GIB), Some(100 * GIB)).unwrap();
        assert!(note.starts_with("about $1.23 to $7.37 for PutSnapshotBlock at the list price of us-east-1"), "{note}");
        assert!(note.contains("seen 2026-11-22"), "{note}");
        let note = block_note(Item::GetBlock, Some(600 * GIB), None).unwrap();
        assert!(note.starts_with("about at most $3.69 for GetSnapshotBlock"), "{note}");
        assert_eq!(block_note(Item::GetBlock, None, Some(GIB)), None);
    }
}
