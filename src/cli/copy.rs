use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, ValueEnum, ValueHint};
use tokio_util::sync::CancellationToken;

use super::args::{OutputArgs, VersionArgs};
use super::connect::{check_owner, connect, customer_key};
use super::images::args::StartingArgs;
use super::images::{agreed, can_ask};
use super::output::complain;
use super::resolve::read_manifest;
use super::runner::{Runner, Stop};
use super::signals::cancel_on_signal;
use super::usage::UsageError;
use crate::account::AccountService as _;
use crate::account::aws::Account;
use crate::commands::copy::{
    CopyEnds, CopyRequest, CopyStateFile, FileCopyRequest, PreparedCopy, TagChoice, carry_out, copy_to_file,
    prepare_copy,
};
use crate::commands::verify::{Expected, VerifyOptions};
use crate::copy::CopyCheck;
use crate::ident::{ObjectUri, Target, TypedTarget};
use crate::plan::{Concurrency, Limits};
use crate::report::{EndReport, Exit, Report};
use crate::source::file::FileSource;
use crate::source::s3::{Connection, S3Options, SettingsScope};
use crate::source::{Context, ObjectSource, Session, UploadService as _};
use crate::units::ByteSize;

#[derive(Debug, Args)]
pub struct CopyArgs {
    /// What to copy: an object or a file
    #[arg(value_name = "SOURCE", required_unless_present = "abort", value_hint = ValueHint::AnyPath)]
    pub(super) typed: Option<TypedTarget>,
    #[arg(skip)]
    pub(super) source: Option<Target>,
    /// Where to: s3://bucket/key, s3://bucket/prefix/ to keep the name, or a file
    #[arg(value_name = "DESTINATION", required_unless_present = "abort", value_hint = ValueHint::AnyPath)]
    destination: Option<Destination>,
    /// Keep the state of the copy in this file, and go on with the copy if it exists; removed when the copy is made
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) resume: Option<PathBuf>,
    /// Remove the unfinished upload of this state file, and the file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["typed", "destination", "resume"], value_hint = ValueHint::FilePath)]
    pub(super) abort: Option<PathBuf>,
    #[command(flatten)]
    pub(super) version: VersionArgs,
    #[command(flatten)]
    pub(super) from: FromArgs,
    #[command(flatten)]
    pub(super) to: ToArgs,
    #[command(flatten)]
    object: NewObjectArgs,
    #[command(flatten)]
    proof: ProofArgs,
    #[command(flatten)]
    starting: StartingArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// A manifest that an earlier verify wrote, to prove the source with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) manifest: Option<PathBuf>,
    /// A value the source must have; base64 or hexadecimal, -N behind it for one over N parts
    #[arg(long, value_name = "ALGORITHM:VALUE")]
    expect: Vec<Expected>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Source (an end with its own profile takes nothing from the environment)")]
pub struct FromArgs {
    /// Profile for the source; its keys, Region, endpoint and CA, and nothing of the environment
    #[arg(long = "from-profile", id = "from_profile", value_name = "NAME")]
    profile: Option<String>,
    /// Region of the source
    #[arg(long = "from-region", id = "from_region", value_name = "REGION")]
    region: Option<String>,
    /// Endpoint of the source
    #[arg(long = "from-endpoint-url", id = "from_endpoint_url", value_name = "URL")]
    endpoint_url: Option<String>,
    /// Read the source with unsigned requests, if it is public
    #[arg(long = "from-no-sign-request", id = "from_no_sign_request")]
    no_sign_request: bool,
    /// Accept the charges of a Requester Pays bucket at the source
    #[arg(long = "from-request-payer", id = "from_request_payer", value_name = "requester", num_args = 0..=1, default_missing_value = "requester", value_parser = ["requester"])]
    request_payer: Option<String>,
    /// Fail unless the bucket of the source belongs to this account
    #[arg(long = "from-expected-bucket-owner", id = "from_expected_bucket_owner", value_name = "ACCOUNT")]
    expected_bucket_owner: Option<String>,
    /// File with the 32-byte key of a source encrypted with SSE-C
    #[arg(long = "from-sse-c-key-file", id = "from_sse_c_key_file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) sse_c_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Destination")]
pub struct ToArgs {
    /// Profile for the destination; its keys, Region, endpoint and CA, and nothing of the environment
    #[arg(long = "to-profile", id = "to_profile", value_name = "NAME")]
    profile: Option<String>,
    /// Region of the destination
    #[arg(long = "to-region", id = "to_region", value_name = "REGION")]
    region: Option<String>,
    /// Endpoint of the destination
    #[arg(long = "to-endpoint-url", id = "to_endpoint_url", value_name = "URL")]
    endpoint_url: Option<String>,
    /// Accept the charges of a Requester Pays bucket at the destination
    #[arg(long = "to-request-payer", id = "to_request_payer", value_name = "requester", num_args = 0..=1, default_missing_value = "requester", value_parser = ["requester"])]
    request_payer: Option<String>,
    /// Account that the bucket of the destination must belong to [default: that of the destination's credentials]
    #[arg(long = "to-expected-bucket-owner", id = "to_expected_bucket_owner", value_name = "ACCOUNT")]
    expected_bucket_owner: Option<String>,
    /// File with a 32-byte key to encrypt the copy with (SSE-C)
    #[arg(long = "to-sse-c-key-file", id = "to_sse_c_key_file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) sse_c_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The copy")]
struct NewObjectArgs {
    /// Storage class of the copy, such as GLACIER_IR [default: that of the bucket]
    #[arg(long, value_name = "CLASS")]
    storage_class: Option<String>,
    /// KMS key to encrypt the copy with [default: the encryption of the bucket]
    #[arg(long, value_name = "KEY", conflicts_with = "to_sse_c_key_file")]
    sse_kms_key: Option<String>,
    /// User metadata and content type of the copy
    #[arg(long, value_enum, default_value_t = MetadataChoice::Copy)]
    metadata: MetadataChoice,
    /// Tags of the copy: `copy`, `none`, or KEY=VALUE to add one to those of the source
    #[arg(long, value_name = "copy|none|KEY=VALUE", default_value = "copy")]
    tags: Vec<TagWord>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Proof and limits")]
struct ProofArgs {
    /// Make the copy even if nothing proves the bytes of the source, as long as nothing refutes them
    #[arg(long)]
    unproved: bool,
    /// Read the copy afterwards, and hold it against what was sent
    #[arg(long)]
    verify_destination: bool,
    /// Let these required checks be unknown
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    accept: Vec<CopyCheck>,
    /// Number of parallel GETs, or auto: begin with 48 and find what is best
    #[arg(long, value_name = "N")]
    concurrency: Option<Concurrency>,
    /// Memory of the whole process, at the most
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    max_memory: ByteSize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MetadataChoice {
    Copy,
    None,
}

/// One value of `--tags`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TagWord {
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
enum Destination {
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
        let of_s3 = text.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
        match of_s3 {
            Some((bucket, prefix)) if !bucket.is_empty() && (prefix.is_empty() || prefix.ends_with('/')) => {
                Ok(Destination::Prefix { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
            }
            _ => match text.parse::<Target>().map_err(|error| error.to_string())? {
                Target::Object(uri) if uri.version.is_some() => Err("a version cannot be written".to_owned()),
                Target::Object(uri) => Ok(Destination::Object(uri)),
                Target::File(path) => Ok(Destination::File(path)),
            },
        }
    }
}

/// The name of a source without its path.
fn name_of(source: &Target) -> Option<&str> {
    let name = match source {
        Target::Object(uri) => uri.key.rsplit('/').next(),
        Target::File(path) => path.file_name().and_then(|name| name.to_str()),
    };
    name.filter(|name| !name.is_empty())
}

impl Destination {
    /// The destination, with the name of the source where only a folder is given.
    fn target(&self, source: &Target) -> Result<Target, UsageError> {
        let no_name = || UsageError(format!("{source} has no name to keep; write one at the destination"));
        match self {
            Destination::File(path) if path.is_dir() => {
                Ok(Target::File(path.join(name_of(source).ok_or_else(no_name)?)))
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

fn scope(profile: Option<&String>) -> SettingsScope {
    if profile.is_some() { SettingsScope::Profile } else { SettingsScope::Environment }
}

fn from_options(args: &FromArgs) -> Result<S3Options, UsageError> {
    check_owner("--from-expected-bucket-owner", args.expected_bucket_owner.as_deref())?;
    Ok(S3Options {
        region: args.region.clone(),
        endpoint_url: args.endpoint_url.clone(),
        profile: args.profile.clone(),
        no_sign_request: args.no_sign_request,
        request_payer: args.request_payer.is_some(),
        expected_bucket_owner: args.expected_bucket_owner.clone(),
        customer_key: customer_key(args.sse_c_key_file.as_deref())?,
        scope: scope(args.profile.as_ref()),
        patience: None,
    })
}

fn to_options(args: &ToArgs) -> Result<S3Options, UsageError> {
    check_owner("--to-expected-bucket-owner", args.expected_bucket_owner.as_deref())?;
    Ok(S3Options {
        region: args.region.clone(),
        endpoint_url: args.endpoint_url.clone(),
        profile: args.profile.clone(),
        no_sign_request: false,
        request_payer: args.request_payer.is_some(),
        expected_bucket_owner: args.expected_bucket_owner.clone(),
        customer_key: customer_key(args.sse_c_key_file.as_deref())?,
        scope: scope(args.profile.as_ref()),
        patience: None,
    })
}

pub(super) async fn run(args: CopyArgs) -> Result<Exit, UsageError> {
    if let Some(path) = &args.abort {
        return abort(&args, &CopyStateFile::new(path)).await;
    }
    let missing = || UsageError("name a source and a destination".to_owned());
    let source = args.source.clone().ok_or_else(missing)?;
    match args.destination.as_ref().ok_or_else(missing)?.target(&source)? {
        Target::Object(destination) => to_object(&args, &source, &destination).await,
        Target::File(path) => to_file(&args, &source, path).await,
    }
}

async fn to_object(args: &CopyArgs, source: &Target, destination: &ObjectUri) -> Result<Exit, UsageError> {
    can_ask(&args.starting)?;
    let request = request(args)?;
    let mut runner = Runner::new(&args.output);
    let cancel = cancel_on_signal();
    let ends = open(args, source, destination, runner.context()).await?;
    let target = destination.to_string();
    let Some(prepared) = runner.run(&target, Stop::AtOnce, prepare_copy(&ends, &request)).await else {
        return Ok(runner.finish());
    };
    if !prepared.is_ready() || args.starting.dry_run {
        runner.add(Report::Copy(Box::new(prepared.report)));
        return Ok(runner.finish());
    }
    runner.show(&Report::Copy(Box::new(prepared.report.clone())));
    let question = format!("Copy {source} to {destination}?");
    if agreed(&args.starting, &question, &cancel).await {
        copy(&mut runner, &ends, (&request, prepared), &cancel).await;
    } else {
        runner.declined();
    }
    Ok(runner.finish())
}

/// A file needs no consent: it costs what reading costs, and nothing is overwritten.
async fn to_file(args: &CopyArgs, source: &Target, path: PathBuf) -> Result<Exit, UsageError> {
    if args.resume.is_some() {
        return Err(UsageError("--resume: a copy to a file cannot be taken up".to_owned()));
    }
    let request = request(args)?;
    let mut runner = Runner::new(&args.output);
    let cancel = cancel_on_signal();
    let context = runner.context();
    let (object, from, _) = open_source(args, source, &context).await?;
    let session = Session::new(object, context);
    let target = path.display().to_string();
    let file = FileCopyRequest { from, path, request: &request, dry_run: args.starting.dry_run };
    let work = copy_to_file(&session, file, &cancel);
    if let Some(report) = runner.run(&target, Stop::ByItself, work).await {
        runner.add(Report::Copy(Box::new(report)));
    }
    Ok(runner.finish())
}

/// Removes the upload of an unfinished copy, and its state.
async fn abort(args: &CopyArgs, file: &CopyStateFile) -> Result<Exit, UsageError> {
    let state = file.read().map_err(UsageError)?;
    let state = state.ok_or_else(|| UsageError(format!("{}: there is no such file", file.path().display())))?;
    let (connection, _) = open_destination(args, &Context::default()).await?;
    if connection.endpoint_url() != state.endpoint {
        let of = |endpoint: Option<String>| endpoint.unwrap_or_else(|| "that of AWS".to_owned());
        let (then, now) = (of(state.endpoint), of(connection.endpoint_url()));
        return Err(UsageError(format!("the upload is at the endpoint {then}, and the options name {now}")));
    }
    let aborted = connection.upload(&state.destination).abort(&state.upload_id).await;
    let text = match aborted {
        Ok(()) => format!("the upload {} of {} is removed", state.upload_id, state.destination),
        Err(error) if error.code.as_deref() == Some("NoSuchUpload") => {
            format!("the upload {} of {} was not there any more", state.upload_id, state.destination)
        }
        Err(error) => {
            complain(&error.to_string());
            return Ok(crate::commands::exit_of(&error));
        }
    };
    file.remove().map_err(|error| UsageError(format!("{}: {error}", file.path().display())))?;
    complain(&text);
    Ok(Exit::Passed)
}

async fn copy(
    runner: &mut Runner,
    ends: &CopyEnds,
    (request, prepared): (&CopyRequest, PreparedCopy),
    cancel: &CancellationToken,
) {
    let target = prepared.report.destination.clone();
    let work = carry_out(ends, request, prepared, cancel);
    if let Some(report) = runner.run(&target, Stop::ByItself, work).await {
        runner.add(Report::Copy(Box::new(report)));
    }
}

fn request(args: &CopyArgs) -> Result<CopyRequest, UsageError> {
    let archived = args.object.storage_class.as_deref().filter(|class| matches!(*class, "GLACIER" | "DEEP_ARCHIVE"));
    if let Some(class) = archived.filter(|_| args.proof.verify_destination) {
        return Err(UsageError(format!(
            "--verify-destination: an object of class {class} cannot be read before it is restored from the archive"
        )));
    }
    // One half for reading and hashing, the other for parts that wait for the destination. Buffers of received frames
    // take up to a third more than the frames.
    let half = args.proof.max_memory.0 / 2;
    let limits = Limits {
        concurrency: args.proof.concurrency.unwrap_or_default(),
        range_bytes: None,
        max_memory: args.proof.max_memory.0 - half,
    };
    let manifest = match &args.manifest {
        None => None,
        Some(path) => Some((path.display().to_string(), read_manifest(path, None)?.0)),
    };
    let verify = VerifyOptions {
        expect: args.expect.clone(),
        manifest,
        budget: limits.budget().map_err(|error| UsageError(error.to_string()))?,
        ..VerifyOptions::default()
    };
    Ok(CopyRequest {
        verify,
        part_room: half / 4 * 3,
        metadata: args.object.metadata == MetadataChoice::Copy,
        tags: tags(&args.object.tags)?,
        storage_class: args.object.storage_class.clone(),
        kms_key: args.object.sse_kms_key.clone(),
        unproved: args.proof.unproved,
        verify_destination: args.proof.verify_destination,
        resume: args.resume.as_deref().map(CopyStateFile::new),
        accept: args.proof.accept.clone(),
    })
}

fn tags(words: &[TagWord]) -> Result<TagChoice, UsageError> {
    let mut pairs = BTreeMap::new();
    for word in words {
        if let TagWord::Pair(key, value) = word {
            pairs.insert(key.clone(), value.clone());
        }
    }
    match (words.contains(&TagWord::None), pairs.is_empty()) {
        (true, true) => Ok(TagChoice::None),
        (true, false) => Err(UsageError("--tags none goes with no KEY=VALUE".to_owned())),
        (false, true) => Ok(TagChoice::Copy),
        (false, false) => Ok(TagChoice::With(pairs)),
    }
}

fn named(end: &str, error: UsageError) -> UsageError {
    UsageError(format!("{end}: {}", error.0))
}

/// Opens the source with its own settings. Also returns who reads it, and the connection of an object.
async fn open_source(
    args: &CopyArgs,
    source: &Target,
    context: &Context,
) -> Result<(Arc<dyn ObjectSource>, EndReport, Option<Connection>), UsageError> {
    let uri = match source {
        Target::File(path) => return Ok((Arc::new(FileSource::new(path)), EndReport::default(), None)),
        Target::Object(uri) => uri,
    };
    let options = from_options(&args.from)?;
    let connection = connect(options.clone()).await.map_err(|error| named("the source", error))?;
    let from = end(&connection, &options, context).await;
    Ok((Arc::new(connection.object(uri.clone())), from, Some(connection)))
}

/// Connects to the destination with its own settings. Its bucket must belong to the account that is named, or to that of
/// the credentials.
async fn open_destination(args: &CopyArgs, context: &Context) -> Result<(Connection, EndReport), UsageError> {
    let options = to_options(&args.to)?;
    let connection = connect(options.clone()).await.map_err(|error| named("the destination", error))?;
    let mut to = end(&connection, &options, context).await;
    let owner = options.expected_bucket_owner.clone().or_else(|| to.account.clone());
    to.expected_bucket_owner.clone_from(&owner);
    let connection = owner.map_or_else(|| connection.clone(), |owner| connection.with_expected_owner(&owner));
    Ok((connection, to))
}

/// Connects to both ends, each with its own settings.
async fn open(
    args: &CopyArgs,
    source: &Target,
    destination: &ObjectUri,
    context: Context,
) -> Result<CopyEnds, UsageError> {
    let (object, from, of_source) = open_source(args, source, &context).await?;
    let (connection, to) = open_destination(args, &context).await?;
    if let (Target::Object(uri), Some(of_source)) = (source, &of_source)
        && (&uri.bucket, &uri.key) == (&destination.bucket, &destination.key)
        && of_source.endpoint_url() == connection.endpoint_url()
        && from.partition == to.partition
    {
        return Err(UsageError(format!("{destination}: source and destination are the same object")));
    }
    Ok(CopyEnds {
        source: Session::new(object, context.clone()),
        from,
        destination: Session::new(Arc::new(connection.object(destination.clone())), context.clone()),
        bucket: Arc::new(connection.bucket(&destination.bucket, context.clone())),
        upload: Arc::new(connection.upload(destination)),
        service: connection.answers(),
        endpoint: connection.endpoint_url(),
        to,
    })
}

/// Who the caller at one end is, as STS states it.
async fn end(connection: &Connection, options: &S3Options, context: &Context) -> EndReport {
    let mut end = EndReport {
        profile: options.profile.clone(),
        region: Some(connection.region().to_owned()),
        expected_bucket_owner: options.expected_bucket_owner.clone(),
        ..EndReport::default()
    };
    if options.no_sign_request {
        end.unknown_because = Some("requests are not signed".to_owned());
        return end;
    }
    match Account::new(connection, context.clone()).caller().await {
        Ok(caller) => {
            end.partition = Some(caller.partition().to_owned()).filter(|partition| !partition.is_empty());
            (end.account, end.arn) = (Some(caller.account), Some(caller.arn));
        }
        Err(error) => end.unknown_because = Some(error.explain()),
    }
    end
}
