use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::words;

words! {
    /// Kind of a file that a command writes.
    pub enum FileKind {
        Manifest = "manifest",
        Record = "record",
        /// State of an unfinished read.
        Checkpoint = "checkpoint",
        /// State of an unfinished copy.
        CopyState = "copy_state",
        /// A copy of an object.
        Copy = "copy",
        Ledger = "ledger",
        /// The content of an AMI: digests over its volumes.
        Fingerprint = "fingerprint",
        /// The digests of the blocks of an AMI.
        BlockDigests = "block_digests",
        /// The journal entry of a restore.
        Journal = "journal",
        /// What S3 Batch Operations is asked to compute.
        BatchPlan = "batch_plan",
        Tuning = "tuning",
        /// HTML report.
        Page = "page",
        Csv = "csv",
        Junit = "junit",
        Prometheus = "prometheus",
        /// JSON lines of one shard of an audit.
        ShardResult = "shard_result",
        /// Redacted facts about objects.
        Facts = "facts",
        Plot = "plot",
        Manual = "manual",
        Log = "log",
    }
}

impl FileKind {
    /// The kind as people call it, without an article.
    pub fn description(self) -> &'static str {
        match self {
            FileKind::Manifest => "manifest",
            FileKind::Record => "record",
            FileKind::Checkpoint => "checkpoint",
            FileKind::CopyState => "state of the copy",
            FileKind::Copy => "copy",
            FileKind::Ledger => "ledger",
            FileKind::Fingerprint => "fingerprint",
            FileKind::BlockDigests => "digests of blocks",
            FileKind::Journal => "journal entry",
            FileKind::BatchPlan => "plan of batch jobs",
            FileKind::Tuning => "tuning profile",
            FileKind::Page => "report page",
            FileKind::Csv => "CSV table",
            FileKind::Junit => "JUnit report",
            FileKind::Prometheus => "Prometheus metrics",
            FileKind::ShardResult => "result of the shard",
            FileKind::Facts => "redacted facts",
            FileKind::Plot => "plot",
            FileKind::Manual => "manual page",
            FileKind::Log => "log",
        }
    }
}

/// A file that a command wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrittenFile {
    /// Path as it was given, or as it was chosen by default.
    pub path: String,
    /// What the file contains.
    pub kind: FileKind,
}
