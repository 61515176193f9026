//! A ledger for asynchronous callers.

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
pub struct SharedLedger(Arc<Mutex<Ledger>>);

impl SharedLedger {
    /// Shares an open ledger.
    pub fn new(ledger: Ledger) -> Self {
        SharedLedger(Arc::new(Mutex::new(ledger)))
    }

    /// [`Ledger::append`] for asynchronous callers. Returns when the entries are on disk.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::append`].
    pub async fn append(&self, entries: Vec<Entry>) -> Result<Head, LedgerError> {
        let ledger = Arc::clone(&self.0);
        spawn_blocking(move || lock(&ledger).append(&entries)).await.unwrap_or_else(|error| Err(broke_off(&error)))
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
        let ledger = Arc::clone(&self.0);
        let read = spawn_blocking(move || lock(&ledger).entries_of(&objects));
        read.await.unwrap_or_else(|error| Err(broke_off(&error)))
    }

    /// Visits all entries in order, as [`Ledger::each`] does. Returns the head of the history.
    ///
    /// # Errors
    ///
    /// As for [`Ledger::each`]. Some entries may have been visited by then.
    pub async fn each(&self, mut visit: impl FnMut(Kept)) -> Result<Head, LedgerError> {
        let ledger = Arc::clone(&self.0);
        let (sender, mut batches) = mpsc::channel(2);
        let reading = spawn_blocking(move || {
            let mut batch = Vec::new();
            let head = lock(&ledger).each(None, |kept| {
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
}
