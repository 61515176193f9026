use std::time::Instant;

use super::earlier::{EarlierDrills, unreadable};
use super::phases::done;
use super::request::{DrillRequest, DrillServices};
use crate::checks::preflight::{DRILL_TAG, Work};
use crate::commands::blocks::ExpectedContent;
use crate::commands::preflight::RestorePreflight;
use crate::commands::restore::{Prepared, prepare_restore_of_drill};
use crate::facts::ImageFacts;
use crate::journal::{Concluded, DrillEntry, Journal, RestoreIdentity};
use crate::report::{
    BackupValidation, DrillOutcome, DrillPhase, DrillQuotaReport, DrillReport, DrillState, Exit, FindingReport, Note,
    PreflightReport, ProofSource,
};
use crate::source::SourceError;
use crate::verdict::{CheckId, Condition, Finding, Outcome, Reason, Verdict};

/// A drill that is about to begin, or to be continued.
pub struct Drill<'a> {
    pub(super) services: &'a DrillServices,
    pub(super) request: &'a DrillRequest,
    pub(super) journal: &'a Journal,
    /// `None` if something of an earlier drill is left: only that is removed.
    pub(super) surveyed: Option<RestorePreflight>,
    /// The AMI of an earlier run.
    pub(super) existing: Option<ImageFacts>,
    /// The journal's entry of this drill.
    pub(super) entry: Option<DrillEntry>,
    /// How the earlier drill ended that left something.
    pub(super) earlier: Option<Concluded>,
    /// `false` if it is not known whether other snapshots have the tag of this drill.
    pub(super) is_clean: bool,
    pub(super) report: DrillReport,
    pub(super) started: Instant,
}

impl<'a> Drill<'a> {
    /// Continues an earlier run of this drill, and otherwise checks the conditions of the restore. Besides those of
    /// `restore`, a drill requires that no other restore seems to be in progress, because they share a limit.
    ///
    /// # Errors
    ///
    /// Those of [`prepare_restore`](crate::commands::restore::prepare_restore), a journal that cannot be read, and an AMI with the expected content that cannot be
    /// described.
    pub async fn prepare(
        services: &'a DrillServices,
        request: &'a DrillRequest,
        journal: &'a Journal,
        mut earlier: EarlierDrills,
    ) -> Result<Self, SourceError> {
        let started = services.object.object.context().clock.monotonic();
        let report = planned(services, request);
        let mut drill = Drill {
            services,
            request,
            journal,
            surveyed: None,
            existing: None,
            entry: None,
            earlier: None,
            is_clean: true,
            report,
            started,
        };
        if let Some(entry) = earlier.unfinished.take() {
            drill.report.notes = earlier.describe_others(journal, None);
            drill.only_remove(entry);
            return Ok(drill);
        }
        let Prepared { mut surveyed, existing } =
            prepare_restore_of_drill(&services.object, &request.restore, journal).await?;
        if let Some(identity) = &surveyed.identity {
            let token = identity.token();
            surveyed.report.tags.insert(DRILL_TAG.to_owned(), token.clone());
            drill.entry = journal
                .aside(move |journal| journal.read_drill(&token))
                .await
                .map_err(|error| unreadable(journal, error))?;
        }
        let token = surveyed.identity.as_ref().map(RestoreIdentity::token);
        let others = earlier.describe_others(journal, token.as_deref());
        let is_listed = surveyed.images.is_some();
        let is_gone = |entry: &DrillEntry| existing.is_none() && is_listed && entry.image.is_some();
        // The AMI of an earlier run was removed by somebody else; its snapshots may be left.
        if let Some(entry) = drill.entry.take_if(|entry| is_gone(entry)) {
            drill.report.notes = others;
            drill.only_remove(entry);
            return Ok(drill);
        }
        if existing.is_none() {
            only_restore(&mut surveyed, request);
        }
        drill.report.quota = Some(quota(&surveyed, request));
        drill.report.image = existing.as_ref().map(|image| image.id.clone());
        drill.report.notes = surveyed.report.notes.iter().cloned().chain(others).collect();
        match services.blocks.estimate_before(&request.expected).await {
            Ok(estimate) => drill.report.estimate = Some(estimate),
            // What an earlier run made can still be removed.
            Err(error) if existing.is_some() => {
                let text = format!("what the comparison takes is not known: {}", error.explain());
                drill.report.notes.push(Note::Source(text));
            }
            Err(error) => return Err(error),
        }
        (drill.surveyed, drill.existing) = (Some(surveyed), existing);
        drill.report.restored_at = drill.restored_at(false);
        drill.report_preparation();
        Ok(drill)
    }

    /// Leaves only the removing of what an earlier drill made.
    fn only_remove(&mut self, entry: DrillEntry) {
        self.report.image = entry.image.as_ref().map(|image| image.id.clone());
        let unproved = Concluded { verdict: Verdict::Unknown, at: entry.called_at.clone() };
        let earlier = entry.concluded().cloned().unwrap_or(unproved);
        if self.request.keep {
            let image = self.report.image.as_deref().unwrap_or(&entry.restore.name);
            let text = format!(
                "{image} is of the drill of {}, and is no result of another one; without --keep, it and its snapshots \
                 are removed first",
                entry.called_at
            );
            self.refuse(text);
        }
        self.report.removes_only = Some(entry.called_at.clone());
        // As at the end of the run, which proves nothing.
        self.report.exit_code = self.report.exit_code.and(Exit::Unknown);
        (self.earlier, self.entry) = (Some(earlier), Some(entry));
        self.refuse_own_reference();
    }

    fn refuse(&mut self, why: String) {
        (self.report.outcome, self.report.exit_code) = (DrillOutcome::Refused, Exit::Usage);
        self.report.backup_validation = BackupValidation::of(self.report.outcome, self.report.verdict);
        self.report.notes.push(Note::Source(why));
    }

    fn refuse_own_reference(&mut self) {
        if self.is_own_reference() {
            let image = &self.report.expected_image;
            self.refuse(format!("{image} is the AMI that the drill made: it is no reference"));
        }
    }

    /// When the restore of the AMI was called, as far as that is known. `is_answered` is whether EC2 named the AMI in its
    /// answer to the call of this drill's entry.
    pub(super) fn restored_at(&self, is_answered: bool) -> Option<String> {
        let image = self.report.image.as_deref()?;
        let made = |entry: &&DrillEntry| is_answered || entry.image.as_ref().is_some_and(|made| made.id == image);
        match self.entry.as_ref().filter(made) {
            Some(entry) => Some(entry.called_at.clone()),
            None => self.existing.as_ref()?.created.clone(),
        }
    }

    fn report_preparation(&mut self) {
        let Some(surveyed) = &self.surveyed else { return };
        if let Some(finding) = &surveyed.verified {
            let detail = FindingReport::from(finding);
            let detail = detail.observed.or(detail.reason.map(|reason| reason.detail)).unwrap_or_default();
            self.report.phases.push(done(DrillPhase::Verify, finding.verdict(), self.request.verify_seconds, detail));
        }
        let context = self.services.object.object.context();
        let seconds = context.clock.monotonic().duration_since(self.started).as_secs_f64();
        let (state, detail) = match (&self.existing, surveyed.report.exit_code) {
            (Some(image), _) => {
                let since = self.report.restored_at.iter().map(|at| format!(", restored at {at}")).collect::<String>();
                (DrillState::Skipped, format!("{}{since}, is of this drill, and is taken up", image.id))
            }
            (None, Exit::Passed) => (DrillState::Passed, "nothing known prevents the restore".to_owned()),
            (None, Exit::Failed) => (DrillState::Failed, "a condition of the restore is not met".to_owned()),
            (None, _) => (DrillState::Unknown, "a required condition of the restore is not known".to_owned()),
        };
        self.report.phases.push(done(DrillPhase::Preflight, state, Some(seconds), detail));
        if self.existing.is_none() {
            self.report.preflight = Some(surveyed.report.clone());
            self.report.exit_code = surveyed.report.exit_code;
            if surveyed.report.exit_code != Exit::Passed {
                self.report.outcome = DrillOutcome::Refused;
                self.report.verdict = match surveyed.report.verdict {
                    Verdict::Fail => Verdict::Fail,
                    _ => Verdict::Unknown,
                };
            }
        }
        self.refuse_own_reference();
        self.report.requests = self.services.object.region.requests();
        self.report.backup_validation = BackupValidation::of(self.report.outcome, self.report.verdict);
    }

    /// Whether the restored AMI would be compared with itself.
    pub(super) fn is_own_reference(&self) -> bool {
        self.report.image.as_ref() == Some(&self.report.expected_image)
    }

    /// What was found, and what it would do.
    pub fn report(&self) -> &DrillReport {
        &self.report
    }

    /// Whether a condition prevents the drill.
    pub fn is_refused(&self) -> bool {
        self.report.outcome == DrillOutcome::Refused
    }

    /// Whether something of an earlier drill is left, so that only that is removed.
    pub fn only_removes(&self) -> bool {
        self.surveyed.is_none()
    }
}

/// The report before anything was asked.
fn planned(services: &DrillServices, request: &DrillRequest) -> DrillReport {
    let (against, expected_image) = match &request.expected {
        ExpectedContent::Record { record, .. } => (ProofSource::Record, record.image.clone()),
        ExpectedContent::Image(image) => (ProofSource::Image, image.to_string()),
    };
    DrillReport {
        target: request.restore.target.to_string(),
        region: services.object.region.images.region().to_owned(),
        name: request.restore.name.clone().unwrap_or_default(),
        image: None,
        against,
        expected_image,
        outcome: DrillOutcome::Planned,
        verdict: Verdict::Unknown,
        backup_validation: BackupValidation::Validating,
        removes_only: None,
        phases: Vec::new(),
        restored_at: None,
        recovery_seconds: None,
        quota: None,
        estimate: None,
        preflight: None,
        restore: None,
        proof: None,
        resources: Vec::new(),
        notes: Vec::new(),
        requests: 0,
        exit_code: Exit::Passed,
    }
}

fn quota(surveyed: &RestorePreflight, request: &DrillRequest) -> DrillQuotaReport {
    let limit_bytes = request.restore.limits.restores.decimal();
    let in_progress_bytes = surveyed.work.as_ref().map_or(0, |work| work.most);
    let drill_bytes = surveyed.size.volumes;
    let left = |bytes: u64| limit_bytes.saturating_sub(in_progress_bytes).saturating_sub(bytes);
    DrillQuotaReport { limit_bytes, in_progress_bytes, drill_bytes, left_bytes: drill_bytes.map(left) }
}

/// Whether a restore seems to be in progress.
pub(super) fn is_busy(work: &Work) -> bool {
    !work.items.is_empty() || !work.unknown.is_empty()
}

pub(super) fn not_alone(work: &Work) -> String {
    format!("a drill starts only when no other restore seems to be in progress: {}", work.describe())
}

/// Whether the user accepts that a check is unknown.
pub(super) fn is_accepted(request: &DrillRequest, check: CheckId) -> bool {
    request.restore.accept.iter().any(|name| name.matches(check))
}

/// Makes the condition on restores in progress unknown if there seems to be any: a drill must not take the limit from a
/// restore that is needed. It stays a failure or unknown if it was.
fn only_restore(surveyed: &mut RestorePreflight, request: &DrillRequest) {
    let Some(work) = surveyed.work.as_ref().filter(|work| is_busy(work)) else { return };
    let report: &mut PreflightReport = &mut surveyed.report;
    let check = CheckId::Condition(Condition::InProgress);
    let Some(found) = report.findings.iter_mut().find(|finding| finding.check == check) else { return };
    if found.verdict != Verdict::Pass {
        return;
    }
    let detail = not_alone(work);
    let outcome = Outcome::Unknown(Reason::Ambiguous { detail });
    *found = FindingReport::from(&Finding { check, required: true, outcome });
    if report.verdict == Verdict::Pass {
        report.verdict = Verdict::Unknown;
    }
    report.next_steps.extend(Condition::InProgress.next_step().map(str::to_owned));
    match is_accepted(request, check) {
        true => report.accepted.push(check),
        false => report.exit_code = report.exit_code.and(Exit::Unknown),
    }
}
