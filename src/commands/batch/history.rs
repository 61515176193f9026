//! What a ledger has of the objects of a job.

use std::collections::HashMap;

use crate::audit::{History, Proof};
use crate::batch::{Judged, PlannedJob, PlannedObject};
use crate::commands::known::{KnownObject, known_objects};
use crate::ledger::{LedgerError, SharedLedger};
use crate::report::TroubleReport;

/// The histories of the objects of a job, by target.
#[derive(Default)]
pub(super) struct JobHistories(HashMap<String, KnownObject>);

impl JobHistories {
    /// Reads the histories from a ledger.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    pub(super) async fn read(ledger: &SharedLedger, job: &PlannedJob) -> Result<Self, LedgerError> {
        let targets = job.objects.iter().map(PlannedObject::ledger_target);
        known_objects(ledger, targets).await.map(JobHistories)
    }

    /// The history of an object.
    pub(super) fn of(&self, target: &str) -> &History {
        static NOTHING: History = History::NOTHING;
        self.0.get(target).map_or(&NOTHING, |known| &known.history)
    }

    /// Whether the ledger has this entry. Times are of whole seconds, in which a read may have ended too.
    pub(super) fn has(&self, look: &Proof) -> bool {
        let of = |one: &Proof| (one.at.clone(), one.level.clone(), one.verdict.clone(), one.proof_kind.clone());
        let is_same = |known: &Proof| of(known) == of(look);
        self.0.get(&look.target).is_some_and(|known| known.looks.iter().any(is_same))
    }

    /// What the ledger has against the state of an object for which S3 states a value.
    pub(super) fn trouble(&self, object: &PlannedObject, judged: &Judged) -> Option<TroubleReport> {
        judged.value()?;
        TroubleReport::of_state(self.of(&object.ledger_target()), &object.identity())
    }
}
