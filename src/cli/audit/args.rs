use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use super::results::ResultsPlace;
use crate::audit::{Level, PartitionSpec, ShardSpec, age};
use crate::cli::args::{ConnectionArgs, OutputArgs, PageArgs, range_size, time};
use crate::cli::values::{LeftIn, levels};
use crate::ident::{AmiId, Prefix};
use crate::plan::{Concurrency, Sample};
use crate::units::ByteSize;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArgs {
    #[command(subcommand)]
    pub work: Option<AuditWork>,
    /// Where to look: s3://bucket or s3://bucket/prefix
    #[arg(value_name = "S3-PREFIX", required_unless_present_any = ["list", "inventory", "buckets"])]
    pub prefixes: Vec<Prefix>,
    /// File of objects, one s3://bucket/key per line, in place of listing
    #[arg(long, hide_short_help = true, value_name = "FILE", conflicts_with = "prefixes", value_hint = ValueHint::FilePath)]
    pub list: Option<PathBuf>,
    /// manifest.json of an S3 Inventory (CSV), in place of listing
    ///
    /// Its data files must be in the same folder or below.
    #[arg(long, hide_short_help = true, value_name = "MANIFEST", conflicts_with_all = ["prefixes", "list"], value_hint = ValueHint::FilePath)]
    pub inventory: Option<PathBuf>,
    /// File of buckets, each with its own role or profile, in place of S3-PREFIX (TOML)
    ///
    /// One table [[bucket]] for each: prefix = "s3://bucket/prefix", and optionally role (ARN), external-id, profile,
    /// expected-owner and region. A bucket whose credentials are refused does not stop the others.
    #[arg(long, hide_short_help = true, value_name = "FILE", conflicts_with_all = ["prefixes", "list", "inventory"], value_hint = ValueHint::FilePath)]
    pub buckets: Option<PathBuf>,
    /// What to read of each object
    #[arg(long, value_name = "LEVEL", value_parser = levels(), default_value = "facts")]
    pub level: Level,
    /// At level sample and bytes: also use digests that other programs left in tags or metadata
    ///
    /// See `verify --using`. Such a digest never makes `safe-to-delete` say yes by itself.
    #[arg(long, hide_short_help = true, value_name = "tags,metadata", value_delimiter = ',', value_enum)]
    pub using: Vec<LeftIn>,
    /// Ledger of proofs (SQLite), created if missing
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,
    /// Maximum age of a proof, such as 30d
    ///
    /// Objects with an older proof are read again at level `bytes`; 0d reads all of them.
    #[arg(long, value_name = "AGE", default_value = "90d", value_parser = parse_age)]
    pub max_age: jiff::SignedDuration,
    /// Policy file for buckets and objects (TOML)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub policy: Option<PathBuf>,
    /// With --shard: write the result here, for `audit merge`: s3://bucket/run-id/ or a shared folder
    ///
    /// Each run needs a place of its own, outside of the audited prefixes. The first shard writes plan.json there;
    /// shards that are run with other options are refused. An incomplete run writes no result.
    #[arg(long, hide_short_help = true, value_name = "PLACE", requires = "shard", value_hint = ValueHint::AnyPath)]
    pub results: Option<ResultsPlace>,
    /// Also compare with the AMIs and store tasks of the account
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
    /// Combine the results of all shards of one audit
    Merge(MergeArgs),
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Results of the shards: s3://bucket/run-id/ or a folder (see --results), or files of JSON lines
    #[arg(required = true, value_name = "RESULTS", value_hint = ValueHint::AnyPath)]
    pub shards: Vec<ResultsPlace>,
    /// Ledger that gets the results for objects that the shards read together (--split); repeatable
    ///
    /// Give the ledger of every shard, or the one that all shards use. With a proof in its ledger, a shard reads no run of
    /// the object until the proof is older than --max-age. Nothing else is recorded: each shard records its own objects.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: Vec<PathBuf>,
    /// Manifest of an object that the shards read together: its digests of parts place a mismatch; repeatable
    ///
    /// Compared are the values that the shards computed: digests of the parts by the algorithm of the ETag (MD5) or of a
    /// stored composite, and CRCs of the object. A manifest of no such object is refused.
    #[arg(long, hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub manifest: Vec<PathBuf>,
    /// Refuse shards that began longer than this after the first one
    #[arg(long, value_name = "TIME", default_value = "12h", value_parser = parse_age)]
    pub within: jiff::SignedDuration,
    #[command(flatten)]
    pub files: AuditFileArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub page: PageArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct SafeArgs {
    /// AMI to delete
    #[arg(value_name = "AMI-ID")]
    pub image: AmiId,
    /// Where to look for copies: s3://bucket or s3://bucket/prefix
    #[arg(long = "in", required = true, value_name = "S3-PREFIX")]
    pub prefixes: Vec<Prefix>,
    /// Ledger that contains the proofs
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: PathBuf,
    /// Policy file for the copy and its bucket (TOML)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub policy: Option<PathBuf>,
    /// Maximum age of the proof of a copy, unless the policy sets it
    #[arg(long, value_name = "AGE", default_value = "90d", value_parser = parse_age)]
    pub max_age: jiff::SignedDuration,
    /// Record written by `store --record`
    ///
    /// Shows the source AMI where neither a store task nor tags do. The record of another object in the same place is
    /// no yes.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Scheduling and limits")]
pub struct TurnArgs {
    /// Audit a fixed share of the objects: 3/7, or today/7 for a rotating one
    #[arg(long, hide_short_help = true, value_name = "I/N")]
    pub slice: Option<PartitionSpec>,
    /// Share of this run, if several run side by side: 3/8, or auto/8 in a job of a batch engine
    ///
    /// With auto/N, I is the number of the task in an array job of AWS Batch, a job array of Slurm, an indexed Job of
    /// Kubernetes, or GNU parallel. A task that is started again has the same share. See `audit merge`.
    #[arg(long, hide_short_help = true, value_name = "I/N")]
    pub shard: Option<ShardSpec>,
    /// With --shard, at level bytes: all shards read objects larger than this together, in runs of parts
    ///
    /// Each run is of at most this size, or one part. `audit merge` joins the digests and compares them with CRCs over
    /// the object, ETags over parts and composites. Other checksums over the object must be computed in order, and stay
    /// unknown; where the object has no others, one shard reads it as usual. The ledger gets the proof from
    /// `audit merge --ledger`. Needs --results or --json.
    #[arg(long, hide_short_help = true, value_name = "SIZE", requires = "shard", conflicts_with_all = ["list", "inventory", "using"])]
    pub split: Option<ByteSize>,
    /// Start no object after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub max_time: Option<Duration>,
    /// Start no object after this many bytes
    #[arg(long, value_name = "SIZE")]
    pub max_bytes: Option<ByteSize>,
    /// Maximum cost in US dollars, by list prices of us-east-1
    #[arg(long, hide_short_help = true, value_name = "USD")]
    pub max_cost: Option<f64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct AuditReadingArgs {
    /// Number of objects side by side [default: 32 for facts, else 4]
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub objects: Option<u16>,
    /// At level sample: a percentage, or a slice 2/7
    #[arg(long, value_name = "SAMPLE", default_value = "5%")]
    pub sample: Sample,
    /// GETs in flight, of all objects [default: 64]
    #[arg(long, value_name = "N")]
    pub concurrency: Option<Concurrency>,
    /// Maximum size of one GET, where part boundaries leave the choice
    #[arg(long, hide_short_help = true, value_name = "SIZE", value_parser = range_size)]
    pub range_size: Option<ByteSize>,
    /// Memory limit of all objects together [default: 256MiB]
    #[arg(long, hide_short_help = true, value_name = "SIZE")]
    pub max_memory: Option<ByteSize>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct AuditFileArgs {
    /// Also write a CSV table of the objects
    #[arg(long, value_name = "FILE.csv", value_hint = ValueHint::FilePath)]
    pub csv: Option<PathBuf>,
    /// Also write the findings as a JUnit report
    #[arg(long, hide_short_help = true, value_name = "FILE.xml", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
    /// Also write metrics for the textfile collector of Prometheus
    #[arg(long, hide_short_help = true, value_name = "FILE.prom", value_hint = ValueHint::FilePath)]
    pub prometheus: Option<PathBuf>,
}

fn parse_age(text: &str) -> Result<jiff::SignedDuration, String> {
    age(text).ok_or_else(|| "a time such as 30d, 12w or 36h".to_owned())
}
