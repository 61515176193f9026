use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::args::{LogicalArgs, ReadingArgs, VerifyArgs};
use super::connect::SourceFactory;
use super::replaced::check_manifest;
use super::sums::SumsFile;
use super::usage::{UsageError, load, read, read_given};
use crate::checkpoint::CheckpointFile;
use crate::commands::LogicalSizeSource;
use crate::commands::verify::VerifyOptions;
use crate::content::Limits as DecodeLimits;
use crate::fetch::Quota;
use crate::files::InputKind;
use crate::ident::ETag;
use crate::manifest::{Manifest, ManifestError, ManifestKey, Signed};
use crate::plan::{Budget, Limits, Tuning};
use crate::record::Record;
use crate::sealed::SealError;
use crate::source::ObjectSource;
use crate::units::ByteSize;
use crate::verdict::{CheckId, CheckName};

/// The limits of a read. `for_window` bytes of the memory are reserved for decoding.
fn budget(args: &ReadingArgs, for_window: u64, at_once: usize) -> Result<Budget, UsageError> {
    let tuning = match &args.tuning {
        None => None,
        Some(path) => {
            let wrong = |problem| UsageError(format!("--tuning {}: {problem}", path.display()));
            Some(Tuning::from_json(&read_given("--tuning", path, InputKind::Tuning)?).map_err(wrong)?)
        }
    };
    // Arguments take precedence over measured values.
    let measured = tuning.as_ref();
    let limits = Limits {
        concurrency: args.concurrency.or(measured.map(Tuning::concurrency)).unwrap_or_default(),
        range_bytes: args.range_size.map(|size| size.0).or(measured.map(|tuning| tuning.range_bytes)),
        max_memory: args.max_memory() - for_window,
    };
    limits.shared_among(at_once).budget().map_err(|error| match for_window {
        0 if at_once > 1 => UsageError(format!("{error}, for each of {at_once} objects at once; see --objects")),
        0 => UsageError(error.to_string()),
        _ => {
            let (given, needed) = (ByteSize(args.max_memory()), ByteSize(2 * error.needed));
            UsageError(format!(
                "--max-memory {given} is too little with --decode, which takes half of it: at least {needed} are needed"
            ))
        }
    })
}

/// Reads a manifest, and verifies its signature if a key is given. The content is parsed only after the signature of
/// exactly these bytes was verified.
pub(super) fn read_manifest(path: &Path, key: Option<&Path>) -> Result<(Manifest, Option<Signed>), UsageError> {
    let text = read_given("--manifest", path, InputKind::Manifest)?;
    let signed = match key {
        None => None,
        Some(key) => Some(check_signature(path, &text, &manifest_key(key)?)?),
    };
    let manifest = Manifest::from_json(&text);
    Ok((manifest.map_err(|error| not_a_manifest(path, &error))?, signed))
}

/// The message for a file that cannot be used as a manifest.
pub(super) fn not_a_manifest(path: &Path, error: &ManifestError) -> UsageError {
    let advice = match error {
        ManifestError::Sealed(SealError::Malformed { .. }) => {
            "; `stored-ami verify TARGET --write-manifest FILE` writes one"
        }
        _ => "",
    };
    UsageError(format!("--manifest {}: {error}{advice}", path.display()))
}

/// Parses a key given in base64, or reads it from a file. A value that is a valid key is never used as a file name.
fn manifest_key(given: &Path) -> Result<ManifestKey, UsageError> {
    if let Some(key) = given.to_str().and_then(|text| text.parse().ok()) {
        return Ok(key);
    }
    let text = read(given, InputKind::PublicKey)
        .map_err(|UsageError(problem)| UsageError(format!("--manifest-key: {problem}")))?;
    text.parse().map_err(|error| UsageError(format!("--manifest-key: {}: {error}", given.display())))
}

/// Verifies the signature, which minisign writes next to the manifest.
fn check_signature(path: &Path, manifest: &str, key: &ManifestKey) -> Result<Signed, UsageError> {
    let beside = signature_of(path);
    let signature = read(&beside, InputKind::Signature)
        .map_err(|UsageError(problem)| UsageError(format!("{problem}; --manifest-key demands a signature")))?;
    key.check(manifest.as_bytes(), &signature).map_err(|error| UsageError(format!("{}: {error}", beside.display())))
}

/// The path where minisign writes the signature of a file.
pub(super) fn signature_of(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".minisig");
    PathBuf::from(beside)
}

/// Reads a record, and returns it with the name of its file.
pub(super) fn record(path: Option<&Path>) -> Result<Option<(String, Record)>, UsageError> {
    let Some(path) = path else { return Ok(None) };
    let file = path.display().to_string();
    let record = Record::from_json(&read_given("--record", path, InputKind::Record)?)
        .map_err(|problem| UsageError(format!("--record {file}: {problem}")))?;
    Ok(Some((file, record)))
}

pub(super) fn logical(args: &LogicalArgs) -> Result<LogicalSizeSource, UsageError> {
    Ok(LogicalSizeSource { record: record(args.record.as_deref())?, stated: args.logical_size.map(|size| size.0) })
}

/// The requests for the targets, in order.
pub(super) async fn verify_requests(
    args: &VerifyArgs,
    sources: &SourceFactory<'_>,
    until: Option<Instant>,
) -> Result<Vec<(Arc<dyn ObjectSource>, VerifyOptions)>, UsageError> {
    let references = &args.references;
    check_combinations(args)?;
    if let (Some(path), [target]) = (&references.write_manifest, &args.targets[..]) {
        check_manifest(path, target, args.common.page.force.force)?;
    }
    let decode =
        args.content.decode.then(|| DecodeLimits { window: args.reading.max_memory() / 2, ..DecodeLimits::default() });
    let at_once = usize::from(args.at_once.objects).min(args.targets.len());
    let budget = budget(&args.reading, decode.map_or(0, |limits| limits.window), at_once)?;
    let quota = Quota::new(until, args.reading.max_bytes.map(|size| size.0));
    let given = GivenReferences::read(args).await?;
    let known = logical(&args.logical)?;
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

/// Rejects contradictory arguments.
fn check_combinations(args: &VerifyArgs) -> Result<(), UsageError> {
    let references = &args.references;
    if references.write_manifest.is_some() && args.targets.len() > 1 {
        return Err(UsageError("--write-manifest: one file can hold one target's manifest only".to_owned()));
    }
    if args.reading.resume.is_some() && args.targets.len() > 1 {
        return Err(UsageError("--resume: one file can hold the state of one target only".to_owned()));
    }
    if args.content.decode && args.at_once.objects > 1 {
        return Err(UsageError("--decode: decodes one object at a time, and --objects asks for more".to_owned()));
    }
    let stream = CheckName::One(CheckId::Stream);
    let named = [&references.require, &references.using, &references.accept].into_iter().flatten();
    if !args.content.decode && named.into_iter().any(|name| *name == stream) {
        return Err(UsageError("the check `stream` needs --decode".to_owned()));
    }
    Ok(())
}

/// References read from files.
struct GivenReferences {
    /// The manifest, with the name of its file.
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
