//! `verify`: reads every byte once and compares the digests with all available references.

mod after;
mod assemble;
mod checkpoint_writer;
mod confirm;
mod left;
mod listed;
mod matched;
mod mismatch;
mod options;
mod parts;
mod references;
mod run;
mod run_digests;
mod settle;
mod stopped;
mod stream;
mod undocumented;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use matched::ETagParts;
pub use options::{Expected, Forward, ParseExpectedError, VerifyOptions};
pub(super) use run_digests::run_digests;

use super::{Discovery, discover};
use crate::checks::Digests;
use crate::facts::{ObjectFacts, Readability, readability};
use crate::fetch::{Spent, Stop};
use crate::ident::ETag;
use crate::manifest::Manifest;
use crate::plan::{PartLayout, Reference};
use crate::progress::Counting;
use crate::report::{Note, VerifyNote, VerifyReport};
use crate::source::{Session, SourceError};
use crate::verdict::{CheckId, Doubt, Finding, Outcome, Reason};
use after::After;
use assemble::ReadOutcome;
use run::VerifyRun;

/// Time within which a read of one range counts as one moment.
const MOMENT: Duration = Duration::from_secs(10);

/// Result of a verification.
#[derive(Debug)]
pub struct Verified {
    /// The report.
    pub report: VerifyReport,
    /// The manifest, if one was requested and the verification allows it.
    pub manifest: Option<Manifest>,
    /// The read completed, so the checkpoint file is no longer needed.
    pub finished: bool,
    /// Evidence against the bytes that does not refute them.
    pub doubt: Option<Doubt>,
    /// The layout under which the stored ETag matched; `None` if it did not match or is not composite.
    pub etag_parts: Option<PartLayout>,
    /// The digests that were computed; `None` if nothing was read.
    pub digests: Option<Digests>,
}

/// Why a verification could not start.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The object, or the one given with `--like`, cannot be opened or described.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The request cannot be carried out: contradictory options, or a file that cannot be used.
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
/// The request cannot be carried out, the object cannot be described, or `--max-time` ended before that.
pub async fn verify(
    session: &Session,
    request: &VerifyOptions,
    cancel: &CancellationToken,
) -> Result<Verified, VerifyError> {
    request.check().map_err(VerifyError::Request)?;
    let (session, counting) = session.counted();
    let started = session.context().clock.monotonic();
    let found = request.quota.within(session.context().clock.as_ref(), discover(&session));
    let found = found.await.ok_or(VerifyError::OutOfTime)??;
    let verified = verify_found(&session, request, found, ReadOutcome::at(started), cancel).await?;
    Ok(verified.counted(&counting))
}

/// Verifies an object that the caller discovered over the same session, without repeating the requests of the
/// discovery. The counts in its report leave those out.
///
/// # Errors
///
/// See [`verify`].
pub async fn verify_discovered(
    session: &Session,
    request: &VerifyOptions,
    found: Discovery,
    cancel: &CancellationToken,
) -> Result<Verified, VerifyError> {
    request.check().map_err(VerifyError::Request)?;
    let (session, counting) = session.counted();
    let started = session.context().clock.monotonic();
    let verified = verify_found(&session, request, found, ReadOutcome::at(started), cancel).await?;
    Ok(verified.counted(&counting))
}

impl Verified {
    /// Fills in what was requested and received.
    fn counted(mut self, counting: &Counting) -> Self {
        let (counts, timeline, stats) = (counting.counts(), counting.timeline(), &mut self.report.stats);
        stats.requests = counts.requests;
        stats.reads = counts.reads;
        stats.retries = counts.retries;
        stats.received_bytes = counts.received;
        stats.periods = timeline.rates();
        stats.period_seconds = Some(timeline.period().as_secs_f64());
        self
    }
}

async fn verify_found(
    session: &Session,
    request: &VerifyOptions,
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
    ending.archived = archived(&found.facts);
    if let Some(state) = ending.archived.clone() {
        let archived = |reference: Reference| unknown(reference.check, Reason::Archived { state: state.clone() });
        findings.extend(references.into_iter().map(archived));
    } else if references.is_empty() && request.reads_nothing_else() {
        if found.facts.size > 0 {
            found.notes.push(VerifyNote::NothingToCompare.into());
        }
    } else {
        let mut run = VerifyRun::new(session, request, cancel, &mut found);
        findings.extend(run.run(references).await?);
        ending.stopped = run.stopped.take();
        ending.coverage = run.coverage();
        ending.read = run.read_ranges();
        ending.one_range = run.was_one_range();
        ending.probed = run.take_probed();
        ending.decoded = run.decoded.take();
        ending.digests = run.digests.take();
        ending.etag_parts = run.etag_parts.take();
    }
    let over = ending.stopped == Some(Stop::Spent(Spent::Time));
    if over && ending.coverage.is_some_and(|coverage| coverage.bytes == 0) {
        found.notes.push(VerifyNote::NoRangeInTime.into());
    }
    if ending.coverage.is_some() && !is_one_moment(session, &found, &ending) {
        ending.moved = moved(session, request, &mut found, &ending).await;
    }
    found.notes.extend(session.notes().into_iter().map(Note::Source));
    Ok(assemble::assemble(session, request, found, findings, ending))
}

/// The archive state, if the object must be restored from an archive tier before it can be read.
pub(super) fn archived(facts: &ObjectFacts) -> Option<String> {
    let restore = facts.restore.as_ref().and_then(|restore| restore.as_ref().ok());
    match readability(facts.storage_class.as_deref(), facts.archive_status.as_deref(), restore) {
        Readability::Archived(state) => Some(state),
        Readability::Now | Readability::Until(_) => None,
    }
}

/// Whether the object was read at one moment: quickly, as one range, and every response stated the strong ETag that HEAD
/// stated. A HEAD after such a read cannot show more than the response itself.
fn is_one_moment(session: &Session, found: &Discovery, ending: &ReadOutcome) -> bool {
    let took = session.context().clock.monotonic().duration_since(ending.started);
    ending.one_range
        && ending.stopped.is_none()
        && took < MOMENT
        && found.facts.id.etag.as_ref().is_some_and(ETag::is_strong)
        && session.reads_are_pinned()
}

/// Checks after the read whether the object is still the one that was discovered. `If-Match` pins reads only to a
/// strong ETag, and a read cannot detect a replacement or deletion after its last byte.
async fn moved(
    session: &Session,
    request: &VerifyOptions,
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

/// Checks after another read of the object than that of a verification whether it is still the one that was discovered.
pub(super) async fn changed_meanwhile(
    session: &Session,
    found: &mut Discovery,
    stopped: Option<&Stop>,
) -> Option<Reason> {
    After::ask(session, found).await.speaks_against(&found.facts, stopped)
}

fn unknown(check: CheckId, reason: Reason) -> Finding {
    Finding { check, required: false, outcome: Outcome::Unknown(reason) }
}
