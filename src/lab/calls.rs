use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::fault::Fault;
use super::operation::Operation;

/// One request as the lab answered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    pub operation: Operation,
    pub bucket: String,
    pub key: String,
    /// The query string as it came; the body of a call of another service than S3.
    pub query: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `If-Match` header.
    pub if_match: Option<String>,
    pub status: u16,
    /// Bytes of the body given to the connection so far.
    pub bytes_sent: u64,
    /// The scripted fault that hit the request.
    pub fault: Option<Fault>,
}

impl CallRecord {
    /// The IAM actions that the caller needs for it.
    pub fn iam_actions(&self) -> Vec<&'static str> {
        match self.operation {
            Operation::Service(action) => vec![action.iam()],
            operation => operation.actions(self.query.contains("versionId=")).to_vec(),
        }
    }
}

/// The log of requests, in the order their answers began.
#[derive(Debug, Default)]
pub(crate) struct CallLog(Mutex<Vec<(CallRecord, Arc<AtomicU64>)>>);

impl CallLog {
    pub fn add(&self, call: CallRecord, sent: Arc<AtomicU64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((call, sent));
    }

    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub fn snapshot(&self) -> Vec<CallRecord> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls
            .iter()
            .map(|(call, sent)| CallRecord { bytes_sent: sent.load(Ordering::Relaxed), ..call.clone() })
            .collect()
    }
}
