use std::io::{self, Write};

use super::condition::conclude;
use super::cost::write_line;
use super::{Label, Style, beside, command, field, printable, shell_word, wrap};
use crate::batch::BatchOutcome;
use crate::ident::shell_option;
use crate::report::{
    BatchBasis, BatchJobReport, BatchObjectReport, BatchPlanReport, BatchReport, BatchStep, EndOption, Exit, arguments,
};
use crate::units::{ByteSize, noun};
use crate::verdict::Verdict;

/// Objects that a plan leaves out and that are shown; JSON has all.
const SHOWN: usize = 20;
/// Width of the name of an outcome.
const NAME: usize = 13;

fn count(number: u64, what: &str) -> String {
    format!("{} {}", ByteSize(number).grouped(), noun(number, what))
}

pub(super) fn write_plan(
    out: &mut impl Write,
    style: Style,
    report: &BatchPlanReport,
    reach: &[EndOption],
) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.plan)))?;
    field(out, style.width, 2, "plan", &format!("{}, in {}", report.plan_id, report.region))?;
    for job in &report.jobs {
        let baselines = match job.baselines {
            0 => String::new(),
            all if all == job.objects => ", all baselines".to_owned(),
            some => format!(", {} of them baselines", ByteSize(some).grouped()),
        };
        let versions = if job.versions { ", by version" } else { "" };
        let text = format!(
            "{} ({}) of {}, {}{versions}{baselines}",
            job.algorithm,
            job.checksum_type.name().replace('_', " "),
            count(job.objects, "object"),
            ByteSize(job.object_bytes)
        );
        field(out, style.width, 2, &format!("job {}", job.number), &text)?;
    }
    if report.still_good > 0 {
        field(out, style.width, 2, "not due", &format!("{} with a recent proof", count(report.still_good, "object")))?;
    }
    for one in report.left_out.iter().take(SHOWN) {
        let text = format!("{}: {}", shell_word(&one.target.to_string()), printable(&one.detail));
        field(out, style.width, 2, "left out", &text)?;
    }
    let more = report.left_out.len().saturating_sub(SHOWN) as u64;
    if more > 0 {
        field(out, style.width, 2, "left out", &format!("{} more; JSON names all", ByteSize(more).grouped()))?;
    }
    report.problems.iter().try_for_each(|problem| field(out, style.width, 2, "problem", &printable(problem)))?;
    report.costs.iter().try_for_each(|line| write_line(out, style, line))?;
    let (label, text) = match (report.objects, report.exit_code) {
        (0, Exit::Passed) => (Label::new("nothing", Verdict::Pass), "no object is due"),
        (_, Exit::Passed) => (Label::new("planned", Verdict::Pass), "nothing was asked of S3 yet"),
        (0, _) => (Label::new("nothing", Verdict::Unknown), "no object could be planned: see above"),
        _ => (Label::new("planned", Verdict::Unknown), "not every object could be listed and described"),
    };
    conclude(out, style, label, text)?;
    write_steps(out, style, &report.steps, reach)
}

/// What comes next. Names in capitals are for the reader to fill in.
fn write_steps(out: &mut impl Write, style: Style, steps: &[BatchStep], reach: &[EndOption]) -> io::Result<()> {
    let ours = arguments(reach, "");
    steps.iter().try_for_each(|step| match step {
        BatchStep::PlanAgain => {
            field(out, style.width, 2, "next", "remove the problems that are named above, and plan again")
        }
        BatchStep::SubmitElsewhere => {
            field(out, style.width, 2, "next", "the same command finds this job again: submit with another --to")
        }
        BatchStep::Submit { plan } => {
            let plan = shell_option("--plan", plan);
            let text = format!("stored-ami batch submit {plan} --to s3://BUCKET/PREFIX/ --role ROLE-ARN{ours}");
            command(out, style, "next", &text)
        }
        BatchStep::Follow { job } => command(out, style, "next", &format!("stored-ami batch follow {job}{ours}")),
        BatchStep::Reconcile { job } => {
            let text = format!("stored-ami batch reconcile {job} --plan FILE --ledger FILE{ours}");
            command(out, style, "next", &text)
        }
    })
}

pub(super) fn write_job(
    out: &mut impl Write,
    style: Style,
    report: &BatchJobReport,
    reach: &[EndOption],
) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.job_id)))?;
    if let Some(number) = report.number {
        field(out, style.width, 2, "job", &number.to_string())?;
    }
    if let Some(tasks) = report.tasks.filter(|tasks| *tasks > 0) {
        let done = |number: Option<u64>| ByteSize(number.unwrap_or_default()).grouped();
        let text =
            format!("{}: {} succeeded, {} failed", count(tasks, "object"), done(report.succeeded), done(report.failed));
        field(out, style.width, 2, "objects", &text)?;
    }
    for (label, place) in [("manifest", &report.manifest), ("report", &report.report)] {
        if let Some(place) = place {
            field(out, style.width, 2, label, &shell_word(place))?;
        }
    }
    report.reasons.iter().try_for_each(|reason| field(out, style.width, 2, "reason", &printable(reason)))?;
    let text = match report.exit_code {
        _ if report.submitted => format!("the job exists; its state is {}", report.state),
        Exit::Interrupted => format!("the job goes on; its state is {}", report.state),
        _ => format!("the state of the job is {}", report.state),
    };
    let label = match (report.exit_code, report.submitted) {
        (Exit::Passed, true) => Label::new("created", Verdict::Pass),
        (Exit::Passed, false) => Label::new("over", Verdict::Pass),
        (Exit::Failed, _) => Label::new("failed", Verdict::Fail),
        _ => Label::new("open", Verdict::Unknown),
    };
    conclude(out, style, label, &printable(&text))?;
    write_steps(out, style, &report.steps, reach)
}

/// Objects whose value S3 states are counted at the end, unless the ledger has something against them.
pub(super) fn write_object(out: &mut impl Write, style: Style, report: &BatchObjectReport) -> io::Result<()> {
    if report.outcome == BatchOutcome::Stated && report.trouble.is_none() {
        return Ok(());
    }
    let name = report.outcome.name().replace('_', " ");
    let head = format!("{} {name:<NAME$} ", style.verdict(report.verdict, 7));
    let text = format!("{}{}", shell_word(&report.target), details(report));
    beside(out, style, &head, 7 + 1 + NAME + 1, |width| wrap(&printable(&text), width)).map(drop)
}

fn details(report: &BatchObjectReport) -> String {
    let mut details = Vec::new();
    let code = [report.http_status.map(|status| status.to_string()), report.error_code.clone()];
    details.extend(code.into_iter().flatten());
    details.extend(report.detail.clone());
    match (&report.value, &report.reference) {
        (Some(value), Some(known)) if report.outcome == BatchOutcome::Differs => {
            let from = report.reference_from.map(|from| format!(" ({from})")).unwrap_or_default();
            details.push(format!("S3 states {} {value}, and {known} is known{from}", report.algorithm));
        }
        (Some(value), None) if report.outcome == BatchOutcome::Baseline => {
            details.push(format!("{} {value}", report.algorithm));
        }
        _ => {}
    }
    details.extend(report.trouble.as_ref().map(|trouble| format!("by the ledger {}", trouble.sentence())));
    if details.is_empty() { String::new() } else { format!(": {}", details.join(", ")) }
}

pub(super) fn write_summary(out: &mut impl Write, style: Style, report: &BatchReport) -> io::Result<()> {
    for problem in &report.problems {
        field(out, style.width, 2, "problem", &printable(problem))?;
    }
    let counted = BatchOutcome::ALL.iter().map(|outcome| (outcome, report.counts.of(*outcome)));
    let counts: Vec<String> = counted
        .filter(|(_, number)| *number > 0)
        .map(|(outcome, number)| format!("{} {}", ByteSize(number).grouped(), outcome.name().replace('_', " ")))
        .collect();
    let asked = count(report.objects, "object");
    field(out, style.width, 2, "objects", &format!("{asked} of job {}: {}", report.number, counts.join(", ")))?;
    if report.recorded > 0 {
        let entries = noun(report.recorded, "entry");
        field(out, style.width, 2, "ledger", &format!("{} {entries} added", ByteSize(report.recorded).grouped()))?;
    }
    for one in report.not_recorded.iter().take(SHOWN) {
        field(out, style.width, 2, "not recorded", &printable(one))?;
    }
    let more = report.not_recorded.len().saturating_sub(SHOWN) as u64;
    if more > 0 {
        field(out, style.width, 2, "not recorded", &format!("{} more; JSON names all", ByteSize(more).grouped()))?;
    }
    let stated = format!("S3 states the known value of every object{}", of_job(report));
    let (label, text) = match (report.basis, report.exit_code) {
        (BatchBasis::Report, _) => (
            Label::new("unknown", Verdict::Unknown),
            "as the report says; nothing shows that S3 wrote these files".to_owned(),
        ),
        (BatchBasis::Job, Exit::Passed) => {
            (Label::new("stated", Verdict::Pass), format!("{stated}, at rest{}", other_jobs(report)))
        }
        (BatchBasis::Job, Exit::Failed) if report.counts.differs == 0 => {
            (Label::new("fail", Verdict::Fail), "the ledger has damage that no statement of S3 ends".to_owned())
        }
        (BatchBasis::Job, Exit::Failed) => {
            (Label::new("fail", Verdict::Fail), "the checksum that S3 states differs from the known one".to_owned())
        }
        (BatchBasis::Job, _) if report.counts.stated == report.objects => {
            (Label::new("unknown", Verdict::Unknown), format!("{stated}; what is named above leaves the result open"))
        }
        (BatchBasis::Job, _) => {
            (Label::new("unknown", Verdict::Unknown), "not every object is stated by S3".to_owned())
        }
    };
    conclude(out, style, label, &text)?;
    match (report.counts.differs, report.troubled) {
        (0, 0) => Ok(()),
        (0, _) => field(out, style.width, 2, "next", "read the objects above with `stored-ami audit --level bytes`"),
        _ => field(out, style.width, 2, "next", "read the objects that differ with `stored-ami verify`"),
    }
}

/// ` of job 1`, unless the plan has no other.
fn of_job(report: &BatchReport) -> String {
    if report.jobs > 1 { format!(" of job {}", report.number) } else { String::new() }
}

/// The jobs that the result says nothing of: `; jobs 2 and 3 of the plan are not in this result`.
fn other_jobs(report: &BatchReport) -> String {
    let others: Vec<u64> = (1..=report.jobs).filter(|number| *number != report.number).collect();
    match others.as_slice() {
        [] => String::new(),
        [one] => format!("; job {one} of the plan is not in this result"),
        [one, other] => format!("; jobs {one} and {other} of the plan are not in this result"),
        more => format!("; the {} other jobs of the plan are not in this result", more.len()),
    }
}
