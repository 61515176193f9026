use std::collections::btree_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::audit::{CrossObjectIndex, ObservationKind, Partition};
use crate::report::{
    AuditLines, AuditNote, AuditReport, AuditedBucketReport, AuditedReport, Demands, Exit, ObservationReport, Report,
};

/// The output of one shard of an audit.
#[derive(Debug, Clone)]
pub struct Shard {
    /// The name of the file, for messages.
    pub name: String,
    /// The lines of the file.
    pub reports: Vec<Report>,
}

/// Merges the shards of one audit.
///
/// # Errors
///
/// A message if a shard is truncated, altered or of another audit, a line contradicts itself or another, or a shard is
/// missing.
pub fn merge(shards: Vec<Shard>) -> Result<Vec<Report>, String> {
    let mut merged = Merged::default();
    for shard in shards {
        merged.add(shard)?;
    }
    merged.finish()
}

/// The shards read so far.
#[derive(Default)]
struct Merged {
    ends: Vec<(String, AuditReport)>,
    /// What the policy requires of each object, according to the lines of each shard.
    demands: Vec<(String, Demands)>,
    /// By target, in the order of their text.
    objects: BTreeMap<String, AuditedReport>,
    buckets: BTreeMap<String, AuditedBucketReport>,
    observations: BTreeSet<Observed>,
    exit: Exit,
}

impl Merged {
    fn add(&mut self, Shard { name, reports }: Shard) -> Result<(), String> {
        let (lines, observed) = lines_of(&name, reports)?;
        self.demands.push((name.clone(), lines.demands()));
        self.observations.extend(observed);
        for report in lines.objects {
            self.exit = self.exit.and(report.exit_code);
            let target = report.target.to_string();
            if self.objects.contains_key(&target) {
                return Err(format!("{name}: {target} appears in more than one shard"));
            }
            self.objects.insert(target, report);
        }
        lines.buckets.into_iter().for_each(|report| self.add_bucket(report));
        self.ends.push((name, lines.end));
        Ok(())
    }

    /// Every shard checks the buckets. Keep the report of the shard that had problems.
    fn add_bucket(&mut self, report: AuditedBucketReport) {
        self.exit = self.exit.and(report.exit_code);
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

    fn finish(self) -> Result<Vec<Report>, String> {
        let mut all = together(&self.ends)?;
        let stranger = |(_, one): &&(String, Demands)| self.demands.iter().any(|(_, other)| !other.go_with(one));
        if let Some((name, _)) = self.demands.iter().find(stranger) {
            return Err(format!("{name}: was not checked with the same policy as the other shards"));
        }
        all.exit_code = self.exit.and(all.exit_code);
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

/// An observation with its sort key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Observed {
    kind: String,
    report: ObservationReport,
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

/// The summary over all shards, if they are all the shards of one audit.
fn together(ends: &[(String, AuditReport)]) -> Result<AuditReport, String> {
    let (first_name, first) = ends.first().ok_or("there is no shard")?;
    let mut expected = Expected::of(share_of(first_name, first)?.of());
    let mut all = AuditReport { shard: None, ..first.clone() };
    for (index, (name, end)) in ends.iter().enumerate() {
        expected.take(name, share_of(name, end)?)?;
        same_audit((name, end), (first_name, first))?;
        if index > 0 {
            add(&mut all, end);
        }
    }
    expected.none_missing()?;
    began_together(ends)?;
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

/// The shards not read yet.
struct Expected {
    of: u32,
    missing: BTreeSet<u32>,
}

impl Expected {
    fn of(of: u32) -> Self {
        Expected { of, missing: (1..=of).collect() }
    }

    fn take(&mut self, name: &str, share: Partition) -> Result<(), String> {
        if share.of() != self.of || !self.missing.remove(&share.index()) {
            return Err(format!("{name}: is shard {share}, which is not of the same set as the others"));
        }
        Ok(())
    }

    fn none_missing(&self) -> Result<(), String> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<String> = self.missing.iter().map(|index| format!("{index}/{}", self.of)).collect();
        Err(format!("shards {} are missing", missing.join(", ")))
    }
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
}

fn add_new<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T]) {
    let new: Vec<T> = more.iter().filter(|one| !all.contains(one)).cloned().collect();
    all.extend(new);
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

/// Maximum time between the start of the first and the last shard. A file of an earlier audit must not replace a shard
/// that did not run.
const TOGETHER: SignedDuration = SignedDuration::from_hours(12);

fn began_together(ends: &[(String, AuditReport)]) -> Result<(), String> {
    let mut times = Vec::with_capacity(ends.len());
    for (name, end) in ends {
        let began = end.began.parse::<Timestamp>().map_err(|_| format!("{name}: does not state when it began"))?;
        times.push((began, name));
    }
    times.sort();
    match (times.first(), times.last()) {
        (Some((first, earliest)), Some((last, latest))) if last.duration_since(*first) > TOGETHER => Err(format!(
            "{earliest}: is of an earlier audit than {latest}: they began {first} and {last}, more than {} hours apart",
            TOGETHER.as_hours()
        )),
        _ => Ok(()),
    }
}
