//! EBS snapshots, read block by block.

mod ebs;
mod hashing;
mod pace;

use async_trait::async_trait;
use jiff::Timestamp;

pub use ebs::{
    CHECKSUM_DIFFERS, Ebs, INVALID_BLOCK_TOKEN, INVALID_SNAPSHOT_ID, KEY_DENIED, MOST_LISTED, SNAPSHOT_NOT_FOUND,
};
pub use pace::BlockPace;

use crate::blocks::{BlockDigest, BlockIndex};
use crate::source::SourceError;

/// Where a page of a listing begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageFrom {
    /// At this block, or the first listed one behind it.
    Block(BlockIndex),
    /// Where the page ended that had this token.
    Token(String),
}

/// A block that a snapshot lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBlock {
    /// Place of the block.
    pub index: BlockIndex,
    /// What GetSnapshotBlock needs besides the place.
    pub token: String,
}

/// One answer to ListSnapshotBlocks. A server may list blocks before the place that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockPage {
    /// The blocks, as the server orders them.
    pub blocks: Vec<ListedBlock>,
    /// Set if there may be more.
    pub next: Option<String>,
    /// Size of the volume in GiB.
    pub gib: Option<u64>,
    /// Bytes of a block, as the server states it.
    pub block_bytes: Option<u64>,
    /// When the tokens expire.
    pub expires: Option<Timestamp>,
}

/// The EBS direct APIs in one Region, as far as they read. Each method sends one request, without retries.
///
/// # Errors
///
/// Each method fails with a [`SourceError`], whose code is the reason that EBS gives, if it gives one.
#[async_trait]
pub trait SnapshotService: Send + Sync {
    /// Blocks that were written, at most `most` (ListSnapshotBlocks).
    async fn list(&self, snapshot: &str, from: &PageFrom, most: u16) -> Result<BlockPage, SourceError>;

    /// The digest of a block, which agrees with the checksum that the server states (GetSnapshotBlock).
    async fn digest(&self, snapshot: &str, block: &ListedBlock) -> Result<BlockDigest, SourceError>;
}
