use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::absent::{left, missed};
use super::budget::{AuditBudget, ObjectCost};
use super::examine::examine;
use super::list::Candidate;
use super::object::AuditedObject;
use super::still_good::still_good;
use super::subject::Subject;
use super::{AuditRequest, AuditServices, Scope};
use crate::audit::{Histories, History};
use crate::ident::ObjectUri;
use crate::ledger::{Head, Kept, LedgerError, SharedLedger};
use crate::report::AuditedNote;
use crate::source::ErrorKind;
use crate::sync::lock;

pub(super) static NOTHING: History = History::NOTHING;

/// What became of an object in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

impl Looked {
    fn new(done: ObjectOutcome, examined: AuditedObject) -> Self {
        Looked { done, examined, unlisted: false }
    }
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

    /// Looks at an object that is listed, or named.
    pub async fn at(&self, candidate: Candidate) -> Looked {
        let history = self.histories.as_ref().map(|all| all.get(&candidate.uri.to_string()).unwrap_or(&NOTHING));
        self.examine(Subject::new(self.services, self.request, candidate, history)).await
    }

    /// Asks for an object that was seen once, and that the listing does not hold. Only an answer that there is none makes
    /// it gone: a listing may lie or lag.
    pub async fn absence(&self, uri: ObjectUri, history: &History) -> Looked {
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

    /// Takes an earlier proof that still holds, or looks at the object if it may be paid for.
    async fn examine(&self, subject: Subject<'_>) -> Looked {
        if let Some(examined) = self.still_good(&subject).await {
            return Looked::new(ObjectOutcome::StillGood, examined);
        }
        // What was not listed is asked for where its size decides.
        let facts = if subject.candidate.listed.is_none() && self.request.due.ends() {
            subject.head().await.ok()
        } else {
            None
        };
        let cost = ObjectCost::of(&subject.candidate, facts);
        let spent = lock(&self.spend).take(self.request, &cost, self.services.context.clock.monotonic());
        match spent {
            Err(why) => Looked::new(ObjectOutcome::Left, left(&subject, why)),
            Ok(()) => Looked::new(ObjectOutcome::Examined, examine(&subject, self.cancel).await),
        }
    }

    /// The object, if an earlier proof of its present state still holds. One that was not listed is asked for.
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
