use super::note::PreflightNote;
use super::size::LogicalSize;
use crate::price::{Item, block_note};

/// A note on the price of an AMI's snapshot blocks, as a range from the written blocks to all blocks of the
/// volumes.
pub(super) fn block_price(item: Item, size: &LogicalSize) -> Option<PreflightNote> {
    block_note(item, size.volumes, size.written).map(|price| PreflightNote::BlockPrice { price })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::GIB;

    #[test]
    fn written_blocks_and_volumes_have_their_places() {
        let size = LogicalSize { volumes: Some(600 * GIB), written: Some(100 * GIB), ..LogicalSize::default() };
        let note = block_price(Item::PutBlock, &size).unwrap().to_string();
        assert!(note.starts_with("about $1.23 to $7.37 for PutSnapshotBlock at the list price of us-east-1"), "{note}");
        let note = block_price(Item::GetBlock, &LogicalSize { written: None, ..size }).unwrap().to_string();
        assert!(note.starts_with("about at most $3.69 for GetSnapshotBlock"), "{note}");
        assert_eq!(block_price(Item::GetBlock, &LogicalSize::default()), None);
    }
}
