use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::{self, FusedStream, Stream};
use tokio_util::sync::CancellationToken;

use super::list::{Candidate, Listed, candidates};
use super::look::{Look, Looked};
use super::object::AuditedObject;
use super::progress::AuditProgress;
use super::runs::HugeObject;
use super::store::AuditStore;
use super::summary::{AuditSummary, Observed};
use super::tally::{ListingTally, admit};
use super::{AuditRequest, AuditServices, Scope, bucket};
use crate::audit::{Entry, History};
use crate::clock::Clock;
use crate::ident::ObjectUri;
use crate::ledger::{Head, LedgerError, QueuePosition, SharedLedger};
use crate::report::{AuditNote, AuditReport, AuditedRunReport, Exit, Report};
use crate::sync::lock;

/// Maximum number of ledger entries per append, and how long the first waits for others. Batching matters because each
/// append waits for the disk.
const TOGETHER: usize = 1024;
const WAIT: Duration = Duration::from_millis(250);
/// How long running examinations may take to finish after a signal.
const GRACE: Duration = Duration::from_secs(5);

/// The audit could not start because the ledger cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the ledger {0}")]
pub struct AuditError(#[from] LedgerError);

/// Runs an audit. Passes each report to `emit` as soon as it is complete, and returns the summary.
///
/// # Errors
///
/// The ledger cannot be read.
pub async fn audit(
    services: &AuditServices,
    request: &AuditRequest,
    ledger: Option<SharedLedger>,
    cancel: &CancellationToken,
    emit: impl FnMut(Report),
) -> Result<AuditReport, AuditError> {
    let clock = Arc::clone(&services.context.clock);
    let started = clock.monotonic();
    let before = services.counts();
    let (store, head) = AuditStore::open(ledger.clone(), &request.chosen).await?;
    let tally = Mutex::new(ListingTally::new(request, clock.now().to_string(), head));
    let look = Look::new(services, request, cancel);
    let (sum, progress) =
        (AuditSummary::new(request), Arc::new(AuditProgress::new(Arc::clone(&services.context.monitor), request)));
    let end = End { exit: Exit::Passed, cut_off: false, problems: Vec::new(), unlisted: None };
    let mut work = Work { look: &look, store, ledger, head, sum, end, progress, emit };
    work.buckets().await;
    let complete = work.listed(&tally).await;
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    work.end.exit = work.end.exit.and(tally.exit);
    let unfinished = !complete && !cancel.is_cancelled() && !work.end.cut_off;
    if unfinished {
        tally.report.problems.push("--max-time ended the listing before it was complete".to_owned());
        work.end.exit = work.end.exit.and(Exit::CouldNot);
    }
    if !work.end.cut_off {
        let huge = std::mem::take(&mut tally.huge);
        tally.report.runs = work.runs(huge).await;
    }
    work.interrupt();
    if work.end.cut_off {
        let left = tally.own.saturating_sub(work.sum.objects());
        tally.report.cut_off += left;
        tally.report.notes.push(AuditNote::NotReached { left, of: tally.own });
    }
    let mut listed = matches!(request.chosen, Scope::Listed(_)) && !work.end.cut_off && !unfinished && !tally.is_broken;
    if listed {
        work.unlisted(&mut tally).await;
        listed = work.end.unlisted.is_none();
    }
    let all_seen =
        listed && !work.end.cut_off && tally.failed.is_empty() && !request.is_share() && !work.sum.has_left();
    if complete && tally.report.problems.is_empty() {
        work.create_ledger(request).await;
    }
    let mut report = work.report(tally, all_seen).await;
    let counts = services.counts();
    report.requests = counts.requests - before.requests;
    report.received_bytes = counts.received - before.received;
    report.elapsed_seconds = clock.monotonic().duration_since(started).as_secs_f64();
    Ok(report)
}

/// The state of the run, apart from its objects.
struct End {
    exit: Exit,
    /// No new work is started, because results cannot be recorded or the run was interrupted.
    cut_off: bool,
    problems: Vec<String>,
    /// The first object that exists, but that the listing does not contain, and the number of such objects.
    unlisted: Option<(String, u64)>,
}

/// A run from its first request to its last.
struct Work<'a, E> {
    look: &'a Look<'a>,
    store: AuditStore,
    ledger: Option<SharedLedger>,
    head: Option<Head>,
    sum: AuditSummary,
    end: End,
    progress: Arc<AuditProgress>,
    emit: E,
}

impl<E: FnMut(Report)> Work<'_, E> {
    async fn buckets(&mut self) {
        for name in self.look.request.chosen.buckets() {
            let looked = bucket::bucket(self.look.services, self.look.request, &name);
            let report = tokio::select! {
                biased;
                () = self.look.cancel.cancelled() => return,
                report = looked => report,
            };
            if let Some(report) = report {
                self.end.exit = self.end.exit.and(report.exit_code);
                (self.emit)(Report::AuditedBucket(report));
            }
        }
    }

    /// Examines the listed or named objects. Returns whether the listing was completed.
    async fn listed(&mut self, tally: &Mutex<ListingTally>) -> bool {
        let look = self.look;
        let (request, clock) = (look.request, &look.services.context.clock);
        let ended = AtomicBool::new(false);
        let progress = Arc::clone(&self.progress);
        let end = stream::once(async {
            ended.store(true, Ordering::Relaxed);
            progress.listing_complete();
        });
        let pages = candidates(look.services, &request.chosen).chain(end.filter_map(|()| async { None }));
        let store = self.store.clone();
        let turns = pages.then(|listed| {
            let (store, progress) = (&store, &progress);
            async move {
                let is_last = matches!(listed, Listed::Page { is_last: true, .. });
                let own = admit(store, request, tally, listed).await;
                let (listed, count, bytes) = lock(tally).counts();
                progress.listed(listed, count, bytes);
                if is_last {
                    progress.listing_complete();
                }
                own
            }
        });
        // With a limit, examine the objects first that were examined longest ago, so that repeated runs reach all of
        // them. Without one, examine objects while the listing continues.
        let turns = if request.due.ends() {
            let over = stop(&**clock, request.due.until, look.cancel);
            let queue = async {
                let mut turns = std::pin::pin!(turns.take_until(over));
                while let Some(page) = turns.next().await {
                    let turn = |candidate: &Candidate| {
                        candidate.history.as_ref().map_or("", |history| history.turn(request.level)).to_owned()
                    };
                    store.queue(page.into_iter().map(|candidate| (turn(&candidate), candidate)).collect()).await?;
                }
                store.sort_queue().await
            };
            if let Err(error) = queue.await {
                lock(tally).fail(&error);
            }
            let pages = stream::unfold(QueuePosition::default(), |mut at| async {
                let page = store.queued(&mut at).await.unwrap_or_else(|error| {
                    lock(tally).fail(&error);
                    Vec::new()
                });
                (!page.is_empty()).then_some((stream::iter(page), at))
            });
            pages.flatten().left_stream()
        } else {
            turns.flat_map(stream::iter).right_stream()
        };
        self.take(turns.map(|candidate| look.at(candidate))).await;
        ended.load(Ordering::Relaxed)
    }

    /// Reads the runs of huge objects that are this shard's. Returns their number.
    async fn runs(&mut self, huge: Vec<Candidate>) -> u64 {
        let Some(share) = self.look.request.shard else { return 0 };
        let mut count = 0;
        let huge = match self.store.with_histories(huge).await {
            Ok(huge) => huge,
            Err(error) => {
                self.end.problems.push(format!("the ledger {error}"));
                self.end.exit = self.end.exit.and(Exit::CouldNot);
                return 0;
            }
        };
        for candidate in huge {
            let object = match HugeObject::open(self.look, candidate).await {
                Ok(Some(object)) => object,
                Ok(None) => continue,
                Err(report) => {
                    count += 1;
                    self.run(*report);
                    continue;
                }
            };
            object.announce();
            let runs = object.runs_of(share);
            self.progress.runs(runs.len() as u64, runs.iter().map(|run| run.range.len()).sum());
            let reads = stream::iter(runs).map(|run| object.read(run));
            // Reads end when the run is cancelled.
            let mut reads = reads.buffer_unordered(self.look.request.objects_at_once.max(1));
            while let Some(report) = reads.next().await {
                count += 1;
                self.progress.run_finished(report.length_bytes, report.received_bytes);
                self.run(report);
            }
        }
        count
    }

    /// Emits the line of a run.
    fn run(&mut self, report: AuditedRunReport) {
        self.end.exit = self.end.exit.and(report.exit_code);
        (self.emit)(Report::AuditedRun(Box::new(report)));
    }

    /// Examines the objects of the ledger that the listing does not contain.
    async fn unlisted(&mut self, tally: &mut ListingTally) {
        let (look, store) = (self.look, self.store.clone());
        let (failed, broken) = (std::mem::take(&mut tally.failed), Mutex::new(None));
        // Histories of objects that were never examined are empty.
        let is_due = |(target, history): (String, History)| {
            let due = !history.is_empty() && look.request.takes(&target, &failed);
            due.then(|| Some((target.parse::<ObjectUri>().ok()?, history))).flatten()
        };
        let pages = || {
            stream::unfold(String::new(), |after| async {
                let page = store.unlisted(after).await.unwrap_or_else(|error| {
                    *lock(&broken) = Some(error);
                    Vec::new()
                });
                let last = page.last().map(|(target, _)| target.clone())?;
                Some((page, last))
            })
        };
        let count = pages().fold(0, |count, page| {
            let due = page.into_iter().filter_map(is_due).count() as u64;
            async move { count + due }
        });
        let (before, count) = (self.sum.objects(), count.await);
        self.progress.unlisted(count);
        let ask = |(uri, history)| look.absence(uri, history);
        self.take(pages().flat_map(|page| stream::iter(page.into_iter().filter_map(is_due))).map(ask)).await;
        tally.failed = failed;
        if let Some(error) = lock(&broken).take() {
            tally.fail(&error);
        }
        self.interrupt();
        if self.end.cut_off {
            let left = count.saturating_sub(self.sum.objects() - before);
            tally.report.cut_off += left;
            tally.report.notes.push(AuditNote::UnlistedNotReached { left, of: count });
        }
        if let Some((target, count)) = &self.end.unlisted {
            self.end.problems.push(format!(
                "the listing cannot be relied on: {count} objects that it lacks are there, such as {target}"
            ));
            self.end.exit = self.end.exit.and(Exit::CouldNot);
        }
    }

    /// Records and emits the results, until the last one, a signal, or a failed append.
    async fn take<F: Future<Output = Looked>>(&mut self, looks: impl Stream<Item = F>) {
        let Look { services, request, cancel, .. } = self.look;
        // An examination in progress may have seen a mismatch that must be recorded; its reads stop when cancelled.
        let grace = async {
            cancel.cancelled().await;
            services.context.clock.limit(GRACE).await;
        };
        let looks = looks.take_until(cancel.cancelled());
        let results = looks.buffer_unordered(request.objects_at_once.max(1)).take_until(grace);
        let mut results = std::pin::pin!(results.fuse());
        while let Some(mut together) = gather(&mut results, &*services.context.clock).await {
            together.retain(|looked| !looked.examined.is_cut_off());
            let examined = together.iter().map(|looked| &looked.examined);
            self.progress.finished(&together);
            let kept = keep(self.ledger.as_ref(), &mut self.head, examined).await;
            for Looked { done, examined, unlisted, .. } in together {
                if unlisted {
                    let first = || (examined.report.target.to_string(), 0);
                    self.end.unlisted.get_or_insert_with(first).1 += 1;
                }
                self.end.exit = self.end.exit.and(self.sum.add(done, examined, services, &mut self.emit));
            }
            let (contents, waiting) = self.sum.take_contents();
            let stored = self.store.add_contents(contents, waiting).await;
            if let Err(error) = kept.and(stored) {
                // Results that cannot be recorded would have to be produced again, so no new work is started.
                self.end.problems.push(format!("the ledger {error}"));
                self.end.exit = self.end.exit.and(Exit::CouldNot);
                self.end.cut_off = true;
                break;
            }
        }
    }

    /// Creates a ledger that got no entry, because the buckets that answered hold no stored AMI object.
    async fn create_ledger(&mut self, request: &AuditRequest) {
        let (Some(ledger), Scope::Listed(_)) = (&self.ledger, &request.chosen) else { return };
        if let Err(error) = ledger.create().await {
            self.end.problems.push(format!("the ledger {error}"));
            self.end.exit = self.end.exit.and(Exit::CouldNot);
        }
    }

    /// Records a signal.
    fn interrupt(&mut self) {
        if self.look.cancel.is_cancelled() {
            self.end.exit = self.end.exit.and(Exit::Interrupted);
            self.end.cut_off = true;
        }
    }

    /// Runs the checks across all objects and completes the summary.
    async fn report(mut self, tally: ListingTally, all_seen: bool) -> AuditReport {
        let Look { services, request, .. } = self.look;
        let ListingTally { mut report, digest, unanswered, .. } = tally;
        match self.sum.release(&self.store, all_seen, &mut self.emit).await {
            Ok(exit) => self.end.exit = self.end.exit.and(exit),
            Err(error) => {
                self.end.problems.push(format!("objects could not be compared with each other: {error}"));
                self.end.exit = self.end.exit.and(Exit::CouldNot);
                self.end.cut_off = true;
            }
        }
        if !self.end.cut_off {
            let mut out = Observed { notes: &mut report.notes, emit: &mut self.emit, unanswered: &unanswered };
            let observed = tokio::select! {
                biased;
                () = self.look.cancel.cancelled() => None,
                observed = self.sum.observe(services, request, (&self.store, all_seen), &mut out) => Some(observed),
            };
            match observed {
                None => self.end.exit = self.end.exit.and(Exit::Interrupted),
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    self.end.problems.push(format!("objects could not be compared with each other: {error}"));
                    self.end.exit = self.end.exit.and(Exit::CouldNot);
                }
            }
        }
        self.sum.fill(&mut report);
        report.problems.append(&mut self.end.problems);
        report.listing_sha256 = digest.finish();
        if request.shard.is_some() && request.policy.object.other_region {
            let regions = request.chosen.buckets().into_iter();
            report.regions = regions
                .filter_map(|bucket| Some((services.archive.region(&bucket)?, bucket)))
                .map(|(region, bucket)| (bucket, region))
                .collect();
        }
        report.estimated_dollars = self.look.dollars();
        report.ledger_head = self.head.map(|head| head.to_string());
        report.exit_code = self.end.exit;
        report
    }
}

/// Completes when the run must stop: it was cancelled, or its time is over.
async fn stop(clock: &dyn Clock, until: Option<Instant>, cancel: &CancellationToken) {
    let over = async {
        match until {
            Some(until) => clock.sleep(until.saturating_duration_since(clock.monotonic())).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = over => {}
    }
}

/// The next results, as many as arrive within `WAIT`; `None` after the last.
async fn gather<T>(results: &mut (impl FusedStream<Item = T> + Unpin), clock: &dyn Clock) -> Option<Vec<T>> {
    let mut together = vec![results.next().await?];
    let mut late = clock.limit(WAIT);
    while together.len() < TOGETHER {
        tokio::select! {
            biased;
            next = results.next() => match next {
                Some(next) => together.push(next),
                None => break,
            },
            () = &mut late => break,
        }
    }
    Some(together)
}

/// Appends the ledger entries of these objects.
async fn keep<'a>(
    ledger: Option<&SharedLedger>,
    head: &mut Option<Head>,
    examined: impl Iterator<Item = &'a AuditedObject>,
) -> Result<(), LedgerError> {
    let Some(ledger) = ledger else { return Ok(()) };
    let entries: Vec<Entry> = examined.filter_map(|examined| examined.entry.clone()).collect();
    if !entries.is_empty() {
        *head = Some(ledger.append(entries).await?);
    }
    Ok(())
}
