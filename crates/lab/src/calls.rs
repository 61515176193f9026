use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::fault::Fault;
use super::operation::Operation;
use super::wire::S3Request;
use crate::sync::lock;

/// One request as the lab answered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The S3 operation, or the call of another service.
    pub operation: Operation,
    /// Empty for requests that name no bucket.
    pub bucket: String,
    /// Decoded; empty for requests that name no key.
    pub key: String,
    /// The query string as it came; the body of a call of another service than S3.
    pub query: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `If-Match` header.
    pub if_match: Option<String>,
    /// The id of the access key that the request is signed with.
    pub access_key: Option<String>,
    /// The Region that the request is signed for.
    pub region: Option<String>,
    /// The `x-amz-expected-bucket-owner` header.
    pub expected_owner: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
    /// The `x-amz-mp-object-size` header.
    pub object_size: Option<String>,
    /// The IAM actions that headers of the request need besides those of the operation.
    pub header_actions: Vec<&'static str>,
    /// 0 if the connection ended without an answer.
    pub status: u16,
    /// Bytes of the body given to the connection so far.
    pub bytes_sent: u64,
    /// The fault that hit the request.
    pub fault: Option<Fault>,
}

impl CallRecord {
    /// A request without its answer.
    pub(crate) fn of(request: &S3Request) -> Self {
        CallRecord {
            operation: request.operation,
            bucket: request.bucket.clone(),
            key: request.key.clone(),
            query: request.raw_query.clone(),
            range: request.header("range").map(str::to_owned),
            if_match: request.header("if-match").map(str::to_owned),
            access_key: request.credential().map(|(key, _)| key.to_owned()),
            region: request.credential().and_then(|(_, region)| region).map(str::to_owned),
            expected_owner: request.header("x-amz-expected-bucket-owner").map(str::to_owned),
            if_none_match: request.header("if-none-match").map(str::to_owned),
            object_size: request.header("x-amz-mp-object-size").map(str::to_owned),
            header_actions: request.operation.actions_of_headers(|name| request.header(name).is_some()),
            status: 0,
            bytes_sent: 0,
            fault: None,
        }
    }

    /// The part number that the request names.
    pub fn part(&self) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.strip_prefix("partNumber="))
    }

    /// The IAM actions that the caller needs for it.
    pub fn iam_actions(&self) -> Vec<&'static str> {
        match self.operation {
            Operation::Service(action) => vec![action.iam()],
            operation => {
                let of_operation = operation.actions(self.query.contains("versionId="));
                of_operation.iter().chain(&self.header_actions).copied().collect()
            }
        }
    }
}

/// The log of requests, in the order their answers began.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    calls: Mutex<Vec<(CallRecord, Arc<AtomicU64>)>>,
    /// Receivers of requests that faults hit.
    listeners: Mutex<Vec<UnboundedSender<CallRecord>>>,
}

impl CallLog {
    pub(crate) fn add(&self, call: CallRecord, sent: Arc<AtomicU64>) {
        if call.fault.is_some() {
            let mut listeners = lock(&self.listeners);
            listeners.retain(|listener| listener.send(call.clone()).is_ok());
        }
        lock(&self.calls).push((call, sent));
    }

    pub(crate) fn listen(&self) -> UnboundedReceiver<CallRecord> {
        let (sender, receiver) = unbounded_channel();
        lock(&self.listeners).push(sender);
        receiver
    }

    pub(crate) fn clear(&self) {
        lock(&self.calls).clear();
    }

    pub(crate) fn snapshot(&self) -> Vec<CallRecord> {
        let calls = lock(&self.calls);
        calls
            .iter()
            .map(|(call, sent)| CallRecord { bytes_sent: sent.load(Ordering::Relaxed), ..call.clone() })
            .collect()
    }
}
