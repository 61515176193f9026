use std::collections::btree_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::audit::{ContentFingerprint, CrossObjectIndex, ObservationKind, Partition};
use crate::ident::ObjectUri;
use crate::report::{
    AuditLines, AuditReport, AuditedBucketReport, AuditedReport, Demands, Exit, ObservationReport, Report,
};

/// What one shard of an audit wrote.
#[derive(Debug, Clone)]
pub struct Shard {
    /// Of the file, for messages.
    pub name: String,
    pub reports: Vec<Report>,
}

/// Puts the shards of one audit together; in words why they are not all of one, or which line contradicts itself.
///
/// # Errors
///
/// A shard is cut off, altered or of another audit, or one is missing.
pub fn merge(shards: Vec<Shard>) -> Result<Vec<Report>, String> {
    let mut ends: Vec<(String, AuditReport)> = Vec::new();
    let mut exit = Exit::Passed;
    let mut objects: BTreeMap<String, AuditedReport> = BTreeMap::new();
    let mut buckets: BTreeMap<String, AuditedBucketReport> = BTreeMap::new();
    let mut observations = BTreeSet::new();
    let mut demands: Vec<(String, Demands)> = Vec::new();
    for Shard { name, reports } in shards {
        let (lines, observed) = lines_of(&name, reports)?;
        demands.push((name.clone(), lines.demands()));
        let AuditLines { objects: own, buckets: asked, end, .. } = lines;
        observations.extend(observed);
        for report in own {
            exit = exit.and(report.exit_code);
            let target = report.target.clone();
            if objects.insert(target.clone(), report).is_some() {
                return Err(format!("{name}: {target} appears in more than one shard"));
            }
        }
        for report in asked {
            exit = exit.and(report.exit_code);
            // Each shard asked; what went wrong for one of them must not be lost.
            match buckets.entry(report.bucket.clone()) {
                Vacant(place) => drop(place.insert(report)),
                Occupied(mut place) => {
                    let (before, now) = (place.get().exit_code, report.exit_code);
                    if before.and(now) != before {
                        place.insert(report);
                    }
                }
            }
        }
        ends.push((name, end));
    }
    let mut all = together(&ends)?;
    let stranger = |(_, one): &&(String, Demands)| demands.iter().any(|(_, other)| !other.go_with(one));
    if let Some((name, _)) = demands.iter().find(stranger) {
        return Err(format!("{name}: was not held against the same policy as the other shards"));
    }
    all.exit_code = exit.and(all.exit_code);
    let mut joint = CrossObjectIndex::default();
    for (target, report) in &objects {
        if let (Ok(uri), Some(identity)) = (target.parse::<ObjectUri>(), &report.identity) {
            let content: Vec<ContentFingerprint> = report.content.iter().cloned().map(ContentFingerprint).collect();
            joint.add(&uri, identity.object_bytes, &content);
        }
    }
    let observed = observations.into_iter().map(|(kind, subject, detail)| ObservationReport { kind, subject, detail });
    let mut merged: Vec<Report> = buckets.into_values().map(Report::AuditedBucket).collect();
    merged.extend(objects.into_values().map(|report| Report::Audited(Box::new(report))));
    merged.extend(observed.map(Report::Observation));
    merged.extend(joint.duplicates().iter().map(|one| Report::Observation(ObservationReport::from(one))));
    merged.push(Report::Audit(Box::new(all)));
    Ok(merged)
}

/// What is seen of objects together: kind, subject and detail.
type Observed = (String, String, String);

/// The lines of one shard, if it is whole and no line contradicts itself or another.
fn lines_of(name: &str, reports: Vec<Report>) -> Result<(AuditLines, Vec<Observed>), String> {
    let (mut lines, mut observed) = (AuditLines::default(), Vec::new());
    let (mut end, mut summary) = (None, None);
    for report in reports {
        if summary.is_some() {
            return Err(format!("{name}: goes on after its summary"));
        }
        match report {
            Report::Audited(report) => lines.objects.push(*report),
            Report::AuditedBucket(report) => lines.buckets.push(report),
            // Only all objects together can show these.
            Report::Observation(one) if one.kind == ObservationKind::Duplicate.name() => {}
            Report::Observation(one) => observed.push((one.kind, one.subject, one.detail)),
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
    let is_own = |target: &str| match target.parse::<ObjectUri>() {
        Ok(uri) => share.holds("shard", &uri.bucket, &uri.key),
        Err(_) => false,
    };
    if let Some(stranger) = lines.objects.iter().find(|one| !is_own(&one.target)) {
        return Err(format!("{name}: {} is not of shard {share}", stranger.target));
    }
    match lines.contradiction() {
        Some(problem) => Err(format!("{name}: contradicts itself: {problem}")),
        None => Ok((lines, observed)),
    }
}

/// The report over all shards, if they are all the shards of one audit.
fn together(ends: &[(String, AuditReport)]) -> Result<AuditReport, String> {
    let (first_name, first) = ends.first().ok_or("there is no shard")?;
    let of = share_of(first_name, first)?.of();
    let mut missing: BTreeSet<u32> = (1..=of).collect();
    let mut all = AuditReport { shard: None, ..first.clone() };
    let mut exit = first.exit_code;
    for (index, (name, end)) in ends.iter().enumerate() {
        let share = share_of(name, end)?;
        if share.of() != of || !missing.remove(&share.index()) {
            return Err(format!("{name}: is shard {share}, which does not go with the others"));
        }
        same_audit((name, end), (first_name, first))?;
        if index == 0 {
            continue;
        }
        exit = exit.and(end.exit_code);
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
        all.elapsed_seconds = all.elapsed_seconds.max(end.elapsed_seconds);
        all.estimated_dollars = match (all.estimated_dollars, end.estimated_dollars) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or_default() + other.unwrap_or_default()),
        };
        let new =
            |all: &[String], more: &[String]| more.iter().filter(|one| !all.contains(one)).cloned().collect::<Vec<_>>();
        all.problems.extend(new(&all.problems, &end.problems));
        all.notes.extend(new(&all.notes, &end.notes));
    }
    if !missing.is_empty() {
        let missing: Vec<String> = missing.iter().map(|index| format!("{index}/{of}")).collect();
        return Err(format!("shards {} are missing", missing.join(", ")));
    }
    began_together(ends)?;
    // A shard that ended before its last object tells of fewer.
    let shares = all.listed.saturating_sub(all.other_slices).saturating_add(all.missing);
    if all.objects != shares {
        return Err(format!("they contain {} objects together, expected {shares}", all.objects));
    }
    // Each shard has a ledger of its own, or they wrote to one in any order.
    all.ledger_head = None;
    all.notes.retain(|note| !note.contains("this share alone"));
    all.exit_code = exit;
    Ok(all)
}

/// Whether a shard is of the same audit as the first one, and saw the same objects.
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
    let share = end.shard.as_ref().and_then(|shard| shard.parse::<Partition>().ok());
    share.ok_or_else(|| format!("{name}: is of no shard; it was not run with --shard"))
}

/// Shards of one audit begin within so much of each other. A file that was left from yesterday must not stand in for a
/// shard that did not run.
const TOGETHER: SignedDuration = SignedDuration::from_hours(12);

fn began_together(ends: &[(String, AuditReport)]) -> Result<(), String> {
    let mut times = Vec::with_capacity(ends.len());
    for (name, end) in ends {
        let began = end.began.parse::<Timestamp>().map_err(|_| format!("{name}: does not tell when it began"))?;
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
