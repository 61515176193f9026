use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::{self, FusedStream, Stream};
use tokio_util::sync::CancellationToken;

use super::list::{Candidate, Listed, ListingDigest, candidates};
use super::look::{Look, Looked, histories};
use super::object::AuditedObject;
use super::progress::AuditProgress;
use super::summary::{AuditSummary, Observed};
use super::{AuditRequest, AuditServices, Scope, bucket};
use crate::audit::{Entry, History};
use crate::clock::Clock;
use crate::ident::{ObjectUri, Prefix};
use crate::ledger::{Head, Ledger, LedgerError, SharedLedger};
use crate::report::{AuditNote, AuditReport, Exit, Report};
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

/// What the listing has returned so far.
struct ListingTally {
    report: AuditReport,
    digest: ListingDigest,
    there: BTreeSet<String>,
    /// Prefixes that could not be listed completely.
    failed: Vec<Prefix>,
    /// Number of objects in this run's partition.
    own: u64,
    /// Their size in bytes.
    own_bytes: u64,
    exit: Exit,
}

/// Runs an audit. Passes each report to `emit` as soon as it is complete, and returns the summary.
///
/// # Errors
///
/// The ledger cannot be read.
pub async fn audit(
    services: &AuditServices,
    request: &AuditRequest,
    ledger: Option<Ledger>,
    cancel: &CancellationToken,
    emit: impl FnMut(Report),
) -> Result<AuditReport, AuditError> {
    let clock = Arc::clone(&services.context.clock);
    let started = clock.monotonic();
    let before = services.counts();
    let ledger = ledger.map(SharedLedger::new);
    let (histories, head) = match &ledger {
        None => (None, None),
        Some(ledger) => histories(ledger, &request.chosen).await.map(|(all, head)| (Some(all), Some(head)))?,
    };
    let tally = Mutex::new(ListingTally::new(request, clock.now().to_string(), head));
    let look = Look::new(services, request, histories, cancel);
    let (sum, progress) =
        (AuditSummary::new(request), Arc::new(AuditProgress::new(Arc::clone(&services.context.monitor), request)));
    let end = End { exit: Exit::Passed, cut_off: false, problems: Vec::new(), unlisted: Vec::new() };
    let mut work = Work { look: &look, ledger, head, sum, end, progress, emit };
    work.buckets().await;
    let complete = work.listed(&tally).await;
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    work.end.exit = work.end.exit.and(tally.exit);
    let unfinished = !complete && !cancel.is_cancelled() && !work.end.cut_off;
    if unfinished {
        tally.report.problems.push("--max-time ended the listing before it was complete".to_owned());
        work.end.exit = work.end.exit.and(Exit::CouldNot);
    }
    work.interrupt();
    if work.end.cut_off {
        let left = tally.own.saturating_sub(work.sum.objects());
        tally.report.notes.push(AuditNote::NotReached { left, of: tally.own });
    }
    let mut listed = matches!(request.chosen, Scope::Listed(_)) && !work.end.cut_off && !unfinished;
    if listed {
        work.unlisted(&mut tally).await;
        listed = work.end.unlisted.is_empty();
    }
    let all_seen =
        listed && !work.end.cut_off && tally.failed.is_empty() && !request.is_share() && !work.sum.has_left();
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
    /// Objects that exist, but that the listing does not contain.
    unlisted: Vec<String>,
}

/// A run from its first request to its last.
struct Work<'a, E> {
    look: &'a Look<'a>,
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
        let turns = pages.flat_map(|listed| {
            let is_last = matches!(listed, Listed::Page { is_last: true, .. });
            let mut tally = lock(tally);
            let own = tally.take(request, listed);
            progress.listed(tally.report.listed, tally.own, tally.own_bytes);
            if is_last {
                progress.listing_complete();
            }
            stream::iter(own)
        });
        // With a limit, examine the objects first that were examined longest ago, so that repeated runs reach all of
        // them. Without one, examine objects while the listing continues.
        let turns = if request.due.ends() {
            let over = stop(&**clock, request.due.until, look.cancel);
            let mut all: Vec<Candidate> = turns.take_until(over).collect().await;
            let turn = |candidate: &Candidate| {
                let history = look.histories.as_ref().and_then(|all| all.get(&candidate.uri.to_string()));
                (history.map_or("", |history| history.turn(request.level)).to_owned(), candidate.uri.key.clone())
            };
            all.sort_by_cached_key(turn);
            stream::iter(all).left_stream()
        } else {
            turns.right_stream()
        };
        self.take(turns.map(|candidate| look.at(candidate))).await;
        ended.load(Ordering::Relaxed)
    }

    /// Examines the objects of the ledger that the listing does not contain.
    async fn unlisted(&mut self, tally: &mut ListingTally) {
        let look = self.look;
        let unlisted = look.histories.iter().flatten().filter(|(target, history)| {
            !tally.there.contains(*target) && !history.is_empty() && look.request.takes(target, &tally.failed)
        });
        let unlisted: Vec<(ObjectUri, &History)> =
            unlisted.filter_map(|(target, history)| Some((target.parse().ok()?, history))).collect();
        let (before, count) = (self.sum.objects(), unlisted.len() as u64);
        let ask = |(uri, history)| look.absence(uri, history);
        self.progress.unlisted(count);
        self.take(stream::iter(unlisted).map(ask)).await;
        self.interrupt();
        if self.end.cut_off {
            let left = count.saturating_sub(self.sum.objects() - before);
            tally.report.notes.push(AuditNote::UnlistedNotReached { left, of: count });
        }
        if let Some(target) = self.end.unlisted.first() {
            let count = self.end.unlisted.len();
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
                self.end.unlisted.extend(unlisted.then(|| examined.report.target.to_string()));
                self.end.exit = self.end.exit.and(self.sum.add(done, examined, services, &mut self.emit));
            }
            if let Err(error) = kept {
                // Results that cannot be recorded would have to be produced again, so no new work is started.
                self.end.problems.push(format!("the ledger {error}"));
                self.end.exit = self.end.exit.and(Exit::CouldNot);
                self.end.cut_off = true;
                break;
            }
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
        let ListingTally { mut report, digest, .. } = tally;
        self.end.exit = self.end.exit.and(self.sum.release(services, all_seen, &mut self.emit));
        if !self.end.cut_off {
            let mut out = Observed { notes: &mut report.notes, emit: &mut self.emit };
            let interrupted = tokio::select! {
                biased;
                () = self.look.cancel.cancelled() => true,
                () = self.sum.observe(services, request, all_seen, &mut out) => false,
            };
            if interrupted {
                self.end.exit = self.end.exit.and(Exit::Interrupted);
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

impl ListingTally {
    fn new(request: &AuditRequest, began: String, head: Option<Head>) -> Self {
        let mut report = AuditReport {
            scope: request.chosen.shown(),
            level: request.level,
            began,
            shard: request.shard,
            shard_from: request.shard_from,
            plan_sha256: request.plan_sha256.clone(),
            slice: request.slice,
            max_age_seconds: request.max_age.map(|age| age.as_secs()),
            sample: request.sample_of_level(),
            policy_sha256: request.policy.digest(),
            ..AuditReport::default()
        };
        if head.is_some_and(|head| head.entries == 0) {
            report.notes.push(AuditNote::NewLedger);
        }
        if matches!(request.chosen, Scope::Named { .. }) {
            report.notes.push(AuditNote::NamedOnly);
        }
        ListingTally {
            report,
            digest: ListingDigest::new(),
            there: BTreeSet::new(),
            failed: Vec::new(),
            own: 0,
            own_bytes: 0,
            exit: Exit::Passed,
        }
    }

    /// Counts the listed objects and returns those in this run's partition.
    fn take(&mut self, request: &AuditRequest, listed: Listed) -> Vec<Candidate> {
        let (page, others, empty) = match listed {
            Listed::Problem(prefix, error) => {
                self.report.problems.push(format!("{prefix} could not be listed: {}", error.explain()));
                self.exit = self.exit.and(crate::commands::exit_of(&error));
                self.failed.push(prefix);
                return Vec::new();
            }
            Listed::Page { candidates, others, empty, notes, .. } => {
                self.report.notes.extend(notes);
                (candidates, others, empty)
            }
        };
        self.report.listing_requests += u64::from(matches!(request.chosen, Scope::Listed(_)));
        self.report.other_objects += others;
        if let Some(prefix) = empty {
            // An empty prefix is not an error, but may be misspelt.
            self.report.notes.push(AuditNote::NothingUnder { prefix: prefix.to_string() });
            self.exit = self.exit.and(Exit::Unknown);
        }
        let mut mine = Vec::with_capacity(page.len());
        for candidate in page {
            let target = candidate.uri.to_string();
            // Prefixes may overlap.
            if !self.there.insert(target) {
                continue;
            }
            self.digest.add(&candidate);
            self.report.listed += 1;
            let bytes = candidate.listed.as_ref().and_then(|object| object.size).unwrap_or_default();
            self.report.listed_bytes = self.report.listed_bytes.saturating_add(bytes);
            let (bucket, key) = (&candidate.uri.bucket, &candidate.uri.key);
            if request.slice.is_some_and(|share| !share.holds("slice", bucket, key)) {
                self.report.other_slices += 1;
            } else if request.shard.is_none_or(|share| share.holds("shard", bucket, key)) {
                self.own_bytes = self.own_bytes.saturating_add(bytes);
                mine.push(candidate);
            }
        }
        self.own += mine.len() as u64;
        mine
    }
}
