//! Merges the results of the shards of an audit, in memory that does not grow with the number of objects.

mod join;
mod lines;
mod share;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};

use jiff::{SignedDuration, Timestamp};

use self::join::join;
use self::lines::{ResultLines, is_run, observation, read};
use self::share::{GOOD, Share, ShareResult, add_new};
use super::copies::{CopyIndex, CopyRole, ObjectContent};
use crate::audit::{CopyState, ObjectPolicy, Partition, Policy, SplitPlan, duplicate};
use crate::ledger::{LedgerError, Scratch, ScratchLine};
use crate::report::{
    AuditCheck, AuditNote, AuditReport, AuditedBucketReport, AuditedReport, AuditedRunReport, Exit, FindingReport,
    ObservationReport, Report, exit_of, verdict_of,
};
use crate::verdict::{CheckId, PolicyCheck};

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

/// Why shards cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// A result is truncated, altered or of another audit, a line contradicts itself or another, or a shard is missing.
    #[error("{0}")]
    Refused(String),
    /// The temporary tables cannot be written or read.
    #[error("the temporary tables of the merge: {0}")]
    Tables(#[from] LedgerError),
}

impl From<String> for MergeError {
    fn from(problem: String) -> Self {
        MergeError::Refused(problem)
    }
}

/// Merges the shards of one audit. Of two results of one shard, the worse stands for each object that both examined.
pub struct Merge {
    within: SignedDuration,
    scratch: Scratch,
    results: Vec<ShareResult>,
    /// A line is judged by whether other Regions hold a copy.
    asks_copies: bool,
}

const OTHER_REGION: CheckId = CheckId::PolicyCheck(PolicyCheck::OtherRegion);

impl Merge {
    /// Starts without results.
    ///
    /// # Errors
    ///
    /// No temporary file can be created.
    pub fn new(request: &MergeRequest) -> Result<Self, MergeError> {
        let scratch = Scratch::new()?;
        Ok(Merge { within: request.within, scratch, results: Vec::new(), asks_copies: false })
    }

    /// Adds the result of a shard. `name` is its file, for messages; `plan` is the SHA-256 of the plan that lies beside
    /// it. An error among the lines is a message with the name of the file.
    ///
    /// # Errors
    ///
    /// The result is truncated or altered, is of another plan, or a line contradicts itself or another.
    pub fn add(
        &mut self,
        name: &str,
        plan: Option<&str>,
        reports: impl IntoIterator<Item = Result<Report, String>>,
    ) -> Result<(), MergeError> {
        let named = |error: MergeError| match error {
            MergeError::Refused(problem) => MergeError::Refused(format!("{name}: {problem}")),
            other => other,
        };
        let source = u32::try_from(self.results.len()).unwrap_or(u32::MAX);
        let position = self.scratch.last_line()?;
        let mut lines = ResultLines::default();
        for report in reports {
            lines.take(&self.scratch, source, report?).map_err(named)?;
        }
        let result = self.check(name, position, lines).map_err(named)?;
        if plan.is_some_and(|plan| result.checked.end.plan_sha256.as_deref() != Some(plan)) {
            return Err(MergeError::Refused(format!("{name}: is of another run than the plan beside it")));
        }
        self.results.push(result);
        Ok(())
    }

    /// Checks that a result is complete and that no line contradicts itself or another.
    fn check(&mut self, name: &str, position: i64, lines: ResultLines) -> Result<ShareResult, MergeError> {
        let refused = |problem: &str| MergeError::Refused(problem.to_owned());
        let end = lines.end.ok_or_else(|| refused("has no end: the run was cut off, or is no audit"))?;
        let summary = lines.summary.ok_or_else(|| refused("has no summary: the run was cut off"))?;
        if end.exit_code == Exit::Interrupted {
            return Err(refused("the run was interrupted"));
        }
        if end.objects != lines.objects {
            return Err(refused(&format!("contains {} objects, expected {}", lines.objects, end.objects)));
        }
        let share = end.shard.ok_or_else(|| refused("is of no shard; it was not run with --shard"))?;
        let contradicts = |problem: String| MergeError::Refused(format!("contradicts itself: {problem}"));
        let mut check = AuditCheck::new(end);
        let mut asks_copies = false;
        self.scratch.each_line_after(position, |line| {
            if is_run(&line) {
                return check_run(&read(&line.document)?, share, &mut check);
            }
            let one: AuditedReport = read(&line.document)?;
            if !share.holds("shard", &one.target.bucket, &one.target.key) {
                return Err(MergeError::Refused(format!("{} is not of shard {share}", one.target)));
            }
            asks_copies |= one.findings.iter().any(|finding| finding.check == OTHER_REGION);
            check.object(&one).map_err(contradicts)
        })?;
        self.asks_copies |= asks_copies;
        lines.buckets.iter().try_for_each(|one| check.bucket(one)).map_err(contradicts)?;
        let checked = check.finish(&summary).map_err(contradicts)?;
        let worst = lines.worst.unwrap_or(GOOD);
        Ok(ShareResult { name: name.to_owned(), share, checked, buckets: lines.buckets, worst })
    }

    /// Checks the results against each other, and emits the lines of the whole audit.
    ///
    /// # Errors
    ///
    /// A result is of another audit, or a shard is missing: nothing is emitted then. The tables cannot be read.
    pub fn finish(self, emit: &mut dyn FnMut(Report)) -> Result<(), MergeError> {
        began_together(&self.results, self.within)?;
        let mut shares = by_share(&self.results)?;
        self.scratch.sort_lines()?;
        let index = self.select(&mut shares)?;
        let stranger = self
            .results
            .iter()
            .find(|one| self.results.iter().any(|other| !other.checked.demands.go_with(&one.checked.demands)));
        if let Some(ShareResult { name, .. }) = stranger {
            let problem = format!("{name}: was not checked with the same policy as the other shards");
            return Err(MergeError::Refused(problem));
        }
        let ends: Vec<AuditReport> = shares.iter().filter_map(|share| share.end(&self.results)).collect();
        let all = together(&ends)?;
        self.write(&shares, (all, index), emit)
    }

    /// Chooses the line of each object that stands, and adds the objects for the checks across all of them.
    fn select(&self, shares: &mut [Share]) -> Result<CopyIndex, MergeError> {
        let mut index = CopyIndex::default();
        let regions = self.regions();
        self.scratch.each_of_lines(|target, lines| {
            let Some(mut found) = self.standing(target, lines, shares)? else { return Ok::<(), MergeError>(()) };
            if let Some(share) = shares.get_mut(found.share) {
                share.add(&found.report, (found.is_proved, found.is_joined));
            }
            let one = &mut found.report;
            let Some(bytes) = one.identity.as_ref().map(|identity| identity.object_bytes) else { return Ok(()) };
            self.without_copies(one);
            let role = match regions.get(&one.target.bucket) {
                _ if !self.asks_copies || one.exit_code != Exit::Passed => CopyRole::None,
                Some(region) => CopyRole::In((*region).to_owned()),
                None => CopyRole::Unplaced,
            };
            index.is_unplaced |= role == CopyRole::Unplaced;
            let values = std::mem::take(&mut one.content);
            let object = ObjectContent { target: target.to_owned(), bytes, values, role };
            Ok(object.add_to(&self.scratch)?)
        })?;
        self.scratch.sort_copies()?;
        Ok(index)
    }

    /// The result that a line is of.
    fn result(&self, line: &ScratchLine) -> Option<&ShareResult> {
        self.results.get(usize::try_from(line.source).unwrap_or(usize::MAX))
    }

    /// The report of an object that stands, of all its lines.
    fn standing(
        &self,
        target: &str,
        lines: Vec<ScratchLine>,
        shares: &[Share],
    ) -> Result<Option<Standing>, MergeError> {
        let (runs, lines): (Vec<ScratchLine>, Vec<ScratchLine>) = lines.into_iter().partition(is_run);
        if let Some((one, _)) = lines.iter().zip(lines.iter().skip(1)).find(|(one, next)| one.source == next.source) {
            let name = self.result(one).map_or("", |result| result.name.as_str());
            return Err(MergeError::Refused(format!("{name}: {target} appears twice")));
        }
        let Some(result) = lines.first().and_then(|line| self.result(line)) else { return Ok(None) };
        let share = usize::try_from(result.share.index() - 1).unwrap_or(usize::MAX);
        let order = shares.get(share).map(|share| share.results.as_slice()).unwrap_or_default();
        let place = |line: &&ScratchLine| {
            let source = usize::try_from(line.source).unwrap_or(usize::MAX);
            (line.rank, order.iter().position(|result| *result == source))
        };
        let Some(line) = lines.iter().min_by_key(place) else { return Ok(None) };
        let mut report: AuditedReport = read(&line.document)?;
        let runs = runs.iter().map(|run| read(&run.document)).collect::<Result<Vec<_>, _>>()?;
        let is_joined = join(&mut report, &runs);
        let is_proved = is_joined || self.result(line).is_some_and(|result| result.checked.end.holds_proved(&report));
        Ok(Some(Standing { report, share, is_joined, is_proved }))
    }

    /// The Regions of the buckets, according to all results.
    fn regions(&self) -> BTreeMap<String, String> {
        self.results.iter().flat_map(|one| one.checked.end.regions.clone()).collect()
    }

    /// Removes what a shard said about copies: it was about its own objects.
    fn without_copies(&self, one: &mut AuditedReport) {
        if !self.asks_copies {
            return;
        }
        one.findings.retain(|finding| finding.check != OTHER_REGION);
        if matches!(one.exit_code, Exit::Passed | Exit::Failed | Exit::Unknown) {
            one.exit_code = exit_of(&one.findings);
        }
    }

    fn write(
        &self,
        shares: &[Share],
        (mut all, index): (AuditReport, CopyIndex),
        emit: &mut dyn FnMut(Report),
    ) -> Result<(), MergeError> {
        let mut exit = self.results.iter().fold(Exit::Passed, |exit, one| exit.and(one.checked.exit_of_work));
        for bucket in self.buckets().into_values() {
            exit = exit.and(bucket.exit_code);
            emit(Report::AuditedBucket(bucket));
        }
        all.regions = self.regions();
        self.scratch.each_of_lines(|target, lines| {
            let Some(found) = self.standing(target, lines, shares)? else { return Ok::<(), MergeError>(()) };
            let one = match self.asks_copies {
                true => self.judge_copies(found, &all, index)?,
                false => found.report,
            };
            exit = exit.and(one.exit_code);
            emit(Report::Audited(Box::new(one)));
            Ok(())
        })?;
        self.scratch.each_observation(|one| emit(Report::Observation(observation(one))))?;
        self.scratch.each_alike(|alike| {
            let one = duplicate(&alike.names, alike.more, &alike.values);
            emit(Report::Observation(ObservationReport::from(&one)));
        })?;
        all.exit_code = exit;
        all.regions.clear();
        // Their lines are joined to those of the objects.
        all.runs = 0;
        emit(Report::Audit(Box::new(all)));
        Ok(())
    }

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

/// The report of an object that stands.
struct Standing {
    report: AuditedReport,
    /// Position of its share.
    share: usize,
    /// Every byte is proved by the runs that several shards read.
    is_joined: bool,
    /// Every byte is proved.
    is_proved: bool,
}

/// Checks the line of a run, which a share of the audit wrote.
fn check_run(run: &AuditedRunReport, share: Partition, check: &mut AuditCheck) -> Result<(), MergeError> {
    let owner = share.owner("shard", &run.target.bucket, &run.target.key);
    if run.run > 0 && SplitPlan::shard_of(run.run, owner, share.of()) != share.index() {
        return Err(MergeError::Refused(format!("run {} of {} is not of shard {share}", run.run, run.target)));
    }
    check.run(run).map_err(|problem| MergeError::Refused(format!("contradicts itself: {problem}")))
}

/// The results of each share, in the order of the shares.
fn by_share(results: &[ShareResult]) -> Result<Vec<Share>, String> {
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

fn began_together(results: &[ShareResult], within: SignedDuration) -> Result<(), String> {
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
