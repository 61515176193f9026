use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::{self, FusedStream};
use tokio_util::sync::CancellationToken;

use super::absent::{Absence, absence};
use super::examine::{Examined, examine, still_good};
use super::list::{Candidate, Listed, ListingDigest, candidates};
use super::spend::{Spend, Weight};
use super::sum::Sum;
use super::{AuditRequest, AuditServices, Chosen, bucket};
use crate::clock::Clock;
use crate::facts::ObjectFacts;
use crate::fleet::{Entry, Histories, History, Level, Seen};
use crate::ident::{ObjectUri, Prefix};
use crate::ledger::{Head, Ledger, LedgerError};
use crate::progress::{Counting, Monitor};
use crate::report::{AuditReport, Exit, Report};
use crate::source::{Context, Session};

/// How often to say how far it is.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// Proofs that are written down at once, at the most, and how long the first of them waits for others: every writing
/// waits for the disk.
const TOGETHER: usize = 1024;
const WAIT: Duration = Duration::from_millis(250);
/// How long objects that are being looked at have to come to an end after a signal.
const GRACE: Duration = Duration::from_secs(5);

/// Why an audit could not be begun.
#[derive(Debug, thiserror::Error)]
#[error("the ledger {0}")]
pub struct AuditError(#[from] LedgerError);

/// What listing came to so far.
struct Tally {
    report: AuditReport,
    digest: ListingDigest,
    there: BTreeSet<String>,
    /// Prefixes that were not listed to their ends.
    failed: Vec<Prefix>,
    /// Objects of this run's share.
    own: u64,
    exit: Exit,
}

/// Audits; hands out a report as soon as it is there, and the one over all at the end.
pub async fn audit(
    services: &AuditServices,
    request: &AuditRequest,
    mut ledger: Option<Ledger>,
    cancel: &CancellationToken,
    mut emit: impl FnMut(Report),
) -> Result<AuditReport, AuditError> {
    let clock = Arc::clone(&services.context.clock);
    let started = clock.monotonic();
    let counting = Arc::new(Counting::new(Arc::clone(&services.context.monitor)));
    let monitor: Arc<dyn Monitor> = counting.clone();
    let counted = AuditServices {
        context: Context { monitor: Arc::clone(&monitor), ..services.context.clone() },
        ..services.clone()
    };
    let services = &counted;
    let (histories, mut head) = match &ledger {
        None => (None, None),
        Some(ledger) => histories(ledger, &request.chosen).map(|(all, head)| (Some(all), Some(head)))?,
    };
    let mut tally = Tally::new(request, clock.now().to_string());
    if head.is_some_and(|head| head.entries == 0) {
        tally.report.notes.push("the ledger is a new one: nothing was known from before".to_owned());
    }
    if matches!(request.chosen, Chosen::Named { .. }) {
        tally.report.notes.push("objects that are not named, and ones that are gone, were not looked for".to_owned());
    }
    let tally = Mutex::new(tally);
    let mut exit = Exit::Passed;
    for name in request.chosen.buckets() {
        let looked = bucket::bucket(services, request, &name);
        let report = tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            report = looked => report,
        };
        if let Some(report) = report {
            exit = exit.and(Exit::of(report.exit_code));
            emit(Report::AuditedBucket(report));
        }
    }

    let ended = AtomicBool::new(false);
    let end = stream::once(async { ended.store(true, Ordering::Relaxed) });
    let pages = candidates(services, &request.chosen).chain(end.filter_map(|()| async { None }));
    let turns = pages.flat_map(|listed| stream::iter(lock(&tally).take(request, listed)));
    let spend = Mutex::new(Spend::new(request));
    let look = |candidate: Candidate| {
        let history = histories.as_ref().map(|all| all.get(&candidate.uri.to_string()).unwrap_or(&NOTHING));
        let (spend, clock) = (&spend, &clock);
        async move {
            // What was not listed is asked for where an earlier proof may still hold, or its size decides.
            let wanted = request.due.ends() || history.is_some_and(|history| !history.is_empty());
            let facts = if candidate.listed.is_none() && wanted { facts_of(services, &candidate).await } else { None };
            let seen = candidate.listed.as_ref().map(Seen::listed).or_else(|| facts.as_ref().map(Seen::facts));
            let good = history.zip(seen.as_ref()).and_then(|(history, seen)| {
                Some((history, history.still_good(seen, request.level, request.term(clock.now()))?))
            });
            if let Some((history, good)) = good
                && let Some(examined) = still_good(services, request, &candidate, history, good).await
            {
                return (Done::StillGood, examined);
            }
            let weight = Weight::of(&candidate, facts.as_ref());
            if let Err(why) = lock(spend).take(request, &weight, clock.monotonic()) {
                return (Done::Left, Examined::left(&candidate, history, why, clock.now()));
            }
            (Done::Examined, examine(services, request, &candidate, history, cancel).await)
        }
    };
    let mut sum = Sum::new(request);
    let mut cut_off = false;
    let at_once = request.objects_at_once.max(1);
    let mut said = started;
    {
        // Where not all can be reached, those come first that were looked at longest ago, whatever came of it: runs that
        // follow each other reach all. Without such an end objects are looked at while the listing goes on.
        let turns = if request.due.ends() {
            let over = stop(&*clock, request.due.until, cancel);
            let mut all: Vec<Candidate> = turns.take_until(over).collect().await;
            let turn = |candidate: &Candidate| {
                let history = histories.as_ref().and_then(|all| all.get(&candidate.uri.to_string()));
                (history.map_or("", |history| history.turn(request.level)).to_owned(), candidate.uri.key.clone())
            };
            all.sort_by_cached_key(turn);
            stream::iter(all).left_stream()
        } else {
            turns.right_stream()
        };
        // What is in flight may have seen a mismatch that must not be lost; reading ends by itself when cancelled.
        let grace = async {
            cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let turns = turns.take_until(cancel.cancelled());
        let results = turns.map(&look).buffer_unordered(at_once).take_until(grace);
        let mut results = std::pin::pin!(results.fuse());
        while let Some(mut together) = gather(&mut results).await {
            together.retain(|(_, examined)| !examined.is_cut_off());
            let kept = keep(ledger.as_mut(), &mut head, together.iter().map(|(_, examined)| examined));
            for (done, examined) in together {
                exit = exit.and(sum.add(done, examined, services, &mut emit));
            }
            if let Err(error) = kept {
                // What cannot be kept would have to be done again: nothing more is begun.
                lock(&tally).report.problems.push(format!("the ledger {error}"));
                exit = exit.and(Exit::CouldNot);
                cut_off = true;
                break;
            }
            let now = clock.monotonic();
            if now.duration_since(said) >= SAY_EVERY {
                said = now;
                monitor.task(&format!("{} of {} objects", sum.objects(), lock(&tally).report.listed));
            }
        }
    }

    let Tally { mut report, digest, there, failed, own, exit: listing } =
        tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    exit = exit.and(listing);
    let unfinished = !ended.load(Ordering::Relaxed) && !cancel.is_cancelled() && !cut_off;
    if unfinished {
        report.problems.push("--max-time ended the listing before it was complete".to_owned());
        exit = exit.and(Exit::CouldNot);
    }
    if cancel.is_cancelled() {
        exit = exit.and(Exit::Interrupted);
        cut_off = true;
    }
    if cut_off {
        report.notes.push(format!("{} of {own} objects were not reached", own.saturating_sub(sum.objects())));
    }
    let mut listed = matches!(request.chosen, Chosen::Listed(_)) && !cut_off && !unfinished;
    if listed {
        let unlisted = histories.iter().flatten().filter(|(target, history)| {
            !there.contains(*target) && !history.is_empty() && request.takes(target, &failed)
        });
        let unlisted: Vec<(ObjectUri, &History)> =
            unlisted.filter_map(|(target, history)| Some((target.parse().ok()?, history))).collect();
        let ask = |(uri, history)| absence(services, request, uri, history, &look);
        let asked = stream::iter(unlisted).map(ask).buffer_unordered(at_once).take_until(cancel.cancelled());
        let asked: Vec<Absence> = asked.collect().await;
        if let Err(error) = keep(ledger.as_mut(), &mut head, asked.iter().map(|absence| &absence.examined)) {
            report.problems.push(format!("the ledger {error}"));
            exit = exit.and(Exit::CouldNot);
        }
        let there = asked.iter().filter(|absence| absence.there);
        if let Some(example) = there.clone().next() {
            let (count, target) = (there.count(), &example.examined.report.target);
            report.problems.push(format!(
                "the listing cannot be relied on: {count} objects that it lacks are there, such as {target}"
            ));
            exit = exit.and(Exit::CouldNot);
            listed = false;
        }
        for absence in asked {
            exit = exit.and(sum.add(absence.done, absence.examined, services, &mut emit));
        }
        if cancel.is_cancelled() {
            exit = exit.and(Exit::Interrupted);
            cut_off = true;
        }
    }
    let all_seen = listed && !cut_off && failed.is_empty() && !request.is_share();
    exit = exit.and(sum.release(services, all_seen, &mut emit));
    if !cut_off {
        let interrupted = tokio::select! {
            biased;
            () = cancel.cancelled() => true,
            () = sum.observe(services, request, all_seen, &mut report, &mut emit) => false,
        };
        if interrupted {
            exit = exit.and(Exit::Interrupted);
        }
    }
    sum.fill(&mut report);
    report.listing_sha256 = digest.finish();
    report.estimated_dollars = lock(&spend).dollars();
    report.ledger_head = head.map(|head| head.to_string());
    let counts = counting.counts();
    (report.requests, report.received_bytes) = (counts.requests, counts.received);
    report.elapsed_seconds = clock.monotonic().duration_since(started).as_secs_f64();
    report.exit_code = exit.code();
    Ok(report)
}

pub(super) static NOTHING: History = History::NOTHING;

/// Comes when a run must end: it is cancelled, or its time is over.
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

/// The next results, as many as come within a short time; `None` after the last.
async fn gather<T>(results: &mut (impl FusedStream<Item = T> + Unpin)) -> Option<Vec<T>> {
    let mut together = vec![results.next().await?];
    let mut late = std::pin::pin!(tokio::time::sleep(WAIT));
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

async fn facts_of(services: &AuditServices, candidate: &Candidate) -> Option<ObjectFacts> {
    let session = Session::new(services.archive.object(&candidate.uri), services.context.clone());
    session.head().await.ok()
}

/// Writes down what is to be kept of these.
fn keep<'a>(
    ledger: Option<&mut Ledger>,
    head: &mut Option<Head>,
    examined: impl Iterator<Item = &'a Examined>,
) -> Result<(), LedgerError> {
    let Some(ledger) = ledger else { return Ok(()) };
    let entries: Vec<Entry> = examined.filter_map(|examined| examined.entry.clone()).collect();
    if !entries.is_empty() {
        *head = Some(ledger.append(&entries)?);
    }
    Ok(())
}

/// What became of an object in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Examined,
    StillGood,
    /// Due, and not reached.
    Left,
    Missing,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known of the chosen objects, and what the ledger ends in.
pub(super) fn histories(ledger: &Ledger, chosen: &Chosen) -> Result<(Histories, Head), LedgerError> {
    let mut histories = Histories::new();
    let head = ledger.each(None, |kept| {
        if chosen.holds(kept.entry.target()) {
            histories.entry(kept.entry.target().to_owned()).or_default().add(kept.entry);
        }
    })?;
    Ok((histories, head))
}

impl Tally {
    fn new(request: &AuditRequest, began: String) -> Self {
        let report = AuditReport {
            scope: request.chosen.shown(),
            level: request.level.name().to_owned(),
            began,
            shard: request.shard.map(|share| share.to_string()),
            slice: request.slice.map(|share| share.to_string()),
            max_age_seconds: request.max_age.map(|age| age.as_secs()),
            sample: (request.level == Level::Sample).then(|| request.sample.to_string()),
            policy_sha256: request.policy.digest(),
            ..AuditReport::default()
        };
        Tally {
            report,
            digest: ListingDigest::new(),
            there: BTreeSet::new(),
            failed: Vec::new(),
            own: 0,
            exit: Exit::Passed,
        }
    }

    /// Counts what was listed; what of it is this run's to look at.
    fn take(&mut self, request: &AuditRequest, listed: Listed) -> Vec<Candidate> {
        let (page, others, empty) = match listed {
            Listed::Problem(prefix, error) => {
                self.report.problems.push(format!("{prefix} could not be listed: {}", error.explain()));
                self.exit = self.exit.and(error.exit());
                self.failed.push(prefix);
                return Vec::new();
            }
            Listed::Page { candidates, others, empty, notes } => {
                self.report.notes.extend(notes);
                (candidates, others, empty)
            }
        };
        self.report.listing_requests += u64::from(matches!(request.chosen, Chosen::Listed(_)));
        self.report.other_objects += others;
        if let Some(prefix) = empty {
            // Nothing was wrong, and nothing was right: a prefix may be misspelt.
            self.report.notes.push(format!("no stored AMI object was found under {prefix}, so nothing is known of it"));
            self.exit = self.exit.and(Exit::Unknown);
        }
        let mut mine = Vec::with_capacity(page.len());
        for candidate in page {
            let target = candidate.uri.to_string();
            // Prefixes may lie in each other.
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
                mine.push(candidate);
            }
        }
        self.own += mine.len() as u64;
        mine
    }
}
