use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::args::{ConnectionArgs, OutputArgs, PageArgs};
use crate::cli::blocks::args::RateArgs;
use crate::cli::images::args::JudgingArgs;
use crate::cli::starting::StartingArgs;
use crate::ident::{AmiId, ImageName, ObjectUri};
use crate::units::ByteSize;

#[derive(Debug, Args)]
pub struct DrillArgs {
    /// Stored AMI object: s3://bucket/key
    #[arg(value_name = "TARGET")]
    pub target: ObjectUri,
    /// Record of the expected content, written by `fingerprint` (or give --source); FILE.blocks is read, too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "source")]
    pub record: Option<PathBuf>,
    /// AMI that was stored, if it still exists; its blocks are read, too
    #[arg(long, value_name = "AMI-ID", conflicts_with = "record")]
    pub source: Option<AmiId>,
    /// Keep the restored AMI and its snapshots
    ///
    /// The next drill of the object takes them up and removes them.
    #[arg(long)]
    pub keep: bool,
    /// Name of the restored AMI [default: stored-ami-drill-AMI-ID]
    ///
    /// Every drill of an object has the same name, so that one that was killed is found again.
    #[arg(long, value_name = "NAME")]
    pub name: Option<ImageName>,
    /// Manifest to verify the object against, written by `verify --write-manifest`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub manifest: Option<PathBuf>,
    /// Size of all volumes, if it is not known from elsewhere
    #[arg(long, value_name = "SIZE", hide_short_help = true)]
    pub logical_size: Option<ByteSize>,
    /// Folder of the journal [default: $XDG_STATE_HOME/stored-ami or ~/.local/state/stored-ami]
    ///
    /// The journal names what the drill made, so that one that was killed is continued or cleaned up.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, hide_short_help = true)]
    pub journal: Option<PathBuf>,
    #[command(flatten)]
    pub rate: RateArgs,
    #[command(flatten)]
    pub starting: StartingArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    /// Record the proof in this ledger, with the object that the AMI was restored from
    ///
    /// The ledger is an SQLite file, which is created if it does not exist. The entry is evidence of the restore. It proves
    /// nothing about the bytes of the object, so `audit` and `safe-to-delete` take no notice of it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub ledger: Option<PathBuf>,
    /// Write a JUnit report: one test case for each step
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub junit: Option<PathBuf>,
    #[command(flatten)]
    pub page: PageArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}
