//! The end of an upload: what is at the destination, the request that makes the object, and what became of it.

use std::time::Duration;

use super::COPY_ID;
use super::after::after;
use super::run::Copying;
use super::sender::{Outlet, SentParts, digest_of};
use crate::copy::{CopyCheck, CopyFinding, ExpectedObject};
use crate::facts::ObjectFacts;
use crate::progress::Call;
use crate::report::{CopyOutcome, Exit, IdentityReport, Note};
use crate::source::{Completion, ErrorKind, PutConditions, SourceError, Written};

/// Attempts to end an upload whose answer is lost.
const ATTEMPTS: u32 = 5;

/// How an upload ended.
enum Ended {
    Written(Written),
    /// Another object is at the destination.
    Occupied(Box<ObjectFacts>),
    /// Another writer was at work at the same time.
    Conflict,
    /// The server may have made the object.
    NotKnown(SourceError),
    Failed(SourceError),
}

impl Copying<'_> {
    /// Makes the object, if the destination is as it must be. Returns whether the copy must be begun anew.
    pub(super) async fn finish(&mut self, outlet: &Outlet, sent: SentParts, expected: &ExpectedObject) -> bool {
        // Servers may ignore the conditions of the last request.
        match self.ends.destination.head_again().await {
            Ok(facts) if self.is_to_be_replaced(&facts) => {}
            Ok(facts) => {
                self.report_occupied(&facts);
                self.abort(outlet).await;
                return false;
            }
            Err(error) if error.kind == ErrorKind::NotFound && self.request.replace_if.is_some() => {
                self.add(CopyFinding::fail(CopyCheck::Absent, "the object that was to be replaced is gone"));
                self.abort(outlet).await;
                return false;
            }
            // A missing object is answered so where the bucket may not be listed.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => {}
            Err(error) => {
                self.fail_for_now(&error, outlet).await;
                return false;
            }
        }
        let ended = self.end(outlet, sent, expected).await;
        self.ended(ended, outlet, expected).await
    }

    /// Whether it is the object that the user wants to be replaced.
    fn is_to_be_replaced(&self, facts: &ObjectFacts) -> bool {
        self.request.replace_if.is_some() && self.request.replace_if == facts.id.etag
    }

    fn conditions(&self) -> PutConditions {
        self.request.replace_if.clone().map_or(PutConditions::Absent, PutConditions::Is)
    }

    async fn end(&self, outlet: &Outlet, sent: SentParts, expected: &ExpectedObject) -> Ended {
        let context = self.ends.destination.context();
        let completion = Completion {
            parts: sent.receipts,
            size: expected.size,
            checksum: self.prepared.new.checksum,
            full_object: expected.full_object(),
            conditions: self.conditions(),
        };
        let body = sent.held.unwrap_or_default();
        let own = || digest_of(self.prepared.checksum.checksum.algorithm, &body);
        let digest = expected.checksum.map_or_else(own, |(_, digest)| digest);
        for attempt in 1..=ATTEMPTS {
            context.monitor.request(Call::Write);
            let answer = match outlet {
                Outlet::Upload(id) => self.ends.upload.complete(id, &completion).await,
                Outlet::Held => {
                    self.ends.upload.put(&self.prepared.new, &body, Some(&digest), &completion.conditions).await
                }
            };
            let error = match answer {
                Ok(written) => return Ended::Written(written),
                Err(error) => error,
            };
            if error.is_write_conflict() {
                return Ended::Conflict;
            }
            // After a lost answer, the object may be there: then the next request is refused.
            let refused = matches!(error.code.as_deref(), Some("PreconditionFailed" | "NoSuchUpload"));
            if !(refused || error.may_be_done() || error.is_transient()) {
                return Ended::Failed(error);
            }
            match self.ends.destination.head().await {
                Ok(facts) if self.is_ours(&facts, expected) => {
                    return Ended::Written(Written { etag: facts.id.etag, version: facts.version });
                }
                Ok(facts) if !self.is_to_be_replaced(&facts) => return Ended::Occupied(Box::new(facts)),
                Err(head) if head.kind != ErrorKind::NotFound => return Ended::NotKnown(error),
                _ if refused => return Ended::Failed(error),
                _ if attempt < ATTEMPTS => context.clock.sleep(Duration::from_millis(200 << attempt)).await,
                _ => return Ended::NotKnown(error),
            }
        }
        Ended::Failed(SourceError::new(ErrorKind::Transient, self.ends.upload.uri(), "the upload could not be ended"))
    }

    /// Whether the object was written by this run.
    fn is_ours(&self, facts: &ObjectFacts, expected: &ExpectedObject) -> bool {
        facts.metadata.get(COPY_ID) == Some(&self.id) && facts.size == expected.size
    }

    /// Reports how the upload ended. Returns whether it must be begun anew.
    async fn ended(&mut self, ended: Ended, outlet: &Outlet, expected: &ExpectedObject) -> bool {
        match ended {
            Ended::Written(written) => {
                self.prepared.report.outcome = CopyOutcome::Copied;
                self.forget_state();
                let after = after(self.ends, self.request, &self.prepared, expected, &written).await;
                self.prepared.report.destination_identity = after.facts.as_ref().map(IdentityReport::from);
                self.prepared.report.add(&after.findings, &self.accepted());
                if let Some(facts) = &after.facts {
                    let destination = &self.ends.destination;
                    let source = (&self.prepared.found.facts, self.prepared.is_source_unproved);
                    self.entries.written(destination, facts, &self.prepared.report, source);
                    after.read.iter().for_each(|read| self.entries.read_back(destination, facts, read));
                }
                self.prepared.report.notes.extend(self.ends.destination.notes().into_iter().map(Note::Source));
            }
            Ended::Conflict if !self.was_begun_anew => {
                self.was_begun_anew = true;
                let note = "another request wrote to the same key at the same time (ConditionalRequestConflict); the \
                            copy starts over once";
                self.ends.source.context().monitor.note(note);
                self.prepared.report.notes.push(Note::Source(note.to_owned()));
                self.abort(outlet).await;
                self.prepared
                    .report
                    .findings
                    .retain(|finding| !matches!(finding.check, CopyCheck::Source | CopyCheck::Parts));
                return true;
            }
            Ended::Conflict => {
                let detail = "another request wrote to the same key at the same time, twice";
                let error = SourceError::new(ErrorKind::Ambiguous, self.ends.upload.uri(), detail);
                self.fail(CopyCheck::Absent, &error, outlet).await;
            }
            Ended::Occupied(facts) => {
                self.report_occupied(&facts);
                self.abort(outlet).await;
            }
            Ended::NotKnown(error) => {
                self.prepared.report.outcome = CopyOutcome::NotKnown;
                self.add(CopyFinding::open(CopyCheck::Size, format!("the end of the upload: {}", error.explain())));
                self.prepared.report.exit_code = Exit::Unknown;
                self.leave(outlet, "its end is not known");
            }
            Ended::Failed(error) => self.fail(CopyCheck::Size, &error, outlet).await,
        }
        false
    }

    fn report_occupied(&mut self, facts: &ObjectFacts) {
        self.prepared.report.outcome = CopyOutcome::Occupied;
        let etag = facts.id.etag.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        let text = format!("an object appeared at the destination meanwhile, with ETag {etag}; it was not touched");
        self.add(CopyFinding::fail(CopyCheck::Absent, text));
    }
}
