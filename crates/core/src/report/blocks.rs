use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, Note, PriceSourceReport};
use crate::blocks::{BlockDigest, BlockEstimate, Difference, RecordedBlocks, Unproved, UnprovedCode, VolumeResult};
use crate::text::words;
use crate::verdict::Verdict;

words! {
    /// What a run of `fingerprint` did.
    pub enum FingerprintOutcome {
        /// Nothing was read; this is what it would read.
        Planned = "planned",
        /// Every block was read, in this run or an earlier one, and the record is written.
        Written = "written",
        /// A signal ended it; what was read is kept.
        Interrupted = "interrupted",
        /// As many blocks were read as the estimate says, and the snapshots list more than EC2 states. What was read is
        /// kept, and the same command goes on.
        Limited = "limited",
    }
}

words! {
    /// What the blocks of an AMI are compared with.
    pub enum ProofSource {
        /// A record that `fingerprint` wrote.
        Record = "record",
        /// Another AMI, whose blocks are read, too.
        Image = "image",
    }
}

/// What it takes to read blocks, before it begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlockEstimateReport {
    /// The fewest blocks.
    pub blocks_least: u64,
    /// The most blocks. No more are read, whatever the snapshots list. Second reads of blocks that differ are not counted,
    /// unless a cost limits the run.
    pub blocks_most: u64,
    /// The fewest requests to the EBS direct APIs.
    pub requests_least: u64,
    /// The most requests, without repeated ones.
    pub requests_most: u64,
    /// The limit in blocks per second.
    pub block_rate: u32,
    /// The longest time at this rate.
    pub seconds_most: u64,
    /// Lower bound of the price; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollars_least: Option<f64>,
    /// Upper bound of the price; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollars_most: Option<f64>,
    /// The source of the prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceSourceReport>,
}

impl BlockEstimateReport {
    /// The estimate at a rate in blocks per second.
    pub fn new(estimate: &BlockEstimate, rate: u32) -> Self {
        BlockEstimateReport {
            blocks_least: estimate.blocks.least,
            blocks_most: estimate.blocks.most,
            requests_least: estimate.requests.least,
            requests_most: estimate.requests.most,
            block_rate: rate,
            seconds_most: estimate.time.as_secs_f64().ceil() as u64,
            dollars_least: estimate.amount.least,
            dollars_most: estimate.amount.most,
            price: estimate.source.as_ref().map(PriceSourceReport::from),
        }
    }

    /// Both, one after the other at the same rate.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let dollars = |one: Option<f64>, other: Option<f64>| Some(one? + other?);
        BlockEstimateReport {
            blocks_least: self.blocks_least.saturating_add(other.blocks_least),
            blocks_most: self.blocks_most.saturating_add(other.blocks_most),
            requests_least: self.requests_least.saturating_add(other.requests_least),
            requests_most: self.requests_most.saturating_add(other.requests_most),
            block_rate: self.block_rate,
            seconds_most: self.seconds_most.saturating_add(other.seconds_most),
            dollars_least: dollars(self.dollars_least, other.dollars_least),
            dollars_most: dollars(self.dollars_most, other.dollars_most),
            price: self.price.or(other.price),
        }
    }
}

/// Requests of a run, and its time.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct BlockStatsReport {
    /// Requests of all kinds, including repeated ones.
    pub requests: u64,
    /// GetSnapshotBlock requests among them.
    pub block_reads: u64,
    /// Attempts that were repeated.
    pub retries: u64,
    /// Time since this run began.
    pub elapsed_seconds: f64,
}

/// Result of `fingerprint`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FingerprintReport {
    /// The AMI.
    pub image: String,
    /// Region of the AMI.
    pub region: String,
    /// What this run did.
    pub outcome: FingerprintOutcome,
    /// Number of blocks that an earlier run had read.
    pub resumed_blocks: u64,
    /// Number of blocks that this run read.
    #[serde(default)]
    pub read_blocks: u64,
    /// The volumes that were read to their end, in the order of the AMI.
    pub volumes: Vec<FingerprintedVolumeReport>,
    /// Price, requests and time of a complete run.
    pub estimate: BlockEstimateReport,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Requests and time.
    pub stats: BlockStatsReport,
    /// Exit code of the command.
    pub exit_code: Exit,
    /// Whether the blocks are read next, so that this report is not the last one. Not in JSON.
    #[serde(skip)]
    pub goes_on: bool,
}

/// The content of one volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FingerprintedVolumeReport {
    /// Device name.
    pub device: String,
    /// Id of the snapshot.
    pub snapshot_id: String,
    /// Size of the snapshot's volume in GiB.
    pub volume_gib: u64,
    /// Number of blocks that the snapshot lists.
    pub listed_blocks: u64,
    /// Number of blocks that are not zeros.
    pub blocks: u64,
    /// SHA-256 over the index and the digest of each of these blocks.
    pub content_sha256: BlockDigest,
}

impl From<&RecordedBlocks> for FingerprintedVolumeReport {
    fn from(volume: &RecordedBlocks) -> Self {
        FingerprintedVolumeReport {
            device: volume.device.clone(),
            snapshot_id: volume.snapshot.clone(),
            volume_gib: volume.gib,
            listed_blocks: volume.listed_blocks,
            blocks: volume.blocks,
            content_sha256: volume.content_sha256,
        }
    }
}

/// Result of `prove`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProveReport {
    /// The AMI whose blocks are compared.
    pub image: String,
    /// Region of the AMI.
    pub region: String,
    /// What they are compared with.
    pub against: ProofSource,
    /// The AMI with the expected content.
    pub expected_image: String,
    /// Whether anything was read; otherwise this is what would be read.
    pub started: bool,
    /// `pass` if every block of every volume is the same; `fail` if one differs; otherwise `unknown`.
    pub verdict: Verdict,
    /// The volumes in the order of the record or the source, and then those that only the AMI has.
    pub volumes: Vec<ProvedVolumeReport>,
    /// The sample as it was asked for; absent if every block was to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// The smallest number of changed blocks, spread at random, of which this run finds one with a probability of at
    /// least 95 %; absent if no block was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable_blocks: Option<u64>,
    /// Price, requests and time of the run.
    pub estimate: BlockEstimateReport,
    /// Remarks.
    pub notes: Vec<Note>,
    /// The object as `s3://bucket/key` that the result is recorded with in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_with: Option<String>,
    /// `ENTRIES:SHA256` of the ledger after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_head: Option<String>,
    /// Requests and time.
    pub stats: BlockStatsReport,
    /// Exit code of the command.
    pub exit_code: Exit,
    /// Whether the blocks are read next, so that this report is not the last one. Not in JSON.
    #[serde(skip)]
    pub goes_on: bool,
}

/// The comparison of one volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvedVolumeReport {
    /// Device name.
    pub device: String,
    /// Id of the snapshot of the AMI; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    /// Id of the snapshot with the expected content; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_snapshot_id: Option<String>,
    /// Size of the volume in GiB, as the snapshot states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_gib: Option<u64>,
    /// The expected size in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_gib: Option<u64>,
    /// `pass`, `fail` or `unknown`.
    pub verdict: Verdict,
    /// Blocks that were compared and are the same. Blocks that neither snapshot lists are not counted.
    pub same_blocks: u64,
    /// Blocks that a sample or a limit left out.
    pub skipped_blocks: u64,
    /// Blocks that differ in two reads.
    pub differing_blocks: u64,
    /// The first 100 of them.
    pub differences: Vec<BlockDifferenceReport>,
    /// Why the volume is not proved.
    pub reasons: Vec<UnprovedReport>,
    /// SHA-256 over the index and the digest of each block that is not zeros; absent unless every block was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<BlockDigest>,
}

/// A block that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockDifferenceReport {
    /// Index of the block in the volume.
    pub block: u32,
    /// Offset of its first byte in the volume.
    pub offset_bytes: u64,
    /// SHA-256 of the expected block.
    pub expected_sha256: BlockDigest,
    /// SHA-256 of the block of the AMI, read twice.
    pub observed_sha256: BlockDigest,
}

impl From<&Difference> for BlockDifferenceReport {
    fn from(difference: &Difference) -> Self {
        BlockDifferenceReport {
            block: difference.index.0,
            offset_bytes: difference.index.offset(),
            expected_sha256: difference.expected.digest(),
            observed_sha256: difference.observed.digest(),
        }
    }
}

/// Why a volume is not proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnprovedReport {
    /// What kind of reason it is.
    pub code: UnprovedCode,
    /// The facts, for people.
    pub detail: String,
}

impl From<&Unproved> for UnprovedReport {
    fn from(unproved: &Unproved) -> Self {
        UnprovedReport { code: unproved.code, detail: unproved.detail.clone() }
    }
}

impl ProvedVolumeReport {
    /// A volume without a result, for one that only one side has or that was not read.
    pub fn unread(device: &str, verdict: Verdict, reason: &Unproved) -> Self {
        ProvedVolumeReport {
            device: device.to_owned(),
            snapshot_id: None,
            expected_snapshot_id: None,
            volume_gib: None,
            expected_gib: None,
            verdict,
            same_blocks: 0,
            skipped_blocks: 0,
            differing_blocks: 0,
            differences: Vec::new(),
            reasons: vec![reason.into()],
            content_sha256: None,
        }
    }

    /// Takes over the result of the comparison.
    #[must_use]
    pub fn with(self, result: &VolumeResult) -> Self {
        ProvedVolumeReport {
            verdict: result.verdict,
            same_blocks: result.same_blocks,
            skipped_blocks: result.skipped_blocks,
            differing_blocks: result.differing_blocks,
            differences: result.differences.iter().map(BlockDifferenceReport::from).collect(),
            reasons: result.unproved.iter().map(UnprovedReport::from).collect(),
            content_sha256: result.content_sha256,
            ..self
        }
    }
}

impl ProveReport {
    /// `fail` if a volume fails, `pass` if there are volumes and all pass, otherwise `unknown`.
    pub fn verdict_of(volumes: &[ProvedVolumeReport]) -> Verdict {
        let any = |verdict| volumes.iter().any(|volume| volume.verdict == verdict);
        match (any(Verdict::Fail), volumes.is_empty() || any(Verdict::Unknown)) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Unknown,
            (false, false) => Verdict::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(verdict: Verdict) -> ProvedVolumeReport {
        ProvedVolumeReport::unread("/dev/sda1", verdict, &Unproved::new(UnprovedCode::Sampled, "x"))
    }

    #[test]
    fn only_volumes_that_all_pass_make_a_pass() {
        use Verdict::{Fail, Pass, Unknown};
        for (volumes, expected) in [
            (&[][..], Unknown),
            (&[Pass], Pass),
            (&[Pass, Pass], Pass),
            (&[Pass, Unknown], Unknown),
            (&[Unknown, Fail], Fail),
            (&[Pass, Fail], Fail),
        ] {
            let volumes: Vec<_> = volumes.iter().map(|verdict| volume(*verdict)).collect();
            assert_eq!(ProveReport::verdict_of(&volumes), expected);
        }
    }
}
