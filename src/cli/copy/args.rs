use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum, ValueHint};
use jiff::Timestamp;

use crate::cli::args::{OutputArgs, VersionArgs};
use crate::cli::images::args::StartingArgs;
use crate::cli::usage::UsageError;
use crate::cli::values::LeftIn;
use crate::commands::verify::Expected;
use crate::copy::CopyCheck;
use crate::ident::{ObjectUri, Target, TypedTarget};
use crate::plan::Concurrency;
use crate::units::ByteSize;

#[derive(Debug, Args)]
pub struct CopyArgs {
    /// Object, presigned URL (@FILE reads it), or file
    #[arg(value_name = "SOURCE", required_unless_present = "abort", value_hint = ValueHint::AnyPath)]
    pub typed: Option<TypedTarget>,
    #[arg(skip)]
    pub source: Option<Target>,
    /// The Region that the URL of the source states
    #[arg(skip)]
    pub source_region: Option<String>,
    /// s3://bucket/key, s3://bucket/prefix/, or a file
    ///
    /// After a prefix that ends with /, and in a folder, the copy has the name of the source.
    #[arg(value_name = "DESTINATION", required_unless_present = "abort", value_hint = ValueHint::AnyPath)]
    pub destination: Option<Destination>,
    /// Keep progress in this file, and resume from it
    ///
    /// An interrupted copy then keeps its upload. Run the same command again to continue, or remove the upload with
    /// --abort. The file is removed when the copy is made.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub resume: Option<PathBuf>,
    /// Replace the object at the destination if it has this ETag; needs a server that honours If-Match
    #[arg(long, hide_short_help = true, value_name = "ETAG")]
    pub replace_if: Option<String>,
    /// Who copies the bytes: this program, which reads and proves them, or the server, which only states what it copied
    #[arg(long, hide_short_help = true, value_enum, default_value_t = Via::Client)]
    pub via: Via,
    /// Remove the unfinished upload of this state file, and the file
    #[arg(long, hide_short_help = true, value_name = "FILE", conflicts_with_all = ["typed", "destination", "resume", "dry_run"], value_hint = ValueHint::FilePath)]
    pub abort: Option<PathBuf>,
    #[command(flatten)]
    pub version: VersionArgs,
    #[command(flatten)]
    pub from: FromArgs,
    #[command(flatten)]
    pub to: ToArgs,
    #[command(flatten)]
    pub object: NewObjectArgs,
    #[command(flatten)]
    pub proof: ProofArgs,
    #[command(flatten)]
    pub starting: StartingArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// A manifest that an earlier verify wrote, to prove the source with
    #[arg(long, hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub manifest: Option<PathBuf>,
    /// A value the source must have; base64 or hexadecimal, -N behind it for one over N parts
    #[arg(long, hide_short_help = true, value_name = "ALGORITHM:VALUE")]
    pub expect: Vec<Expected>,
    /// Also prove the source by digests that other programs left in its tags or metadata; see `verify --using`
    #[arg(long, hide_short_help = true, value_name = "tags,metadata", value_delimiter = ',', value_enum)]
    pub using: Vec<LeftIn>,
    /// AWS price file of a Region for the estimate: index.json of AmazonS3; the built-in prices are not used then
    ///
    /// May be given twice, once for the Region of each end.
    #[arg(long, hide_short_help = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub prices: Vec<PathBuf>,
    /// Record the read and the copy in this ledger
    ///
    /// The ledger is an SQLite file, which is created if it does not exist. The copy is a proof of the kind `written`:
    /// nothing has read it. `audit` and `safe-to-delete` ask for a read, unless a policy accepts `written`. A copy by
    /// the server (--via server) is `stated-by-s3`. With --verify-destination the read of the copy is recorded, too.
    /// What the ledger has against an object that is there already is no success, also with --dry-run.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Source (an end with its own profile takes nothing from the environment)")]
pub struct FromArgs {
    /// AWS profile of the source
    ///
    /// Its keys, Region, endpoint and CA are used, and nothing of the environment.
    #[arg(long = "from-profile", id = "from_profile", value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of the source
    #[arg(long = "from-region", id = "from_region", value_name = "REGION")]
    pub region: Option<String>,
    /// Endpoint of the source
    #[arg(long = "from-endpoint-url", hide_short_help = true, id = "from_endpoint_url", value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Read the source with unsigned requests, if it is public
    #[arg(long = "from-no-sign-request", hide_short_help = true, id = "from_no_sign_request")]
    pub no_sign_request: bool,
    /// Accept the charges of a Requester Pays bucket at the source
    #[arg(long = "from-request-payer", hide_short_help = true, id = "from_request_payer", value_name = "requester", num_args = 0..=1, default_missing_value = "requester", value_parser = ["requester"])]
    pub request_payer: Option<String>,
    /// Fail unless the bucket of the source belongs to this account
    #[arg(
        long = "from-expected-bucket-owner",
        hide_short_help = true,
        id = "from_expected_bucket_owner",
        value_name = "ACCOUNT"
    )]
    pub expected_bucket_owner: Option<String>,
    /// File with the 32-byte key of a source encrypted with SSE-C
    #[arg(long = "from-sse-c-key-file", hide_short_help = true, id = "from_sse_c_key_file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sse_c_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Destination")]
pub struct ToArgs {
    /// AWS profile of the destination
    ///
    /// Its keys, Region, endpoint and CA are used, and nothing of the environment.
    #[arg(long = "to-profile", id = "to_profile", value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of the destination
    #[arg(long = "to-region", id = "to_region", value_name = "REGION")]
    pub region: Option<String>,
    /// Endpoint of the destination
    #[arg(long = "to-endpoint-url", hide_short_help = true, id = "to_endpoint_url", value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Accept the charges of a Requester Pays bucket at the destination
    #[arg(long = "to-request-payer", hide_short_help = true, id = "to_request_payer", value_name = "requester", num_args = 0..=1, default_missing_value = "requester", value_parser = ["requester"])]
    pub request_payer: Option<String>,
    /// Account that the bucket of the destination must belong to [default: that of the destination's credentials]
    #[arg(
        long = "to-expected-bucket-owner",
        hide_short_help = true,
        id = "to_expected_bucket_owner",
        value_name = "ACCOUNT"
    )]
    pub expected_bucket_owner: Option<String>,
    /// File with a 32-byte key to encrypt the copy with (SSE-C)
    #[arg(long = "to-sse-c-key-file", hide_short_help = true, id = "to_sse_c_key_file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sse_c_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The copy")]
pub struct NewObjectArgs {
    /// Storage class of the copy, such as GLACIER_IR [default: that of the bucket]
    #[arg(long, value_name = "CLASS")]
    pub storage_class: Option<String>,
    /// KMS key to encrypt the copy with [default: the encryption of the bucket]
    #[arg(long, hide_short_help = true, value_name = "KEY", conflicts_with = "to_sse_c_key_file")]
    pub sse_kms_key: Option<String>,
    /// Lock the copy in this mode; the bucket needs Object Lock
    #[arg(
        long,
        hide_short_help = true,
        value_enum,
        value_name = "MODE",
        requires = "object_lock_retain_until",
        ignore_case = true
    )]
    pub object_lock_mode: Option<LockModeWord>,
    /// End of the lock, such as 2033-01-01T00:00:00Z; nobody can shorten one in COMPLIANCE mode
    #[arg(long, hide_short_help = true, value_name = "TIME", requires = "object_lock_mode")]
    pub object_lock_retain_until: Option<Timestamp>,
    /// Place a legal hold on the copy
    #[arg(long, hide_short_help = true)]
    pub object_lock_legal_hold: bool,
    /// User metadata, content type and other headers of the copy
    #[arg(long, hide_short_help = true, value_enum, default_value_t = MetadataChoice::Copy)]
    pub metadata: MetadataChoice,
    /// Tags of the copy: `copy`, `none`, or KEY=VALUE to add one to those of the source
    #[arg(long, value_name = "copy|none|KEY=VALUE", default_value = "copy")]
    pub tags: Vec<TagWord>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Proof and limits")]
pub struct ProofArgs {
    /// Make the copy even if nothing proves the bytes of the source, as long as nothing refutes them
    #[arg(long, hide_short_help = true)]
    pub unproved: bool,
    /// Read the copy afterwards and compare it
    #[arg(long)]
    pub verify_destination: bool,
    /// Let these required checks be unknown
    #[arg(long, hide_short_help = true, value_name = "CHECK", value_delimiter = ',')]
    pub accept: Vec<CopyCheck>,
    /// Number of parallel GETs, or auto: begin with 32 and find what is best
    #[arg(long, hide_short_help = true, value_name = "N")]
    pub concurrency: Option<Concurrency>,
    /// Memory limit of the whole process [default: 256MiB]
    #[arg(long, hide_short_help = true, value_name = "SIZE")]
    pub max_memory: Option<ByteSize>,
}

/// Mode of an Object Lock, in S3's spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum LockModeWord {
    Governance,
    Compliance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Via {
    Client,
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetadataChoice {
    Copy,
    None,
}

/// One value of `--tags`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagWord {
    Copy,
    None,
    Pair(String, String),
}

impl FromStr for TagWord {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.split_once('=')) {
            ("copy", _) => Ok(TagWord::Copy),
            ("none", _) => Ok(TagWord::None),
            (_, Some((key, value))) if !key.is_empty() => Ok(TagWord::Pair(key.to_owned(), value.to_owned())),
            _ => Err("write copy, none or KEY=VALUE"),
        }
    }
}

/// Where a copy goes, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    File(PathBuf),
    Object(ObjectUri),
    /// The name of the source is added.
    Prefix {
        bucket: String,
        prefix: String,
    },
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let presigned = "a presigned URL cannot be written; name it as s3://bucket/key";
        // Checked before the URL is parsed: in messages its query is cut off.
        if ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) && text.contains('?') {
            return Err(presigned.to_owned());
        }
        let of_s3 = text.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
        match of_s3 {
            Some((bucket, prefix)) if !bucket.is_empty() && (prefix.is_empty() || prefix.ends_with('/')) => {
                Ok(Destination::Prefix { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
            }
            _ => match text.parse::<Target>().map_err(|error| error.to_string())? {
                Target::Object(uri) if uri.version.is_some() => Err("a version cannot be written".to_owned()),
                Target::Object(uri) => Ok(Destination::Object(uri)),
                Target::File(path) => Ok(Destination::File(path)),
                Target::Presigned(_) => Err(presigned.to_owned()),
            },
        }
    }
}

/// The name of a source without its path.
fn name_of(source: &Target) -> Option<&str> {
    let name = match source {
        Target::Object(uri) => uri.key.rsplit('/').next(),
        Target::File(path) => path.file_name().and_then(|name| name.to_str()),
        Target::Presigned(url) => url.object().key.rsplit('/').next(),
    };
    name.filter(|name| !name.is_empty())
}

impl Destination {
    /// The destination, with the name of the source where only a folder is given.
    pub(in crate::cli) fn target(&self, source: &Target) -> Result<Target, UsageError> {
        let no_name = || UsageError(format!("{source} has no name to keep; write one at the destination"));
        match self {
            Destination::File(path) if path.is_dir() => {
                Ok(Target::File(path.join(name_of(source).ok_or_else(no_name)?)))
            }
            Destination::File(path) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                Err(UsageError(format!("{}: there is no such folder; create it, or name a file", path.display())))
            }
            Destination::File(path) => Ok(Target::File(path.clone())),
            Destination::Object(uri) => Ok(Target::Object(uri.clone())),
            Destination::Prefix { bucket, prefix } => {
                let name = name_of(source).ok_or_else(no_name)?;
                Ok(Target::Object(ObjectUri { bucket: bucket.clone(), key: format!("{prefix}{name}"), version: None }))
            }
        }
    }
}
