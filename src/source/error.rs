//! Errors of requests to the services and of reads of local files.
//!
//! Rules:
//!
//! - [`SourceError::kind`] says what a caller can do next. It is the only part that code may decide on, besides
//!   [`SourceError::code`], the service's own error code. `detail` is for users and may be reworded.
//! - A kind is derived from an error code, a status or a typed error of the SDK, not from a server's message. There are
//!   two exceptions, where no code exists: a server other than S3 that expects TLS (`wants_https` in `s3/error.rs`),
//!   and a bucket without Object Lock (`lock` in `s3/object.rs`).
//! - The error that caused this one is its [`source`](std::error::Error::source). `detail` already holds the text of
//!   the innermost cause, so a caller prints either this error or the chain of its causes.
//! - `subject` names the requested object, bucket or service; a caller that names it otherwise leaves it out.
//! - This type does not depend on reports and exit codes; [`crate::commands::exit_of`] maps kinds to exit codes.
//! - A new kind is added only where a caller acts on it. `#[non_exhaustive]` keeps that compatible.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::Advice;
use crate::ident::redact_urls;

/// What a failed request means for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bucket, key, version or id does not exist, or a delete marker hides the object.
    NotFound,
    /// The caller lacks a permission. The object may or may not exist.
    Denied,
    /// The bucket is in another Region; its name if the server states it.
    WrongRegion(Option<String>),
    /// The object must be restored from an archive tier before it can be read.
    Archived,
    /// The object is no longer the one that was discovered.
    Changed,
    /// Something exists in place of the requested resource, and nothing shows whether it is the same.
    Ambiguous,
    /// The request may have been carried out, but its response was lost.
    OutcomeUnknown,
    /// A signal ended the run before the request was sent.
    Interrupted,
    /// The response to a dry run: the request is permitted and would have been carried out.
    DryRunAllowed,
    /// The response contradicts the request, itself or the protocol.
    Protocol,
    /// No connection to the server could be made, and no request succeeded before. Most likely the endpoint, the network
    /// or the proxy is set wrongly, so only one further attempt is made.
    Unreachable,
    /// The server asks for fewer requests.
    Throttled,
    /// A temporary fault: no connection, a timeout, a status of 500 or above.
    Transient,
    /// Credentials are missing, expired or refused.
    Credentials,
    /// The presigned URL has expired. A new one continues.
    Expired,
    /// A setting of the caller is wrong, and no request can succeed until it is changed.
    Configuration,
    /// The server's certificate is not trusted.
    Untrusted,
    /// The server does not implement the request.
    Unsupported,
    /// The server refused the request as it stands, or the target cannot be requested at all.
    Invalid,
    /// A body ended before its range did.
    ShortBody,
    /// Reading or writing a local file failed.
    Io,
    /// A fault of this program, such as a task that panicked.
    Internal,
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceError {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// The object, bucket or service of the request.
    pub subject: String,
    /// What happened, in one line for the user.
    pub detail: String,
    /// The service's own error code.
    pub code: Option<Box<str>>,
    /// The id under which the provider's support finds the request.
    pub request_id: Option<Box<str>>,
    /// What the user can do about it. Shown with the error, but not part of `detail`.
    pub advice: Option<Box<Advice>>,
    /// The error that caused this one.
    pub(crate) cause: Cause,
}

/// The error that caused this one, if any, shared by its clones. Boxed inside, because a pointer to a trait object is
/// twice as large.
#[derive(Clone, Default)]
pub(crate) struct Cause(Option<Arc<Box<dyn Error + Send + Sync>>>);

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Causes do not take part in the comparison of errors.
impl PartialEq for Cause {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Cause {}

impl SourceError {
    /// An error without a code, a request id or a cause.
    pub fn new(kind: ErrorKind, subject: impl fmt::Display, detail: impl Into<String>) -> Self {
        SourceError {
            kind,
            subject: subject.to_string(),
            detail: detail.into(),
            code: None,
            request_id: None,
            advice: None,
            cause: Cause::default(),
        }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn caused_by(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        SourceError { cause: Cause(Some(Arc::new(cause.into()))), ..self }
    }

    /// The same error with advice for the user.
    #[must_use]
    pub fn with_advice(self, advice: Advice) -> Self {
        SourceError { advice: Some(Box::new(advice)), ..self }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        use ErrorKind::{ShortBody, Throttled, Transient, Unreachable};
        matches!(self.kind, Throttled | Transient | Unreachable | ShortBody)
    }

    /// Whether the server may have carried the request out although its response was lost. A throttled request was not
    /// carried out.
    pub fn may_be_done(&self) -> bool {
        use ErrorKind::{Protocol, ShortBody, Transient, Unreachable};
        // A request without a connection was not sent, but an earlier attempt may have been.
        matches!(self.kind, Transient | Unreachable | ShortBody | Protocol)
    }

    /// Whether another writer was at work on the same key at the same time (S3 API Reference, *PutObject* and
    /// *CompleteMultipartUpload*). Nothing was written, and an upload must be begun anew.
    pub fn is_write_conflict(&self) -> bool {
        self.code.as_deref() == Some("ConditionalRequestConflict")
    }

    /// The message without its subject.
    pub fn explain(&self) -> String {
        let mut text = self.detail.clone();
        if let Some(code) = self.code.as_ref().filter(|code| !self.detail.contains(&***code)) {
            text = format!("{text} ({code})");
        }
        if let Some(id) = &self.request_id {
            text = format!("{text} [request id {id}]");
        }
        redact_urls(&text).into_owned()
    }

    /// The message without its subject, and what to do, in one line.
    pub fn explain_with_advice(&self) -> String {
        match &self.advice {
            Some(advice) => format!("{}; {advice}", self.explain()),
            None => self.explain(),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", redact_urls(&self.subject), self.explain())
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.0.as_ref().map(|cause| &***cause as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_kept_by_clones_and_by_errors_made_from_it() {
        let plain = SourceError::new(ErrorKind::Io, "x", "y");
        assert!(plain.source().is_none());
        let caused = plain.clone().caused_by(std::io::Error::other("disk"));
        let reworded = SourceError { detail: "z".to_owned(), ..caused.clone() };
        for error in [&caused, &caused.clone(), &reworded] {
            assert_eq!(error.source().unwrap().to_string(), "disk");
        }
        assert_eq!(caused, plain);
        assert_eq!(caused.to_string(), "x: y");
    }
}
