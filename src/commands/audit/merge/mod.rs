mod share;

use std::collections::btree_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use self::share::{Observed, ShareResult, add_new};
use super::copies::CopyIndex;
use crate::audit::{CopyState, CrossObjectIndex, ObjectPolicy, ObservationKind, Partition, Policy};
use crate::report::{
    AuditLines, AuditNote, AuditReport, AuditedBucketReport, AuditedReport, Demands, Exit, FindingReport,
    ObservationReport, Report, exit_of, verdict_of,
};
use crate::verdict::{CheckId, PolicyCheck};

/// The output of one shard of an audit.
#[derive(Debug, Clone)]
pub struct Shard {
    /// The name of the file, for messages.
    pub name: String,
    /// The lines of the file.
    pub reports: Vec<Report>,
    /// SHA-256 of the plan that lies beside it; `None` if there is no plan.
    pub plan: Option<String>,
}

/// How shards are merged.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// Maximum time between the start of the first and the last shard. A file of an earlier audit must not replace a
    /// shard that did not run.
    pub within: SignedDuration,
}

impl Default for MergeRequest {
    /// Twelve hours.
    fn default() -> Self {
        MergeRequest { within: SignedDuration::from_hours(12) }
    }
}

/// Merges the shards of one audit. Of two results of one shard, the worse stands for each object.
///
/// # Errors
///
/// A message if a shard is truncated, altered or of another audit, a line contradicts itself or another, or a shard is
/// missing.
pub fn merge(shards: Vec<Shard>, request: &MergeRequest) -> Result<Vec<Report>, String> {
    let mut results = Vec::new();
    for Shard { name, reports, plan } in shards {
        let (lines, observed) = lines_of(&name, reports)?;
        if plan.is_some() && plan != lines.end.plan_sha256 {
            return Err(format!("{name}: is of another run than the plan beside it"));
        }
        results.push(ShareResult { name, lines, observed });
    }
    let ends: Vec<(String, AuditReport)> =
        results.iter().map(|one| (one.name.clone(), one.lines.end.clone())).collect();
    began_together(&ends, request.within)?;
    let mut merged = Merged::default();
    for one in by_share(results)? {
        merged.add(one)?;
    }
    merged.finish()
}

/// One result for each share.
fn by_share(results: Vec<ShareResult>) -> Result<Vec<ShareResult>, String> {
    let first = results.first().map(|one| (one.name.clone(), one.lines.end.clone())).ok_or("there is no shard")?;
    let of = share_of(&first.0, &first.1)?.of();
    let mut shares: BTreeMap<u32, ShareResult> = BTreeMap::new();
    for one in results {
        let share = share_of(&one.name, &one.lines.end)?;
        if share.of() != of {
            return Err(format!("{}: is shard {share}, which is not of the same set as the others", one.name));
        }
        same_audit((&one.name, &one.lines.end), (&first.0, &first.1))?;
        let one = match shares.remove(&share.index()) {
            Some(there) => there.with(one),
            None => one,
        };
        shares.insert(share.index(), one);
    }
    let missing: Vec<String> =
        (1..=of).filter(|index| !shares.contains_key(index)).map(|index| format!("{index}/{of}")).collect();
    match missing.is_empty() {
        true => Ok(shares.into_values().collect()),
        false => Err(format!("shards {} are missing", missing.join(", "))),
    }
}

/// The shards read so far.
#[derive(Default)]
struct Merged {
    ends: Vec<AuditReport>,
    /// What the policy requires of each object, according to the lines of each shard.
    demands: Vec<(String, Demands)>,
    /// By target, in the order of their text.
    objects: BTreeMap<String, AuditedReport>,
    buckets: BTreeMap<String, AuditedBucketReport>,
    observations: BTreeSet<Observed>,
    exit_of_work: Exit,
}

impl Merged {
    fn add(&mut self, ShareResult { name, lines, observed }: ShareResult) -> Result<(), String> {
        self.exit_of_work = self.exit_of_work.and(lines.exit_of_work());
        self.demands.push((name.clone(), lines.demands()));
        self.observations.extend(observed);
        for report in lines.objects {
            let target = report.target.to_string();
            if self.objects.contains_key(&target) {
                return Err(format!("{name}: {target} appears twice"));
            }
            self.objects.insert(target, report);
        }
        lines.buckets.into_iter().for_each(|report| self.add_bucket(report));
        self.ends.push(lines.end);
        Ok(())
    }

    /// Every shard checks the buckets. Keep the report of the shard that had problems.
    fn add_bucket(&mut self, report: AuditedBucketReport) {
        match self.buckets.entry(report.bucket.clone()) {
            Vacant(place) => drop(place.insert(report)),
            Occupied(mut place) => {
                let before = place.get().exit_code;
                if before.and(report.exit_code) != before {
                    place.insert(report);
                }
            }
        }
    }

    fn finish(mut self) -> Result<Vec<Report>, String> {
        let stranger = |(_, one): &&(String, Demands)| self.demands.iter().any(|(_, other)| !other.go_with(one));
        if let Some((name, _)) = self.demands.iter().find(stranger) {
            return Err(format!("{name}: was not checked with the same policy as the other shards"));
        }
        let mut all = together(&self.ends)?;
        judge_copies(&mut self.objects, &all);
        let exits = self.objects.values().map(|one| one.exit_code);
        let exits = exits.chain(self.buckets.values().map(|one| one.exit_code));
        all.exit_code = exits.fold(self.exit_of_work, Exit::and);
        all.regions.clear();
        let mut joint = CrossObjectIndex::default();
        for report in self.objects.values() {
            if let Some(identity) = &report.identity {
                joint.add(&report.target, identity.object_bytes, &report.content);
            }
        }
        let mut merged: Vec<Report> = self.buckets.into_values().map(Report::AuditedBucket).collect();
        merged.extend(self.objects.into_values().map(|report| Report::Audited(Box::new(report))));
        merged.extend(self.observations.into_iter().map(|Observed { report, .. }| Report::Observation(report)));
        merged.extend(joint.duplicates().iter().map(|one| Report::Observation(ObservationReport::from(one))));
        merged.push(Report::Audit(Box::new(all)));
        Ok(merged)
    }
}

/// The lines of one shard, if it is complete and no line contradicts itself or another.
fn lines_of(name: &str, reports: Vec<Report>) -> Result<(AuditLines, Vec<Observed>), String> {
    let (mut lines, mut observed) = (AuditLines::default(), Vec::new());
    let (mut end, mut summary) = (None, None);
    for report in reports {
        if summary.is_some() {
            return Err(format!("{name}: has lines after its summary"));
        }
        match report {
            Report::Audited(report) => lines.objects.push(*report),
            Report::AuditedBucket(report) => lines.buckets.push(report),
            // Duplicates are computed again over the objects of all shards.
            Report::Observation(one) if one.kind == ObservationKind::Duplicate => {}
            Report::Observation(report) => observed.push(Observed { kind: report.kind.to_string(), report }),
            Report::Audit(_) if end.is_some() => return Err(format!("{name}: holds more than one audit")),
            Report::Audit(report) => end = Some(*report),
            Report::Summary(report) => summary = Some(report),
            _ => return Err(format!("{name}: holds a line that no audit writes")),
        }
    }
    lines.end = end.ok_or_else(|| format!("{name}: has no end: the run was cut off, or is no audit"))?;
    lines.summary = summary.ok_or_else(|| format!("{name}: has no summary: the run was cut off"))?;
    if lines.end.exit_code == Exit::Interrupted {
        return Err(format!("{name}: the run was interrupted"));
    }
    let told = lines.objects.len() as u64;
    if lines.end.objects != told {
        return Err(format!("{name}: contains {told} objects, expected {}", lines.end.objects));
    }
    let share = share_of(name, &lines.end)?;
    let is_own = |one: &AuditedReport| share.holds("shard", &one.target.bucket, &one.target.key);
    if let Some(stranger) = lines.objects.iter().find(|one| !is_own(one)) {
        return Err(format!("{name}: {} is not of shard {share}", stranger.target));
    }
    match lines.contradiction() {
        Some(problem) => Err(format!("{name}: contradicts itself: {problem}")),
        None => Ok((lines, observed)),
    }
}

/// The summary over all shards.
fn together(ends: &[AuditReport]) -> Result<AuditReport, String> {
    let (first, others) = ends.split_first().ok_or("there is no shard")?;
    let mut all = AuditReport { shard: None, shard_from: None, plan_sha256: None, ..first.clone() };
    others.iter().for_each(|end| add(&mut all, end));
    // A shard that stopped early reports fewer objects than it listed.
    let shares = all.listed.saturating_sub(all.other_slices).saturating_add(all.missing);
    if all.objects != shares {
        return Err(format!("they contain {} objects together, expected {shares}", all.objects));
    }
    // Each shard has its own ledger, or they appended to one in any order.
    all.ledger_head = None;
    all.notes.retain(|note| *note != AuditNote::DuplicatesInShare);
    Ok(all)
}

/// Adds the counts of another shard.
fn add(all: &mut AuditReport, end: &AuditReport) {
    for (sum, more) in [
        (&mut all.examined, end.examined),
        (&mut all.still_good, end.still_good),
        (&mut all.proved, end.proved),
        (&mut all.left, end.left),
        (&mut all.missing, end.missing),
        (&mut all.objects, end.objects),
        (&mut all.requests, end.requests),
        (&mut all.listing_requests, end.listing_requests),
        (&mut all.received_bytes, end.received_bytes),
    ] {
        *sum = sum.saturating_add(more);
    }
    all.exit_code = all.exit_code.and(end.exit_code);
    all.elapsed_seconds = all.elapsed_seconds.max(end.elapsed_seconds);
    all.estimated_dollars = match (all.estimated_dollars, end.estimated_dollars) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or_default() + other.unwrap_or_default()),
    };
    add_new(&mut all.problems, &end.problems);
    add_new(&mut all.notes, &end.notes);
    all.regions.extend(end.regions.clone());
}

/// Checks that a shard belongs to the same audit as the first one and listed the same objects.
fn same_audit((name, end): (&str, &AuditReport), (first_name, first): (&str, &AuditReport)) -> Result<(), String> {
    for (what, alike) in [
        ("scope", end.scope == first.scope),
        ("level", end.level == first.level),
        ("sample", end.sample == first.sample),
        ("slice", end.slice == first.slice),
        ("age", end.max_age_seconds == first.max_age_seconds),
        ("policy", end.policy_sha256 == first.policy_sha256),
        // Also options that the other fields do not state.
        ("plan", end.plan_sha256 == first.plan_sha256),
    ] {
        if !alike {
            return Err(format!("{name}: is of another audit than {first_name}: another {what}"));
        }
    }
    if end.listing_sha256 != first.listing_sha256 {
        return Err(format!(
            "{name}: saw another listing than {first_name}: objects were written or deleted between the two, and \
             may be in no shard"
        ));
    }
    let counts = |end: &AuditReport| (end.listed, end.listed_bytes, end.other_slices);
    if counts(end) != counts(first) {
        return Err(format!("{name}: counts another listing than {first_name}"));
    }
    Ok(())
}

fn share_of(name: &str, end: &AuditReport) -> Result<Partition, String> {
    end.shard.ok_or_else(|| format!("{name}: is of no shard; it was not run with --shard"))
}

fn began_together(ends: &[(String, AuditReport)], within: SignedDuration) -> Result<(), String> {
    let mut times = Vec::with_capacity(ends.len());
    for (name, end) in ends {
        let began = end.began.parse::<Timestamp>().map_err(|_| format!("{name}: does not state when it began"))?;
        times.push((began, name));
    }
    times.sort();
    match (times.first(), times.last()) {
        (Some((first, earliest)), Some((last, latest))) if last.duration_since(*first) > within => Err(format!(
            "{earliest}: is of an earlier audit than {latest}: they began {first} and {last}, more than {within:#} apart \
             (--within)"
        )),
        _ => Ok(()),
    }
}

/// Judges `other-region` over the objects of all shards, if the policy requires it.
fn judge_copies(objects: &mut BTreeMap<String, AuditedReport>, all: &AuditReport) {
    let check = CheckId::PolicyCheck(PolicyCheck::OtherRegion);
    let is_of_rule = |finding: &FindingReport| finding.check == check;
    if !objects.values().any(|one| one.findings.iter().any(is_of_rule)) {
        return;
    }
    let region = |one: &AuditedReport| all.regions.get(&one.target.bucket);
    let bytes = |one: &AuditedReport| one.identity.as_ref().map_or(0, |identity| identity.object_bytes);
    let mut index = CopyIndex::default();
    for one in objects.values_mut() {
        // What the shard said was about its own objects.
        one.findings.retain(|finding| !is_of_rule(finding));
        if matches!(one.exit_code, Exit::Passed | Exit::Failed | Exit::Unknown) {
            one.exit_code = exit_of(&one.findings);
        }
        if one.identity.is_some() && one.exit_code == Exit::Passed {
            index.add(region(one).cloned(), bytes(one), &one.content);
        }
    }
    let all_seen = all.problems.is_empty() && all.slice.is_none() && all.left == 0 && !all.is_named();
    let policy = Policy { object: ObjectPolicy { other_region: true, ..ObjectPolicy::default() }, ..Policy::default() };
    for one in objects.values_mut() {
        let copies = match index.copies(region(one).map(String::as_str), bytes(one), &one.content) {
            CopyState::None if !all_seen => CopyState::NotKnown { why: "not all objects were seen".to_owned() },
            copies => copies,
        };
        let proved = all.holds_proved(one) && one.exit_code == Exit::Passed;
        one.findings.extend(policy.judge_copies(&copies).as_ref().map(FindingReport::from));
        one.verdict = verdict_of(&one.findings, proved);
        one.exit_code = one.exit_code.and(exit_of(&one.findings));
    }
}
