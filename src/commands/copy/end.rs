use super::CopyEnds;
use crate::copy::{CopyCheck, CopyFinding};
use crate::report::EndReport;
use crate::source::{ErrorKind, SourceError};

/// What is known of the callers at both ends. An unknown caller prevents nothing: other servers have no STS.
pub(super) fn callers(ends: &CopyEnds) -> Vec<CopyFinding> {
    [(CopyCheck::SourceCaller, &ends.from), (CopyCheck::DestinationCaller, &ends.to)]
        .into_iter()
        .filter_map(|(check, end)| caller(check, end))
        .collect()
}

/// The same error with the option that changes the Region of this end.
pub(super) fn by_option(error: SourceError, option: &str) -> SourceError {
    let detail = match &error.kind {
        ErrorKind::WrongRegion(Some(region)) => {
            format!("the bucket is in Region {region}; run again with {option} {region}")
        }
        _ => return error,
    };
    SourceError { detail, ..error }
}

fn caller(check: CopyCheck, end: &EndReport) -> Option<CopyFinding> {
    match (&end.account, &end.unknown_because) {
        (Some(account), _) => {
            let partition = end.partition.as_deref().unwrap_or("not stated");
            Some(CopyFinding::pass(check, format!("account {account}, partition {partition}")))
        }
        (None, Some(why)) => Some(CopyFinding::aside(check, format!("the caller is not known: {why}"))),
        (None, None) => None,
    }
}
