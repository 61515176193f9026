use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use crate::audit::{Level, Partition, PartitionSpec, age};
use crate::cli::args::{ConnectionArgs, OutputArgs, PageArgs, range_size, time};
use crate::ident::{AmiId, Prefix};
use crate::plan::{Concurrency, Sample};
use crate::units::ByteSize;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArgs {
    #[command(subcommand)]
    pub work: Option<AuditWork>,
    /// s3://bucket or s3://bucket/prefix, as many as you like
    #[arg(value_name = "S3-PREFIX", required_unless_present_any = ["list", "inventory"])]
    pub prefixes: Vec<Prefix>,
    /// In place of listing: a file of objects, one s3://bucket/key a line
    #[arg(long, value_name = "FILE", conflicts_with = "prefixes", value_hint = ValueHint::FilePath)]
    pub list: Option<PathBuf>,
    /// In place of listing: manifest.json of an S3 Inventory (CSV), with its data files beside it or below
    #[arg(long, value_name = "MANIFEST", conflicts_with_all = ["prefixes", "list"], value_hint = ValueHint::FilePath)]
    pub inventory: Option<PathBuf>,
    /// How hard to look: facts (no byte is read), sample, bytes (every byte)
    #[arg(long, value_name = "LEVEL", default_value = "facts")]
    pub level: Level,
    /// The ledger of proofs, an SQLite file; begun where there is none
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,
    /// How old a proof in the ledger may be that still holds, such as 30d or 12w; with 0d none does
    #[arg(long, value_name = "AGE", default_value = "90d", value_parser = parse_age)]
    pub max_age: jiff::SignedDuration,
    /// What must hold of buckets and objects (TOML)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub policy: Option<PathBuf>,
    /// Hold the copies against the AMIs and store tasks of the account
    #[arg(long)]
    pub images: bool,
    #[command(flatten)]
    pub turn: TurnArgs,
    #[command(flatten)]
    pub reading: AuditReadingArgs,
    #[command(flatten)]
    pub files: AuditFileArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub page: PageArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Subcommand)]
pub enum AuditWork {
    /// Put the JSON lines of all shards of one audit together; refuses what is not complete
    Merge(MergeArgs),
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// What each shard wrote with --json
    #[arg(required = true, value_name = "FILE.jsonl", value_hint = ValueHint::FilePath)]
    pub shards: Vec<PathBuf>,
    #[command(flatten)]
    pub files: AuditFileArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub page: PageArgs,
}

#[derive(Debug, Args)]
pub struct SafeArgs {
    /// The AMI that might be deleted
    #[arg(value_name = "AMI-ID")]
    pub image: AmiId,
    /// Where copies may be: s3://bucket or s3://bucket/prefix, as many as you like
    #[arg(long = "in", required = true, value_name = "S3-PREFIX")]
    pub prefixes: Vec<Prefix>,
    /// The ledger that holds the proofs
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: PathBuf,
    /// What must hold of a copy and its bucket (TOML)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub policy: Option<PathBuf>,
    /// How old the proof of a copy may be, unless the policy says it
    #[arg(long, value_name = "AGE", default_value = "90d", value_parser = parse_age)]
    pub max_age: jiff::SignedDuration,
    /// Record written by `store --record`; used if no store task or tags identify the source AMI
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Whose turn it is")]
pub struct TurnArgs {
    /// Only a share of the objects, always the same one: 3/7, or today/7 for one a day in turn
    #[arg(long, value_name = "I/N")]
    pub slice: Option<PartitionSpec>,
    /// This run's share of the work of several; `audit merge` puts their JSON lines together
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Partition>,
    /// Begin no more objects after this time, those proved longest ago first
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub max_time: Option<Duration>,
    /// Read no more than these bytes, in whole objects, but one object at least
    #[arg(long, value_name = "SIZE")]
    pub max_bytes: Option<ByteSize>,
    /// Spend no more than this, in US dollars by list prices of us-east-1
    #[arg(long, value_name = "USD")]
    pub max_cost: Option<f64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct AuditReadingArgs {
    /// Objects looked at side by side [default: 32 for facts, else 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub objects: Option<u16>,
    /// Of each object at level sample: a percentage of its ranges, or a slice such as 2/7
    #[arg(long, value_name = "SAMPLE", default_value = "5%")]
    pub sample: Sample,
    /// GETs in flight, of all objects together [default: 64]
    #[arg(long, value_name = "N")]
    pub concurrency: Option<Concurrency>,
    /// Bytes of a range, where parts do not tell
    #[arg(long, value_name = "SIZE", value_parser = range_size)]
    pub range_size: Option<ByteSize>,
    /// Memory for reading, of all objects together [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<ByteSize>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct AuditFileArgs {
    /// Write a table of the objects too
    #[arg(long, value_name = "FILE.csv", value_hint = ValueHint::FilePath)]
    pub csv: Option<PathBuf>,
    /// Write the findings as test cases too
    #[arg(long, value_name = "FILE.xml", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
    /// Write figures for the textfile collector of Prometheus's node exporter too
    #[arg(long, value_name = "FILE.prom", value_hint = ValueHint::FilePath)]
    pub prometheus: Option<PathBuf>,
}

fn parse_age(text: &str) -> Result<jiff::SignedDuration, String> {
    age(text).ok_or_else(|| "a time such as 30d, 12w or 36h".to_owned())
}
