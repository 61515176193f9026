//! The content of EBS snapshots, block by block: digests of blocks, records of them, and what a comparison proves.
//!
//! A snapshot is read in blocks of 512 KiB (EBS User Guide, *EBS direct APIs*). A block that was never written reads
//! as zeros on a volume, so unwritten blocks and blocks of zeros are the same content here.

mod compare;
mod digest;
mod estimate;
mod index;
mod progress;
mod record;
mod sampler;
mod sidecar;

pub use compare::{Comparison, Difference, Unproved, UnprovedCode, VolumeResult};
pub use digest::{BlockContent, BlockDigest, BlockHasher, ContentHasher};
pub use estimate::{BlockEstimate, BlockRange, LIST_PAGE};
pub use index::{BLOCK_BYTES, BlockIndex};
pub use progress::{FingerprintProgress, FinishedVolume};
pub use record::{BlockRecord, BlockRecordError, EmptyVolume, RecordedBlocks};
pub use sampler::{BlockSampler, ReadBudget, detectable};
pub use sidecar::{Entry, Sidecar, SidecarError, SidecarReader, SidecarWriter, volumes_key};
