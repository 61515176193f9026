//! A ledger for asynchronous callers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

use super::{Head, Kept, Ledger, LedgerError, Place};
use crate::audit::Entry;
use crate::sync::lock;

/// Number of entries in a batch.
const TOGETHER: usize = 1024;

/// A ledger that is read and written on threads for blocking work, because every commit waits for the disk, and another
/// run may hold the file for a minute. Calls are carried out one after the other. A call that has started is completed
/// even if its future is dropped.
#[derive(Debug, Clone)]
pub struct SharedLedger(Arc<Mutex<State>>);

#[derive(Debug)]
enum State {
    Open(Ledger),
    /// Not created yet.
    New(PathBuf),
}

impl State {
    /// The ledger, which is created if it is not there yet.
    fn ledger(&mut self) -> Result<&mut Ledger, LedgerError> {
        if let State::New(path) = self {
            *self = State::Open(Ledger::open(path)?);
        }
        match self {
            State::Open(ledger) => Ok(ledger),
            State::New(path) => Err(LedgerError::Missing(path.display().to_string())),
        }
    }
}

impl SharedLedger {
    /// Shares an open ledger.
    pub fn new(ledger: Ledger) -> Self {
        SharedLedger(Arc::new(Mutex::new(State::Open(ledger))))
    }

    /// A ledger without entries, whose file is created by the first ones: a run whose targets do not answer leaves none.
    pub fn created_later(path: &Path) -> Self {
        SharedLedger(Arc::new(Mutex::new(State::New(path.to_owned()))))
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let state = Arc::clone(&self.0);
        let done = spawn_blocking(move || work(&mut lock(&state))).await;
        done.unwrap_or_else(|error| Err(broke_off(&error)))
    }

    /// Creates the file of a ledger that has none yet.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::open`].
    pub async fn create(&self) -> Result<(), LedgerError> {
        self.with(|state| state.ledger().map(drop)).await
    }

    /// [`Ledger::append`] for asynchronous callers. Returns when the entries are on disk.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::append`], and for [`Ledger::open`] if these are the first entries.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<Head, LedgerError> {
        self.with(move |state| state.ledger()?.append(&entries)).await
    }

    /// [`Ledger::entries_of`] for asynchronous callers.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::entries_of`].
    pub async fn entries(&self, objects: Vec<Vec<Place>>) -> Result<Vec<Vec<Entry>>, LedgerError> {
        if objects.iter().all(Vec::is_empty) {
            return Ok(vec![Vec::new(); objects.len()]);
        }
        self.with(move |state| state.ledger()?.entries_of(&objects)).await
    }

    /// Visits all entries in order, as [`Ledger::each`] does. Returns the head of the history.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::each`]. Some entries may have been visited by then.
    pub async fn each(&self, mut visit: impl FnMut(Kept)) -> Result<Head, LedgerError> {
        let state = Arc::clone(&self.0);
        let (sender, mut batches) = mpsc::channel(2);
        let reading = spawn_blocking(move || {
            let state = lock(&state);
            let State::Open(ledger) = &*state else { return Ok(Head::BEGINNING) };
            let mut batch = Vec::new();
            let head = ledger.each(None, |kept| {
                batch.push(kept);
                if batch.len() == TOGETHER {
                    // The receiver is gone if the caller was dropped.
                    let _ = sender.blocking_send(std::mem::take(&mut batch));
                }
            })?;
            let _ = sender.blocking_send(batch);
            Ok(head)
        });
        while let Some(batch) = batches.recv().await {
            batch.into_iter().for_each(&mut visit);
        }
        reading.await.unwrap_or_else(|error| Err(broke_off(&error)))
    }
}

fn broke_off(error: &JoinError) -> LedgerError {
    LedgerError::Io(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Acceptance;

    #[tokio::test]
    async fn entries_come_back_in_order_over_several_batches() {
        let folder = tempfile::tempdir().unwrap();
        let entry = |number: usize| {
            Entry::Acceptance(Acceptance {
                at: "2026-01-01T00:00:00Z".into(),
                tool: "test".into(),
                target: format!("s3://b/ami-{number:08x}.bin"),
                object: None,
                reason: "r".into(),
            })
        };
        let all: Vec<Entry> = (0..2 * TOGETHER + 1).map(entry).collect();
        let ledger = SharedLedger::new(Ledger::open(&folder.path().join("l.db")).unwrap());
        let head = ledger.append(all.clone()).await.unwrap();
        let mut read = Vec::new();
        assert_eq!(ledger.each(|kept| read.push(kept.entry)).await, Ok(head));
        assert_eq!(read, all);
    }

    #[tokio::test]
    async fn a_new_ledger_is_created_by_its_first_entries() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        let ledger = SharedLedger::created_later(&path);
        assert_eq!(ledger.each(|_| panic!("there are none")).await, Ok(Head::BEGINNING));
        assert_eq!(ledger.entries(vec![Vec::new()]).await, Ok(vec![Vec::new()]));
        assert!(!path.exists());
        let gone = Entry::Gone(crate::audit::Gone {
            at: "2026-01-01T00:00:00Z".into(),
            tool: "test".into(),
            target: "s3://b/ami-1a2b3c4d.bin".into(),
        });
        let head = ledger.append(vec![gone.clone()]).await.unwrap();
        let mut read = Vec::new();
        assert_eq!(Ledger::open_existing(&path).unwrap().each(None, |kept| read.push(kept.entry)), Ok(head));
        assert_eq!((read, head.entries), (vec![gone], 1));
        let other = folder.path().join("m.db");
        SharedLedger::created_later(&other).create().await.unwrap();
        assert_eq!(Ledger::open_existing(&other).unwrap().each(None, |_| ()), Ok(Head::BEGINNING));
    }
}
