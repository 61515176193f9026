use std::sync::Mutex;

use crate::facts::Service;
use crate::source::{ErrorKind, SourceError};
use crate::sync::lock;

/// Whether the destination takes the checksum of a part behind its bytes, as a trailer of the encoding `aws-chunked`.
/// Other servers than AWS may refuse the encoding, or store it as if it were bytes of the part.
#[derive(Debug)]
pub(super) struct Trailers(Mutex<State>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// No part has shown it yet.
    NotKnown,
    Taken,
    /// Why parts are sent without it.
    Refused(String),
}

impl Trailers {
    pub(super) fn of(service: Service) -> Self {
        Trailers(Mutex::new(match service {
            Service::Aws => State::Taken,
            Service::Other => State::NotKnown,
        }))
    }

    /// Whether the next part is sent with a trailer.
    pub(super) fn are_used(&self) -> bool {
        !matches!(*lock(&self.0), State::Refused(_))
    }

    /// Whether a part has shown that the server understands them.
    pub(super) fn are_taken(&self) -> bool {
        *lock(&self.0) == State::Taken
    }

    /// Notes that the server understood one.
    pub(super) fn taken(&self) {
        let mut state = lock(&self.0);
        if *state == State::NotKnown {
            *state = State::Taken;
        }
    }

    /// Whether a part that failed is sent again without a trailer: the server refused it, and has taken none before.
    pub(super) fn refused(&self, error: &SourceError) -> bool {
        let mut state = lock(&self.0);
        match *state {
            State::Refused(_) => true,
            State::NotKnown if may_be_about_trailers(error) => {
                *state = State::Refused(error.explain());
                true
            }
            State::NotKnown | State::Taken => false,
        }
    }

    /// What the user must know.
    pub(super) fn note(&self) -> Option<String> {
        match &*lock(&self.0) {
            State::Refused(why) => Some(format!(
                "the server accepts no trailing checksum of a part ({why}): parts are sent without, and the ETag of \
                 each part is compared"
            )),
            State::NotKnown | State::Taken => None,
        }
    }
}

/// Whether a refusal can mean that the server does not know the encoding. Without it the signature covers other headers,
/// and the length of the body is another.
fn may_be_about_trailers(error: &SourceError) -> bool {
    match error.kind {
        ErrorKind::Unsupported => true,
        ErrorKind::Invalid => error.code.as_deref() != Some("BadDigest"),
        ErrorKind::Credentials => error.code.as_deref() == Some("SignatureDoesNotMatch"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, code: &str) -> SourceError {
        SourceError { code: Some(code.into()), ..SourceError::new(kind, "s3://b/k", "refused") }
    }

    #[test]
    fn the_first_refusal_decides_unless_one_was_taken() {
        for (kind, code, falls_back) in [
            (ErrorKind::Unsupported, "NotImplemented", true),
            (ErrorKind::Invalid, "InvalidArgument", true),
            (ErrorKind::Credentials, "SignatureDoesNotMatch", true),
            (ErrorKind::Credentials, "ExpiredToken", false),
            (ErrorKind::Invalid, "BadDigest", false),
            (ErrorKind::Denied, "AccessDenied", false),
            (ErrorKind::NotFound, "NoSuchUpload", false),
        ] {
            let error = error(kind, code);
            let trailers = Trailers::of(Service::Other);
            assert_eq!(trailers.refused(&error), falls_back, "{code}");
            assert_eq!((trailers.are_used(), trailers.note().is_none()), (!falls_back, !falls_back), "{code}");
            let taken = Trailers::of(Service::Other);
            taken.taken();
            assert!(!taken.refused(&error) && taken.are_used());
            assert!(!Trailers::of(Service::Aws).refused(&error), "AWS takes them");
        }
    }
}
