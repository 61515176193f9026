//! The whole audit, once its shards are joined.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};

use jiff::Timestamp;

use super::lines::observation;
use super::record::{JoinedEntry, record};
use super::share::Share;
use super::{Merge, MergeError, Standing};
use crate::audit::{CopyState, ObjectPolicy, Policy, duplicate};
use crate::commands::audit::copies::CopyIndex;
use crate::ledger::{LedgerError, SharedLedger};
use crate::report::{
    AuditReport, AuditedBucketReport, AuditedReport, Exit, FindingReport, ObservationReport, Report, exit_of,
    verdict_of,
};

/// The shards of one audit, which agree with each other.
pub struct MergedAudit {
    pub(super) merge: Merge,
    pub(super) shares: Vec<Share>,
    /// The end of the audit, before its exit code is known.
    pub(super) end: AuditReport,
    pub(super) index: CopyIndex,
    /// What ledgers should have of the objects that several shards read.
    pub(super) entries: Vec<JoinedEntry>,
    /// Ledgers that could not be read or written.
    pub(super) problems: Vec<String>,
}

impl MergedAudit {
    /// Appends what the runs of huge objects show to a ledger: a proof of every byte, or a doubt that ends an earlier
    /// proof. `name` stands for the ledger in notes. An entry that is there is not added again. A ledger that cannot be
    /// read or written is a problem of the audit. `now` is the time of day.
    pub async fn record(&mut self, name: &str, ledger: &SharedLedger, now: Timestamp) {
        match record(&self.entries, (name, ledger), now).await {
            Ok(notes) => self.end.notes.extend(notes),
            Err(error) => self.problems.push(format!("the ledger {name} {error}")),
        }
    }

    /// Emits the lines of the whole audit.
    ///
    /// # Errors
    ///
    /// The temporary tables cannot be read.
    pub fn write(self, emit: &mut dyn FnMut(Report)) -> Result<(), MergeError> {
        let MergedAudit { merge, shares, end: mut all, index, entries: _, problems } = self;
        let mut exit = merge.results.iter().fold(Exit::Passed, |exit, one| exit.and(one.checked.exit_of_work));
        if !problems.is_empty() {
            exit = exit.and(Exit::CouldNot);
        }
        for bucket in merge.buckets().into_values() {
            exit = exit.and(bucket.exit_code);
            emit(Report::AuditedBucket(bucket));
        }
        all.regions = merge.regions();
        merge.scratch.each_of_lines(|target, lines| {
            let Some(found) = merge.standing(target, lines, &shares)? else { return Ok::<(), MergeError>(()) };
            let one = match merge.asks_copies {
                true => merge.judge_copies(found, &all, index)?,
                false => found.report,
            };
            exit = exit.and(one.exit_code);
            emit(Report::Audited(Box::new(one)));
            Ok(())
        })?;
        merge.scratch.each_observation(|one| emit(Report::Observation(observation(one))))?;
        merge.scratch.each_alike(|alike| {
            let one = duplicate(&alike.names, alike.more, &alike.values);
            emit(Report::Observation(ObservationReport::from(&one)));
        })?;
        all.exit_code = exit;
        all.problems.extend(problems);
        all.regions.clear();
        // Their lines are joined to those of the objects.
        all.runs = 0;
        emit(Report::Audit(Box::new(all)));
        Ok(())
    }
}

impl Merge {
    /// The buckets. Every shard checks them: the report of the shard that had problems stands.
    fn buckets(&self) -> BTreeMap<String, AuditedBucketReport> {
        let mut buckets = BTreeMap::new();
        for report in self.results.iter().flat_map(|one| &one.buckets) {
            match buckets.entry(report.bucket.clone()) {
                Vacant(place) => drop(place.insert(report.clone())),
                Occupied(mut place) => {
                    let before: Exit = place.get().exit_code;
                    if before.and(report.exit_code) != before {
                        place.insert(report.clone());
                    }
                }
            }
        }
        buckets
    }

    /// Judges `other-region` over the objects of all shards.
    fn judge_copies(&self, found: Standing, all: &AuditReport, index: CopyIndex) -> Result<AuditedReport, LedgerError> {
        let Standing { report: mut one, is_proved, .. } = found;
        self.without_copies(&mut one);
        let all_seen = all.problems.is_empty() && all.slice.is_none() && all.left == 0 && !all.is_named();
        let object = ObjectPolicy { other_region: true, ..ObjectPolicy::default() };
        let policy = Policy { object, ..Policy::default() };
        let region = all.regions.get(&one.target.bucket).map(String::as_str);
        let bytes = one.identity.as_ref().map_or(0, |identity| identity.object_bytes);
        let copies = match index.copies(&self.scratch, region, bytes, &one.content)? {
            CopyState::None if !all_seen => CopyState::NotKnown { why: "not all objects were seen".to_owned() },
            copies => copies,
        };
        let proved = is_proved && one.exit_code == Exit::Passed;
        one.findings.extend(policy.judge_copies(&copies).as_ref().map(FindingReport::from));
        one.verdict = verdict_of(&one.findings, proved);
        one.exit_code = one.exit_code.and(exit_of(&one.findings));
        Ok(one)
    }
}
