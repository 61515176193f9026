use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use crate::wire::Reply;

/// An error of the EBS direct APIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlockError {
    status: u16,
    code: String,
    reason: Option<String>,
    message: String,
}

impl BlockError {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        BlockError { status, code: code.to_owned(), reason: None, message: message.into() }
    }

    /// The code of a script may have a reason: `RequestThrottledException:ACCOUNT_THROTTLED`.
    pub(super) fn scripted(status: u16, code: &str) -> Self {
        let (code, reason) = code.split_once(':').map_or((code, None), |(code, reason)| (code, Some(reason)));
        let reason = reason.map(str::to_owned);
        BlockError { reason, ..BlockError::new(status, code, "This answer comes from a script of the lab.") }
    }

    pub(super) fn because(self, reason: &str) -> Self {
        BlockError { reason: Some(reason.to_owned()), ..self }
    }

    pub(super) fn reply(&self) -> Reply {
        let mut body = json!({ "message": self.message });
        if let (Some(reason), Some(fields)) = (&self.reason, body.as_object_mut()) {
            fields.insert("Reason".to_owned(), reason.clone().into());
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let reply = Reply::bytes(status, Bytes::from(body.to_string())).header("content-type", "application/json");
        reply.header("x-amzn-errortype", &self.code)
    }
}

pub(super) fn invalid(reason: &str, message: impl Into<String>) -> BlockError {
    BlockError::new(400, "ValidationException", message).because(reason)
}

pub(super) fn no_snapshot(snapshot: &str) -> BlockError {
    let message = format!("The snapshot '{snapshot}' does not exist.");
    BlockError::new(404, "ResourceNotFoundException", message).because("SNAPSHOT_NOT_FOUND")
}

pub(super) fn access_denied(action: &str, snapshot: &str) -> BlockError {
    let message = format!("The caller is not authorized to perform: {action} on resource: snapshot/{snapshot}");
    BlockError::new(403, "AccessDeniedException", message)
}

pub(super) fn key_denied(snapshot: &str) -> BlockError {
    let message = format!("The caller may not use the key of the snapshot '{snapshot}' (kms:Decrypt).");
    BlockError::new(403, "AccessDeniedException", message).because("DEPENDENCY_ACCESS_DENIED")
}

pub(super) fn throttled() -> BlockError {
    let message = "The number of API requests has exceeded the maximum allowed API request throttling limit.";
    BlockError::new(400, "RequestThrottledException", message).because("ACCOUNT_THROTTLED")
}
