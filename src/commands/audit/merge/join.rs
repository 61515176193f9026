//! Joins the runs of a huge object that several shards read.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::apart::{Refuted, beside_a_proof, read_at, refuted};
use super::manifests::GivenManifests;
use super::record::JoinedEntry;
use crate::audit::{RunDigests, joined_digests};
use crate::ident::ObjectIdentity;
use crate::plan::{PartLayout, Reference};
use crate::report::{
    AuditedReport, AuditedRunReport, Exit, FindingReport, IdentityReport, ProvedReport, ReasonReport, exit_of,
    verdict_of,
};
use crate::units::{ByteRange, PartNumber};
use crate::verdict::{
    CheckId, Coverage, Doubt, Evidence, Finding, Origin, Outcome, PolicyCheck, Reason, ReasonCode, Verdict,
};

/// What the runs of an object show together.
#[derive(Default)]
pub(super) struct JoinedRuns {
    /// The shards read the object in runs.
    pub in_runs: bool,
    /// Some of them did, and the shard that the object belongs to did not: what that one says of the bytes does not hold.
    pub is_apart: bool,
    /// Every byte is proved.
    pub is_proved: bool,
    /// What a ledger should have of it; `None` if the runs show nothing.
    pub entry: Option<JoinedEntry>,
}

/// The findings on the bytes, and the parts of the object.
struct JudgedRuns {
    findings: Vec<Finding>,
    layout: PartLayout,
    /// When the oldest of the runs was read: what they show together holds since then.
    at: Option<Timestamp>,
}

const SOUND: CheckId = CheckId::PolicyCheck(PolicyCheck::Sound);

/// Replaces what the line of an object says about its bytes by what its runs show together, if the shards read it in
/// runs. Runs are also weighed if the shard that the object belongs to read none, because its ledger has a proof that
/// other shards lack, or that became too old meanwhile.
///
/// A proof since `proved_since` has the age that the policy allows.
pub(super) fn join(
    one: &mut AuditedReport,
    runs: &[AuditedRunReport],
    manifests: &GivenManifests,
    proved_since: Option<Timestamp>,
) -> JoinedRuns {
    let in_runs =
        |finding: &FindingReport| finding.reason.as_ref().is_some_and(|reason| reason.code == ReasonCode::ReadInRuns);
    let is_apart = !one.findings.iter().any(|finding| finding.check == CheckId::Proof && in_runs(finding));
    if is_apart && (one.identity.is_none() || runs.iter().all(|run| run.reason.is_some())) {
        return JoinedRuns::default();
    }
    let judged = match is_apart {
        false => judged(one, runs, manifests),
        true => Err(standing(runs).err().filter(is_unstable).unwrap_or_else(|| beside_a_proof(one, runs))),
    };
    // Of a run that was read twice and differs, one read may have been right.
    let refuted = judged.as_ref().err().filter(|reason| !is_unstable(reason)).and_then(|_| refuted(one, runs));
    // The other shards read some of it, and the one that it belongs to read all of it.
    if is_apart && one.examined.is_some() && refuted.is_none() && !judged.as_ref().is_err_and(is_unstable) {
        return JoinedRuns::default();
    }
    let mut waiting: Vec<CheckId> = one.findings.iter().filter(|one| in_runs(one)).map(|one| one.check).collect();
    waiting.extend(is_apart.then_some(CheckId::Proof));
    let mut found: Vec<FindingReport> = match (&judged, &refuted) {
        (Ok(JudgedRuns { findings, .. }), _) | (Err(_), Some(Refuted { findings, .. })) => {
            findings.iter().map(FindingReport::from).collect()
        }
        (Err(_), None) => Vec::new(),
    };
    if let Err(reason) = &judged {
        waiting.retain(|check| !found.iter().any(|finding| finding.check == *check));
        found.extend(waiting.into_iter().map(|check| open(check, reason)));
    }
    one.findings.retain(|finding| !in_runs(finding) && !found.iter().any(|new| new.check == finding.check));
    let place = one.findings.len().min(1);
    drop(one.findings.splice(place..place, found));
    let unread = runs.iter().filter(|run| run.reason.is_some()).fold(Exit::Passed, |exit, run| exit.and(run.exit_code));
    let is_whole = one.findings.iter().any(|one| one.check == CheckId::Proof && one.verdict == Verdict::Pass);
    let is_open = |finding: &FindingReport| has_reason(finding, ReasonCode::NotJoined);
    let decides_all = !one.findings.iter().any(is_open);
    let at = judged.as_ref().ok().and_then(|judged| judged.at);
    // As a read of the whole object does, this one ends an earlier doubt. With a reference that the runs do not decide,
    // the doubt may be by that one.
    one.findings.retain(|finding| !(is_whole && decides_all && finding.check == SOUND && is_before(finding, at)));
    let is_proved = at.is_some() && is_whole && !one.findings.iter().any(is_against);
    let doubt = match &refuted {
        Some(_) => Some(Doubt::Mismatch),
        None => doubt_of(&judged, is_whole),
    };
    let entry = match (&judged, at) {
        (Ok(judged), Some(at)) if is_proved => {
            let seen = one.identity.as_ref().map(|identity| identity.identity());
            let from_elsewhere = seen.is_some_and(|seen| manifests.are_from_elsewhere(&one.target, &seen));
            JoinedEntry::proof(one, at, &judged.layout, (decides_all, from_elsewhere))
        }
        // Any of the runs may show it, so that it is as young as the last of them.
        _ => doubt.and_then(|doubt| {
            let newest = || runs.iter().filter(|run| run.reason.is_none()).filter_map(read_at).max();
            let at = refuted.as_ref().map_or_else(newest, |refuted| refuted.at)?;
            JoinedEntry::doubt(one, at, doubt)
        }),
    };
    match &entry {
        Some(JoinedEntry { look, .. }) if is_proved => {
            (one.proof, one.unread_proof) = (Some(ProvedReport::from(look)), None);
            if at.zip(proved_since).is_some_and(|(at, since)| at >= since) {
                one.findings.iter_mut().for_each(|finding| meet_proof_age(finding, &look.at));
            }
            one.content.clone_from(&look.content);
        }
        // What an earlier read proved does not hold beside a doubt.
        _ if doubt.is_some() => (one.proof, one.unread_proof) = (None, None),
        _ => {}
    }
    one.requests = runs.iter().fold(one.requests, |sum, run| sum.saturating_add(run.requests));
    one.received_bytes = runs.iter().fold(one.received_bytes, |sum, run| sum.saturating_add(run.received_bytes));
    one.elapsed_seconds += runs.iter().map(|run| run.elapsed_seconds).sum::<f64>();
    // The runs that stand decide: a run that one result lacks may be in another.
    let unread = if is_whole { Exit::Passed } else { unread };
    let before = if is_apart { one.exit_code } else { Exit::Passed };
    one.exit_code = exit_of(&one.findings).and(unread).and(before);
    one.verdict = verdict_of(&one.findings, is_proved && one.exit_code == Exit::Passed);
    JoinedRuns { in_runs: true, is_apart, is_proved, entry }
}

/// Two reads of one run differ.
fn is_unstable(reason: &ReasonReport) -> bool {
    reason.code == ReasonCode::UnstableRead
}

/// Whether what the ledger has against an object was found before every run of it was read.
fn is_before(finding: &FindingReport, at: Option<Timestamp>) -> bool {
    let since = finding.since.as_ref().and_then(|since| since.parse::<Timestamp>().ok());
    since.zip(at).is_some_and(|(since, at)| since < at)
}

/// A check that the runs do not answer.
fn open(check: CheckId, reason: &ReasonReport) -> FindingReport {
    let finding = Finding { check, required: check == CheckId::Proof, outcome: Outcome::Unknown(Reason::NotRead) };
    FindingReport { reason: Some(reason.clone()), ..FindingReport::from(&finding) }
}

fn has_reason(finding: &FindingReport, code: ReasonCode) -> bool {
    finding.reason.as_ref().is_some_and(|reason| reason.code == code)
}

/// The doubt that runs cast on the bytes which they do not prove.
fn doubt_of(judged: &Result<JudgedRuns, ReasonReport>, is_whole: bool) -> Option<Doubt> {
    let any = |findings: &[Finding], is: fn(&Finding) -> bool| findings.iter().any(is);
    match judged {
        Err(reason) => is_unstable(reason).then_some(Doubt::Unstable),
        Ok(_) if is_whole => None,
        // Read once, so that it is not damage yet.
        Ok(JudgedRuns { findings, .. }) if any(findings, |one| fails(one, Origin::Stored)) => Some(Doubt::Mismatch),
        // A manifest of the command line may be wrong; as in `copy`, its value alone casts no doubt.
        Ok(JudgedRuns { findings, .. }) if any(findings, |one| fails(one, Origin::Manifest)) => None,
        Ok(JudgedRuns { findings, .. }) if any(findings, |one| one.check == CheckId::Contradiction) => {
            Some(Doubt::Contradiction)
        }
        // No value matches under parts that are assumed, which says nothing about the bytes.
        Ok(_) => None,
    }
}

fn fails(finding: &Finding, by: Origin) -> bool {
    matches!(finding.check, CheckId::Reference(origin, _) if origin == by) && finding.verdict() == Verdict::Fail
}

/// Whether a finding keeps matching references from being a proof: another check of the object failed, or the ledger of
/// its shard knows of damage or doubt.
fn is_against(finding: &FindingReport) -> bool {
    match finding.check {
        SOUND => finding.verdict != Verdict::Pass,
        CheckId::PolicyCheck(_) => false,
        _ => finding.verdict == Verdict::Fail,
    }
}

/// The proof of the runs has the age that the policy allows.
fn meet_proof_age(finding: &mut FindingReport, at: &str) {
    if finding.check == CheckId::PolicyCheck(PolicyCheck::ProofAge) && finding.verdict != Verdict::Pass {
        finding.verdict = Verdict::Pass;
        finding.observed = Some(format!("proved {at}"));
        finding.reason = None;
    }
}

/// The findings on the bytes, or the reason why the runs do not show anything.
fn judged(
    one: &AuditedReport,
    runs: &[AuditedRunReport],
    manifests: &GivenManifests,
) -> Result<JudgedRuns, ReasonReport> {
    let Some(identity) = &one.identity else { return Err(ReasonReport::from(&Reason::NotRead)) };
    let standing = standing(runs)?;
    let size = identity.object_bytes;
    same_object(identity, &standing)?;
    let layout = layout(size, &standing)?;
    let references = references(&layout, &standing)?;
    let mut pieces: Vec<(ByteRange, RunDigests)> = Vec::with_capacity(standing.len());
    for run in &standing {
        let range = ByteRange::new(run.offset_bytes, run.offset_bytes.saturating_add(run.length_bytes));
        let digests = run.digests().map_err(contradiction)?;
        pieces.push((range.ok_or_else(|| contradiction(format!("run {} is empty", run.run)))?, digests));
    }
    let digests = joined_digests(size, &layout, &pieces);
    let mut findings = manifests.judge((&one.target, &identity.identity()), references, (&digests, size));
    let shown = identity.etag.clone().map_or("no ETag".to_owned(), |etag| format!("ETag {etag}"));
    let evidence = Evidence {
        source: "every run of parts under one identity".to_owned(),
        expected: shown.clone(),
        observed: shown,
        coverage: Some(Coverage { bytes: size, of: size }),
    };
    findings.insert(0, Finding { check: CheckId::Identity, required: true, outcome: Outcome::Pass(evidence) });
    // A time that cannot be read comes first, so that there is none.
    let at = standing.iter().map(|run| read_at(run)).min().flatten();
    Ok(JudgedRuns { findings, layout, at })
}

/// The lines do not fit each other.
fn contradiction(detail: String) -> ReasonReport {
    ReasonReport::from(&Reason::Protocol { detail })
}

/// Why a shard may have read no run.
const SKIPPED: &str = "a shard whose ledger has a proof of the object reads none: give the ledgers of all shards to audit \
                       merge --ledger, or read it again with --max-age 0d";

/// One line for each run, in order. Of two lines of one run, the one that was read stands; two that were read must have
/// the same digests.
fn standing(runs: &[AuditedRunReport]) -> Result<Vec<&AuditedRunReport>, ReasonReport> {
    let mut standing: BTreeMap<u32, &AuditedRunReport> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.run > 0) {
        match standing.get(&run.run) {
            Some(there) if there.reason.is_none() && run.reason.is_none() => {
                // A shard may have learnt the parts between its two results.
                if (there.offset_bytes, &there.layout) != (run.offset_bytes, &run.layout) {
                    return Err(contradiction("the shards found different parts".to_owned()));
                }
                if (&there.by_part, &there.whole) != (&run.by_part, &run.whole) {
                    let detail = format!("run {} of {}, bytes {}", run.run, run.of, bytes(run));
                    return Err(ReasonReport::from(&Reason::UnstableRead { detail }));
                }
            }
            Some(there) if there.reason.is_none() => {}
            _ => drop(standing.insert(run.run, run)),
        }
    }
    let unread = |reason: &ReasonReport, run: &AuditedRunReport| {
        let detail = format!("run {} of {}, bytes {}: {}", run.run, run.of, bytes(run), reason.detail);
        ReasonReport { detail, ..reason.clone() }
    };
    if let Some((reason, run)) = standing.values().find_map(|run| Some((run.reason.as_ref()?, *run))) {
        return Err(unread(reason, run));
    }
    let of = standing.values().map(|run| run.of).max().unwrap_or_default();
    let is_there = |number: &u32| standing.get(number).is_some_and(|run| run.of == of);
    match (1..=of).find(|number| !is_there(number)) {
        None if of > 0 => Ok(standing.into_values().collect()),
        missing => {
            let not_described = runs.iter().find_map(|run| run.reason.clone());
            let detail = match missing {
                Some(number) => format!("no result has run {number} of {of}; {SKIPPED}"),
                None => format!("no result has a run of it; {SKIPPED}"),
            };
            Err(not_described.unwrap_or_else(|| ReasonReport::from(&Reason::Unanswered { detail })))
        }
    }
}

fn bytes(run: &AuditedRunReport) -> String {
    format!("{}–{}", run.offset_bytes, run.offset_bytes.saturating_add(run.length_bytes).saturating_sub(1))
}

/// Checks that all shards read the same state of the object, which a strong ETag or a version must show.
fn same_object(identity: &IdentityReport, runs: &[&AuditedRunReport]) -> Result<(), ReasonReport> {
    let first: ObjectIdentity = identity.identity();
    for run in runs {
        let is_same = run.identity.as_ref().is_some_and(|own| own.identity().same_as(&first).is_yes());
        if !is_same || !first.has_strong_etag() {
            let detail = match first.has_strong_etag() {
                true => format!("run {} of {} is of another state of the object than its other runs", run.run, run.of),
                false => "no strong ETag shows that the shards read the same object".to_owned(),
            };
            return Err(ReasonReport::from(&Reason::Changed { detail }));
        }
    }
    Ok(())
}

/// The parts of the object, according to its runs.
fn layout(size: u64, runs: &[&AuditedRunReport]) -> Result<PartLayout, ReasonReport> {
    let mut at = 0;
    for run in runs {
        if run.offset_bytes != at {
            return Err(contradiction(format!(
                "run {} of {} does not begin where the one before ends",
                run.run, run.of
            )));
        }
        at = at.saturating_add(run.length_bytes);
    }
    if at != size {
        return Err(contradiction(format!("the runs have {at} bytes, and the object {size}")));
    }
    let parts = runs.iter().fold(0_u64, |sum, run| sum.saturating_add(run.parts()));
    if parts == 0 {
        return Ok(PartLayout::whole(size));
    }
    if parts > u64::from(PartNumber::MAX) || runs.iter().any(|run| run.layout.is_empty()) {
        return Err(contradiction("the shards found different parts".to_owned()));
    }
    let sizes = runs.iter().flat_map(|run| &run.layout).flat_map(|run| (0..run.parts).map(|_| run.part_bytes));
    PartLayout::from_sizes(size, sizes).map_err(|error| contradiction(error.to_string()))
}

/// The references, which must be the same in all runs.
fn references(layout: &PartLayout, runs: &[&AuditedRunReport]) -> Result<Vec<Reference>, ReasonReport> {
    let Some(first) = runs.first() else { return Ok(Vec::new()) };
    let without_parts = |run: &AuditedRunReport| {
        let mut all = run.references.clone();
        all.iter_mut().for_each(|one| (one.parts, one.parts_proved) = (Vec::new(), false));
        all
    };
    let mut stated = without_parts(first);
    if let Some(other) = runs.iter().find(|run| without_parts(run) != stated) {
        let detail = format!("S3 stated other values to the shard that read run {} of {}", other.run, other.of);
        return Err(ReasonReport::from(&Reason::Changed { detail }));
    }
    // The ledgers of some shards may know the parts, where the others assume some.
    for (at, reference) in stated.iter_mut().enumerate() {
        reference.parts_proved = runs.iter().all(|run| run.references.get(at).is_some_and(|one| one.parts_proved));
    }
    let references = stated.iter().enumerate().map(|(at, reference)| {
        let parts = runs.iter().filter_map(|run| run.references.get(at)).flat_map(|one| one.parts.clone());
        reference.reference(layout, parts.collect()).map_err(contradiction)
    });
    references.collect()
}
