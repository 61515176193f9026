use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::selection::{SelectionArgs, Word};
use super::values::{algorithms, verify_checks};
use crate::checksum::Algorithm;
use crate::commands::verify::Expected;
use crate::ident::{ObjectUri, Target, VersionChoice};
use crate::plan::{Concurrency, Sample};
use crate::units::ByteSize;
use crate::verdict::CheckName;

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Objects or files to inspect
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
    /// Read N sampled windows of 8 KiB and describe the content
    ///
    /// The windows are spread over the whole object. The report says which share of it is compressed,
    /// structured, sparse or uniform, and estimates how well it would compress.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub probe: Option<u16>,
    #[cfg(feature = "s3")]
    #[command(flatten)]
    pub facts: FactsArgs,
    #[command(flatten)]
    pub logical: LogicalArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[cfg(feature = "s3")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Facts to publish")]
pub struct FactsArgs {
    /// Write redacted facts that you may publish: names, shapes, sizes
    ///
    /// Names of headers and metadata, the shapes of their values, part sizes, kinds of checksums, encryption and
    /// class. No bucket, key, account, id or value, and no byte of the object. The facts are shown before they are
    /// written.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub facts_file: Option<PathBuf>,
    /// Write the facts without asking
    #[arg(long, short = 'y', hide_short_help = true, requires = "facts_file")]
    pub yes: bool,
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
#[derive(Debug, Default, Args)]
pub struct VersionArgs {
    /// Version of the object, or `none` for the current one
    ///
    /// With this option, everything after the bucket in the address is the key, so that keys may contain
    /// `?versionId=`.
    #[arg(long, value_name = "ID|none", hide_short_help = true, allow_hyphen_values = true)]
    pub version_id: Option<VersionChoice>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Several targets")]
pub struct AtOnceArgs {
    /// Number of targets at the same time
    ///
    /// They share --concurrency and --max-memory. Reports keep the order of the targets.
    #[arg(long, hide_short_help = true, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub objects: u16,
}

/// For the compression ratio.
#[derive(Debug, Args)]
#[command(next_help_heading = "Size before compression")]
pub struct LogicalArgs {
    /// Record written by `store --record`
    #[arg(long, hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
    /// Size of all volumes before compression
    #[arg(long, hide_short_help = true, value_name = "SIZE")]
    pub logical_size: Option<ByteSize>,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Objects or files to verify
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
    /// Expected checksum of the object, base64 or hexadecimal
    ///
    /// A value with -N at the end is the composite checksum of N parts, as S3 shows it. May be repeated.
    #[arg(long, value_name = "ALGORITHM:VALUE")]
    pub expect: Vec<Expected>,
    /// Expected ETag
    #[arg(long, hide_short_help = true, value_name = "ETAG")]
    pub etag: Option<String>,
    /// Manifest written by `verify --write-manifest`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub manifest: Option<PathBuf>,
    /// Public key of minisign that must have signed the manifest
    ///
    /// A file, or the base64 text of the key. The signature is read from FILE.minisig next to the manifest.
    #[arg(long, hide_short_help = true, value_name = "KEY", requires = "manifest", value_hint = ValueHint::FilePath)]
    pub manifest_key: Option<PathBuf>,
    /// Checksum file that lists the target, such as SHA256SUMS
    ///
    /// The algorithm is taken from the file, or from its name. Write ALGORITHM:FILE if neither states it.
    #[arg(long, value_name = "[ALGORITHM:]FILE", value_hint = ValueHint::FilePath)]
    pub sums: Option<PathBuf>,
    /// Compare with the checksums that S3 stores for another copy
    #[arg(long = "like", value_name = "TARGET")]
    pub typed_like: Option<Word>,
    /// The target of --like, once it is read
    #[arg(skip)]
    pub like: Option<Target>,
    /// Use only these references
    ///
    /// A check, or an origin (`expect`, `manifest`, `sums`, `like`) for all of its checks. `expect-sha256` is the
    /// SHA-256 given by --expect; `manifest-parts-md5` are the MD5 digests of the parts in the manifest.
    ///
    /// `tags` and `metadata` leave out nothing, and add digests that other programs left with the object:
    /// computed-md5, computed-sha256, Content-MD5 and Content-SHA1 in both, and md5chksum (rclone), md5, sha1 and
    /// sha256 in the metadata. They are weak: nothing shows from which bytes they were computed.
    #[arg(long, hide_short_help = true, value_name = "CHECK", value_delimiter = ',', value_parser = verify_checks())]
    pub using: Vec<CheckName>,
    /// Exit 3 if one of these checks is unknown, too
    #[arg(long, hide_short_help = true, value_name = "CHECK", value_delimiter = ',', value_parser = verify_checks())]
    pub require: Vec<CheckName>,
    /// Exit 0 even if these required checks are unknown
    #[arg(long, hide_short_help = true, value_name = "CHECK", value_delimiter = ',', value_parser = verify_checks())]
    pub accept: Vec<CheckName>,
    /// Also compute these digests
    #[arg(long, hide_short_help = true, value_name = "ALGORITHM", value_delimiter = ',', value_parser = algorithms())]
    pub digest: Vec<Algorithm>,
    /// Write a manifest with the digests of every part
    ///
    /// A later verify with --manifest locates damage by part, and verifies copies without S3.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write_manifest: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadingArgs {
    /// Read only a part of the object: 5%, or slice 2/7
    ///
    /// A sample can find damage. It cannot prove the object: the result is at best unknown (exit 3).
    #[arg(long, value_name = "SAMPLE")]
    pub sample: Option<Sample>,
    /// Report a mismatch without reading the bytes a second time
    #[arg(long, hide_short_help = true)]
    pub no_reread: bool,
    /// Number of concurrent GETs, or `auto` [default: auto]
    ///
    /// `auto` starts with 32 and raises the number as long as throughput increases.
    #[arg(long, value_name = "N")]
    pub concurrency: Option<Concurrency>,
    /// Tuning profile written by `bench --write-tuning`
    #[arg(long, hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tuning: Option<PathBuf>,
    /// Maximum size of one GET [default: 16MiB or more]
    ///
    /// The boundaries of parts take precedence, where a reference needs them.
    #[arg(long, hide_short_help = true, value_name = "SIZE", value_parser = range_size)]
    pub range_size: Option<ByteSize>,
    /// Memory limit of the whole process [default: 256MiB]
    #[arg(long, hide_short_help = true, value_name = "SIZE")]
    pub max_memory: Option<ByteSize>,
    /// Keep progress in this file, and resume from it
    ///
    /// The file is removed when everything is read. Run the same command again to continue.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "sample")]
    pub resume: Option<PathBuf>,
    /// Stop reading after this time, such as 90s or 2h
    ///
    /// No GET is started after this time, nor one that cannot end in time. Those in flight may take 2 s more; then they are
    /// cancelled, and their ranges do not count as read.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub max_time: Option<Duration>,
    /// Stop after reading this many bytes
    ///
    /// Only whole ranges are read, and at least one.
    #[arg(long, hide_short_help = true, value_name = "SIZE")]
    pub max_bytes: Option<ByteSize>,
}

/// Default of `--max-memory`.
pub(super) const MEMORY: ByteSize = ByteSize(256 << 20);

impl ReadingArgs {
    /// Bytes of memory of the whole process.
    pub fn max_memory(&self) -> u64 {
        self.max_memory.unwrap_or(MEMORY).0
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Content")]
pub struct ContentArgs {
    /// Describe the content from sampled windows
    ///
    /// The report says which share is compressed, structured, sparse or uniform, and estimates how well zstd
    /// and gzip would compress it.
    #[arg(long, hide_short_help = true)]
    pub probe: bool,
    /// Decode a zstd, gzip or zlib stream and check the checksums inside it
    ///
    /// Half of --max-memory is reserved for the window of the decoder.
    #[arg(long, hide_short_help = true, conflicts_with_all = ["sample", "resume", "max_bytes", "max_time"])]
    pub decode: bool,
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "a time such as 30s or 5m, one second at the least".to_owned();
    let time: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(time).ok().filter(|time| *time >= Duration::from_secs(1)).ok_or_else(wrong)
}

pub(super) fn size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|error: crate::units::ParseUnitError| error.to_string())
}

/// A rate in bytes per second.
pub(super) fn rate(text: &str) -> Result<ByteSize, String> {
    let rate = size(text)?;
    if rate.0 == 0 { Err("a rate of at least one byte per second".to_owned()) } else { Ok(rate) }
}

/// How often a request is repeated.
pub(super) fn retries(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|retries| *retries <= 100).ok_or_else(|| "a number from 0 to 100".to_owned())
}

pub(super) fn range_size(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse().map_err(|error: crate::units::ParseUnitError| error.to_string())?;
    if size.0 < 4096 { Err("a range must have at least 4KiB".to_owned()) } else { Ok(size) }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Write JSON lines (schema stored-ami/1)
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct PageArgs {
    /// Also write the report as an HTML page
    #[arg(long = "report", id = "report", value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub force: ForceArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ForceArgs {
    /// Overwrite existing files that stored-ami did not write, or that are of another object
    ///
    /// An input or another output of the same command is never overwritten.
    #[arg(long, hide_short_help = true)]
    pub force: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// AWS profile [env: AWS_PROFILE]
    ///
    /// A section of the AWS configuration and credentials files.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of the bucket [env: AWS_REGION]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Endpoint URL [env: AWS_ENDPOINT_URL]
    ///
    /// It is used for S3 and for all other services.
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Send unsigned requests, for public objects
    #[arg(long, hide_short_help = true)]
    pub no_sign_request: bool,
    /// Pay for the requests to a Requester Pays bucket
    #[arg(long, hide_short_help = true, value_name = "requester", num_args = 0..=1, default_missing_value = "requester", value_parser = ["requester"])]
    pub request_payer: Option<String>,
    /// Fail unless this account owns the bucket
    #[arg(long, hide_short_help = true, value_name = "ACCOUNT")]
    pub expected_bucket_owner: Option<String>,
    /// File with the 32-byte key of an SSE-C object
    #[arg(long, hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sse_c_key_file: Option<PathBuf>,
    /// Regions that the URLs of targets state
    #[arg(skip)]
    pub url_regions: BTreeMap<ObjectUri, String>,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Command whose page is printed, such as `verify` or `preflight store` [default: the main page]
    #[arg(value_name = "COMMAND", num_args = 0..=2)]
    pub command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}
