//! `compare`: whether two objects are the same, by what is stated about them or by their bytes.

mod first_byte;
mod read;
mod report;

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::stated::{StatedEnd, by_option, compare_ends};
use super::verify;
use crate::copy::{CompareCheck, CompareFinding};
use crate::plan::{Budget, PlanTooLarge};
use crate::progress::Counting;
use crate::report::{CompareBasis, CompareReport};
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

impl StatedEnd {
    async fn describe(end: ComparedEnd, session: &Session) -> Result<Self, CompareError> {
        let (name, region) = match end {
            ComparedEnd::A => ("A", "--from-region"),
            ComparedEnd::B => ("B", "--to-region"),
        };
        let error = |error| CompareError::Source { end, error: by_option(error, region) };
        let facts = session.head().await.map_err(error)?;
        Ok(StatedEnd::of_head(name, session.clone(), facts).await)
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
    let ((a, of_a), (b, of_b)) = (a.counted(), b.counted());
    let (a, b) = tokio::join!(StatedEnd::describe(ComparedEnd::A, &a), StatedEnd::describe(ComparedEnd::B, &b));
    let mut run = CompareRun { a: a?, b: b?, counting: [of_a, of_b], request: *request, started };
    let stated = compare_ends(&mut run.a, &mut run.b, request.read).await;
    run.finish(stated, cancel).await
}

/// One comparison.
struct CompareRun {
    a: StatedEnd,
    b: StatedEnd,
    /// What was asked of both.
    counting: [Arc<Counting>; 2],
    request: CompareRequest,
    started: Instant,
}

impl CompareRun {
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
        let state = |end: &StatedEnd| {
            verify::archived(&end.found.facts).map(|state| format!("{} is archived: {state}", end.name))
        };
        let states: Vec<String> = [state(&self.a), state(&self.b)].into_iter().flatten().collect();
        (!states.is_empty()).then(|| states.join("; "))
    }
}
