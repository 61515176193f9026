//! `verify`: reads every byte once and holds it against every reference there is.

mod assemble;
mod keeper;
mod mismatch;
mod parts;
mod pass;
mod references;
mod request;
mod stream;

use tokio_util::sync::CancellationToken;

pub use request::{Expected, ParseExpectedError, VerifyRequest};

use super::discover;
use crate::facts::{Fact, Readability, readability};
use crate::manifest::Manifest;
use crate::plan::Reference;
use crate::report::VerifyReport;
use crate::source::{Session, SourceError};
use crate::verdict::{CheckId, Finding, Outcome, Reason};
use assemble::Ending;
use pass::Pass;

/// What a `verify` gives: the report, and a manifest where one was wanted and may be written.
#[derive(Debug)]
pub struct Verified {
    pub report: VerifyReport,
    pub manifest: Option<Manifest>,
    /// Nothing is left that another run could go on with.
    pub finished: bool,
}

/// Why a `verify` could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{0}")]
    Request(String),
}

/// Verifies one object or file.
pub async fn verify(
    session: &Session,
    request: &VerifyRequest,
    cancel: &CancellationToken,
) -> Result<Verified, VerifyError> {
    let started = session.context().clock.monotonic();
    let mut found = discover(session).await?;
    let collected = references::collect(session, request, &mut found).await?;
    let mut findings = collected.unusable;
    let (references, unused): (Vec<Reference>, Vec<Reference>) =
        collected.references.into_iter().partition(|reference| request.uses(reference.check));
    findings.extend(unused.into_iter().map(|reference| unknown(reference.check, Reason::NotUsed)));

    let restore = found.facts.restore.as_ref().and_then(|restore| restore.as_ref().ok());
    let class = found.facts.storage_class.as_deref();
    let archived = match readability(class, found.facts.archive_status.as_deref(), restore) {
        Readability::Archived(state) => Some(state),
        Readability::Now | Readability::Until(_) => None,
    };
    let mut ending = Ending { archived, ..Ending::at(started) };
    if let Some(state) = ending.archived.clone() {
        let archived = |reference: Reference| unknown(reference.check, Reason::Archived { state: state.clone() });
        findings.extend(references.into_iter().map(archived));
    } else if references.is_empty() && request.reads_nothing_else() {
        if found.facts.size > 0 {
            found.notes.push("nothing was read: there is nothing to hold the bytes against".to_owned());
        }
    } else {
        let mut pass = Pass::new(session, request, cancel, &mut found);
        findings.extend(pass.run(references).await?);
        ending.stopped = pass.stopped.take();
        ending.coverage = pass.coverage();
        ending.read = pass.read_ranges();
        ending.probed = pass.take_probed();
        ending.decoded = pass.decoded.take();
        ending.digests = pass.digests.take();
    }
    let moved = match ending.coverage {
        Some(_) => moved_since(session, &mut found).await,
        None => None,
    };
    Ok(assemble::assemble(session, request, found, findings, ending, moved))
}

fn unknown(check: CheckId, reason: Reason) -> Finding {
    Finding { check, required: false, outcome: Outcome::Unknown(reason) }
}

/// Whether the object is still the one that was discovered; a note where a pinned version is no
/// longer the current one.
async fn moved_since(session: &Session, found: &mut super::Discovery) -> Option<Reason> {
    let then = &found.facts;
    let pinned = then.version.as_deref().is_some_and(|version| version != "null");
    let now = match session.head().await {
        Ok(now) => now,
        Err(error) if error.kind == crate::source::ErrorKind::NotFound && pinned => {
            found.notes.push(format!("the version verified is no longer the current one: {}", error.explain()));
            return None;
        }
        Err(error) if error.kind == crate::source::ErrorKind::NotFound => {
            return Some(Reason::Changed { detail: format!("it is gone: {}", error.explain()) });
        }
        // A local file whose size is another now.
        Err(error) if error.kind == crate::source::ErrorKind::Io => {
            return Some(Reason::ReadFailed { detail: error.explain() });
        }
        Err(error) => {
            found.notes.push(format!("whether the object is still the same could not be asked: {}", error.explain()));
            return None;
        }
    };
    let same = now.id.etag == then.id.etag && now.size == then.size && now.version == then.version;
    let same_time = then.id.etag.is_some() || now.last_modified == then.last_modified;
    if same && same_time {
        return None;
    }
    if pinned && !matches!(then.checksums, Fact::NotApplicable) {
        let name = now.version.unwrap_or_default();
        found.notes.push(format!(
            "a newer version ({name}) has been written meanwhile; the one verified is no longer current, and a restore would read the newer one"
        ));
        return None;
    }
    let show = |etag: &Option<crate::ident::ETag>| etag.as_ref().map_or("none".to_owned(), ToString::to_string);
    let detail =
        format!("ETag {} of {} bytes became {} of {}", show(&then.id.etag), then.size, show(&now.id.etag), now.size);
    Some(Reason::Changed { detail })
}
