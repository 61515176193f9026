use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::entries::{CopyEntries, is_from_elsewhere};
use super::parts::other_parts;
use super::sender::{Begun, Outlet, PartSender, SentParts};
use super::streamed::PinnedSource;
use super::trailers::Trailers;
use super::work::{Confirmed, confirm_parts, source_finding, with_listed};
use super::{COPY_ID, CopyEnds, CopyRequest, PreparedCopy};
use crate::checksum::Algorithm;
use crate::commands::verify::{Forward, Verified, VerifyError, VerifyOptions, verify_discovered};
use crate::copy::{CopyCheck, CopyFinding, ExpectedObject, WriteMode};
use crate::ident::shell_option;
use crate::progress::Call;
use crate::report::{CopyEnd, CopyOutcome, CopyReport, Exit, LeftReport, Note};
use crate::source::{ErrorKind, SourceError};
use crate::verdict::Verdict;

/// Reads the source, proves it, and writes the copy.
///
/// # Errors
///
/// The read cannot be planned within the memory. Everything else that goes wrong is in the report.
pub async fn carry_out(
    ends: &CopyEnds,
    request: &CopyRequest,
    prepared: PreparedCopy,
    cancel: &CancellationToken,
) -> Result<CopyReport, VerifyError> {
    let started = ends.source.context().clock.monotonic();
    let mut copy = Copying {
        ends,
        request,
        prepared,
        cancel,
        id: String::new(),
        lost_upload: None,
        was_begun_anew: false,
        trailers: Arc::new(Trailers::of(ends.service)),
        is_without_trailers: false,
        entries: CopyEntries::default(),
    };
    copy.mark(random_id(ends));
    // The writes show it now.
    copy.prepared.report.findings.retain(|finding| !finding.not_tested);
    copy.prepared.report.outcome = CopyOutcome::NotMade;
    let Ok(lock) = copy.hold_state() else { return Ok(copy.prepared.report.ended()) };
    if copy.may_replace().await {
        match request.by_server {
            true => copy.by_server().await,
            false => copy.attempt().await?,
        }
    }
    drop(lock);
    let mut report = copy.prepared.report;
    report.notes.extend(copy.trailers.note().map(Note::Source));
    copy.entries.append(request.ledger.as_ref(), &mut report).await;
    report.stats.elapsed_seconds = ends.source.context().clock.monotonic().duration_since(started).as_secs_f64();
    Ok(report.ended())
}

/// A random text of 128 bits.
fn random_id(ends: &CopyEnds) -> String {
    let clock = &ends.source.context().clock;
    let part = || (clock.random() * f64::from(u32::MAX)) as u32;
    format!("{:08x}{:08x}{:08x}{:08x}", part(), part(), part(), part())
}

/// One copy that is carried out.
pub(super) struct Copying<'a> {
    pub(super) ends: &'a CopyEnds,
    pub(super) request: &'a CopyRequest,
    pub(super) prepared: PreparedCopy,
    pub(super) cancel: &'a CancellationToken,
    /// The value of the metadata that marks the object as that of this run.
    pub(super) id: String,
    /// Id of the upload in the state file, if it is no longer there.
    pub(super) lost_upload: Option<String>,
    /// The upload was begun a second time because of a conflict.
    pub(super) was_begun_anew: bool,
    trailers: Arc<Trailers>,
    /// The upload was begun a second time without trailers.
    is_without_trailers: bool,
    /// What the ledger gets.
    pub(super) entries: CopyEntries,
}

impl Copying<'_> {
    async fn attempt(&mut self) -> Result<(), VerifyError> {
        loop {
            let Some(Begun { outlet, known }) = self.begin().await else { return Ok(()) };
            let sender = Arc::new(self.sender(outlet.clone()).knowing(known));
            let verified = match self.read(&sender).await {
                Ok(verified) => verified,
                Err(error) => {
                    self.abort(&outlet).await;
                    return Err(error);
                }
            };
            if self.cancel.is_cancelled() || verified.report.exit_code == Exit::Interrupted {
                sender.stop().await;
                self.interrupted(&outlet).await;
                return Ok(());
            }
            let sent = match sender.finish().await {
                Ok(sent) => sent,
                // Some servers do not let a part be replaced that they stored with its encoding.
                Err(error) if !error.is_transient() && !self.trailers.are_used() && !self.is_without_trailers => {
                    self.is_without_trailers = true;
                    self.abort(&outlet).await;
                    continue;
                }
                Err(error) => {
                    self.fail_for_now(&error, &outlet).await;
                    return Ok(());
                }
            };
            if sent.kept > 0 {
                let note = format!("{} parts that the upload held already were not sent again", sent.kept);
                self.prepared.report.notes.push(Note::Source(note));
            }
            if !self.write(&verified, sent, &outlet).await {
                return Ok(());
            }
        }
    }

    /// Begins the upload; `None` if that failed, which is in the report then.
    pub(super) async fn begin(&mut self) -> Option<Begun> {
        // Also for an object of one request: a state of an earlier source must not be passed over in silence.
        if let Some(begun) = self.take_up().await.ok()? {
            return Some(begun);
        }
        if self.prepared.plan.mode == WriteMode::Put {
            return Some(Begun { outlet: Outlet::Held, known: Vec::new() });
        }
        let context = self.ends.destination.context();
        context.monitor.request(Call::Write);
        let error = match self.ends.upload.begin(&self.prepared.new).await {
            Ok(id) => {
                self.keep_state(&id).await.ok()?;
                return Some(Begun { outlet: Outlet::Upload(id), known: Vec::new() });
            }
            Err(error) => error,
        };
        if error.may_be_done() {
            let uri = self.ends.upload.uri();
            let note = format!(
                "the answer to CreateMultipartUpload is lost: an upload without parts may be left at the destination; \
                 `aws s3api list-multipart-uploads {} {}{}` shows it",
                shell_option("--bucket", &uri.bucket),
                shell_option("--prefix", &uri.key),
                self.ends.to.aws_arguments(self.ends.endpoint.as_deref()),
            );
            self.prepared.report.notes.push(Note::Source(note));
        }
        self.fail(CopyCheck::Parts, &error, &Outlet::Held).await;
        None
    }

    fn sender(&self, outlet: Outlet) -> PartSender {
        let plan = &self.prepared.plan;
        let facts = &self.prepared.found.facts;
        let source = PinnedSource { session: self.ends.source.clone(), id: facts.id.clone(), size: facts.size };
        PartSender::new(
            (Arc::clone(&self.ends.upload), self.ends.destination.context().clone(), Arc::clone(&self.trailers)),
            source,
            outlet,
            (plan.layout.clone(), self.prepared.checksum.checksum.algorithm),
            self.request.part_room,
        )
    }

    /// Reads the source as `verify` does, and passes its bytes to the sender.
    async fn read(&mut self, sender: &Arc<PartSender>) -> Result<Verified, VerifyError> {
        let forward = Forward {
            layout: self.prepared.plan.layout.clone(),
            digests: vec![Algorithm::Md5, self.prepared.checksum.checksum.algorithm],
            sink: Arc::clone(sender) as Arc<_>,
        };
        let options = VerifyOptions { forward: Some(forward), ..self.request.verify.clone() };
        let found = self.prepared.found.clone();
        let read = verify_discovered(&self.ends.source, &options, found, self.cancel).await;
        if read.is_err() {
            sender.stop().await;
        }
        let verified = read?;
        self.entries.source(&self.ends.source, &self.prepared.found.facts, &verified, self.request);
        self.prepared.report.proved_by.clone_from(&verified.report.proved_by);
        self.prepared.report.stats = verified.report.stats.clone();
        Ok(verified)
    }

    /// Makes the object of the parts, if the source is proved. Returns whether the copy must be begun anew.
    async fn write(&mut self, verified: &Verified, mut sent: SentParts, outlet: &Outlet) -> bool {
        self.prepared.report.sent_bytes += sent.bytes;
        let is_copy_of_unproved =
            self.prepared.is_source_unproved && !is_from_elsewhere(&self.ends.source, verified, self.request);
        let (finding, may_be_written) = source_finding(verified, is_copy_of_unproved, self.request);
        self.add(finding);
        let (Some(digests), true) = (&verified.digests, may_be_written) else {
            self.prepared.report.exit_code = self.prepared.report.exit_code.and(verified.report.exit_code);
            // A source that could not be read may be read later; one that does not match will not.
            match verified.report.exit_code {
                Exit::CouldNot => self.keep_or_abort(outlet).await,
                _ => self.abort(outlet).await,
            }
            return false;
        };
        let plan = &self.prepared.plan;
        let checksum = self.prepared.checksum.checksum;
        let expected = ExpectedObject::of(&plan.layout, plan.mode, checksum, digests);
        let parts = other_parts(&self.prepared.found.facts, plan, &expected);
        self.prepared.report.notes.extend(parts);
        if let Outlet::Upload(id) = outlet {
            let at = (&*self.ends.upload, self.ends.destination.context());
            sent.receipts = with_listed(at, id, sent.receipts).await;
            let confirmed = confirm_parts(&plan.layout, &sent.receipts, digests, checksum.algorithm);
            let Confirmed { finding, receipts } = confirmed;
            let may_be_made = match finding.verdict {
                Verdict::Pass => true,
                // An object of bytes that nothing confirms is made only for someone who asks for it.
                Verdict::Unknown => self.request.accept.contains(&CopyCheck::Parts),
                Verdict::Fail => false,
            };
            self.add(finding);
            if !may_be_made || receipts.is_none() {
                self.abort(outlet).await;
                return false;
            }
        }
        self.finish(outlet, sent, &expected).await
    }

    pub(super) fn accepted(&self) -> Vec<CopyCheck> {
        let unproved = self.request.unproved.then_some(CopyCheck::Source);
        self.request.accept.iter().copied().chain(unproved).collect()
    }

    /// Sets the mark by which the object is known as that of this copy.
    pub(super) fn mark(&mut self, id: String) {
        self.prepared.new.metadata.insert(COPY_ID.to_owned(), id.clone());
        self.prepared.report.copy_id = Some(id.clone());
        self.id = id;
    }

    pub(super) fn add(&mut self, finding: CopyFinding) {
        let accepted = self.accepted();
        self.prepared.report.add(&[finding], &accepted);
    }

    /// Reports an error of the destination, and removes the upload.
    pub(super) async fn fail(&mut self, check: CopyCheck, error: &SourceError, outlet: &Outlet) {
        let detail = format!("{}: {}", error.subject, error.explain());
        let finding = CopyFinding::open(check, detail);
        self.add(finding);
        self.prepared.report.exit_code = crate::commands::exit_of(error);
        if error.kind == ErrorKind::Denied {
            self.prepared.report.denied_at = Some(CopyEnd::Destination);
        }
        self.abort(outlet).await;
    }

    /// Reports an error of the transfer that may pass, such as a lost network or expired credentials.
    pub(super) async fn fail_for_now(&mut self, error: &SourceError, outlet: &Outlet) {
        let passes = error.is_transient() || error.kind == ErrorKind::Credentials;
        if !passes {
            return self.fail(CopyCheck::Parts, error, outlet).await;
        }
        self.add(CopyFinding::open(CopyCheck::Parts, format!("{}: {}", error.subject, error.explain())));
        self.prepared.report.exit_code = crate::commands::exit_of(error);
        self.keep_or_abort(outlet).await;
    }

    pub(super) async fn interrupted(&mut self, outlet: &Outlet) {
        self.add(CopyFinding::open(CopyCheck::Source, "interrupted before every byte was read"));
        self.prepared.report.exit_code = Exit::Interrupted;
        self.keep_or_abort(outlet).await;
    }

    /// Removes the upload with its parts. If that fails, the report names it.
    pub(super) async fn abort(&mut self, outlet: &Outlet) {
        let Outlet::Upload(id) = outlet else { return };
        let context = self.ends.destination.context();
        let aborted = context.retry(Call::Write, || self.ends.upload.abort(id)).await;
        match aborted {
            Ok(()) => self.forget_state(),
            Err(error) if error.code.as_deref() == Some("NoSuchUpload") => self.forget_state(),
            Err(error) => self.leave(outlet, &format!("it could not be removed: {}", error.explain())),
        }
    }

    pub(super) fn leave(&mut self, outlet: &Outlet, state: &str) {
        let Outlet::Upload(id) = outlet else { return };
        let uri = self.ends.upload.uri();
        let remove_with = format!(
            "aws s3api abort-multipart-upload {} {} {}{}",
            shell_option("--bucket", &uri.bucket),
            shell_option("--key", &uri.key),
            shell_option("--upload-id", id),
            self.ends.to.aws_arguments(self.ends.endpoint.as_deref()),
        );
        self.prepared.report.left_behind.push(LeftReport { id: id.clone(), state: state.to_owned(), remove_with });
    }
}
