//! What a run must remember of all objects, in temporary tables.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::Scope;
use super::copies::{CopyIndex, ObjectContent};
use super::list::Candidate;
use crate::audit::{ContentFingerprint, CopyState, History, Observation, duplicate};
use crate::facts::ListedObject;
use crate::ident::{ETag, ObjectUri};
use crate::ledger::{Head, LedgerError, Place, QueuePosition, Scratch, ScratchLine, SharedLedger};
use crate::report::AuditedReport;
use crate::sync::lock;

/// Number of objects that are read from the tables at a time.
const PAGE: usize = 256;

/// Temporary tables of one audit, and the ledger whose entries they find.
#[derive(Clone)]
pub(super) struct AuditStore {
    scratch: Arc<Mutex<Scratch>>,
    ledger: Option<SharedLedger>,
}

/// A report that waits for the other objects.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    /// The report, without the checks across all objects.
    pub report: AuditedReport,
    /// Every byte of this state is proved, by a proof that is not older than allowed.
    pub proved: bool,
    /// Values that identify the content.
    pub content: Vec<ContentFingerprint>,
    /// The Region of its bucket, if it is known.
    pub region: Option<String>,
}

/// Whose turn an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// In this run's partition.
    Own,
    /// Of another slice.
    OtherSlice,
    /// Of another shard.
    OtherShard,
}

/// A listed object and its place in the order of the work.
pub(super) type Admitted = (Candidate, Turn);

impl AuditStore {
    /// Creates the tables, and finds the entries of the chosen objects in the ledger. Returns the head of the ledger.
    pub(super) async fn open(
        ledger: Option<SharedLedger>,
        chosen: &Scope,
    ) -> Result<(Self, Option<Head>), LedgerError> {
        let store = AuditStore { scratch: Arc::new(Mutex::new(Scratch::new()?)), ledger };
        let Some(ledger) = &store.ledger else { return Ok((store, None)) };
        let mut failed = Ok(());
        let head = ledger.each(|kept| {
            let target = kept.entry.target();
            if failed.is_ok() && chosen.holds(target) {
                let place = Place { number: kept.number, digest: kept.digest };
                failed = lock(&store.scratch).add_place(target, place);
            }
        });
        let head = head.await?;
        failed?;
        store.run(|scratch| scratch.sort_places()).await?;
        Ok((store, Some(head)))
    }

    /// Works on the tables in a thread for blocking work.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Scratch) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let scratch = Arc::clone(&self.scratch);
        let done = spawn_blocking(move || work(&lock(&scratch))).await;
        done.unwrap_or_else(|error| Err(LedgerError::Io(error.to_string())))
    }

    /// Adds listed objects, and leaves out those that were listed before.
    pub(super) async fn admit(&self, page: Vec<Admitted>) -> Result<Vec<Admitted>, LedgerError> {
        self.run(move |scratch| {
            let mut new = Vec::with_capacity(page.len());
            for (candidate, turn) in page {
                if scratch.add_listed(&candidate.uri.to_string())? {
                    new.push((candidate, turn));
                }
            }
            Ok(new)
        })
        .await
    }

    /// Adds what the ledger knows of each object.
    pub(super) async fn with_histories(&self, page: Vec<Candidate>) -> Result<Vec<Candidate>, LedgerError> {
        let targets = page.iter().map(|candidate| candidate.uri.to_string()).collect();
        let Some(histories) = self.histories(targets).await? else { return Ok(page) };
        let known = page.into_iter().zip(histories);
        Ok(known.map(|(candidate, history)| Candidate { history: Some(Box::new(history)), ..candidate }).collect())
    }

    /// What the ledger knows of each object; `None` without a ledger.
    async fn histories(&self, targets: Vec<String>) -> Result<Option<Vec<History>>, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(None) };
        let places = self.run(move |scratch| targets.iter().map(|target| scratch.places(target)).collect());
        let places: Vec<Vec<Place>> = places.await?;
        let of = |entries: Vec<_>| {
            let mut history = History::default();
            entries.into_iter().for_each(|entry| history.add(entry));
            history
        };
        Ok(Some(ledger.entries(places).await?.into_iter().map(of).collect()))
    }

    /// Adds objects to the queue, with the turn of each.
    pub(super) async fn queue(&self, page: Vec<(String, Candidate)>) -> Result<(), LedgerError> {
        self.run(move |scratch| {
            for (turn, candidate) in page {
                let key = candidate.uri.key.clone();
                let document = serde_json::to_string(&Queued::from(candidate));
                let document = document.map_err(|error| LedgerError::Io(error.to_string()))?;
                scratch.add_queued(&turn, &key, &document)?;
            }
            Ok(())
        })
        .await
    }

    /// Sorts the queue.
    pub(super) async fn sort_queue(&self) -> Result<(), LedgerError> {
        self.run(Scratch::sort_queue).await
    }

    /// The next objects of the queue, with what the ledger knows of them; empty at its end.
    pub(super) async fn queued(&self, at: &mut QueuePosition) -> Result<Vec<Candidate>, LedgerError> {
        let mut next = at.clone();
        let read = self.run(move |scratch| {
            let documents = scratch.queued(&mut next, PAGE)?;
            Ok((documents, next))
        });
        let (documents, next) = read.await?;
        *at = next;
        let read = |text: &String| serde_json::from_str::<Queued>(text).map(Candidate::from);
        let page: Result<Vec<Candidate>, _> = documents.iter().map(read).collect();
        self.with_histories(page.map_err(|error| LedgerError::Io(error.to_string()))?).await
    }

    /// The next objects of the ledger after `after` that were not listed, with what is known of them; empty at the end.
    pub(super) async fn unlisted(&self, after: String) -> Result<Vec<(String, History)>, LedgerError> {
        let targets = self.run(move |scratch| scratch.unlisted(&after, PAGE)).await?;
        let histories = self.histories(targets.clone()).await?.unwrap_or_default();
        Ok(targets.into_iter().zip(histories).collect())
    }

    /// Adds objects for the checks across all objects, and reports that wait for them.
    pub(super) async fn add_contents(
        &self,
        objects: Vec<ObjectContent>,
        waiting: Vec<Waiting>,
    ) -> Result<(), LedgerError> {
        if objects.is_empty() && waiting.is_empty() {
            return Ok(());
        }
        self.run(move |scratch| {
            objects.into_iter().try_for_each(|object| object.add_to(scratch))?;
            for one in waiting {
                let document = serde_json::to_string(&one).map_err(|error| LedgerError::Io(error.to_string()))?;
                let line = ScratchLine { source: 0, rank: 0, document };
                scratch.add_line(&one.report.target.to_string(), &line)?;
            }
            Ok(())
        })
        .await
    }

    /// Visits the reports that waited, in the order of their objects, with the copies of each.
    pub(super) async fn each_waiting(
        &self,
        index: CopyIndex,
        mut visit: impl FnMut(Waiting, CopyState),
    ) -> Result<(), LedgerError> {
        let read = move |scratch: &Scratch, send: &mut dyn FnMut((Waiting, CopyState))| {
            scratch.sort_copies()?;
            scratch.sort_lines()?;
            scratch.each_of_lines(|_, lines| {
                for line in lines {
                    let one: Waiting = serde_json::from_str(&line.document)
                        .map_err(|error| LedgerError::Io(format!("a report that waited: {error}")))?;
                    let bytes = one.report.identity.as_ref().map_or(0, |identity| identity.object_bytes);
                    let copies = index.copies(scratch, one.region.as_deref(), bytes, &one.content)?;
                    send((one, copies));
                }
                Ok(())
            })
        };
        self.each(read, |(one, copies)| visit(one, copies)).await
    }

    /// Visits the groups of objects with the same content.
    pub(super) async fn each_duplicate(&self, visit: impl FnMut(Observation)) -> Result<(), LedgerError> {
        let read = |scratch: &Scratch, send: &mut dyn FnMut(Observation)| {
            scratch.each_alike(|alike| send(duplicate(&alike.names, alike.more, &alike.values)))
        };
        self.each(read, visit).await
    }

    /// Visits the names of the objects, in order.
    pub(super) async fn each_object(&self, visit: impl FnMut(String)) -> Result<(), LedgerError> {
        self.each(|scratch, send| scratch.each_object(send), visit).await
    }

    async fn each<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Scratch, &mut dyn FnMut(T)) -> Result<(), LedgerError> + Send + 'static,
        mut visit: impl FnMut(T),
    ) -> Result<(), LedgerError> {
        let (sender, mut batches) = mpsc::channel::<Vec<T>>(2);
        let reading = self.run(move |scratch| {
            let mut batch = Vec::new();
            read(scratch, &mut |one| {
                batch.push(one);
                if batch.len() == PAGE {
                    // The receiver is gone if the caller was dropped.
                    let _ = sender.blocking_send(std::mem::take(&mut batch));
                }
            })?;
            let _ = sender.blocking_send(batch);
            Ok(())
        });
        let receive = async {
            while let Some(batch) = batches.recv().await {
                batch.into_iter().for_each(&mut visit);
            }
        };
        tokio::join!(reading, receive).0
    }
}

/// A candidate in the queue.
#[derive(Serialize, Deserialize)]
struct Queued {
    uri: ObjectUri,
    listed: Option<QueuedListing>,
    odd: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct QueuedListing {
    size: Option<u64>,
    modified: Option<String>,
    etag: Option<ETag>,
    storage_class: Option<String>,
    version: Option<String>,
    latest: bool,
}

impl From<Candidate> for Queued {
    fn from(Candidate { uri, listed, odd, history: _ }: Candidate) -> Self {
        let listed = listed.map(|listed| QueuedListing {
            size: listed.size,
            modified: listed.modified.map(|time| time.to_string()),
            etag: listed.etag,
            storage_class: listed.storage_class,
            version: listed.version,
            latest: listed.latest,
        });
        Queued { uri, listed, odd }
    }
}

impl From<Queued> for Candidate {
    fn from(Queued { uri, listed, odd }: Queued) -> Self {
        let listed = listed.map(|listed| ListedObject {
            key: uri.key.clone(),
            size: listed.size,
            modified: listed.modified.and_then(|time| time.parse().ok()),
            etag: listed.etag,
            storage_class: listed.storage_class,
            version: listed.version,
            latest: listed.latest,
        });
        Candidate { uri, listed, odd, history: None }
    }
}
