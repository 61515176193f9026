//! The results of one share. A task that was started again may have written a second one.

use super::Standing;
use crate::audit::{ChangeKind, Partition};
use crate::report::{AuditNote, AuditReport, AuditedBucketReport, AuditedReport, CheckedAudit, Exit, LineCounts};
use crate::verdict::{ReasonCode, Verdict};

/// One result of a share. Its lines of objects are in the tables.
pub(super) struct ShareResult {
    /// The file, for messages.
    pub name: String,
    /// The share.
    pub share: Partition,
    /// Its end.
    pub checked: CheckedAudit,
    /// Its lines of buckets.
    pub buckets: Vec<AuditedBucketReport>,
    /// The lowest rank of its lines.
    pub worst: u8,
}

/// The rank of an object without problems.
pub(super) const GOOD: u8 = 4;
/// The rank of an object that a limit left out. The result of any examination stands before it.
const NOT_REACHED: u8 = 5;

/// How bad the result for an object is: fail, unstable read, unknown, in order, pass, not reached.
pub(super) fn rank(one: &AuditedReport) -> u8 {
    let is_kept = one.examined.is_none() && one.identity.is_none();
    if is_kept && one.change != Some(ChangeKind::Missing) {
        return NOT_REACHED;
    }
    let is_unstable = || {
        let mut reasons = one.findings.iter().filter_map(|finding| finding.reason.as_ref());
        reasons.any(|reason| reason.code == ReasonCode::UnstableRead)
    };
    match (one.verdict, one.exit_code) {
        (Verdict::Fail, _) => 0,
        _ if is_unstable() => 1,
        (_, exit) if exit != Exit::Passed => 2,
        (Verdict::Unknown, _) => 3,
        (Verdict::Pass, _) => GOOD,
    }
}

/// All results of one share.
pub(super) struct Share {
    /// Positions in the list of results, the worst first.
    pub results: Vec<usize>,
    /// What is counted in the lines that stand.
    counts: LineCounts,
    /// The number of objects of these lines of which every byte is proved.
    proved: u64,
    /// The number of those that the runs of several shards prove.
    joined: u64,
    /// The number of others that a shard counts as proved, and that are not.
    lost: u64,
}

impl Share {
    /// A share with the results at these positions of the list.
    pub(super) fn new(mut results: Vec<usize>, all: &[ShareResult]) -> Self {
        results.sort_by_key(|at| all.get(*at).map_or(GOOD, |one| one.worst));
        Share { results, counts: LineCounts::default(), proved: 0, joined: 0, lost: 0 }
    }

    /// Adds a line that stands.
    pub(super) fn add(&mut self, one: &Standing) {
        self.counts.add(&one.report);
        self.proved += u64::from(one.is_proved);
        self.joined += u64::from(one.is_joined);
        self.lost += u64::from(one.is_lost);
    }

    /// The end of the share over all its results.
    pub(super) fn end(&self, all: &[ShareResult]) -> Option<AuditReport> {
        let mut results = self.results.iter().filter_map(|at| all.get(*at));
        let first = results.next()?;
        let mut end = first.checked.end.clone();
        for other in results {
            let more = &other.checked.end;
            end.exit_code = end.exit_code.and(more.exit_code);
            end.requests = end.requests.saturating_add(more.requests);
            end.listing_requests = end.listing_requests.saturating_add(more.listing_requests);
            end.received_bytes = end.received_bytes.saturating_add(more.received_bytes);
            add_new(&mut end.problems, &more.problems);
            add_new(&mut end.notes, &more.notes);
            end.notes.push(AuditNote::TwoResults {
                shard: first.share.to_string(),
                first: first.name.clone(),
                second: other.name.clone(),
            });
        }
        match self.results.len() {
            1 => end.proved = (end.proved + self.joined).saturating_sub(self.lost),
            _ => self.counts.fill(&mut end, self.proved),
        }
        Some(end)
    }
}

/// Adds what is not there yet.
pub(super) fn add_new<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T]) {
    let new: Vec<T> = more.iter().filter(|one| !all.contains(one)).cloned().collect();
    all.extend(new);
}
