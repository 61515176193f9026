use std::io::{self, Write};

use super::blocks::{estimate, write_volume};
use super::condition::{self, conclude, names};
use super::preflight::write_next;
use super::{Label, Style, beside, field, printable, wrap};
use crate::checks::preflight::both_units;
use crate::report::{
    DrillOutcome, DrillPhaseReport, DrillReport, DrillResourceReport, DrillResourceState, DrillState, ProofSource,
};
use crate::units::duration;
use crate::verdict::Verdict;

pub(super) fn write(out: &mut impl Write, style: Style, report: &DrillReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.target)))?;
    let against = match report.against {
        ProofSource::Record => format!("the record of {}", report.expected_image),
        ProofSource::Image => format!("the AMI {}", report.expected_image),
    };
    let head = format!("drill as `{}`, Region {}, against {against}", report.name, report.region);
    for line in wrap(&printable(&head), style.width.saturating_sub(2).max(24)) {
        writeln!(out, "  {}", style.dim(&line))?;
    }
    report.phases.iter().try_for_each(|phase| write_phase(out, style, phase))?;
    write_details(out, style, report)?;
    if let Some(seconds) = report.recovery_seconds {
        field(out, style.width, 2, "recovery time", &format!("{}, from the call until available", duration(seconds)))?;
    }
    if matches!(report.outcome, DrillOutcome::Planned | DrillOutcome::Refused) {
        write_plan(out, style, report)?;
    }
    report.resources.iter().try_for_each(|resource| write_resource(out, style, resource))?;
    for note in &report.notes {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    let (label, text) = conclusion(report);
    conclude(out, style, label, &text)?;
    let mut refused = report.preflight.iter().filter(|_| report.outcome == DrillOutcome::Refused);
    refused.try_for_each(|preflight| write_next(out, style, preflight))
}

fn write_phase(out: &mut impl Write, style: Style, phase: &DrillPhaseReport) -> io::Result<()> {
    let label = match phase.state {
        DrillState::Passed => Label::from(Verdict::Pass),
        DrillState::Failed => Label::from(Verdict::Fail),
        DrillState::Unknown => Label::from(Verdict::Unknown),
        DrillState::Skipped => Label::new("skipped", Verdict::Unknown),
    };
    let took = phase.seconds.map(duration).unwrap_or_default();
    let head = format!("  {} {:<9} {took:>7}  ", style.label(label, 7), phase.phase.name());
    beside(out, style, &head, 2 + 7 + 1 + 9 + 1 + 7 + 2, |width| wrap(&printable(&phase.detail), width)).map(drop)
}

/// What keeps a step from passing, and all of it in full.
fn write_details(out: &mut impl Write, style: Style, report: &DrillReport) -> io::Result<()> {
    if let Some(preflight) = &report.preflight
        && report.outcome == DrillOutcome::Refused
    {
        condition::write_all(out, style, &preflight.findings)?;
    }
    if let Some(task) = &report.restore {
        condition::write_all(out, style, &task.findings)?;
    }
    let Some(proof) = &report.proof else { return Ok(()) };
    let shown = proof.volumes.iter().filter(|volume| style.is_full() || volume.verdict != Verdict::Pass);
    shown.into_iter().try_for_each(|volume| write_volume(out, style, volume))
}

fn write_plan(out: &mut impl Write, style: Style, report: &DrillReport) -> io::Result<()> {
    if let Some(plan) = &report.estimate {
        estimate(out, style, plan)?;
    }
    let Some(quota) = &report.quota else { return Ok(()) };
    let limit = both_units(quota.limit_bytes);
    let text = match quota.left_bytes {
        Some(left) => format!("this restore leaves {} of {limit}", both_units(left)),
        None => format!("what this restore leaves of {limit} is not known, because its size is not"),
    };
    field(out, style.width, 2, "in progress", &text)
}

fn write_resource(out: &mut impl Write, style: Style, resource: &DrillResourceReport) -> io::Result<()> {
    let reason = resource.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let kept = resource.recycle_bin.iter().map(|kept| format!("; the Recycle Bin keeps it {}", kept.clause()));
    let kept = kept.collect::<String>();
    field(out, style.width, 2, resource.state.name(), &format!("{}{reason}{kept}", resource.id))?;
    match (&resource.remove_with, resource.state) {
        (Some(command), DrillResourceState::Left | DrillResourceState::Kept) => {
            field(out, style.width, 2, "remove with", command)
        }
        _ => Ok(()),
    }
}

fn conclusion(report: &DrillReport) -> (Label<'static>, String) {
    let words = format!("for AWS Backup: {}", report.backup_validation.name());
    let left = match report.left().count() {
        0 => String::new(),
        1 => "; 1 resource is left".to_owned(),
        left => format!("; {left} resources are left"),
    };
    let text = match (report.outcome, report.verdict, &report.removes_only) {
        (DrillOutcome::Planned, _, Some(at)) => format!(
            "nothing was started; the same command without --dry-run only removes what the drill of {at} left, and the \
             next one is a new drill"
        ),
        (DrillOutcome::Planned, _, None) => {
            let proof = report.preflight.as_ref().and_then(|preflight| preflight.object_proof.as_ref());
            let proof = proof.map(|proof| format!("; {}", proof.clause())).unwrap_or_default();
            return (Label::new("ready", Verdict::Pass), format!("nothing was started{proof}"));
        }
        (DrillOutcome::Refused, ..) => refused(report),
        (DrillOutcome::Interrupted, ..) => format!("a signal ended the drill; the same command continues ({words})"),
        (DrillOutcome::Ended, Verdict::Pass, _) => {
            format!("the object was restored{}, and every block is the same{left} ({words})", restored(report))
        }
        (DrillOutcome::Ended, Verdict::Fail, _) => format!("the drill failed{left} ({words})"),
        (DrillOutcome::Ended, Verdict::Unknown, _) => format!("not everything is proved{left} ({words})"),
    };
    (report.verdict.into(), text)
}

/// When it was restored, and whether this run did that.
fn restored(report: &DrillReport) -> String {
    let at = report.restored_at.iter().map(|at| format!(" at {at}")).collect::<String>();
    match report.restore.as_ref().is_some_and(|task| !task.started_here) {
        true => format!("{at} by an earlier run"),
        false => at,
    }
}

fn refused(report: &DrillReport) -> String {
    let Some(preflight) = &report.preflight else { return "nothing was started".to_owned() };
    match report.verdict {
        Verdict::Fail => {
            let failed = preflight.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
            let reasons: Vec<String> = failed
                .map(|finding| format!("{}: {}", finding.check, finding.observed.as_deref().unwrap_or("not met")))
                .collect();
            format!("not started: {}", reasons.join("; "))
        }
        _ => format!("not started; not answered: {}", names(&preflight.findings, Verdict::Unknown)),
    }
}
