use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Subcommand, ValueHint};

use crate::checks::preflight::{GbLimit, ServiceLimits};
use crate::cli::args::{ConnectionArgs, ForceArgs, OutputArgs};
pub(crate) use crate::cli::starting::StartingArgs;
use crate::cli::usage::UsageError;
use crate::cli::values::condition_checks;
#[cfg(feature = "ebs")]
use crate::commands::blocks::{DEFAULT_RATE, MOST_RATE};
use crate::commands::iam_policy::PolicyCommand;
use crate::ident::{AmiId, BucketPath, ImageName, ObjectUri};
use crate::units::ByteSize;
use crate::verdict::CheckName;

#[derive(Debug, Subcommand)]
pub enum PreflightCommand {
    /// Check the conditions of a store
    Store(Box<PreflightStoreArgs>),
    /// Check the conditions of a restore, and predict the restored AMI
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
    /// AMI to store
    #[arg(value_name = "AMI-ID")]
    pub image: AmiId,
    #[command(flatten)]
    pub into: BucketArgs,
    /// Do not tag the object with the size and source of the AMI
    #[arg(long)]
    pub no_tags: bool,
    #[command(flatten)]
    pub task: TaskArgs,
}

#[derive(Debug, Args)]
pub struct PreflightRestoreArgs {
    /// Stored AMI object: s3://bucket/key
    #[arg(value_name = "TARGET")]
    pub target: ObjectUri,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub task: TaskArgs,
}

#[derive(Debug, Args)]
pub struct StoredArgs {
    /// AMI to look for
    #[arg(value_name = "AMI-ID")]
    pub image: AmiId,
    /// Bucket, or BUCKET/path, to look in
    ///
    /// The object is BUCKET/[path/]AMI-ID.bin. Copies under other paths of the bucket are found, too, and named.
    #[arg(long, value_name = "BUCKET")]
    pub bucket: BucketPath,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct StoreArgs {
    /// AMI to store
    #[arg(value_name = "AMI-ID", required_unless_present_any = ["follow", "from"], conflicts_with = "follow")]
    pub image: Option<AmiId>,
    /// Destination: BUCKET or BUCKET/path
    #[arg(long, value_name = "BUCKET", required_unless_present_any = ["follow", "from"])]
    pub bucket: Option<BucketPath>,
    /// Store every AMI of this list: lines of AMI, bucket and record
    ///
    /// There is one tab between two columns, and the record may be left out. Each store starts when less than the limit of
    /// AWS is in progress, and one an AMI at a time. The same command continues after an interruption; nothing is started
    /// twice.
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["image", "follow", "bucket", "record"]
    )]
    pub from: Option<PathBuf>,
    /// Follow the running store of this AMI; start nothing
    ///
    /// With --record, completes the record that the run that started the store wrote.
    #[arg(long, value_name = "AMI-ID", conflicts_with_all = ["dry_run", "force", "no_tags"])]
    pub follow: Option<AmiId>,
    /// Write a record of the source AMI: sizes, snapshots, name, Region, account
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub force: ForceArgs,
    /// Do not tag the object with the size and source of the AMI
    #[arg(long)]
    pub no_tags: bool,
    #[cfg(feature = "ebs")]
    #[command(flatten)]
    pub content: StoreContentArgs,
    #[command(flatten)]
    pub starting: StartingArgs,
    #[command(flatten)]
    pub task: TaskArgs,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Stored AMI object: s3://bucket/key
    #[arg(value_name = "TARGET", required_unless_present_any = ["follow", "from"], conflicts_with = "follow")]
    pub target: Option<ObjectUri>,
    /// Restore every object of this list: lines of object, name and record
    ///
    /// There is one tab between two columns, and the record may be left out. Each restore starts when less than the limit of
    /// AWS is in progress, restores of others included. The same command continues after an interruption; nothing is
    /// started twice. With --prove, each line needs its record.
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["target", "follow", "name", "record", "manifest", "logical_size", "alias"]
    )]
    pub from: Option<PathBuf>,
    /// Follow the running restore that creates this AMI; start nothing
    #[arg(long, value_name = "AMI-ID", conflicts_with_all = ["dry_run", "verify", "name"])]
    pub follow: Option<AmiId>,
    #[command(flatten)]
    pub source: SourceArgs,
    /// SSM parameter (data type aws:ec2:image) to set to the new AMI
    #[arg(long, value_name = "PARAMETER")]
    pub alias: Option<String>,
    /// Folder of the journal [default: $XDG_STATE_HOME/stored-ami or ~/.local/state/stored-ami]
    ///
    /// The journal lists the restores that were started, so that none is started twice.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub journal: Option<PathBuf>,
    #[cfg(feature = "ebs")]
    #[command(flatten)]
    pub proof: RestoreProofArgs,
    #[command(flatten)]
    pub starting: StartingArgs,
    #[command(flatten)]
    pub task: TaskArgs,
}

/// The record of the content, which follows a store.
#[cfg(feature = "ebs")]
#[derive(Debug, Args)]
pub struct StoreContentArgs {
    /// Then read every block of the AMI, and add their SHA-256 to the record
    ///
    /// Shows price, requests and time before. The digests of the blocks are written to FILE.blocks. `prove`, `drill` and
    /// `restore --prove` compare a restored AMI with the record.
    #[arg(long, requires = "record", conflicts_with_all = ["follow", "from"])]
    pub blocks: bool,
    /// Blocks per second; an account may read 1,000, which backup products share
    #[arg(
        long,
        value_name = "N",
        hide_short_help = true,
        requires = "blocks",
        default_value_t = DEFAULT_RATE,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_RATE))
    )]
    pub block_rate: u32,
}

/// The proof that follows a restore.
#[cfg(feature = "ebs")]
#[derive(Debug, Args)]
pub struct RestoreProofArgs {
    /// Compare every block of the restored AMI with the record
    ///
    /// Shows price, requests and time before. --record, or the line of --from, names a record that `fingerprint` or
    /// `store --blocks` wrote.
    #[arg(long, conflicts_with = "alias")]
    pub prove: bool,
    /// Record the proof in this ledger, with the object that the AMI was restored from
    ///
    /// The ledger is an SQLite file, which is created if it does not exist. The entry is evidence of the restore. It proves
    /// nothing about the bytes of the object, so `audit` and `safe-to-delete` take no notice of it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true, requires = "prove")]
    pub ledger: Option<PathBuf>,
    /// Blocks per second; an account may read 1,000, which backup products share
    #[arg(
        long,
        value_name = "N",
        hide_short_help = true,
        requires = "prove",
        default_value_t = DEFAULT_RATE,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_RATE))
    )]
    pub block_rate: u32,
}

#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// Commands that the policy permits
    #[arg(value_name = "COMMAND", required = true, value_parser = policy_words())]
    pub words: Vec<String>,
    /// Bucket, or BUCKET/path, that the policy covers; `fingerprint` and `prove` need none
    #[arg(long, value_name = "BUCKET")]
    pub bucket: Option<BucketPath>,
    /// AWS partition: aws, aws-cn or aws-us-gov
    #[arg(long, value_name = "PARTITION", default_value = "aws")]
    pub partition: String,
    /// Region that the policy covers
    #[arg(long, value_name = "REGION", default_value = "*")]
    pub region: String,
    /// Account that the policy covers
    #[arg(long, value_name = "ACCOUNT", default_value = "*")]
    pub account: String,
    /// SSM parameter of `restore --alias`
    #[arg(long, value_name = "PARAMETER")]
    pub alias: Option<String>,
    /// Bucket, or BUCKET/path, that `copy --via server` copies from; for copy-destination
    #[arg(long, value_name = "BUCKET")]
    pub source_bucket: Option<BucketPath>,
    /// Bucket, or BUCKET/path, of manifests and reports, as in `batch submit --to`; for batch and batch-role
    #[arg(long, value_name = "BUCKET")]
    pub to: Option<BucketPath>,
    /// Bucket, or BUCKET/path, of the results of shards, as in `audit --results`; for audit
    #[arg(long, value_name = "BUCKET")]
    pub results: Option<BucketPath>,
}

/// Words that `policy` accepts. `preflight` is followed by `store` or `restore`, as when it is run.
fn policy_words() -> PossibleValuesParser {
    let names = PolicyCommand::ALL.map(|(_, name)| PossibleValue::new(name));
    // Version 0.1 had `stored` in place of `is-stored`.
    let others = ["preflight", "stored", "copy"].map(|name| PossibleValue::new(name).hide(true));
    names.into_iter().chain(others).collect::<Vec<_>>().into()
}

impl PolicyArgs {
    /// The commands, of which `preflight store` and `preflight restore` may be two words.
    ///
    /// # Errors
    ///
    /// `preflight` is not followed by `store` or `restore`, or `copy` stands without an end.
    pub(in crate::cli) fn commands(&self) -> Result<Vec<PolicyCommand>, UsageError> {
        let mut found = Vec::new();
        let mut words = self.words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let command = match word {
                "preflight" => match words.next() {
                    Some("store") => Some(PolicyCommand::PreflightStore),
                    Some("restore") => Some(PolicyCommand::PreflightRestore),
                    _ => None,
                },
                "stored" => Some(PolicyCommand::IsStored),
                _ => PolicyCommand::ALL.into_iter().find(|(_, name)| *name == word).map(|(command, _)| command),
            };
            let unknown = || match word {
                "copy" => UsageError(
                    "copy: each end needs a policy: write `copy-source` for the bucket that is read, or \
                     `copy-destination` for the bucket that is written"
                        .to_owned(),
                ),
                _ => UsageError(format!("{word}: write `preflight store` or `preflight restore`")),
            };
            found.push(command.ok_or_else(unknown)?);
        }
        Ok(found)
    }
}

#[derive(Debug, Args)]
pub struct BucketArgs {
    /// Destination: BUCKET or BUCKET/path
    #[arg(long, value_name = "BUCKET")]
    pub bucket: BucketPath,
}

/// What is known of the object to restore.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source and restored AMI")]
pub struct SourceArgs {
    /// Name of the new AMI
    #[arg(long, value_name = "NAME")]
    pub name: Option<ImageName>,
    /// Record written by `store --record`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Manifest written by `verify --write-manifest`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub manifest: Option<PathBuf>,
    /// Verify every byte before the restore
    #[arg(long)]
    pub verify: bool,
    /// Size of all volumes before compression, if it is not known from elsewhere
    #[arg(long, value_name = "SIZE")]
    pub logical_size: Option<ByteSize>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Checks and limits")]
pub struct JudgingArgs {
    /// Exit 0 (and start the task) even if these required checks are unknown
    #[arg(long, hide_short_help = true, value_parser = condition_checks(), value_name = "CHECK", value_delimiter = ',')]
    pub accept: Vec<CheckName>,
    /// AWS limit on the size of one AMI before compression, in GB
    #[arg(long, hide_short_help = true, value_name = "GB", default_value_t = ServiceLimits::default().image.gb)]
    pub image_limit: u64,
    /// AWS limit on stores in progress, in GB
    #[arg(long, hide_short_help = true, value_name = "GB", default_value_t = ServiceLimits::default().stores.gb)]
    pub store_limit: u64,
    /// AWS limit on restores in progress, in GB
    #[arg(long, hide_short_help = true, value_name = "GB", default_value_t = ServiceLimits::default().restores.gb)]
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
