//! `compare`: whether two objects are the same, by what is stated about them or by their bytes.

mod first_byte;
mod read;
mod report;

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::discover::ask_every_part;
use super::{Discovery, verify};
use crate::copy::{CompareCheck, CompareFinding, LayoutNeed, Likeness, StatedObject, compare_stated, likeness_of};
use crate::facts::Fact;
use crate::plan::{Budget, PlanTooLarge};
use crate::progress::Counting;
use crate::report::{CompareBasis, CompareReport, DiscoveryNote};
use crate::source::{Session, SourceError};

/// How to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompareRequest {
    /// Read every byte of both.
    pub read: bool,
    /// Limits of each of the two reads.
    pub budget: Budget,
}

/// One of the two objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparedEnd {
    /// The first one.
    A,
    /// The second one.
    B,
}

/// Why two objects could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// An object cannot be described.
    #[error("{error}")]
    Source {
        /// Which one.
        end: ComparedEnd,
        /// The failed request.
        error: SourceError,
    },
    /// The digests do not fit into the memory.
    #[error(transparent)]
    Memory(#[from] PlanTooLarge),
}

/// One object with what is known of it.
struct End {
    session: Session,
    counting: Arc<Counting>,
    found: Discovery,
    /// The parts were asked for.
    is_cut: bool,
}

impl End {
    async fn describe(end: ComparedEnd, session: &Session) -> Result<Self, CompareError> {
        let (session, counting) = session.counted();
        let facts = session.head().await.map_err(|error| CompareError::Source { end, error })?;
        // A file has no parts, and nothing more can be asked.
        let is_cut = matches!(facts.checksums, Fact::NotApplicable);
        let found = match is_cut {
            true => Discovery::from_head(&session, facts).await,
            false => Discovery::without_layout(&session, facts).await,
        };
        Ok(End { session, counting, found, is_cut })
    }

    fn stated(&self) -> StatedObject<'_> {
        StatedObject { facts: &self.found.facts, layout: self.is_cut.then_some(&self.found.layout) }
    }

    /// Asks for the parts, as far as one request tells.
    async fn ask_layout(&mut self) {
        if !self.is_cut {
            let found = Discovery::from_head(&self.session, self.found.facts.clone()).await;
            let notes = std::mem::replace(&mut self.found, found).notes;
            self.found.notes.splice(..0, notes);
            self.is_cut = true;
        }
    }

    /// Asks for the size of every part.
    async fn prove_layout(&mut self) {
        let Some(parts) = self.found.layout.parts_count.filter(|_| self.found.layout.proved_layout().is_none()) else {
            return;
        };
        match ask_every_part(&self.session, &self.found.facts, parts).await {
            Ok(layout) => self.found.layout = layout,
            Err(why) => self.found.notes.push(DiscoveryNote::PartListUnusable { why }.into()),
        }
    }
}

/// Compares two objects. Reads nothing if their sizes differ, or unless that is asked for.
///
/// # Errors
///
/// An object cannot be described, or the digests of a read do not fit into the memory.
pub async fn compare(
    a: &Session,
    b: &Session,
    request: &CompareRequest,
    cancel: &CancellationToken,
) -> Result<CompareReport, CompareError> {
    let started = a.context().clock.monotonic();
    let (a, b) = tokio::join!(End::describe(ComparedEnd::A, a), End::describe(ComparedEnd::B, b));
    let mut run = CompareRun { a: a?, b: b?, request: *request, started };
    let stated = run.compare_stated().await;
    run.finish(stated, cancel).await
}

/// One comparison.
struct CompareRun {
    a: End,
    b: End,
    request: CompareRequest,
    started: Instant,
}

impl CompareRun {
    /// Compares what is stated. Asks for parts only if the ETags can then decide what is open otherwise.
    async fn compare_stated(&mut self) -> Vec<CompareFinding> {
        let mut asked = LayoutNeed::Nothing;
        loop {
            let stated = compare_stated(self.a.stated(), self.b.stated());
            if likeness_of(&stated.findings) != Likeness::Unknown || stated.need <= asked || self.request.read {
                return stated.findings;
            }
            asked = stated.need;
            match stated.need {
                LayoutNeed::Nothing => {}
                LayoutNeed::Layout => drop(tokio::join!(self.a.ask_layout(), self.b.ask_layout())),
                LayoutNeed::EveryPart => drop(tokio::join!(self.a.prove_layout(), self.b.prove_layout())),
            }
        }
    }

    /// Reads both if that is asked for and can still show something, and makes the report.
    async fn finish(
        mut self,
        mut findings: Vec<CompareFinding>,
        cancel: &CancellationToken,
    ) -> Result<CompareReport, CompareError> {
        let size = self.a.found.facts.size;
        let is_decided = size == 0 || size != self.b.found.facts.size;
        let mut read = read::Read::default();
        if self.request.read && !is_decided {
            read = match self.archived() {
                Some(why) => read::Read::open(why),
                None => read::read(&mut self, cancel).await?,
            };
            findings.push(CompareFinding {
                check: CompareCheck::Bytes,
                likeness: read.likeness,
                text: read.text.clone(),
            });
        }
        if read.difference.is_some() {
            tokio::join!(self.a.ask_layout(), self.b.ask_layout());
        }
        let basis = if read.is_whole { CompareBasis::Read } else { CompareBasis::Stated };
        Ok(report::report(&self, &findings, basis, read))
    }

    /// Why nothing can be read: an object is archived.
    fn archived(&self) -> Option<String> {
        let state =
            |end: &End, name: &str| verify::archived(&end.found).map(|state| format!("{name} is archived: {state}"));
        let states: Vec<String> = [state(&self.a, "A"), state(&self.b, "B")].into_iter().flatten().collect();
        (!states.is_empty()).then(|| states.join("; "))
    }
}
