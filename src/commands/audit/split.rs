//! Huge objects that all shards read together, in runs of parts.

use super::AuditRequest;
use super::list::Candidate;
use super::subject::Subject;
use crate::audit::SplitPlan;
use crate::commands::Discovery;
use crate::commands::verify::archived;
use crate::plan::{References, stored_references};
use crate::verdict::{CheckId, Finding, Origin, Outcome, Reason};

impl AuditRequest {
    /// Whether an object of the listing is so large that all shards read it together, if its references allow that. All
    /// shards decide alike, because they list the same objects.
    pub(super) fn splits(&self, candidate: &Candidate) -> bool {
        let bytes = candidate.listed.as_ref().and_then(|listed| listed.size);
        self.split_bytes.zip(bytes).is_some_and(|(split, bytes)| bytes > split)
    }
}

/// How an object is divided, and its stored references; `None` if it cannot be read, or no reference can be decided by
/// runs. Parts under which the ledger knows the ETag to match come before assumed ones, as in a read of the whole object.
pub(super) fn divided(subject: &Subject<'_>, found: &mut Discovery) -> Option<(SplitPlan, References)> {
    let run_bytes = subject.request.split_bytes?;
    if archived(&found.facts).is_some() {
        return None;
    }
    if let Some(known) = subject.known_parts(&found.facts.listed_identity()) {
        found.take_etag_parts(&known);
    }
    let facts = &found.facts;
    let stored = stored_references(facts, &found.layout, Origin::Stored, None);
    Some((SplitPlan::new(facts.size, &stored.references, run_bytes)?, stored))
}

/// Whether the shards read an object together.
pub(super) async fn is_divided(subject: &Subject<'_>) -> bool {
    let Ok(facts) = subject.head().await else { return false };
    let mut found = Discovery::from_head(&subject.session, facts.clone()).await;
    divided(subject, &mut found).is_some()
}

/// The findings on an object that the shards read together, before their results are merged.
pub(super) fn findings(plan: &SplitPlan, stored: References) -> Vec<Finding> {
    let runs = u32::try_from(plan.runs().len()).unwrap_or(u32::MAX);
    let unknown = |check: CheckId, required, reason| Finding { check, required, outcome: Outcome::Unknown(reason) };
    let mut findings = vec![unknown(CheckId::Proof, true, Reason::ReadInRuns { runs })];
    findings.extend(plan.joined.iter().map(|one| unknown(one.check, false, Reason::ReadInRuns { runs })));
    findings.extend(plan.serial.iter().map(|one| unknown(one.check, false, Reason::NotJoined)));
    findings.extend(stored.unusable);
    findings
}
