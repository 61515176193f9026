use std::path::PathBuf;

use crate::blocks::BlockRecord;
use crate::ident::AmiId;
use crate::plan::Sample;

/// What the content of an AMI should be.
#[derive(Debug, Clone)]
pub enum ExpectedContent {
    /// A record that `fingerprint` wrote, and its sidecar.
    Record {
        /// The record.
        record: Box<BlockRecord>,
        /// Path of the sidecar.
        sidecar: PathBuf,
    },
    /// The content of another AMI.
    Image(AmiId),
}

/// What to compare an AMI with, and how much of it.
#[derive(Debug, Clone)]
pub struct ProveRequest {
    /// What the content should be.
    pub expected: ExpectedContent,
    /// Read only these blocks.
    pub sample: Option<Sample>,
    /// Read only as many blocks as this many US dollars pay for.
    pub max_cost: Option<f64>,
    /// Number of blocks that the user agreed to when the AMI was not there yet. `None` if nothing was agreed to.
    pub agreed_blocks: Option<u64>,
}
