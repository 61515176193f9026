use super::CopyEnds;
use crate::copy::{CopyCheck, CopyFinding};
use crate::report::EndReport;

/// What is known of the callers at both ends. An unknown caller prevents nothing: other servers have no STS.
pub(super) fn callers(ends: &CopyEnds) -> Vec<CopyFinding> {
    [(CopyCheck::SourceCaller, &ends.from), (CopyCheck::DestinationCaller, &ends.to)]
        .into_iter()
        .filter_map(|(check, end)| caller(check, end))
        .collect()
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
