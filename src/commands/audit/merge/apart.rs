//! What runs show of an object that they do not cover together.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::report::{AuditedReport, AuditedRunReport, ReasonReport};
use crate::units::counted;
use crate::verdict::{CheckId, Coverage, Damage, Evidence, Failure, Finding, Outcome, Reads, Reason};

/// Parts that differ from the values of them which S3 stores. One of them refutes the object, whatever the rest is.
pub(super) struct Refuted {
    /// A failure of each reference, and one of the proof.
    pub findings: Vec<Finding>,
    /// When the newest of the runs with such a part was read.
    pub at: Option<Timestamp>,
}

/// The parts of one reference.
#[derive(Default)]
struct Compared<'a> {
    source: &'a str,
    shown: &'a str,
    parts: u64,
    bytes: u64,
    /// By number.
    damage: BTreeMap<u64, Damage>,
}

/// Compares each part of the runs of the object as `one` describes it; `None` if none differs.
pub(super) fn refuted(one: &AuditedReport, runs: &[AuditedRunReport]) -> Option<Refuted> {
    let identity = one.identity.as_ref()?;
    let (size, own) = (identity.object_bytes, identity.identity());
    let is_of_it = |run: &&AuditedRunReport| {
        let theirs = run.identity.as_ref().map(|identity| identity.identity());
        run.reason.is_none() && own.has_strong_etag() && theirs.is_some_and(|theirs| theirs.same_as(&own).is_yes())
    };
    let mut by_check: BTreeMap<CheckId, Compared<'_>> = BTreeMap::new();
    let mut newest = None;
    for run in runs.iter().filter(is_of_it) {
        for reference in run.references.iter().filter(|reference| !reference.parts.is_empty()) {
            let damage = run.damage(reference);
            if !damage.is_empty() {
                newest = newest.max(read_at(run));
            }
            let all = by_check.entry(reference.check).or_default();
            (all.source, all.shown) = (&reference.source, &reference.shown);
            all.parts = all.parts.saturating_add(run.parts());
            all.bytes = all.bytes.saturating_add(run.length_bytes).min(size);
            all.damage.extend(damage.into_iter().map(|damage| (damage.part, damage)));
        }
    }
    let failed = by_check.into_iter().filter(|(_, all)| !all.damage.is_empty()).map(|(check, all)| {
        let observed = format!("{} of {} that were read differ", all.damage.len(), counted(all.parts, "part"));
        let evidence = Evidence {
            source: all.source.to_owned(),
            expected: all.shown.to_owned(),
            observed,
            coverage: Some(Coverage { bytes: all.bytes, of: size }),
        };
        (check, Failure { evidence, reads: Some(Reads::One), damage: all.damage.into_values().collect() })
    });
    let failed: Vec<(CheckId, Failure)> = failed.collect();
    let (_, first) = failed.first()?;
    let proof = Finding { check: CheckId::Proof, required: true, outcome: Outcome::Fail(first.clone()) };
    let of_references =
        failed.into_iter().map(|(check, failure)| Finding { check, required: false, outcome: Outcome::Fail(failure) });
    Some(Refuted { findings: std::iter::once(proof).chain(of_references).collect(), at: newest })
}

/// When a run was read.
pub(super) fn read_at(run: &AuditedRunReport) -> Option<Timestamp> {
    run.read_at.parse().ok()
}

/// Why the runs of an object prove nothing if the shard that the object belongs to found an earlier proof good enough.
pub(super) fn beside_a_proof(one: &AuditedReport, runs: &[AuditedRunReport]) -> ReasonReport {
    let read: Vec<&AuditedRunReport> = runs.iter().filter(|run| run.reason.is_none()).collect();
    let mut numbers: Vec<u32> = read.iter().map(|run| run.run).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let of = read.iter().map(|run| run.of).max().unwrap_or_default();
    let proof = one.proof.as_ref().map_or("an earlier proof".to_owned(), |proof| format!("the proof of {}", proof.at));
    let detail = format!(
        "its shard counts {proof}, and others read {} of {}, which cannot be joined; give the ledgers of all shards to \
         audit merge --ledger, or read it again with --max-age 0d",
        numbers.len(),
        counted(u64::from(of), "run"),
    );
    ReasonReport::from(&Reason::Unanswered { detail })
}
