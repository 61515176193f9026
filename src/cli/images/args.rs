use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::checks::preflight::{GbLimit, ServiceLimits};
use crate::cli::args::{ConnectionArgs, ForceArgs, OutputArgs};
use crate::commands::iam_policy::PolicyCommand;
use crate::ident::{AmiId, BucketPath, ImageName, ObjectUri};
use crate::units::ByteSize;
use crate::verdict::CheckName;

#[derive(Debug, Subcommand)]
pub enum PreflightCommand {
    /// Would a store of this AMI be admitted, and is it needed?
    Store(Box<PreflightStoreArgs>),
    /// Would a restore of this object be admitted, and what would come out?
    Restore(Box<PreflightRestoreArgs>),
}

/// How the commands about tasks judge, report and connect.
#[derive(Debug, Args)]
pub struct TaskArgs {
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct PreflightStoreArgs {
    /// The AMI to store
    #[arg(value_name = "AMI-ID")]
    pub image: AmiId,
    #[command(flatten)]
    pub into: BucketArgs,
    /// Leave the size and source of the AMI out of the object's tags
    #[arg(long)]
    pub no_tags: bool,
    #[command(flatten)]
    pub task: TaskArgs,
}

#[derive(Debug, Args)]
pub struct PreflightRestoreArgs {
    /// The stored AMI object: s3://bucket/key
    #[arg(value_name = "TARGET")]
    pub target: ObjectUri,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub task: TaskArgs,
}

#[derive(Debug, Args)]
pub struct StoredArgs {
    /// The AMI in question
    #[arg(value_name = "AMI-ID")]
    pub image: AmiId,
    #[command(flatten)]
    pub into: BucketArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct StoreArgs {
    /// The AMI to store
    #[arg(value_name = "AMI-ID", required_unless_present = "follow", conflicts_with = "follow")]
    pub image: Option<AmiId>,
    /// Where to: BUCKET or BUCKET/path
    #[arg(long, value_name = "BUCKET", required_unless_present = "follow")]
    pub bucket: Option<BucketPath>,
    /// Start nothing: follow the store of this AMI that is there
    #[arg(long, value_name = "AMI-ID", conflicts_with_all = ["dry_run", "record"])]
    pub follow: Option<AmiId>,
    /// Keep what the object does not tell in this file: sizes, snapshots, name, Region, account
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub force: ForceArgs,
    /// Leave the size and source of the AMI out of the object's tags
    #[arg(long)]
    pub no_tags: bool,
    #[command(flatten)]
    pub starting: StartingArgs,
    #[command(flatten)]
    pub task: TaskArgs,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The stored AMI object: s3://bucket/key
    #[arg(value_name = "TARGET", required_unless_present = "follow", conflicts_with = "follow")]
    pub target: Option<ObjectUri>,
    /// Start nothing: follow the restore that makes this AMI
    #[arg(long, value_name = "AMI-ID", conflicts_with_all = ["dry_run", "verify", "name"])]
    pub follow: Option<AmiId>,
    #[command(flatten)]
    pub source: SourceArgs,
    /// Point this SSM parameter (data type aws:ec2:image) at the new AMI
    #[arg(long, value_name = "PARAMETER")]
    pub alias: Option<String>,
    /// Folder of what was started [default: $XDG_STATE_HOME/stored-ami or ~/.local/state/stored-ami]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub journal: Option<PathBuf>,
    #[command(flatten)]
    pub starting: StartingArgs,
    #[command(flatten)]
    pub task: TaskArgs,
}

#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// The commands that must work
    #[arg(value_name = "COMMAND", required = true, value_parser = policy_command)]
    pub commands: Vec<PolicyCommand>,
    /// For this bucket, or BUCKET/path
    #[arg(long, value_name = "BUCKET")]
    pub bucket: BucketPath,
    #[arg(long, value_name = "PARTITION", default_value = "aws")]
    pub partition: String,
    /// For this Region
    #[arg(long, value_name = "REGION", default_value = "*")]
    pub region: String,
    /// For this account
    #[arg(long, value_name = "ACCOUNT", default_value = "*")]
    pub account: String,
    /// The SSM parameter of `restore --alias`
    #[arg(long, value_name = "PARAMETER")]
    pub alias: Option<String>,
}

fn policy_command(text: &str) -> Result<PolicyCommand, String> {
    let known = PolicyCommand::ALL.into_iter().find(|(_, name)| *name == text);
    let names = || PolicyCommand::ALL.map(|(_, name)| name).join(", ");
    known.map(|(command, _)| command).ok_or_else(|| format!("not one of {}", names()))
}

#[derive(Debug, Args)]
pub struct BucketArgs {
    /// Where to: BUCKET or BUCKET/path
    #[arg(long, value_name = "BUCKET")]
    pub bucket: BucketPath,
}

/// What is known of the object to restore.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is to come out, and what is known of it")]
pub struct SourceArgs {
    /// Name of the new AMI
    #[arg(long, value_name = "NAME")]
    pub name: Option<ImageName>,
    /// The record that `store --record` wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// A manifest that an earlier verify wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub manifest: Option<PathBuf>,
    /// Verify every byte first
    #[arg(long)]
    pub verify: bool,
    /// Size of all volumes before compression, where nothing else tells it
    #[arg(long, value_name = "SIZE")]
    pub logical_size: Option<ByteSize>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Judging")]
pub struct JudgingArgs {
    /// Let these required checks be unknown
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub accept: Vec<CheckName>,
    /// The service's limit on one AMI before compression, in GB
    #[arg(long, value_name = "GB", default_value_t = ServiceLimits::default().image.gb)]
    pub image_limit: u64,
    /// The service's limit on stores in progress, in GB
    #[arg(long, value_name = "GB", default_value_t = ServiceLimits::default().stores.gb)]
    pub store_limit: u64,
    /// The service's limit on restores in progress, in GB
    #[arg(long, value_name = "GB", default_value_t = ServiceLimits::default().restores.gb)]
    pub restore_limit: u64,
}

impl JudgingArgs {
    /// The limits of the service, with the values given by the user.
    pub fn limits(&self) -> ServiceLimits {
        ServiceLimits {
            image: GbLimit { gb: self.image_limit },
            stores: GbLimit { gb: self.store_limit },
            restores: GbLimit { gb: self.restore_limit },
            ..ServiceLimits::default()
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Starting")]
pub struct StartingArgs {
    /// Do not ask before it is started
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Check everything, start nothing
    #[arg(long)]
    pub dry_run: bool,
}
