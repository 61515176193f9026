use std::fmt;

use crate::ident::redact_urls;
use crate::report::Exit;

/// Why a request failed, as far as it matters for what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// Not there: bucket, key, version, or removed by a delete marker.
    NotFound,
    /// There may be something, and we may not see it.
    Denied,
    /// The bucket is elsewhere; the Region where it is known.
    WrongRegion(Option<String>),
    /// Must be brought back before it can be read.
    Archived,
    /// Not the object that was discovered.
    Changed,
    /// What is there may or may not be what was asked for, and nothing tells.
    Unsettled,
    /// An answer that does not fit the request.
    Protocol,
    /// The server asks for fewer requests.
    Throttled,
    /// Passing trouble: connection, timeout, 5xx.
    Transient,
    /// No credentials, or ones that are refused.
    Credentials,
    /// A setting under which no request can succeed.
    Configuration,
    /// The server's certificate is not believed.
    Untrusted,
    /// The server does not know the request.
    Unsupported,
    /// The request was refused as it stands.
    Invalid,
    /// A body ended before its range did.
    ShortBody,
    /// A local file could not be read.
    Io,
}

/// A failed request, subject first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SourceError {
    pub kind: ErrorKind,
    /// What the request was about.
    pub subject: String,
    pub detail: String,
    /// The service's own error code.
    pub code: Option<String>,
    /// For the provider's support.
    pub request_id: Option<String>,
}

impl SourceError {
    pub fn new(kind: ErrorKind, subject: impl fmt::Display, detail: impl Into<String>) -> Self {
        SourceError { kind, subject: subject.to_string(), detail: detail.into(), code: None, request_id: None }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::ShortBody)
    }

    /// Whether the server may have done what it was asked, and its answer is lost. A throttled request was not
    /// carried out.
    pub fn may_be_done(&self) -> bool {
        matches!(self.kind, ErrorKind::Transient | ErrorKind::ShortBody | ErrorKind::Protocol)
    }

    /// How a command ends that cannot get past it.
    pub fn exit(&self) -> Exit {
        match self.kind {
            ErrorKind::Credentials | ErrorKind::Configuration => Exit::Usage,
            ErrorKind::Archived | ErrorKind::Changed | ErrorKind::Unsettled => Exit::Unknown,
            _ => Exit::CouldNot,
        }
    }

    /// The message without its subject.
    pub fn explain(&self) -> String {
        let mut text = self.detail.clone();
        if let Some(code) = self.code.as_ref().filter(|code| !self.detail.contains(code.as_str())) {
            text = format!("{text} ({code})");
        }
        if let Some(id) = &self.request_id {
            text = format!("{text} [request id {id}]");
        }
        redact_urls(&text).into_owned()
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", redact_urls(&self.subject), self.explain())
    }
}
