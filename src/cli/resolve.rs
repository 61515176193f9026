use std::fmt;
#[cfg(not(feature = "s3"))]
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "s3")]
use tokio::sync::OnceCell;

use super::args::{ConnectionArgs, LogicalArgs, ReadingArgs, VerifyArgs};
use super::sums::SumsFile;
use crate::checkpoint::CheckpointFile;
use crate::commands::LogicalSizeSource;
use crate::commands::verify::VerifyOptions;
use crate::content::Limits as DecodeLimits;
use crate::fetch::Quota;
#[cfg(feature = "s3")]
use crate::files::read_bytes;
use crate::files::{InputKind, read_text};
use crate::ident::{ETag, Target};
use crate::manifest::{Manifest, ManifestKey, Signed};
use crate::plan::{Budget, Limits, Tuning};
use crate::record::Record;
use crate::source::ObjectSource;
use crate::source::file::FileSource;
#[cfg(feature = "s3")]
use crate::source::s3::Connection;
use crate::units::ByteSize;
use crate::verdict::{CheckId, CheckName};

/// Something wrong with what was typed, subject first.
#[derive(Debug)]
pub(super) struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads an input file as text, within the limit of its kind.
pub(super) fn read(path: &Path, kind: InputKind) -> Result<String, UsageError> {
    read_text(path, kind).map_err(|error| UsageError(format!("{}: {error}", path.display())))
}

/// Reads an input that takes long or that may come from a pipe, aside, so that signals and `--max-time` end it.
pub(super) async fn load<T: Send + 'static>(
    name: String,
    within: Option<Duration>,
    work: impl FnOnce() -> Result<T, UsageError> + Send + 'static,
) -> Result<T, UsageError> {
    let work = tokio::task::spawn_blocking(work);
    let done = match within {
        None => work.await,
        Some(time) => match tokio::time::timeout(time, work).await {
            Ok(done) => done,
            Err(_) => return Err(UsageError(format!("{name}: was not read within --max-time"))),
        },
    };
    done.unwrap_or_else(|error| Err(UsageError(format!("{name}: {error}"))))
}

/// Waits for what must be there before the work begins, until `--max-time` is over.
pub(super) async fn before_work<T>(
    until: Option<Instant>,
    work: impl Future<Output = Result<T, UsageError>>,
) -> Result<T, UsageError> {
    let Some(until) = until else { return work.await };
    tokio::time::timeout_at(until.into(), work).await.unwrap_or_else(|_| {
        Err(UsageError("--max-time was over before the work began: credentials or buckets took too long".to_owned()))
    })
}

/// Opens targets. An object is always opened over a connection to S3, a file never.
pub(super) struct SourceFactory<'a> {
    #[cfg(feature = "s3")]
    args: &'a ConnectionArgs,
    #[cfg(feature = "s3")]
    connection: OnceCell<Connection>,
    #[cfg(not(feature = "s3"))]
    args: PhantomData<&'a ConnectionArgs>,
}

#[cfg(feature = "s3")]
impl<'a> SourceFactory<'a> {
    /// Connects if any of the targets is an object, so that a configuration that is wrong is found before any work.
    pub async fn new(args: &'a ConnectionArgs, targets: impl IntoIterator<Item = &Target>) -> Result<Self, UsageError> {
        let sources = SourceFactory { args, connection: OnceCell::new() };
        if targets.into_iter().any(|target| matches!(target, Target::Object(_))) {
            sources.connection().await?;
        }
        Ok(sources)
    }

    /// Region of the configuration, if an object was to be opened.
    pub fn region(&self) -> Option<&str> {
        self.connection.get().map(Connection::region)
    }

    pub async fn open(&self, target: &Target) -> Result<Arc<dyn ObjectSource>, UsageError> {
        match target {
            Target::File(path) => Ok(Arc::new(FileSource::new(path))),
            Target::Object(uri) => Ok(Arc::new(self.connection().await?.object(uri.clone()))),
        }
    }

    async fn connection(&self) -> Result<&Connection, UsageError> {
        self.connection.get_or_try_init(|| async { connect(options(self.args)?).await }).await
    }
}

#[cfg(not(feature = "s3"))]
impl<'a> SourceFactory<'a> {
    /// Refuses targets that are objects.
    pub async fn new(_: &'a ConnectionArgs, targets: impl IntoIterator<Item = &Target>) -> Result<Self, UsageError> {
        let sources = SourceFactory { args: PhantomData };
        for target in targets {
            sources.open(target).await?;
        }
        Ok(sources)
    }

    pub fn region(&self) -> Option<&str> {
        None
    }

    pub async fn open(&self, target: &Target) -> Result<Arc<dyn ObjectSource>, UsageError> {
        match target {
            Target::File(path) => Ok(Arc::new(FileSource::new(path))),
            Target::Object(_) => Err(UsageError("this build has no S3; build it with the feature `s3`".to_owned())),
        }
    }
}

#[cfg(feature = "s3")]
pub(super) fn options(args: &ConnectionArgs) -> Result<crate::source::s3::S3Options, UsageError> {
    use crate::source::s3::{S3Options, SseCustomerKey};
    let customer_key = match &args.sse_c_key_file {
        None => None,
        Some(path) => {
            let key = read_bytes(path, InputKind::CustomerKey);
            let key = key.map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
            let wrong =
                || UsageError(format!("{}: an SSE-C key has 32 bytes, this file has {}", path.display(), key.len()));
            Some(SseCustomerKey::new(&key).ok_or_else(wrong)?)
        }
    };
    let is_account = |owner: &&String| owner.len() == 12 && owner.bytes().all(|b| b.is_ascii_digit());
    if let Some(owner) = args.expected_bucket_owner.as_ref().filter(|owner| !is_account(owner)) {
        return Err(UsageError(format!("--expected-bucket-owner {owner}: an account has twelve digits")));
    }
    Ok(S3Options {
        region: args.region.clone(),
        endpoint_url: args.endpoint_url.clone(),
        profile: args.profile.clone(),
        no_sign_request: args.no_sign_request,
        request_payer: args.request_payer.is_some(),
        expected_bucket_owner: args.expected_bucket_owner.clone(),
        customer_key,
        patience: None,
    })
}

/// Resolves the configuration, and tells what is odd about it. A signal ends it with what it started: a
/// `credential_process` runs in a group of its own, which a terminal's Ctrl-C does not reach.
#[cfg(feature = "s3")]
pub(super) async fn connect(
    options: crate::source::s3::S3Options,
) -> Result<crate::source::s3::Connection, UsageError> {
    let cancel = super::run::cancel_on_signal();
    let Some(opened) = super::run::until(&cancel, crate::source::s3::Connection::open(options)).await else {
        super::run::complain("interrupted");
        #[expect(clippy::exit, reason = "nothing was begun that would have to be ended")]
        std::process::exit(i32::from(crate::report::Exit::Interrupted.code()));
    };
    let connection = opened.map_err(|error| UsageError(error.to_string()))?;
    for note in connection.notes() {
        super::run::complain(&note);
    }
    Ok(connection)
}

/// `for_window` bytes of the memory are not for reading.
fn budget(args: &ReadingArgs, for_window: u64) -> Result<Budget, UsageError> {
    let tuning = match &args.tuning {
        None => None,
        Some(path) => {
            let wrong = |problem| UsageError(format!("{}: {problem}", path.display()));
            Some(Tuning::from_json(&read(path, InputKind::Tuning)?).map_err(wrong)?)
        }
    };
    // What is typed goes before what was measured.
    let measured = tuning.as_ref();
    let limits = Limits {
        concurrency: args.concurrency.or(measured.map(Tuning::concurrency)).unwrap_or_default(),
        range_bytes: args.range_size.map(|size| size.0).or(measured.map(|tuning| tuning.range_bytes)),
        max_memory: args.max_memory.0 - for_window,
    };
    limits.budget().map_err(|error| match for_window {
        0 => UsageError(error.to_string()),
        _ => {
            let (given, needed) = (ByteSize(args.max_memory.0), ByteSize(2 * error.needed));
            UsageError(format!(
                "--max-memory {given} is too little with --decode, which takes half of it: at least {needed} are needed"
            ))
        }
    })
}

/// A manifest and, where a key is given, what its signature says. Nothing in it is looked at before the signature is
/// found good, over the very bytes that are parsed then.
fn read_manifest(path: &Path, key: Option<&Path>) -> Result<(Manifest, Option<Signed>), UsageError> {
    let text = read(path, InputKind::Manifest)?;
    let signed = match key {
        None => None,
        Some(key) => Some(check_signature(path, &text, &manifest_key(key)?)?),
    };
    let manifest = Manifest::from_json(&text);
    Ok((manifest.map_err(|error| UsageError(format!("{}: {error}", path.display())))?, signed))
}

/// The base64 of a key, or a file that holds it. A file whose name is the base64 of another key does not count.
fn manifest_key(given: &Path) -> Result<ManifestKey, UsageError> {
    if let Some(key) = given.to_str().and_then(|text| text.parse().ok()) {
        return Ok(key);
    }
    let text = read(given, InputKind::PublicKey)
        .map_err(|UsageError(problem)| UsageError(format!("--manifest-key: {problem}")))?;
    text.parse().map_err(|error| UsageError(format!("--manifest-key: {}: {error}", given.display())))
}

/// The signature is where minisign puts it: beside the manifest.
fn check_signature(path: &Path, manifest: &str, key: &ManifestKey) -> Result<Signed, UsageError> {
    let beside = signature_of(path);
    let signature = read(&beside, InputKind::Signature)
        .map_err(|UsageError(problem)| UsageError(format!("{problem}; --manifest-key demands a signature")))?;
    key.check(manifest.as_bytes(), &signature).map_err(|error| UsageError(format!("{}: {error}", beside.display())))
}

/// Where minisign puts the signature of a file.
pub(super) fn signature_of(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".minisig");
    PathBuf::from(beside)
}

/// A record, and the name of its file.
pub(super) fn record(path: Option<&Path>) -> Result<Option<(String, Record)>, UsageError> {
    let Some(path) = path else { return Ok(None) };
    let file = path.display().to_string();
    let record = Record::from_json(&read(path, InputKind::Record)?)
        .map_err(|problem| UsageError(format!("{file}: {problem}")))?;
    Ok(Some((file, record)))
}

pub(super) fn logical(args: &LogicalArgs) -> Result<LogicalSizeSource, UsageError> {
    Ok(LogicalSizeSource { record: record(args.record.as_deref())?, stated: args.logical_size.map(|size| size.0) })
}

/// The sources of the targets, in order, each with what it is verified by.
pub(super) async fn verify_requests(
    args: &VerifyArgs,
) -> Result<Vec<(Arc<dyn ObjectSource>, VerifyOptions)>, UsageError> {
    let references = &args.references;
    check_combinations(args)?;
    let decode =
        args.content.decode.then(|| DecodeLimits { window: args.reading.max_memory.0 / 2, ..DecodeLimits::default() });
    let budget = budget(&args.reading, decode.map_or(0, |limits| limits.window))?;
    let until = args.reading.max_time.and_then(|time| Instant::now().checked_add(time));
    let quota = Quota::new(until, args.reading.max_bytes.map(|size| size.0));
    let given = GivenReferences::read(args).await?;
    let known = logical(&args.logical)?;
    let sources = SourceFactory::new(&args.common.connection, args.targets.iter().chain(&references.like));
    let sources = before_work(until, sources).await?;
    let mut requests = Vec::new();
    for target in &args.targets {
        let like = match &references.like {
            None => None,
            Some(like) => Some(sources.open(like).await?),
        };
        let request = VerifyOptions {
            expect: references.expect.clone(),
            etag: references.etag.as_deref().map(ETag::new),
            manifest: given.manifest.clone(),
            manifest_signature: given.signature.clone(),
            sums: given.sums.as_ref().map(|sums| sums.of(target, &args.targets)).transpose()?,
            like,
            using: references.using.clone(),
            require: references.require.clone(),
            accept: references.accept.clone(),
            digest: references.digest.clone(),
            sample: args.reading.sample,
            manifest_wanted: references.write_manifest.is_some(),
            reread: !args.reading.no_reread,
            quota: quota.clone(),
            probe: args.content.probe,
            decode,
            logical: known.clone(),
            resume: args.reading.resume.as_deref().map(CheckpointFile::new),
            budget,
            ..VerifyOptions::default()
        };
        request.check().map_err(UsageError)?;
        requests.push((sources.open(target).await?, request));
    }
    Ok(requests)
}

/// Refuses what cannot be meant together.
fn check_combinations(args: &VerifyArgs) -> Result<(), UsageError> {
    let references = &args.references;
    if references.write_manifest.is_some() && args.targets.len() > 1 {
        return Err(UsageError("--write-manifest: one file can hold one target's manifest only".to_owned()));
    }
    if args.reading.resume.is_some() && args.targets.len() > 1 {
        return Err(UsageError("--resume: one file can hold the state of one target only".to_owned()));
    }
    let stream = CheckName::One(CheckId::Stream);
    let named = [&references.require, &references.using, &references.accept].into_iter().flatten();
    if !args.content.decode && named.into_iter().any(|name| *name == stream) {
        return Err(UsageError("the check `stream` wants --decode".to_owned()));
    }
    Ok(())
}

/// References that are in files.
struct GivenReferences {
    /// With the name of its file.
    manifest: Option<(String, Manifest)>,
    signature: Option<Signed>,
    sums: Option<SumsFile>,
}

impl GivenReferences {
    async fn read(args: &VerifyArgs) -> Result<Self, UsageError> {
        let references = &args.references;
        let (mut manifest, mut signature) = (None, None);
        if let Some(path) = &references.manifest {
            let (read, signed) = read_manifest(path, references.manifest_key.as_deref())?;
            (manifest, signature) = (Some((path.display().to_string(), read)), signed);
        }
        let sums = match &references.sums {
            None => None,
            Some(path) => {
                let (name, path) = (path.display().to_string(), path.clone());
                Some(load(name, args.reading.max_time, move || SumsFile::open(&path)).await?)
            }
        };
        Ok(GivenReferences { manifest, signature, sums })
    }
}
