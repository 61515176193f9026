use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::CopyRequest;
use super::entries::{CopyEntries, KnownEnds, is_from_elsewhere};
use super::prepare::archived;
use super::work::source_finding;
use crate::checksum::{Algorithm, ChecksumKind, StoredChecksum};
use crate::commands::discover;
use crate::commands::verify::{Expected, Forward, VerifyError, VerifyOptions, verify, verify_discovered};
use crate::copy::{CopyCheck, CopyFinding, ExpectedObject, UploadChecksum, WriteMode};
use crate::fetch::RangeSink;
use crate::files::{FileProblem, NewFile, Room, room_for};
use crate::report::{CopyOutcome, CopyReport, EndReport, Exit, FileKind, IdentityReport};
use crate::source::file::FileSource;
use crate::source::{ErrorKind, Session, SourceError};
use crate::sync::lock;
use crate::units::ByteSize;
use crate::verdict::Verdict;

/// A copy of an object to a file.
pub struct FileCopyRequest<'a> {
    /// Who reads the source.
    pub from: EndReport,
    /// The file to write.
    pub path: PathBuf,
    /// References, limits and acceptance; what concerns an object at the destination is ignored.
    pub request: &'a CopyRequest,
    /// Write nothing.
    pub dry_run: bool,
}

/// Writes bytes at their offsets into a file.
struct FileSink {
    /// `None` after the end.
    file: RwLock<Option<NewFile>>,
    failure: Mutex<Option<FileProblem>>,
    path: PathBuf,
}

#[async_trait]
impl RangeSink for FileSink {
    async fn take(&self, at: u64, bytes: Bytes) -> Result<(), SourceError> {
        let file = self.file.read().unwrap_or_else(PoisonError::into_inner);
        let written = file.as_ref().map_or(Ok(()), |file| file.write_at(at, &bytes));
        written.map_err(|error| {
            let refused = SourceError::new(ErrorKind::Io, self.path.display(), format!("cannot be written: {error}"));
            lock(&self.failure).get_or_insert_with(|| FileProblem::of(&self.path, error));
            refused
        })
    }
}

/// Copies an object to a file. The file gets its name only when the source is proved, and overwrites nothing.
///
/// # Errors
///
/// The source cannot be described, or the read cannot be planned.
pub async fn copy_to_file(
    source: &Session,
    copy: FileCopyRequest<'_>,
    cancel: &CancellationToken,
) -> Result<CopyReport, VerifyError> {
    let mut entries = CopyEntries::default();
    let mut report = write_file(source, &copy, cancel, &mut entries).await?;
    entries.append(copy.request.ledger.as_ref(), &mut report).await;
    Ok(report.ended())
}

async fn write_file(
    source: &Session,
    copy: &FileCopyRequest<'_>,
    cancel: &CancellationToken,
    entries: &mut CopyEntries,
) -> Result<CopyReport, VerifyError> {
    let started = source.context().clock.monotonic();
    let found = discover(source).await?;
    let size = found.facts.size;
    let mut report = planned(source, copy);
    report.source_identity = Some(IdentityReport::from(&found.facts));
    report.notes.clone_from(&found.notes);
    if let Some(finding) = archived(&found.facts, false) {
        report.is_source_archived = true;
        report.outcome = CopyOutcome::Refused;
        report.add(&[finding], &[]);
        return Ok(report);
    }
    let Some(file) = new_file(copy, size, &mut report) else { return Ok(report) };
    let sink = Arc::new(FileSink { file: RwLock::new(Some(file)), failure: Mutex::default(), path: copy.path.clone() });
    let layout = found.layout.for_manifest(size);
    let forward =
        Forward { layout: layout.clone(), digests: vec![Algorithm::Crc64Nvme], sink: Arc::clone(&sink) as Arc<_> };
    let options = VerifyOptions { forward: Some(forward), ..copy.request.verify.clone() };
    let facts = found.facts.clone();
    let verified = verify_discovered(source, &options, found, cancel).await?;
    entries.source(source, &facts, &verified, copy.request);
    report.stats = verified.report.stats.clone();
    report.stats.elapsed_seconds = source.context().clock.monotonic().duration_since(started).as_secs_f64();
    report.proved_by.clone_from(&verified.report.proved_by);
    if let Some(problem) = lock(&sink.failure).take() {
        could_not(&mut report, copy, &problem);
        return Ok(report);
    }
    let known = KnownEnds::of(copy.request.ledger.as_ref(), &[source]).await;
    let is_copy_of_unproved = known.is_unproved(source, &facts) && !is_from_elsewhere(source, &verified, copy.request);
    let (finding, may_be_written) = source_finding(&verified, is_copy_of_unproved, copy.request);
    let unproved = copy.request.unproved.then_some(CopyCheck::Source);
    let accept: Vec<CopyCheck> = copy.request.accept.iter().copied().chain(unproved).collect();
    report.add(&[finding], &accept);
    let interrupted = verified.report.exit_code == Exit::Interrupted;
    let (Some(digests), true, false) = (&verified.digests, may_be_written, interrupted) else {
        report.exit_code = report.exit_code.and(verified.report.exit_code);
        return Ok(report);
    };
    let checksum = UploadChecksum { algorithm: Algorithm::Crc64Nvme, is_composite: false };
    let expected = ExpectedObject::of(&layout, WriteMode::Put, checksum, digests);
    let file = sink.file.write().unwrap_or_else(PoisonError::into_inner).take();
    if let Err(error) = file.map_or(Ok(()), NewFile::finish) {
        could_not(&mut report, copy, &FileProblem::of(&copy.path, error));
        return Ok(report);
    }
    report.outcome = CopyOutcome::Copied;
    source.context().monitor.wrote(&copy.path, FileKind::Copy);
    report.checksum = expected.checksum.map(|(checksum, digest)| format!("{checksum} {}", digest.base64()));
    if copy.request.verify_destination {
        report.add(&[read_back(source, copy, &expected).await], &accept);
    }
    Ok(report)
}

/// Creates the file; `None` if that is not to be or cannot be, which is in the report then.
fn new_file(copy: &FileCopyRequest<'_>, size: u64, report: &mut CopyReport) -> Option<NewFile> {
    if let Ok(there) = copy.path.symlink_metadata() {
        report.outcome = CopyOutcome::Occupied;
        let text = format!("there is a file of this name already, with {} bytes", ByteSize(there.len()).grouped());
        report.add(&[CopyFinding::fail(CopyCheck::Absent, text)], &copy.request.accept);
        return None;
    }
    report.add(&[CopyFinding::pass(CopyCheck::Absent, "there is no file of this name")], &copy.request.accept);
    report.outcome = CopyOutcome::NotMade;
    let room = room_for(&copy.path, size).map_err(|problem| could_not(report, copy, &problem)).ok()?;
    if copy.dry_run {
        report.outcome = CopyOutcome::Planned;
        report.add(&[CopyFinding::pass(CopyCheck::File, described(&room, size))], &copy.request.accept);
        return None;
    }
    let created = NewFile::create(&copy.path, size);
    created.map_err(|error| could_not(report, copy, &FileProblem::of(&copy.path, error))).ok()
}

fn described(room: &Room, size: u64) -> String {
    let free = room.free.map_or_else(|| "not stated".to_owned(), |free| ByteSize(free).to_string());
    format!("the folder {} can be written; {} are needed, {free} are free", room.folder.display(), ByteSize(size))
}

fn planned(source: &Session, copy: &FileCopyRequest<'_>) -> CopyReport {
    let (source, destination) = (source.target().to_string(), copy.path.display().to_string());
    let whole = std::path::absolute(&copy.path).ok().map(|path| path.display().to_string());
    let report = CopyReport::planned(source, destination, copy.from.clone(), EndReport::default());
    CopyReport { destination_file: whole, ..report }
}

/// Reports an error of the local file.
fn could_not(report: &mut CopyReport, copy: &FileCopyRequest<'_>, problem: &FileProblem) {
    report.add(&[CopyFinding::open(CopyCheck::File, problem.to_string())], &copy.request.accept);
    report.exit_code = Exit::CouldNot;
}

/// Reads the file, and holds it against the digest of what was written.
async fn read_back(source: &Session, copy: &FileCopyRequest<'_>, expected: &ExpectedObject) -> CopyFinding {
    let check = CopyCheck::ReadBack;
    let Some((_, digest)) = expected.checksum else {
        return CopyFinding::open(check, "no digest was computed to compare the file with");
    };
    let options = VerifyOptions {
        expect: vec![Expected(StoredChecksum { digest, kind: ChecksumKind::FullObject })],
        budget: copy.request.verify.budget,
        ..VerifyOptions::default()
    };
    let file = Session::new(Arc::new(FileSource::new(&copy.path)), source.context().clone());
    match verify(&file, &options, &CancellationToken::new()).await {
        Ok(verified) if verified.report.verdict == Verdict::Pass => CopyFinding::pass(
            check,
            format!("the file was read, and has {} {}", digest.algorithm().name(), digest.base64()),
        ),
        Ok(verified) if verified.report.verdict == Verdict::Fail => {
            CopyFinding::fail(check, "the file that was read is not what was written")
        }
        Ok(_) => CopyFinding::open(check, "the file could not be read completely"),
        Err(error) => CopyFinding::open(check, error.to_string()),
    }
}
