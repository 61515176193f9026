use super::size::LogicalSize;
use crate::units::GIB;

/// US dollars for 1,000 blocks of 512 KiB in us-east-1 (EBS User Guide, *Pricing for EBS direct APIs*; the page
/// bears no date).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockPrice {
    pub per_thousand: f64,
    pub what: &'static str,
}

pub const STORE_PRICE: BlockPrice = BlockPrice { per_thousand: 0.003, what: "GetSnapshotBlock" };
pub const RESTORE_PRICE: BlockPrice = BlockPrice { per_thousand: 0.006, what: "PutSnapshotBlock" };

const BLOCKS_IN_GIB: f64 = 2048.0;

impl BlockPrice {
    fn dollars(self, bytes: u64) -> f64 {
        bytes as f64 / GIB as f64 * BLOCKS_IN_GIB * self.per_thousand / 1000.0
    }

    /// From what was written to what the volumes could hold; S3 requests and storage come on top.
    pub fn estimate(self, size: &LogicalSize) -> Option<String> {
        let most = self.dollars(size.volumes?);
        let range = match size.written {
            Some(written) if written < size.volumes? => format!("${:.2} to ${most:.2}", self.dollars(written)),
            _ => format!("at most ${most:.2}"),
        };
        Some(format!(
            "about {range} for {} at the list price of us-east-1 (EBS User Guide, seen 2026-11-22); S3 and transfer come on top",
            self.what
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_go_by_blocks() {
        let size = LogicalSize { volumes: Some(600 * GIB), written: Some(100 * GIB), source: String::new() };
        assert!(RESTORE_PRICE.estimate(&size).unwrap().starts_with("about $1.23 to $7.37 for PutSnapshotBlock"));
        let size = LogicalSize { written: None, ..size };
        assert!(STORE_PRICE.estimate(&size).unwrap().starts_with("about at most $3.69 for GetSnapshotBlock"));
        assert_eq!(STORE_PRICE.estimate(&LogicalSize::default()), None);
    }
}
