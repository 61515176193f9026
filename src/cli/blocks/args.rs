use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::args::{ConnectionArgs, ForceArgs, OutputArgs};
use crate::cli::starting::StartingArgs;
use crate::commands::blocks::{DEFAULT_RATE, MOST_RATE};
use crate::ident::AmiId;
use crate::plan::Sample;

#[derive(Debug, Args)]
pub struct FingerprintArgs {
    /// AMI whose content is recorded
    #[arg(value_name = "AMI-ID")]
    pub image: AmiId,
    /// Write the record here, and the digests of the blocks to FILE.blocks
    ///
    /// FILE.blocks grows while the blocks are read. If the run is interrupted or killed, the same command continues.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: PathBuf,
    #[command(flatten)]
    pub force: ForceArgs,
    #[command(flatten)]
    pub rate: RateArgs,
    #[command(flatten)]
    pub starting: StartingArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct ProveArgs {
    /// AMI whose content is compared
    #[arg(value_name = "AMI-ID")]
    pub image: AmiId,
    /// Record of the expected content, written by `fingerprint` (or give --source); FILE.blocks is read, too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "source")]
    pub record: Option<PathBuf>,
    /// AMI with the expected content, whose blocks are read, too
    #[arg(long, value_name = "AMI-ID", conflicts_with = "record")]
    pub source: Option<AmiId>,
    /// Read only a part of the blocks: 5%, or slice 2/7
    ///
    /// A sample can find a difference. It proves nothing: the result is at best unknown (exit 3).
    #[arg(long, value_name = "SAMPLE")]
    pub sample: Option<Sample>,
    /// Read only as many blocks as this amount pays for, by list price
    ///
    /// If it does not pay for all of them, they are chosen as with --sample.
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub max_cost: Option<f64>,
    #[command(flatten)]
    pub rate: RateArgs,
    /// Record the result in this ledger, with the object that the AMI was restored from
    ///
    /// The ledger is an SQLite file, which is created if it does not exist. The entry is evidence of the restore. It proves
    /// nothing about the bytes of the object, so `audit` and `safe-to-delete` take no notice of it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,
    /// Folder of the journal that holds the restore [default: $XDG_STATE_HOME/stored-ami or ~/.local/state/stored-ami]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, hide_short_help = true, requires = "ledger")]
    pub journal: Option<PathBuf>,
    #[command(flatten)]
    pub starting: StartingArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct RateArgs {
    /// Blocks per second; an account may read 1,000, which backup products share
    #[arg(
        long,
        value_name = "N",
        default_value_t = DEFAULT_RATE,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_RATE))
    )]
    pub block_rate: u32,
}

fn dollars(text: &str) -> Result<f64, String> {
    let amount = text.trim_start_matches('$').parse::<f64>().ok();
    amount
        .filter(|amount| amount.is_finite() && *amount >= 0.0)
        .ok_or_else(|| "is not an amount such as 2.50".to_owned())
}
