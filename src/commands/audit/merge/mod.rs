//! Merges the results of the shards of an audit, in memory that does not grow with the number of objects.

mod apart;
mod ends;
mod join;
mod lines;
mod manifests;
mod merged;
mod record;
mod share;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use self::ends::{began_together, by_share, proved_since, together};
use self::join::{JoinedRuns, join};
use self::lines::{ResultLines, is_run, read};
pub use self::manifests::GivenManifests;
pub use self::merged::MergedAudit;
use self::record::JoinedEntry;
use self::share::{GOOD, Share, ShareResult};
use super::copies::{CopyIndex, CopyRole, ObjectContent};
use crate::audit::{Partition, SplitPlan};
use crate::ledger::{LedgerError, Scratch, ScratchLine};
use crate::report::{AuditCheck, AuditReport, AuditedReport, AuditedRunReport, Exit, IdentityReport, Report, exit_of};
use crate::verdict::{CheckId, PolicyCheck};

/// How shards are merged.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// Maximum time between the start of the first and the last shard. A file of an earlier audit must not replace a
    /// shard that did not run.
    pub within: SignedDuration,
    /// Manifests of objects that the shards read together.
    pub manifests: GivenManifests,
}

impl Default for MergeRequest {
    /// Twelve hours.
    fn default() -> Self {
        MergeRequest { within: SignedDuration::from_hours(12), manifests: GivenManifests::default() }
    }
}

/// Why shards cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// A result is truncated, altered or of another audit, a line contradicts itself or another, or a shard is missing.
    #[error("{0}")]
    Refused(String),
    /// The shards did not read the object of a manifest together, or read it in another state.
    #[error(
        "--manifest {0}: the shards read no object of this manifest in runs (--split), or read it in another state"
    )]
    UnusedManifest(String),
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
    request: MergeRequest,
    scratch: Scratch,
    results: Vec<ShareResult>,
    /// A line is judged by whether other Regions hold a copy.
    asks_copies: bool,
    /// A proof since then has the age that the policy allows.
    proved_since: Option<Timestamp>,
}

const OTHER_REGION: CheckId = CheckId::PolicyCheck(PolicyCheck::OtherRegion);

impl Merge {
    /// Starts without results.
    ///
    /// # Errors
    ///
    /// No temporary file can be created.
    pub fn new(request: MergeRequest) -> Result<Self, MergeError> {
        let scratch = Scratch::new()?;
        Ok(Merge { request, scratch, results: Vec::new(), asks_copies: false, proved_since: None })
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

    /// Checks the results against each other, and joins the runs of huge objects.
    ///
    /// # Errors
    ///
    /// A result is of another audit, or a shard is missing. The tables cannot be read.
    pub fn join(mut self) -> Result<MergedAudit, MergeError> {
        began_together(&self.results, self.request.within)?;
        self.proved_since = proved_since(&self.results);
        let mut shares = by_share(&self.results)?;
        self.scratch.sort_lines()?;
        let (index, entries) = self.select(&mut shares)?;
        let stranger = self
            .results
            .iter()
            .find(|one| self.results.iter().any(|other| !other.checked.demands.go_with(&one.checked.demands)));
        if let Some(ShareResult { name, .. }) = stranger {
            let problem = format!("{name}: was not checked with the same policy as the other shards");
            return Err(MergeError::Refused(problem));
        }
        let ends: Vec<AuditReport> = shares.iter().filter_map(|share| share.end(&self.results)).collect();
        let end = together(&ends)?;
        Ok(MergedAudit { merge: self, shares, end, index, entries, problems: Vec::new() })
    }

    /// Chooses the line of each object that stands, and adds the objects for the checks across all of them.
    fn select(&self, shares: &mut [Share]) -> Result<(CopyIndex, Vec<JoinedEntry>), MergeError> {
        let (mut index, mut entries, mut in_runs) = (CopyIndex::default(), Vec::new(), Vec::new());
        let regions = self.regions();
        self.scratch.each_of_lines(|target, lines| {
            let Some(mut found) = self.standing(target, lines, shares)? else { return Ok::<(), MergeError>(()) };
            if let Some(share) = shares.get_mut(found.share) {
                share.add(&found);
            }
            entries.extend(found.entry.take());
            let one = &mut found.report;
            let Some(identity) = one.identity.as_ref().map(IdentityReport::identity) else { return Ok(()) };
            let bytes = identity.object_bytes.unwrap_or_default();
            in_runs.extend(found.in_runs.then(|| (one.target.clone(), identity)));
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
        if let Some(unused) = self.request.manifests.unused(&in_runs).first() {
            return Err(MergeError::UnusedManifest((*unused).to_owned()));
        }
        self.scratch.sort_copies()?;
        Ok((index, entries))
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
        let end = self.result(line).map(|result| &result.checked.end);
        let holds = |report: &AuditedReport| end.is_some_and(|end| end.holds_proved(report));
        let was_proved = holds(&report);
        let JoinedRuns { in_runs, is_apart, is_proved: is_joined, entry } =
            join(&mut report, &runs, &self.request.manifests, self.proved_since);
        let is_proved = is_joined || !is_apart && holds(&report);
        let is_lost = is_apart && was_proved;
        Ok(Some(Standing { report, share, in_runs, is_joined, is_lost, is_proved, entry }))
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
}

/// The report of an object that stands.
struct Standing {
    report: AuditedReport,
    /// Position of its share.
    share: usize,
    /// Several shards read the object.
    in_runs: bool,
    /// Every byte is proved by the runs that several shards read.
    is_joined: bool,
    /// Its shard counts it as proved, and the runs of other shards take that back.
    is_lost: bool,
    /// Every byte is proved.
    is_proved: bool,
    /// What a ledger should have of an object that several shards read.
    entry: Option<JoinedEntry>,
}

/// Checks the line of a run, which a share of the audit wrote.
fn check_run(run: &AuditedRunReport, share: Partition, check: &mut AuditCheck) -> Result<(), MergeError> {
    let owner = share.owner("shard", &run.target.bucket, &run.target.key);
    if run.run > 0 && SplitPlan::shard_of(run.run, owner, share.of()) != share.index() {
        return Err(MergeError::Refused(format!("run {} of {} is not of shard {share}", run.run, run.target)));
    }
    check.run(run).map_err(|problem| MergeError::Refused(format!("contradicts itself: {problem}")))
}
