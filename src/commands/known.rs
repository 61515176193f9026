//! What a ledger has of some objects.

use std::collections::HashMap;

use crate::audit::{Entry, History, Proof};
use crate::ledger::{Kept, LedgerError, SharedLedger};

/// The history of an object, and the examinations of which it is made.
#[derive(Default)]
pub(super) struct KnownObject {
    pub history: History,
    pub looks: Vec<Proof>,
}

/// What a ledger has of each of these objects, by target.
///
/// # Errors
///
/// The ledger cannot be read.
pub(super) async fn known_objects(
    ledger: &SharedLedger,
    targets: impl Iterator<Item = String>,
) -> Result<HashMap<String, KnownObject>, LedgerError> {
    let mut all: HashMap<String, KnownObject> = targets.map(|target| (target, KnownObject::default())).collect();
    let visit = |kept: Kept| {
        if let Some(known) = all.get_mut(kept.entry.target()) {
            if let Entry::Proof(look) = &kept.entry {
                known.looks.push((**look).clone());
            }
            known.history.add(kept.entry);
        }
    };
    ledger.each(visit).await?;
    Ok(all)
}
