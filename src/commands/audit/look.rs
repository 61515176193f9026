use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::budget::{AuditBudget, ObjectCost};
use super::examine::{AuditedObject, examine, still_good};
use super::list::Candidate;
use super::{AuditRequest, AuditServices, Scope};
use crate::audit::{Histories, History, Seen};
use crate::facts::ObjectFacts;
use crate::ledger::{Head, Kept, LedgerError, SharedLedger};
use crate::source::Session;
use crate::sync::lock;

pub(super) static NOTHING: History = History::NOTHING;

/// What became of an object in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectOutcome {
    Examined,
    StillGood,
    /// Due, and not reached.
    Left,
    Missing,
}

/// An object that was looked at.
pub(super) struct Looked {
    pub done: ObjectOutcome,
    pub examined: AuditedObject,
    /// It is there, and the listing lacks it.
    pub unlisted: bool,
}

/// Looks at objects, in the light of what is known of each.
pub(super) struct Look<'a> {
    pub services: &'a AuditServices,
    pub request: &'a AuditRequest,
    /// `None` without a ledger.
    pub histories: Option<Histories>,
    pub cancel: &'a CancellationToken,
    spend: Mutex<AuditBudget>,
}

impl<'a> Look<'a> {
    pub fn new(
        services: &'a AuditServices,
        request: &'a AuditRequest,
        histories: Option<Histories>,
        cancel: &'a CancellationToken,
    ) -> Self {
        Look { services, request, histories, cancel, spend: Mutex::new(AuditBudget::new(request)) }
    }

    /// US dollars that were spent, by list prices.
    pub fn dollars(&self) -> Option<f64> {
        lock(&self.spend).dollars()
    }

    pub async fn at(&self, candidate: Candidate) -> Looked {
        let (services, request, clock) = (self.services, self.request, &self.services.context.clock);
        let history = self.histories.as_ref().map(|all| all.get(&candidate.uri.to_string()).unwrap_or(&NOTHING));
        let looked = |done, examined| Looked { done, examined, unlisted: false };
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
            return looked(ObjectOutcome::StillGood, examined);
        }
        let weight = ObjectCost::of(&candidate, facts.as_ref());
        let spent = lock(&self.spend).take(request, &weight, clock.monotonic());
        if let Err(why) = spent {
            return looked(ObjectOutcome::Left, AuditedObject::left(&candidate, history, why, clock.now()));
        }
        looked(ObjectOutcome::Examined, examine(services, request, &candidate, history, self.cancel).await)
    }
}

async fn facts_of(services: &AuditServices, candidate: &Candidate) -> Option<ObjectFacts> {
    let session = Session::new(services.archive.object(&candidate.uri), services.context.clone());
    session.head().await.ok()
}

/// What is known of the chosen objects, and what the ledger ends in.
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
