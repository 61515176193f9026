use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use tokio::sync::watch;

use super::calls::CallLog;
use super::checksum::{Algorithm, Hasher};
use super::cloud::Cloud;
use super::cloud::reads::BlockReads;
use super::deny::Deny;
use super::fault::Script;
use super::jobs::Jobs;
pub(crate) use super::options::ACCOUNT;
use super::options::LabOptions;
use super::pace::Pace;
use super::store::{Folder, Store};
use crate::sync::lock;

/// State that all connections of a lab share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub options: LabOptions,
    pub calls: CallLog,
    pub script: Script,
    pub pace: Arc<Pace>,
    denials: Mutex<Vec<Deny>>,
    store: Mutex<Store>,
    pub cloud: Mutex<Cloud>,
    pub block_reads: Mutex<BlockReads>,
    pub jobs: Mutex<Jobs>,
    sequence: AtomicU64,
    /// Number of open connections.
    pub connections: watch::Sender<usize>,
}

impl Shared {
    pub(crate) fn new(options: LabOptions) -> io::Result<Self> {
        let folder = options.data.clone().map(Folder::new).transpose()?;
        Ok(Shared {
            calls: CallLog::default(),
            script: Script::default(),
            pace: Arc::new(Pace::new(options.latency, options.rate)),
            denials: Mutex::new(options.deny.clone()),
            store: Mutex::new(Store::open(folder)?),
            cloud: Mutex::default(),
            block_reads: Mutex::default(),
            jobs: Mutex::default(),
            sequence: AtomicU64::new(0),
            connections: watch::Sender::new(0),
            options,
        })
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    pub(crate) fn deny(&self, rule: Deny) {
        lock(&self.denials).push(rule);
    }

    pub(crate) fn allow_all(&self) {
        lock(&self.denials).clear();
    }

    pub(crate) fn denies(&self, action: &str, key: &str) -> bool {
        lock(&self.denials).iter().any(|rule| rule.covers(action, key))
    }

    /// An id of an AMI or a snapshot.
    pub(crate) fn resource_id(&self, kind: &str) -> String {
        let id = self.fresh_id();
        format!("{kind}-0{}", id.get(..16).unwrap_or_default())
    }

    /// A unique id for a request, a version or an upload.
    pub(crate) fn fresh_id(&self) -> String {
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        // The time keeps ids apart from those of an earlier run on one folder.
        let text = format!("{number} {}", Timestamp::now().as_nanosecond());
        hex::encode(Hasher::of(Algorithm::Md5, text.as_bytes()))
    }
}
