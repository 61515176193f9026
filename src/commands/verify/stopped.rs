use crate::fetch::{Spent, Stop};
use crate::source::ErrorKind;
use crate::verdict::{Coverage, Reason};

/// The reason for checks that are unknown because the read stopped.
pub(super) fn why_stopped(stop: &Stop, coverage: Coverage) -> Reason {
    let error = match stop {
        Stop::Failed(error) => error,
        Stop::Cancelled => return Reason::Interrupted { coverage },
        Stop::Spent(Spent::Time) => return Reason::Limited { limit: "--max-time", coverage },
        Stop::Spent(Spent::Bytes) => return Reason::Limited { limit: "--max-bytes", coverage },
    };
    let detail = error.explain();
    match error.kind {
        ErrorKind::Changed => Reason::Changed { detail },
        ErrorKind::NotFound => Reason::Changed { detail: format!("it is gone: {detail}") },
        ErrorKind::Protocol | ErrorKind::ShortBody => Reason::Protocol { detail },
        ErrorKind::Archived => Reason::Archived { state: detail },
        _ => Reason::ReadFailed { detail },
    }
}
