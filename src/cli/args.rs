use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::selection::{SelectionArgs, Word};
use crate::checksum::Algorithm;
use crate::commands::verify::Expected;
use crate::ident::{ObjectUri, Target, VersionChoice};
use crate::plan::{Concurrency, Sample};
use crate::units::ByteSize;
use crate::verdict::CheckName;

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// What to inspect
    #[arg(required_unless_present = "targets_from", value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub typed: Vec<Word>,
    /// The targets, once they are read
    #[arg(skip)]
    pub targets: Vec<Target>,
    #[command(flatten)]
    pub version: VersionArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub at_once: AtOnceArgs,
    /// Read so many small windows, drawn all over the object, and tell what the content is like
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub probe: Option<u16>,
    #[command(flatten)]
    pub logical: LogicalArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// How the commands that read a target report, and how they connect.
#[derive(Debug, Args)]
pub struct CommonArgs {
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub page: PageArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// How the addresses of objects are read.
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// Version ID, or `none` for the current version; the rest of the address after the bucket is then the key
    #[arg(long, value_name = "ID|none", allow_hyphen_values = true)]
    pub version_id: Option<VersionChoice>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Several targets")]
pub struct AtOnceArgs {
    /// Targets at the same time, which share --concurrency and --max-memory; reports keep the order of the targets
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub objects: u16,
}

/// For the compression ratio.
#[derive(Debug, Args)]
#[command(next_help_heading = "Size before it was stored, for the compression ratio")]
pub struct LogicalArgs {
    /// The record that `store --record` wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Size as you know it
    #[arg(long, value_name = "SIZE")]
    pub logical_size: Option<ByteSize>,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// What to verify
    #[arg(required_unless_present = "targets_from", value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub typed: Vec<Word>,
    /// The targets, once they are read
    #[arg(skip)]
    pub targets: Vec<Target>,
    #[command(flatten)]
    pub version: VersionArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub at_once: AtOnceArgs,
    #[command(flatten)]
    pub references: ReferenceArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
    #[command(flatten)]
    pub content: ContentArgs,
    #[command(flatten)]
    pub logical: LogicalArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "References and checks")]
pub struct ReferenceArgs {
    /// A value the object must have; base64 or hexadecimal, -N behind it for one over N parts
    #[arg(long, value_name = "ALGORITHM:VALUE")]
    pub expect: Vec<Expected>,
    /// An ETag to hold the bytes against
    #[arg(long, value_name = "ETAG")]
    pub etag: Option<String>,
    /// A manifest that an earlier verify wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub manifest: Option<PathBuf>,
    /// Believe the manifest only if minisign's FILE.minisig beside it is by this public key: a file, or its base64
    #[arg(long, value_name = "KEY", requires = "manifest", value_hint = ValueHint::FilePath)]
    pub manifest_key: Option<PathBuf>,
    /// Checksum file that lists the target; prefix ALGORITHM: if neither the file nor its name states the algorithm
    #[arg(long, value_name = "[ALGORITHM:]FILE", value_hint = ValueHint::FilePath)]
    pub sums: Option<PathBuf>,
    /// Another object whose references apply
    #[arg(long, value_name = "TARGET")]
    pub like: Option<Target>,
    /// Use only these references
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub using: Vec<CheckName>,
    /// Demand that these checks are known too
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub require: Vec<CheckName>,
    /// Let these required checks be unknown
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub accept: Vec<CheckName>,
    /// Compute these digests besides
    #[arg(long, value_name = "ALGORITHM", value_delimiter = ',')]
    pub digest: Vec<Algorithm>,
    /// Save digests of every part, to place damage later or to prove a copy
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write_manifest: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadingArgs {
    /// Read only a part: about 5%, or slice 2/7; can fail, cannot pass
    #[arg(long, value_name = "SAMPLE")]
    pub sample: Option<Sample>,
    /// Call a mismatch damage after one read
    #[arg(long)]
    pub no_reread: bool,
    /// GETs in flight; auto begins with 48 and takes more while that brings more bytes [default: auto]
    #[arg(long, value_name = "N")]
    pub concurrency: Option<Concurrency>,
    /// A profile that bench wrote for this machine and server
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tuning: Option<PathBuf>,
    /// The largest piece one GET asks for, where the proof leaves the choice [default: 16MiB or more]
    #[arg(long, value_name = "SIZE", value_parser = range_size)]
    pub range_size: Option<ByteSize>,
    /// Memory of the whole process, at the most
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    pub max_memory: ByteSize,
    /// Keep the state of the reading in this file, and go on from it where it is there; gone when all is read
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "sample")]
    pub resume: Option<PathBuf>,
    /// Begin no more ranges after this time, such as 90s or 2h; those under way may take a minute more
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub max_time: Option<Duration>,
    /// Read no more bytes than these, in whole ranges, but one range at least
    #[arg(long, value_name = "SIZE")]
    pub max_bytes: Option<ByteSize>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Content")]
pub struct ContentArgs {
    /// Measure small windows on the way: dense, structured, sparse or uniform, and what zstd and gzip would make of it
    #[arg(long)]
    pub probe: bool,
    /// Decode a stream of zstd, gzip or zlib, and hold it against the checksums and sizes inside it; half of --max-memory is for its window
    #[arg(long, conflicts_with_all = ["sample", "resume", "max_bytes", "max_time"])]
    pub decode: bool,
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "a time such as 30s or 5m, one second at the least".to_owned();
    let time: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(time).ok().filter(|time| *time >= Duration::from_secs(1)).ok_or_else(wrong)
}

pub(super) fn range_size(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse().map_err(|error: crate::units::ParseUnitError| error.to_string())?;
    if size.0 < 4096 { Err("a range must have at least 4KiB".to_owned()) } else { Ok(size) }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// One JSON object a line, schema stored-ami/1
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct PageArgs {
    /// Write the report as one HTML page too
    #[arg(long = "report", id = "report", value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub force: ForceArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ForceArgs {
    /// Overwrite existing files that stored-ami did not write; never overwrites an input or another output
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection (AWS environment variables and configuration files work too)")]
pub struct ConnectionArgs {
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of the bucket
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Another endpoint, of S3 and all other services
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Send requests unsigned, for public objects
    #[arg(long)]
    pub no_sign_request: bool,
    /// Accept the charges of a Requester Pays bucket
    #[arg(long, value_name = "requester", num_args = 0..=1, default_missing_value = "requester", value_parser = ["requester"])]
    pub request_payer: Option<String>,
    /// Fail unless the bucket belongs to this account
    #[arg(long, value_name = "ACCOUNT")]
    pub expected_bucket_owner: Option<String>,
    /// File with the 32-byte key of an SSE-C object
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sse_c_key_file: Option<PathBuf>,
    /// Regions that the URLs of targets state
    #[arg(skip)]
    pub url_regions: BTreeMap<ObjectUri, String>,
}
