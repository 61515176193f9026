use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, FusedStream};
use tokio_util::sync::CancellationToken;

use super::absent::missing_report;
use super::examine::{Examined, examine, still_good};
use super::list::{Candidate, Listed, ListingDigest, candidates};
use super::spend::Spend;
use super::sum::Sum;
use super::{AuditRequest, AuditServices, Chosen, bucket};
use crate::fleet::{Entry, Histories, History, Level, Seen};
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

/// Why an audit could not be begun.
#[derive(Debug, thiserror::Error)]
#[error("the ledger {0}")]
pub struct AuditError(#[from] LedgerError);

/// What listing came to so far.
struct Tally {
    report: AuditReport,
    digest: ListingDigest,
    there: BTreeSet<String>,
    whole: bool,
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
    let term = request.term(clock.now());
    let tally = Mutex::new(Tally::new(request, clock.now().to_string()));
    let mut exit = Exit::Passed;
    for name in request.chosen.buckets() {
        if let Some(report) = bucket::bucket(services, request, &name).await {
            exit = exit.and(Exit::of(report.exit_code));
            emit(Report::AuditedBucket(report));
        }
    }

    let pages = candidates(services, &request.chosen);
    let turns = pages.flat_map(|listed| stream::iter(lock(&tally).take(request, listed)));
    let spend = Mutex::new(Spend::new(request));
    let look = |candidate: Candidate| {
        let history = histories.as_ref().map(|all| all.get(&candidate.uri.to_string()).unwrap_or(&NOTHING));
        let (spend, clock) = (&spend, &clock);
        async move {
            let seen = match &candidate.listed {
                Some(listed) => Some(Seen::listed(listed)),
                // What was not listed is asked for where an earlier proof may still hold.
                None if history.is_some_and(|history| !history.is_empty()) => seen_now(services, &candidate).await,
                None => None,
            };
            let good = history
                .zip(seen.as_ref())
                .and_then(|(history, seen)| Some((history, history.still_good(seen, request.level, term)?)));
            if let Some((history, good)) = good {
                return (Done::StillGood, still_good(services, request, &candidate, history, good).await);
            }
            if let Err(why) = lock(spend).take(request, &candidate, clock.monotonic()) {
                return (Done::Left, Examined::left(&candidate, why));
            }
            (Done::Examined, examine(services, request, &candidate, history, cancel).await)
        }
    };
    let mut sum = Sum::new(request);
    let mut cut_off = false;
    let at_once = request.objects_at_once.max(1);
    let mut said = started;
    {
        // Where not all can be reached, those come first that were proved longest ago; without such an end objects are
        // looked at while the listing goes on.
        let turns = if request.due.ends() {
            let mut all: Vec<Candidate> = turns.take_until(cancel.cancelled()).collect().await;
            let turn = |candidate: &Candidate| {
                let history = histories.as_ref().and_then(|all| all.get(&candidate.uri.to_string()));
                (history.map(|history| history.turn().to_owned()).unwrap_or_default(), candidate.uri.key.clone())
            };
            all.sort_by_cached_key(turn);
            stream::iter(all).left_stream()
        } else {
            turns.right_stream()
        };
        let results = turns.map(look).buffer_unordered(at_once).take_until(cancel.cancelled());
        let mut results = std::pin::pin!(results.fuse());
        while let Some(together) = gather(&mut results).await {
            let entries: Vec<Entry> = together.iter().filter_map(|(_, examined)| examined.entry.clone()).collect();
            let kept = match ledger.as_mut().filter(|_| !entries.is_empty()) {
                Some(ledger) => ledger.append(&entries).map(Some),
                None => Ok(None),
            };
            for (done, examined) in together {
                exit = exit.and(sum.add(done, examined, services, &mut emit));
            }
            match kept {
                Ok(now) => head = now.or(head),
                Err(error) => {
                    // What cannot be kept would have to be done again: nothing more is begun.
                    lock(&tally).report.problems.push(format!("the ledger {error}"));
                    exit = exit.and(Exit::CouldNot);
                    cut_off = true;
                    break;
                }
            }
            let now = clock.monotonic();
            if now.duration_since(said) >= SAY_EVERY {
                said = now;
                monitor.task(&format!("{} of {} objects", sum.objects(), lock(&tally).report.listed));
            }
        }
    }

    let Tally { mut report, digest, there, whole, exit: listing } =
        tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    exit = exit.and(listing);
    if cancel.is_cancelled() {
        exit = exit.and(Exit::Interrupted);
        cut_off = true;
    }
    let whole = whole && !cut_off;
    if report.listed == 0 && whole {
        // Nothing was wrong, and nothing was right: a prefix may be misspelt.
        report.notes.push("no stored AMI object was found, so nothing is known".to_owned());
        exit = exit.and(Exit::Unknown);
    }
    if whole {
        for (target, history) in histories.iter().flatten().filter(|(target, _)| !there.contains(*target)) {
            if !history.is_empty() && request.takes(target) {
                let gone = Examined::bare(missing_report(target, history));
                exit = exit.and(sum.add(Done::Missing, gone, services, &mut emit));
            }
        }
    }
    let all_seen = whole && !request.is_share();
    exit = exit.and(sum.release(services, all_seen, &mut emit));
    if !cut_off {
        sum.observe(services, request, all_seen, &mut report, &mut emit).await;
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

async fn seen_now(services: &AuditServices, candidate: &Candidate) -> Option<Seen> {
    let session = Session::new(services.archive.object(&candidate.uri), services.context.clone());
    Some(Seen::facts(&session.head().await.ok()?))
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
            whole: matches!(request.chosen, Chosen::Listed(_)),
            exit: Exit::Passed,
        }
    }

    /// Counts what was listed; what of it is this run's to look at.
    fn take(&mut self, request: &AuditRequest, listed: Listed) -> Vec<Candidate> {
        let (page, others) = match listed {
            Listed::Problem(prefix, error) => {
                self.report.problems.push(format!("{prefix} could not be listed: {}", error.explain()));
                self.exit = self.exit.and(error.exit());
                self.whole = false;
                return Vec::new();
            }
            Listed::Page(page, others) => (page, others),
        };
        self.report.listing_requests += u64::from(matches!(request.chosen, Chosen::Listed(_)));
        self.report.other_objects += others;
        let mut mine = Vec::with_capacity(page.len());
        for candidate in page {
            let target = candidate.uri.to_string();
            // Prefixes may lie in each other.
            if !self.there.insert(target) {
                continue;
            }
            self.digest.add(&candidate);
            self.report.listed += 1;
            self.report.listed_bytes += candidate.listed.as_ref().and_then(|object| object.size).unwrap_or_default();
            let (bucket, key) = (&candidate.uri.bucket, &candidate.uri.key);
            if request.slice.is_some_and(|share| !share.holds("slice", bucket, key)) {
                self.report.other_slices += 1;
            } else if request.shard.is_none_or(|share| share.holds("shard", bucket, key)) {
                mine.push(candidate);
            }
        }
        mine
    }
}
