//! What the shards of one audit have in common.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::share::{Share, ShareResult, add_new};
use crate::report::{AuditNote, AuditReport};

/// The results of each share, in the order of the shares.
pub(super) fn by_share(results: &[ShareResult]) -> Result<Vec<Share>, String> {
    let first = results.first().ok_or("there is no shard")?;
    let of = first.share.of();
    let mut shares: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, one) in results.iter().enumerate() {
        if one.share.of() != of {
            return Err(format!("{}: is shard {}, which is not of the same set as the others", one.name, one.share));
        }
        same_audit((&one.name, &one.checked.end), (&first.name, &first.checked.end))?;
        shares.entry(one.share.index()).or_default().push(at);
    }
    let missing: Vec<String> =
        (1..=of).filter(|index| !shares.contains_key(index)).map(|index| format!("{index}/{of}")).collect();
    match missing.is_empty() {
        true => Ok(shares.into_values().map(|places| Share::new(places, results)).collect()),
        false => Err(format!("shards {} are missing", missing.join(", "))),
    }
}

/// The summary over all shards.
pub(super) fn together(ends: &[AuditReport]) -> Result<AuditReport, String> {
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
        (&mut all.runs, end.runs),
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
        ("split", end.split_bytes == first.split_bytes),
        ("age", end.max_age_seconds == first.max_age_seconds),
        ("policy", end.policy_sha256 == first.policy_sha256),
        ("set of references (--using)", end.using == first.using),
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

/// Checks that no shard is of an earlier audit.
pub(super) fn began_together(results: &[ShareResult], within: SignedDuration) -> Result<(), String> {
    let mut times = Vec::with_capacity(results.len());
    for ShareResult { name, checked, .. } in results {
        let began = checked.end.began.parse::<Timestamp>();
        times.push((began.map_err(|_| format!("{name}: does not state when it began"))?, name));
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

/// Since when an object must be proved to have the age that the policy allows, at the beginning of the last shard. `None`
/// if the policy demands no age, or results of an earlier version do not state it.
pub(super) fn proved_since(results: &[ShareResult]) -> Option<Timestamp> {
    let ends = || results.iter().map(|one| &one.checked.end);
    let age = ends().find_map(|end| end.proof_age_seconds)?;
    let last = ends().filter_map(|end| end.began.parse::<Timestamp>().ok()).max()?;
    last.checked_sub(SignedDuration::from_secs(age)).ok()
}
