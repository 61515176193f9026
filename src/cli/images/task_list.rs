use std::time::Instant;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

#[cfg(feature = "ebs")]
use super::proof::{Proofs, RestoreProof};
#[cfg(feature = "ebs")]
use super::restore::is_complete;
use super::{Costly, agreed};
use crate::checks::preflight::{GbLimit, RestorePace};
use crate::cli::runner::{Runner, Stop};
use crate::cli::starting::StartingArgs;
use crate::commands::{QueueEnd, RegionServices, exit_of};
use crate::price::{Item, PriceTable, blocks};
use crate::report::{
    BlockEstimateReport, Exit, FindingReport, PreflightReport, PriceSourceReport, Report, TaskKind, TaskListEstimate,
    TaskListReport, TaskReport, TaskRowReport, TaskRowState,
};
use crate::source::SourceError;
use crate::units::counted;
use crate::verdict::{CheckId, Condition, Verdict};

/// Conditions that a queue waits for, so that they need not be met at the time of the preflight.
const AWAITED: [Condition; 2] = [Condition::InProgress, Condition::OneStore];

/// What is known of a task that an earlier run, or somebody else, started.
const STARTED_BEFORE: &str = "it was started before, and is followed";

/// The tasks of a list, from their preflights to the table at the end.
pub(super) struct TaskList<T> {
    region: RegionServices,
    kind: TaskKind,
    limit: GbLimit,
    pace: Option<RestorePace>,
    started_at: Instant,
    listed: Vec<Listed<T>>,
    /// The places in `listed` of the tasks in the queue, in its order.
    queued: Vec<usize>,
}

/// A task of a list after its preflight.
pub(super) struct Listed<T> {
    row: TaskRowReport,
    /// Bytes of the written blocks, if they are known.
    written: Option<u64>,
    /// What the comparison of its blocks takes, if they are to be compared.
    proof: Option<BlockEstimateReport>,
    /// Whether its AMI is there to be used.
    #[cfg(feature = "ebs")]
    is_available: bool,
    outcome: Outcome<T>,
}

enum Outcome<T> {
    /// It can be started or followed.
    Task(T),
    Refused(Box<PreflightReport>),
    /// It is in the queue, or its result was shown.
    Settled,
}

impl<T> Listed<T> {
    /// A line of a list. `name` is that of the restored AMI, or the place of the store.
    pub(super) fn new(line: u64, target: String, name: String) -> Self {
        let row = TaskRowReport {
            line,
            target,
            name,
            state: TaskRowState::Error,
            image: None,
            verdict: None,
            proof: None,
            volume_bytes: None,
            detail: String::new(),
            exit_code: Exit::CouldNot,
        };
        Listed {
            row,
            written: None,
            proof: None,
            #[cfg(feature = "ebs")]
            is_available: false,
            outcome: Outcome::Settled,
        }
    }

    /// With what the comparison of its blocks takes, if they are to be compared.
    pub(super) fn with_proof(self, proof: Option<BlockEstimateReport>) -> Self {
        Listed { proof, ..self }
    }

    /// Its preflight could not be done.
    pub(super) fn failed(mut self, error: &SourceError) -> Self {
        (self.row.exit_code, self.row.detail) = (exit_of(error), error.explain());
        self
    }

    /// Its preflight was done. `existing` is the AMI of an earlier run that started it.
    pub(super) fn checked(mut self, preflight: &PreflightReport, existing: Option<String>, task: T) -> Self {
        (self.row.volume_bytes, self.written) = (preflight.size.volume_bytes, preflight.size.written_bytes);
        let exit = exit_without_waiting(preflight);
        let proof = preflight.object_proof.as_ref().map(|proof| format!("; {}", proof.clause())).unwrap_or_default();
        let row = &mut self.row;
        (row.state, row.exit_code, row.detail) = match (&existing, exit) {
            (Some(_), _) => (TaskRowState::Running, Exit::Passed, STARTED_BEFORE.to_owned()),
            (None, Exit::Passed) => (TaskRowState::Ready, Exit::Passed, format!("nothing known prevents it{proof}")),
            (None, exit) => (TaskRowState::Refused, exit, open_findings(&preflight.findings)),
        };
        let is_refused = row.state == TaskRowState::Refused;
        row.verdict = is_refused.then(|| if exit == Exit::Failed { Verdict::Fail } else { Verdict::Unknown });
        row.image = existing;
        self.outcome = match is_refused {
            true => Outcome::Refused(Box::new(preflight.clone())),
            false => Outcome::Task(task),
        };
        self
    }
}

/// The exit code of a preflight without the conditions that the queue waits for.
fn exit_without_waiting(preflight: &PreflightReport) -> Exit {
    let is_awaited = |finding: &FindingReport| AWAITED.iter().any(|one| finding.check == CheckId::Condition(*one));
    let others = preflight.findings.iter().filter(|finding| finding.blocks_pass() && !is_awaited(finding));
    others.fold(Exit::Passed, |exit, finding| match finding.verdict {
        Verdict::Fail => exit.and(Exit::Failed),
        Verdict::Unknown if !preflight.accepted.contains(&finding.check) => exit.and(Exit::Unknown),
        _ => exit,
    })
}

/// Names of the findings that prevent a pass.
fn open_findings(findings: &[FindingReport]) -> String {
    let names = |verdict: Verdict| {
        let of = findings.iter().filter(|finding| finding.verdict == verdict && finding.blocks_pass());
        of.map(|finding| finding.check.to_string()).collect::<Vec<_>>().join(", ")
    };
    let texts = [("not met: ", names(Verdict::Fail)), ("not known: ", names(Verdict::Unknown))];
    let texts = texts.iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| format!("{what}{names}"));
    texts.collect::<Vec<_>>().join("; ")
}

impl<T> TaskList<T> {
    pub(super) fn new(region: &RegionServices, kind: TaskKind, limit: GbLimit) -> Self {
        let started_at = region.context().clock.monotonic();
        let (listed, queued) = (Vec::new(), Vec::new());
        TaskList { region: region.clone(), kind, limit, pace: None, started_at, listed, queued }
    }

    /// Estimates the time from earlier restores.
    pub(super) fn with_pace(self, pace: Option<RestorePace>) -> Self {
        TaskList { pace, ..self }
    }

    pub(super) fn add(&mut self, listed: Listed<T>) {
        self.listed.push(listed);
    }

    /// Shows the plan, and asks. Returns the tasks to start or to follow; `None` if there are none, or if nothing is to
    /// be started.
    pub(super) async fn agreed(
        &mut self,
        runner: &mut Runner,
        starting: &StartingArgs,
        cancel: &CancellationToken,
    ) -> Option<Vec<T>> {
        let estimate = self.estimate();
        let (new, proof) = (estimate.tasks, estimate.proof.clone());
        let plan = TaskListReport { estimate: Some(estimate), ..self.report(false) };
        let ready = self.ready().count() as u64;
        if starting.dry_run || ready == 0 {
            self.show_refused(runner);
            runner.add(Report::TaskList(Box::new(plan)));
            return None;
        }
        runner.show(&Report::TaskList(Box::new(plan)));
        // To follow what was started costs nothing.
        let costs = new > 0 || proof.is_some();
        if costs && !agreed(starting, &self.question(new, ready - new, proof.as_ref()), cancel).await {
            runner.declined(Costly::Task);
            return None;
        }
        self.show_refused(runner);
        let mut tasks = Vec::new();
        for (place, listed) in self.listed.iter_mut().enumerate() {
            if let Outcome::Task(task) = std::mem::replace(&mut listed.outcome, Outcome::Settled) {
                self.queued.push(place);
                tasks.push(task);
            }
        }
        Some(tasks)
    }

    /// The tasks that can be started or followed.
    fn ready(&self) -> impl Iterator<Item = &Listed<T>> {
        self.listed.iter().filter(|listed| matches!(listed.outcome, Outcome::Task(_)))
    }

    fn question(&self, new: u64, existing: u64, proof: Option<&BlockEstimateReport>) -> String {
        let what = match (new, existing) {
            (0, _) => format!("Follow {existing}"),
            (_, 0) => format!("Start {new}"),
            _ => format!("Start {new} and follow {existing}"),
        };
        let all = counted(self.listed.len() as u64, self.kind.name());
        let tasks = format!("{what} of {all} in {}", self.region.images.region());
        #[cfg(feature = "ebs")]
        if let Some(proof) = proof {
            return RestoreProof::question_of_all(&tasks, proof);
        }
        #[cfg(not(feature = "ebs"))]
        let _ = proof;
        format!("{tasks}?")
    }

    /// Shows the preflights that prevent a task.
    fn show_refused(&mut self, runner: &mut Runner) {
        for listed in &mut self.listed {
            match std::mem::replace(&mut listed.outcome, Outcome::Settled) {
                Outcome::Refused(preflight) => runner.add(Report::Preflight(preflight)),
                other => listed.outcome = other,
            }
        }
    }

    /// Runs the queue, and shows each result when it arrives.
    pub(super) async fn carry_out(
        &mut self,
        runner: &mut Runner,
        work: impl Future<Output = Result<(), SourceError>>,
        mut ends: UnboundedReceiver<(usize, QueueEnd)>,
    ) {
        let mut open = self.queued.clone();
        let mut work = Box::pin(work);
        let done = loop {
            tokio::select! {
                biased;
                Some((number, end)) = ends.recv() => self.settle(runner, &mut open, (number, end)),
                done = &mut work => break done,
            }
        };
        while let Ok(end) = ends.try_recv() {
            self.settle(runner, &mut open, end);
        }
        let subject = format!("the tasks in {}", self.region.images.region());
        let Err(error) = done else { return };
        for place in open {
            if let Some(listed) = self.listed.get_mut(place) {
                listed.row.exit_code = exit_of(&error);
                "its state is not known any more; the same command continues".clone_into(&mut listed.row.detail);
            }
        }
        runner.run(&subject, Stop::ByItself, async { Err::<(), _>(error) }).await;
    }

    fn settle(&mut self, runner: &mut Runner, open: &mut Vec<usize>, (number, end): (usize, QueueEnd)) {
        let Some(place) = self.queued.get(number).copied() else { return };
        open.retain(|other| *other != place);
        if let Some(listed) = self.listed.get_mut(place) {
            #[cfg(feature = "ebs")]
            {
                listed.is_available = matches!(&end, QueueEnd::Ended(task) if is_complete(task));
            }
            ended(runner, &mut listed.row, end);
        }
    }

    /// Compares the blocks of the AMIs that are there, one after the other. `proofs` are those of the tasks, in the order
    /// of the list.
    #[cfg(feature = "ebs")]
    pub(super) async fn prove(&mut self, runner: &mut Runner, proofs: &Proofs<'_>, cancel: &CancellationToken) {
        for (listed, proof) in self.listed.iter_mut().zip(proofs.of_lines) {
            let image = listed.row.image.clone().filter(|_| listed.is_available);
            let (verdict, exit, text) = match image {
                None => (Verdict::Unknown, Exit::Passed, "no block was compared"),
                Some(_) if cancel.is_cancelled() => {
                    (Verdict::Unknown, Exit::Interrupted, "a signal ended the run before its blocks were compared")
                }
                Some(image) => match proofs.carry_out(proof, runner, &image).await {
                    Some((verdict, exit)) => (verdict, exit, compared(verdict)),
                    None if cancel.is_cancelled() => (Verdict::Unknown, Exit::Interrupted, "no block was compared"),
                    None => (Verdict::Unknown, Exit::CouldNot, "its blocks could not be compared"),
                },
            };
            let row = &mut listed.row;
            (row.proof, row.exit_code) = (Some(verdict), row.exit_code.and(exit));
            row.detail = format!("{}; {text}", row.detail);
        }
    }

    /// The table at the end.
    pub(super) fn conclude(&self, runner: &mut Runner) {
        runner.add(Report::TaskList(Box::new(self.report(true))));
    }

    fn report(&self, started: bool) -> TaskListReport {
        let rows: Vec<TaskRowReport> = self.listed.iter().map(|listed| listed.row.clone()).collect();
        let mut report = TaskListReport {
            operation: self.kind,
            region: self.region.images.region().to_owned(),
            started,
            limit_bytes: self.limit.decimal(),
            volume_bytes: rows.iter().filter_map(|row| row.volume_bytes).fold(0, u64::saturating_add),
            estimate: None,
            rows,
            notes: Vec::new(),
            elapsed_seconds: self.region.context().clock.monotonic().duration_since(self.started_at).as_secs_f64(),
            requests: self.region.requests(),
            exit_code: Exit::Passed,
        };
        report.exit_code = report.exit_of_rows();
        report.sort();
        report
    }

    /// What the tasks cost that are not started yet.
    fn estimate(&self) -> TaskListEstimate {
        let ready = || self.listed.iter().filter(|listed| listed.row.state == TaskRowState::Ready);
        let proofs = self.ready().filter_map(|listed| listed.proof.clone());
        let volumes = ready().filter_map(|listed| listed.row.volume_bytes).fold(0, u64::saturating_add);
        let of_written = |listed: &Listed<T>| listed.row.volume_bytes.map(|volumes| listed.written.unwrap_or(volumes));
        let written = ready().filter_map(of_written).fold(0, u64::saturating_add);
        let item = match self.kind {
            TaskKind::Store => Item::GetBlock,
            _ => Item::PutBlock,
        };
        let table = PriceTable::built_in();
        let charge = |bytes| table.charge(item, blocks(bytes) as f64).ok();
        let most = charge(volumes);
        TaskListEstimate {
            tasks: ready().count() as u64,
            unsized_tasks: ready().filter(|listed| listed.row.volume_bytes.is_none()).count() as u64,
            volume_bytes: volumes,
            dollars_least: charge(written).filter(|_| written < volumes).map(|charge| charge.dollars),
            dollars_most: most.as_ref().map(|charge| charge.dollars),
            price: most.map(|charge| PriceSourceReport::from(&charge.source)),
            seconds_most: self.pace.and_then(|pace| pace.time(volumes)).map(|time| time.as_secs_f64()),
            proof: proofs.reduce(BlockEstimateReport::and),
        }
    }
}

/// Shows how a task ended, and keeps it for the table.
fn ended(runner: &mut Runner, row: &mut TaskRowReport, end: QueueEnd) {
    match end {
        QueueEnd::Ended(task) => {
            row.state = TaskRowState::Ended;
            row.image = Some(task.image.clone());
            (row.verdict, row.exit_code, row.detail) = (task.verdict, task.exit_code, described(&task));
            runner.add(Report::Task(task));
        }
        QueueEnd::Failed(error) => {
            (row.state, row.exit_code, row.detail) = (TaskRowState::Error, exit_of(&error), error.explain());
            runner.fail(&row.target, error);
        }
        QueueEnd::Interrupted { image } => {
            row.exit_code = Exit::Interrupted;
            (row.state, row.detail) = match image.is_some() {
                true => (TaskRowState::Running, "it continues in AWS".to_owned()),
                false => (TaskRowState::NotStarted, "a signal ended the run before".to_owned()),
            };
            row.image = image;
        }
    }
}

/// What a comparison of all blocks shows.
#[cfg(feature = "ebs")]
fn compared(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "every block is that of the record",
        Verdict::Fail => "its blocks are not those of the record",
        Verdict::Unknown => "not every block is proved",
    }
}

fn described(task: &TaskReport) -> String {
    let open = match &task.failure {
        Some(failure) => failure.clone(),
        None => open_findings(&task.findings),
    };
    if open.is_empty() { task.state.clone() } else { format!("{}: {open}", task.state) }
}
