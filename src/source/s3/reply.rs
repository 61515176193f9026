//! What responses to GetObject have in common, however they are asked for.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use futures_util::stream;

use super::causes::root_cause;
use super::document::error_code;
use super::error::wrapped;
use super::head;
use super::headers::Headers;
use crate::facts::{ReplyHead, ReplyProblem};
use crate::ident::{ETag, ObjectUri};
use crate::source::{Body, ErrorKind, SourceError};

/// The permission that reading requires.
pub(super) fn reading(uri: &ObjectUri) -> &'static str {
    if uri.version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" }
}

/// Reads can be repeated safely, so any 503 is treated as a request to slow down.
pub(super) fn may_slow_down(mut error: SourceError, status: Option<u16>) -> SourceError {
    if status == Some(503) && error.kind == ErrorKind::Transient {
        error.kind = ErrorKind::Throttled;
    }
    error
}

/// What the headers of a response say about its body.
///
/// # Errors
///
/// The length is unreadable or has values that differ.
pub(super) fn reply_head(headers: &Headers, subject: &str) -> Result<ReplyHead, SourceError> {
    let content_range = headers.joined("content-range");
    let content_length = match headers.has("content-length") {
        true => Some(head::length(headers, subject)?),
        false => None,
    };
    let etag = headers.joined("etag").as_deref().and_then(ETag::told);
    Ok(ReplyHead { partial: content_range.is_some(), content_range, content_length, etag })
}

/// The error for a response that does not fit. Some servers send an error document with a success status.
pub(super) async fn misfit(
    problem: ReplyProblem,
    body: ByteStream,
    subject: String,
    patience: Duration,
) -> SourceError {
    let kind = match problem {
        ReplyProblem::Changed { .. } => ErrorKind::Changed,
        _ => ErrorKind::Protocol,
    };
    let error = SourceError::new(kind, subject, problem.to_string());
    let said = tokio::time::timeout(patience, wrapped_error(body)).await;
    match said.ok().flatten() {
        Some(code) => wrapped(&code, error),
        None => error,
    }
}

/// The frames of a body.
pub(super) fn frames(body: ByteStream, subject: String) -> Body {
    Box::pin(stream::unfold((body, subject), |(mut body, subject)| async move {
        let frame = body.next().await?.map_err(|error| {
            let detail = format!("the body broke off: {}", root_cause(&error));
            SourceError::new(ErrorKind::Transient, &subject, detail).caused_by(error)
        });
        Some((frame, (body, subject)))
    }))
}

/// The code of the error document at the start of a body, if it is one.
async fn wrapped_error(mut body: ByteStream) -> Option<String> {
    const ENOUGH: usize = 16 << 10;
    let mut start = Vec::new();
    while start.len() < ENOUGH {
        match body.next().await {
            Some(Ok(frame)) => start.extend_from_slice(&frame),
            _ => break,
        }
    }
    error_code(&start)
}
