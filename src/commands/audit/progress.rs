use std::sync::{Arc, Mutex};

use super::AuditRequest;
use super::look::Looked;
use crate::audit::Level;
use crate::progress::{FinishedBytes, Monitor, ObjectsProgress};
use crate::sync::lock;

/// Reports the progress of an audit to a monitor.
pub(super) struct AuditProgress {
    monitor: Arc<dyn Monitor>,
    now: Mutex<ObjectsProgress>,
}

impl AuditProgress {
    /// Bytes are counted only if the audit reads all of them.
    pub(super) fn new(monitor: Arc<dyn Monitor>, request: &AuditRequest) -> Self {
        let bytes = (request.level == Level::Bytes).then(FinishedBytes::default);
        AuditProgress { monitor, now: Mutex::new(ObjectsProgress { bytes, ..ObjectsProgress::default() }) }
    }

    fn change(&self, change: impl FnOnce(&mut ObjectsProgress)) {
        let mut now = lock(&self.now);
        change(&mut now);
        self.monitor.objects(&now);
    }

    /// The listing has returned `listed` objects so far; `own` of them, with this many bytes, belong to this run.
    pub(super) fn listed(&self, listed: u64, own: u64, own_bytes: u64) {
        self.change(|now| {
            (now.listed, now.of) = (listed, own);
            if let Some(bytes) = &mut now.bytes {
                bytes.of = own_bytes;
            }
        });
    }

    /// The listing ended.
    pub(super) fn listing_complete(&self) {
        self.change(|now| now.listing_complete = true);
    }

    /// Further objects are examined, which the listing does not contain.
    pub(super) fn unlisted(&self, count: u64) {
        self.change(|now| now.of += count);
    }

    /// Runs of a huge object are read, of this many bytes in all.
    pub(super) fn runs(&self, count: u64, bytes: u64) {
        self.change(|now| {
            now.of += count;
            if let Some(all) = &mut now.bytes {
                all.of += bytes;
            }
        });
    }

    /// A run of this many bytes is finished.
    pub(super) fn run_finished(&self, length: u64, received: u64) {
        self.change(|now| {
            now.finished += 1;
            if let Some(bytes) = &mut now.bytes {
                bytes.finished += length;
                bytes.received += received;
            }
        });
    }

    /// These objects are finished.
    pub(super) fn finished(&self, looked: &[Looked]) {
        self.change(|now| {
            now.finished += looked.len() as u64;
            if let Some(bytes) = &mut now.bytes {
                bytes.finished += looked.iter().map(|looked| looked.bytes).sum::<u64>();
                bytes.received += looked.iter().map(|looked| looked.examined.report.received_bytes).sum::<u64>();
            }
        });
    }
}
