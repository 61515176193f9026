//! What requests to the services besides S3 have in common.

use std::collections::BTreeMap;

/// Parameters of a Query request, by name.
pub(crate) type Parameters = BTreeMap<String, String>;

/// An error of one of these services, in no protocol yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl ServiceError {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        ServiceError { status: 400, code: code.to_owned(), message: message.into() }
    }
}
