//! `thaw`: makes a readable copy of an archived object, or reports the state of one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::follow::Follow;
use crate::checks::thaw::{
    ArchiveState, ArchiveTier, ThawCheck, ThawFinding, ThawRequest, ThawTimes, archive_state, judge_thaw,
};
use crate::price::{Amount, CostLine, PriceTable, thaw_cost};
use crate::progress::{Call, Counting, TaskProgress};
use crate::report::{
    CostLineReport, CostNote, Exit, IdentityReport, Note, TaskKind, ThawOutcome, ThawReport, ThawState,
};
use crate::source::{ArchiveAnswer, ArchiveService, ErrorKind, RestoreFromArchive, Session, SourceError};
use crate::sync::lock;
use crate::verdict::Verdict;

/// What to ask for, and by which prices.
#[derive(Debug, Clone)]
pub struct ThawOptions {
    /// Tier, days and rates.
    pub request: ThawRequest,
    /// The list prices.
    pub table: PriceTable,
    /// Region of the object; `None` if it is not known.
    pub region: Option<String>,
}

/// One object on its way out of an archive.
pub struct Thaw {
    session: Session,
    archive: Arc<dyn ArchiveService>,
    counting: Arc<Counting>,
    started: Instant,
    report: ThawReport,
    ask: Option<RestoreFromArchive>,
    is_interrupted: bool,
}

impl Thaw {
    /// Looks at the object, and plans what to ask for.
    ///
    /// # Errors
    ///
    /// The object cannot be described.
    pub async fn prepare(
        session: &Session,
        archive: Arc<dyn ArchiveService>,
        options: &ThawOptions,
    ) -> Result<Self, SourceError> {
        let (session, counting) = session.counted();
        let started = session.context().clock.monotonic();
        let facts = session.head().await?;
        let state = archive_state(&facts);
        let now = session.context().clock.now();
        let (findings, days) = judge_thaw(&state, facts.size, &options.request, now);
        let mut report = ThawReport {
            target: session.target().to_string(),
            outcome: ThawOutcome::Reported,
            state: ThawState::Unknown,
            identity: IdentityReport::from(&facts),
            storage_class: facts.storage_class.clone(),
            archive_status: facts.archive_status.clone(),
            readable_until: None,
            tier: None,
            days: None,
            needed_days: None,
            tier_seconds: None,
            verify_seconds: None,
            restore_seconds: None,
            price_region: options.table.region.clone(),
            costs: Vec::new(),
            findings: Vec::new(),
            notes: session.notes().into_iter().map(Note::Source).collect(),
            requests: 0,
            elapsed_seconds: 0.0,
            exit_code: Exit::Unknown,
            goes_on: false,
        };
        report.saw(&state);
        report.add(&findings);
        let ask = plan(&state, options, days);
        if let Some((archive, ask)) = ask {
            let times = ThawTimes::of(archive, facts.size, &options.request);
            report.plan(ask.tier, ask.days, times);
            report.needed_days = times.filter(|_| !archive.is_tiering()).map(|times| times.days());
            let lines = thaw_cost(archive.class(), ask.tier, ask.days, facts.size, &options.table);
            report.costs = lines.iter().map(CostLineReport::from).collect();
            report.add(&[price(&lines, options)]);
            report.notes.extend(other_region(options).map(Note::from));
        }
        report.outcome = match (ask.is_some(), report.verdict()) {
            (_, Verdict::Fail) => ThawOutcome::Refused,
            (true, Verdict::Pass) => ThawOutcome::Planned,
            _ => ThawOutcome::Reported,
        };
        let ask = ask.map(|(_, ask)| ask).filter(|_| report.outcome == ThawOutcome::Planned);
        Ok(Thaw { session, archive, counting, started, report, ask, is_interrupted: false })
    }

    /// Whether there is something to ask for, and every condition is met.
    pub fn is_ready(&self) -> bool {
        self.ask.is_some()
    }

    /// Whether a copy is being made.
    pub fn is_restoring(&self) -> bool {
        self.report.state == ThawState::Restoring
    }

    /// Asks for the copy. After a signal a failed request is not repeated.
    ///
    /// # Errors
    ///
    /// The server refuses the request, or a signal came before it could be repeated: [`ErrorKind::Interrupted`] if the
    /// server certainly did not accept it, otherwise [`ErrorKind::OutcomeUnknown`].
    pub async fn request(&mut self, cancel: &CancellationToken) -> Result<(), SourceError> {
        let Some(ask) = self.ask.take() else { return Ok(()) };
        let attempts = AtomicU32::new(0);
        let last = Mutex::new(None);
        let send = || async {
            if let (true, Some(error)) = (cancel.is_cancelled(), lock(&last).take()) {
                return Err(not_repeated(error));
            }
            attempts.fetch_add(1, Ordering::Relaxed);
            let answer = self.archive.restore(ask).await;
            *lock(&last) = answer.as_ref().err().cloned();
            answer
        };
        let answer = self.session.context().retry(Call::Write, send).await?;
        let is_first = attempts.load(Ordering::Relaxed) <= 1;
        let (outcome, state, finding) = match answer {
            ArchiveAnswer::Accepted => (
                ThawOutcome::Requested,
                ThawState::Restoring,
                ThawFinding::pass(ThawCheck::Request, "S3 accepted the request (202)"),
            ),
            ArchiveAnswer::Extended => {
                let text = "S3 changed how long the copy stays (200)";
                (ThawOutcome::Requested, ThawState::Restored, ThawFinding::pass(ThawCheck::Request, text))
            }
            ArchiveAnswer::InProgress if is_first => {
                let text = "a restore from the archive was begun by somebody else; its tier and days may be others";
                (ThawOutcome::Reported, ThawState::Restoring, ThawFinding::open(ThawCheck::Request, text))
            }
            ArchiveAnswer::InProgress => {
                let text = "the answer to an earlier attempt was lost, and a restore from the archive is in progress";
                (ThawOutcome::Requested, ThawState::Restoring, ThawFinding::pass(ThawCheck::Request, text))
            }
            ArchiveAnswer::NotArchived => {
                let text = "S3 says that the object is not archived any more";
                (ThawOutcome::Reported, ThawState::NotArchived, ThawFinding::pass(ThawCheck::Request, text))
            }
        };
        (self.report.outcome, self.report.state) = (outcome, state);
        self.report.add(&[finding]);
        if state == ThawState::Restored {
            self.look().await?;
        }
        Ok(())
    }

    /// Waits until the object can be read. Ends early if it is cancelled.
    ///
    /// # Errors
    ///
    /// The object cannot be described any more.
    pub async fn follow(&mut self, cancel: &CancellationToken) -> Result<(), SourceError> {
        let context = self.session.context().clone();
        let mut follow = Follow::new(&context, cancel);
        while self.is_restoring() {
            follow.tell(TaskProgress {
                kind: TaskKind::Thaw,
                image: self.report.target.clone(),
                state: self.report.state.to_string(),
                percent: None,
                elapsed: follow.elapsed(),
                left: None,
                detail: String::new(),
            });
            if !follow.wait().await {
                self.is_interrupted = true;
                return Ok(());
            }
            self.look().await?;
        }
        match self.report.state {
            ThawState::Archived => {
                let text = "the restore from the archive is not in progress any more, and there is no copy";
                Err(SourceError::new(ErrorKind::Ambiguous, &self.report.target, text))
            }
            _ => Ok(()),
        }
    }

    /// Takes over the state that HEAD shows.
    async fn look(&mut self) -> Result<(), SourceError> {
        let state = archive_state(&self.session.head_again().await?);
        self.report.saw(&state);
        self.report.findings.retain(|finding| finding.check != ThawCheck::State);
        let text = match &state {
            ArchiveState::Restored(archive, Some(end)) => format!("{archive}: a copy can be read until {end}"),
            ArchiveState::Restored(archive, None) => format!("{archive}: a copy can be read"),
            ArchiveState::Readable => "it can be read now".to_owned(),
            ArchiveState::Restoring(archive) => format!("{archive}: a restore from the archive is in progress"),
            ArchiveState::Archived(archive) => format!("archived: {archive}"),
            ArchiveState::Unclear(why) => {
                self.report.add(&[ThawFinding::open(ThawCheck::State, why)]);
                return Ok(());
            }
        };
        self.report.add(&[ThawFinding::pass(ThawCheck::State, text)]);
        Ok(())
    }

    /// The report so far.
    pub fn report(&self) -> ThawReport {
        let context = self.session.context();
        let elapsed = context.clock.monotonic().duration_since(self.started);
        ThawReport {
            requests: self.counting.counts().requests,
            elapsed_seconds: elapsed.as_secs_f64(),
            exit_code: if self.is_interrupted { Exit::Interrupted } else { Exit::from(self.report.verdict()) },
            ..self.report.clone()
        }
    }
}

/// The error of a request that is not repeated because of a signal.
fn not_repeated(error: SourceError) -> SourceError {
    let (kind, so) = match error.may_be_done() {
        true => (
            ErrorKind::OutcomeUnknown,
            "whether S3 accepted it is not known: run the same command again to see the state",
        ),
        false => (ErrorKind::Interrupted, "S3 did not accept it"),
    };
    let detail = format!("{}; a signal ended the run before the request was repeated, and {so}", error.detail);
    SourceError { kind, detail, ..error }
}

/// What to ask for in this state, and of which archive.
fn plan(state: &ArchiveState, options: &ThawOptions, days: Option<u32>) -> Option<(ArchiveTier, RestoreFromArchive)> {
    let tier = Some(options.request.tier);
    match state {
        ArchiveState::Archived(archive) => Some((*archive, RestoreFromArchive { tier, days })),
        ArchiveState::Restored(archive, _) => Some((*archive, RestoreFromArchive { tier: None, days: Some(days?) })),
        ArchiveState::Readable | ArchiveState::Restoring(_) | ArchiveState::Unclear(_) => None,
    }
}

fn other_region(options: &ThawOptions) -> Option<CostNote> {
    let elsewhere = options.region.as_ref().filter(|region| **region != options.table.region)?;
    Some(CostNote::OtherRegion { region: elsewhere.clone(), prices_of: options.table.region.clone() })
}

/// The cost in one finding. A price that is not known is named, and prevents nothing.
fn price(lines: &[CostLine], options: &ThawOptions) -> ThawFinding {
    let unknown: Vec<&str> = lines.iter().filter_map(|line| line.amount.as_ref().err().map(String::as_str)).collect();
    let sum = |of: fn(&Amount) -> Option<f64>| {
        let amounts = lines.iter().filter_map(|line| line.amount.as_ref().ok());
        amounts.map(of).try_fold(0.0, |sum, amount| amount.map(|amount| sum + amount))
    };
    let total = Amount { least: sum(|amount| amount.least), most: sum(|amount| amount.most) };
    let text = format!("{} by {}, {}", total.describe(), options.table.name, options.table.region);
    match (unknown.as_slice(), other_region(options)) {
        ([], None) => ThawFinding::pass(ThawCheck::Price, text),
        ([], Some(_)) => ThawFinding::aside(ThawCheck::Price, format!("{text}, and the object is in another Region")),
        (unknown, _) => ThawFinding::aside(ThawCheck::Price, format!("{text}, besides: {}", unknown.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::checks::thaw::ReadingRate;
    use crate::clock::TestClock;
    use crate::ident::{ObjectUri, Target};
    use crate::price::RetrievalTier;
    use crate::source::Context;
    use crate::source::memory::{MemoryObject, MemorySource};

    /// A server that fails the first request, while a signal arrives.
    struct Failing {
        uri: ObjectUri,
        kind: ErrorKind,
        cancel: CancellationToken,
        is_signalled: bool,
        asked: AtomicU32,
    }

    #[async_trait]
    impl ArchiveService for Failing {
        fn uri(&self) -> &ObjectUri {
            &self.uri
        }

        async fn restore(&self, _: RestoreFromArchive) -> Result<ArchiveAnswer, SourceError> {
            if self.asked.fetch_add(1, Ordering::Relaxed) > 0 {
                return Ok(ArchiveAnswer::Accepted);
            }
            if self.is_signalled {
                self.cancel.cancel();
            }
            Err(SourceError::new(self.kind.clone(), &self.uri, "no answer"))
        }
    }

    #[tokio::test]
    async fn after_a_signal_a_failed_request_is_not_repeated() {
        for (kind, is_signalled, ends_with, asked) in [
            (ErrorKind::Transient, false, None, 2),
            (ErrorKind::Throttled, false, None, 2),
            (ErrorKind::Transient, true, Some(ErrorKind::OutcomeUnknown), 1),
            (ErrorKind::Throttled, true, Some(ErrorKind::Interrupted), 1),
        ] {
            let cancel = CancellationToken::new();
            let uri: ObjectUri = "s3://b/ami-1.bin".parse().unwrap();
            let mut object = MemoryObject::plain(Target::Object(uri.clone()), vec![1_u8; 10]);
            object.facts.storage_class = Some("GLACIER".to_owned());
            let context = Context { clock: Arc::new(TestClock::default()), ..Context::default() };
            let session = Session::new(Arc::new(MemorySource::new(object)), context);
            let (asked_for, signal) = (AtomicU32::new(0), cancel.clone());
            let server = Arc::new(Failing { uri, kind: kind.clone(), cancel: signal, is_signalled, asked: asked_for });
            let options = ThawOptions {
                request: ThawRequest { tier: RetrievalTier::Bulk, days: Some(3), rate: ReadingRate::Assumed },
                table: PriceTable::built_in(),
                region: None,
            };
            let mut thaw = Thaw::prepare(&session, Arc::clone(&server) as Arc<_>, &options).await.unwrap();
            assert!(thaw.is_ready());
            let ended = thaw.request(&cancel).await.err().map(|error| error.kind);
            assert_eq!((ended, server.asked.load(Ordering::Relaxed)), (ends_with, asked), "{kind:?} {is_signalled}");
        }
    }
}
