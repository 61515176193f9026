//! `verify`: reads every byte once and holds it against every reference there is.

mod after;
mod assemble;
mod checkpoint_writer;
mod confirm;
mod listed;
mod matched;
mod mismatch;
mod parts;
mod references;
mod request;
mod run;
mod settle;
mod stopped;
mod stream;
mod undocumented;

use tokio_util::sync::CancellationToken;

pub use matched::ETagParts;
pub use request::{Expected, ParseExpectedError, VerifyRequest};

use super::{Discovery, discover};
use crate::facts::{Readability, readability};
use crate::manifest::Manifest;
use crate::plan::{PartLayout, Reference};
use crate::report::{Note, VerifyNote, VerifyReport};
use crate::source::{Session, SourceError};
use crate::verdict::{CheckId, Doubt, Finding, Outcome, Reason};
use after::After;
use assemble::ReadOutcome;
use run::VerifyRun;

/// What a `verify` gives: the report, and a manifest where one was wanted and may be written.
#[derive(Debug)]
pub struct Verified {
    pub report: VerifyReport,
    pub manifest: Option<Manifest>,
    /// Nothing is left that another run could go on with.
    pub finished: bool,
    /// What the reading saw that speaks against the bytes without refuting them.
    pub doubt: Option<Doubt>,
    /// The parts under which the stored ETag matched, where it goes by part.
    pub etag_parts: Option<PartLayout>,
}

/// Why a `verify` could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{0}")]
    Request(String),
    /// `--max-time` ended before anything was read.
    #[error("--max-time was over before the object could be read")]
    OutOfTime,
}

/// Verifies one object or file.
///
/// # Errors
///
/// The request asks for what cannot be done, the object cannot be looked at, or its time was over before that.
pub async fn verify(
    session: &Session,
    request: &VerifyRequest,
    cancel: &CancellationToken,
) -> Result<Verified, VerifyError> {
    let (session, counting) = session.counted();
    let mut verified = read_and_judge(&session, request, cancel).await?;
    let (counts, timeline, stats) = (counting.counts(), counting.timeline(), &mut verified.report.stats);
    stats.requests = counts.requests;
    stats.reads = counts.reads;
    stats.retries = counts.retries;
    stats.received_bytes = counts.received;
    stats.periods = timeline.rates();
    stats.period_seconds = Some(timeline.period().as_secs_f64());
    Ok(verified)
}

async fn read_and_judge(
    session: &Session,
    request: &VerifyRequest,
    cancel: &CancellationToken,
) -> Result<Verified, VerifyError> {
    request.check().map_err(VerifyError::Request)?;
    let started = session.context().clock.monotonic();
    let found = request.quota.within(session.context().clock.as_ref(), discover(session));
    let found = found.await.ok_or(VerifyError::OutOfTime)??;
    verify_found(session, request, found, ReadOutcome::at(started), cancel).await
}

/// Verifies an object that the caller discovered over the same session: before its bytes are read, nothing is asked
/// that was asked for that.
///
/// # Errors
///
/// As those of [`verify`].
pub async fn verify_discovered(
    session: &Session,
    request: &VerifyRequest,
    found: Discovery,
    cancel: &CancellationToken,
) -> Result<Verified, VerifyError> {
    request.check().map_err(VerifyError::Request)?;
    let started = session.context().clock.monotonic();
    verify_found(session, request, found, ReadOutcome::at(started), cancel).await
}

async fn verify_found(
    session: &Session,
    request: &VerifyRequest,
    mut found: Discovery,
    mut ending: ReadOutcome,
    cancel: &CancellationToken,
) -> Result<Verified, VerifyError> {
    let clock = session.context().clock.as_ref();
    if let Some(known) = &request.etag_parts {
        found.take_etag_parts(known);
    }
    let collected = request.quota.within(clock, references::collect(session, request, &mut found));
    let collected = collected.await.ok_or(VerifyError::OutOfTime)??;
    let mut findings = collected.unusable;
    let (references, unused): (Vec<Reference>, Vec<Reference>) =
        collected.references.into_iter().partition(|reference| request.uses(reference.check));
    findings.extend(unused.into_iter().map(|reference| unknown(reference.check, Reason::NotUsed)));
    ending.archived = archived(&found);
    if let Some(state) = ending.archived.clone() {
        let archived = |reference: Reference| unknown(reference.check, Reason::Archived { state: state.clone() });
        findings.extend(references.into_iter().map(archived));
    } else if references.is_empty() && request.reads_nothing_else() {
        if found.facts.size > 0 {
            found.notes.push(VerifyNote::NothingToCompare.into());
        }
    } else {
        let mut pass = VerifyRun::new(session, request, cancel, &mut found);
        findings.extend(pass.run(references).await?);
        ending.stopped = pass.stopped.take();
        ending.coverage = pass.coverage();
        ending.read = pass.read_ranges();
        ending.probed = pass.take_probed();
        ending.decoded = pass.decoded.take();
        ending.digests = pass.digests.take();
        ending.etag_parts = pass.etag_parts.take();
    }
    if ending.coverage.is_some() {
        ending.moved = moved(session, request, &mut found, &ending).await;
    }
    found.notes.extend(session.notes().into_iter().map(Note::Source));
    Ok(assemble::assemble(session, request, found, findings, ending))
}

/// In words why nothing can be read before the object is restored from an archive tier.
fn archived(found: &Discovery) -> Option<String> {
    let facts = &found.facts;
    let restore = facts.restore.as_ref().and_then(|restore| restore.as_ref().ok());
    match readability(facts.storage_class.as_deref(), facts.archive_status.as_deref(), restore) {
        Readability::Archived(state) => Some(state),
        Readability::Now | Readability::Until(_) => None,
    }
}

/// Asks after the reading whether the object is still the one that was discovered. `If-Match` pins the reads to a strong
/// ETag only, and no read says that the object was replaced or deleted after the last byte.
async fn moved(
    session: &Session,
    request: &VerifyRequest,
    found: &mut Discovery,
    ending: &ReadOutcome,
) -> Option<Reason> {
    let clock = session.context().clock.as_ref();
    let after = request.quota.within_grace(clock, After::ask(session, found)).await;
    if after.is_none() {
        found.notes.push(VerifyNote::ChangeNotAsked.into());
    }
    after.unwrap_or(After::NotKnown).speaks_against(&found.facts, ending.stopped.as_ref())
}

fn unknown(check: CheckId, reason: Reason) -> Finding {
    Finding { check, required: false, outcome: Outcome::Unknown(reason) }
}
