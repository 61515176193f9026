//! The results of one share. A task that was started again may have written a second one.

use std::collections::BTreeMap;

use crate::report::{AuditLines, AuditNote, AuditedReport, Exit, ObservationReport};
use crate::verdict::{ReasonCode, Verdict};

/// The results of one share.
pub(super) struct ShareResult {
    /// The file, for messages.
    pub name: String,
    /// Its lines.
    pub lines: AuditLines,
    /// Its observations.
    pub observed: Vec<Observed>,
}

/// An observation with its sort key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Observed {
    /// The kind.
    pub kind: String,
    /// The observation.
    pub report: ObservationReport,
}

/// How bad the result for an object is: fail, unstable read, unknown, in order, pass.
fn rank(one: &AuditedReport) -> u8 {
    let is_unstable = || {
        let mut reasons = one.findings.iter().filter_map(|finding| finding.reason.as_ref());
        reasons.any(|reason| reason.code == ReasonCode::UnstableRead)
    };
    match (one.verdict, one.exit_code) {
        (Verdict::Fail, _) => 0,
        _ if is_unstable() => 1,
        (_, exit) if exit != Exit::Passed => 2,
        (Verdict::Unknown, _) => 3,
        (Verdict::Pass, _) => 4,
    }
}

impl ShareResult {
    fn worst(&self) -> u8 {
        let buckets = self.lines.buckets.iter().map(|one| if one.exit_code == Exit::Failed { 0 } else { 4 });
        self.lines.objects.iter().map(rank).chain(buckets).min().unwrap_or(4)
    }

    /// Combines two results of one share: of each object the worse result stands.
    pub(super) fn with(self, other: ShareResult) -> ShareResult {
        let (mut stands, other) = if other.worst() < self.worst() { (other, self) } else { (self, other) };
        let note = AuditNote::TwoResults {
            shard: stands.lines.end.shard.map(|share| share.to_string()).unwrap_or_default(),
            first: stands.name.clone(),
            second: other.name.clone(),
        };
        let lines = &mut stands.lines;
        let mut objects: BTreeMap<String, AuditedReport> =
            std::mem::take(&mut lines.objects).into_iter().map(|one| (one.target.to_string(), one)).collect();
        for one in other.lines.objects {
            let target = one.target.to_string();
            if objects.get(&target).is_none_or(|there| rank(&one) < rank(there)) {
                objects.insert(target, one);
            }
        }
        lines.objects = objects.into_values().collect();
        lines.buckets.extend(other.lines.buckets);
        let (end, more) = (&mut lines.end, other.lines.end);
        end.exit_code = end.exit_code.and(more.exit_code);
        end.requests = end.requests.saturating_add(more.requests);
        end.listing_requests = end.listing_requests.saturating_add(more.listing_requests);
        end.received_bytes = end.received_bytes.saturating_add(more.received_bytes);
        add_new(&mut end.problems, &more.problems);
        add_new(&mut end.notes, &more.notes);
        end.notes.push(note);
        lines.recount();
        stands.observed.extend(other.observed);
        stands
    }
}

/// Adds what is not there yet.
pub(super) fn add_new<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T]) {
    let new: Vec<T> = more.iter().filter(|one| !all.contains(one)).cloned().collect();
    all.extend(new);
}
