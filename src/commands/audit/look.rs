use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::absent::{left, missed};
use super::budget::{AuditBudget, ObjectCost, Reserved};
use super::examine::examine;
use super::list::Candidate;
use super::object::AuditedObject;
use super::split::is_divided;
use super::still_good::{has_proof, still_good};
use super::subject::Subject;
use super::{AuditRequest, AuditServices, Scope};
use crate::audit::{Histories, History};
use crate::ident::ObjectUri;
use crate::ledger::{Head, Kept, LedgerError, SharedLedger};
use crate::report::AuditedNote;
use crate::source::ErrorKind;
use crate::sync::lock;

pub(super) static NOTHING: History = History::NOTHING;

/// How an object was handled in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ObjectOutcome {
    Examined,
    StillGood,
    /// Due, but not reached.
    Left,
    Missing,
}

/// The result for one object.
pub(super) struct Looked {
    /// How it was handled.
    pub done: ObjectOutcome,
    /// Its report and ledger entry.
    pub examined: AuditedObject,
    /// The object exists, but the listing does not contain it.
    pub unlisted: bool,
    /// Its size in the listing, in bytes.
    pub bytes: u64,
}

impl Looked {
    fn new(done: ObjectOutcome, examined: AuditedObject) -> Self {
        Looked { done, examined, unlisted: false, bytes: 0 }
    }
}

/// Examines objects, using the ledger's history of each.
pub(super) struct Look<'a> {
    /// Access to buckets and images.
    pub services: &'a AuditServices,
    /// The audit.
    pub request: &'a AuditRequest,
    /// Cancels the examinations.
    pub cancel: &'a CancellationToken,
    spend: Mutex<AuditBudget>,
}

impl<'a> Look<'a> {
    /// Starts with the whole budget of the request.
    pub(super) fn new(services: &'a AuditServices, request: &'a AuditRequest, cancel: &'a CancellationToken) -> Self {
        Look { services, request, cancel, spend: Mutex::new(AuditBudget::new(request)) }
    }

    /// US dollars spent, by list prices.
    pub(super) fn dollars(&self) -> Option<f64> {
        lock(&self.spend).dollars()
    }

    /// Reserves the budget for an object, or for a run of one.
    ///
    /// # Errors
    ///
    /// A message that names the exhausted limit.
    pub(super) fn spend(&self, cost: &ObjectCost) -> Result<Option<Reserved>, &'static str> {
        lock(&self.spend).take(self.request, cost, self.services.context.clock.monotonic())
    }

    /// Gives back what was reserved if no byte was received.
    pub(super) fn settle(&self, reserved: Option<&Reserved>, received_bytes: u64) {
        if let Some(reserved) = reserved.filter(|_| received_bytes == 0) {
            lock(&self.spend).give_back(reserved);
        }
    }

    /// What examining an object costs, as far as the limits demand to know it.
    async fn cost(&self, subject: &Subject<'_>) -> ObjectCost {
        let (candidate, due) = (&subject.candidate, &self.request.due);
        let listed = ObjectCost::listed(candidate);
        let asks = match candidate.listed {
            None => due.ends(),
            // An archived object takes nothing of what others may read. Others take their turn before any request, so
            // that the oldest proof comes first.
            Some(_) => {
                let (requests, now) = (ObjectCost::of_run(candidate, 0), self.services.context.clock.monotonic());
                due.limits_reads()
                    && listed.is_archived()
                    && lock(&self.spend).allows(self.request, &requests, now).is_ok()
            }
        };
        if asks { ObjectCost::of(candidate, subject.head().await) } else { listed }
    }

    /// Examines an object that was listed or named, if it is due.
    pub(super) async fn at(&self, mut candidate: Candidate) -> Looked {
        let history = candidate.history.take();
        let history = history.as_deref();
        let bytes = candidate.listed.as_ref().and_then(|listed| listed.size).unwrap_or_default();
        let looked = self.examine(Subject::new(self.services, self.request, candidate, history)).await;
        Looked { bytes, ..looked }
    }

    /// Examines an object of the ledger that the listing does not contain. Only a 404 response to HEAD makes it
    /// missing, because a listing may be stale or wrong.
    pub(super) async fn absence(&self, uri: ObjectUri, history: History) -> Looked {
        let history = &history;
        let subject = Subject::new(self.services, self.request, Candidate::named(uri), Some(history));
        if self.request.due.is_over(self.services.context.clock.monotonic()) {
            return Looked::new(ObjectOutcome::Left, left(&subject, "--max-time is over"));
        }
        let unlisted = match subject.head().await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                let missed = missed(&subject.candidate.uri, history, subject.now());
                return Looked::new(ObjectOutcome::Missing, missed);
            }
            answer => answer.is_ok(),
        };
        let mut looked = self.examine(subject).await;
        looked.examined.report.notes.push(AuditedNote::NotListed.into());
        Looked { unlisted, ..looked }
    }

    /// Uses an earlier proof if it still holds; otherwise examines the object if the budget allows.
    async fn examine(&self, subject: Subject<'_>) -> Looked {
        // The shards read it in runs, each of which counts towards the limits, unless a ledger has a proof.
        if self.request.splits(&subject.candidate) && !has_proof(&subject).await && is_divided(&subject).await {
            return Looked::new(ObjectOutcome::Examined, examine(&subject, self.cancel).await);
        }
        if let Some(examined) = self.still_good(&subject).await {
            return Looked::new(ObjectOutcome::StillGood, examined);
        }
        match self.spend(&self.cost(&subject).await) {
            Err(why) => Looked::new(ObjectOutcome::Left, left(&subject, why)),
            Ok(reserved) => {
                let examined = examine(&subject, self.cancel).await;
                self.settle(reserved.as_ref(), examined.report.received_bytes);
                Looked::new(ObjectOutcome::Examined, examined)
            }
        }
    }

    /// The object, if an earlier proof of its present state still holds. Sends HEAD for an object that was not listed.
    async fn still_good(&self, subject: &Subject<'_>) -> Option<AuditedObject> {
        let history = subject.history.filter(|history| !history.is_empty())?;
        let seen = match subject.listed() {
            Some(listed) => listed,
            None => subject.head().await.ok()?.listed_identity(),
        };
        let good = history.still_good(&seen, self.request.level, self.request.term(subject.now()))?;
        still_good(subject, history, good).await
    }
}

/// Reads the histories of the chosen objects from the ledger, and the ledger's head.
pub(super) async fn histories(ledger: &SharedLedger, chosen: &Scope) -> Result<(Histories, Head), LedgerError> {
    let mut histories = Histories::new();
    let visit = |kept: Kept| {
        if chosen.holds(kept.entry.target()) {
            histories.entry(kept.entry.target().to_owned()).or_default().add(kept.entry);
        }
    };
    let head = ledger.each(visit).await?;
    Ok((histories, head))
}
