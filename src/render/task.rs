use std::io::{self, Write};

use super::condition::{conclude, names};
use super::{Style, command, condition, field, left_behind, printable, wrap};
use crate::report::{EndOption, TaskKind, TaskReport, arguments};
use crate::units::{counted, duration};
use crate::verdict::Verdict;

pub(super) fn write(out: &mut impl Write, style: Style, report: &TaskReport, reach: &[EndOption]) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&printable(&report.image)))?;
    let object = match (&report.object, report.operation) {
        (Some(object), TaskKind::Store) => format!(" to {object}"),
        (Some(object), TaskKind::Restore) => format!(" from {object}"),
        _ => String::new(),
    };
    let name = report.name.as_ref().map(|name| format!(" as `{name}`")).unwrap_or_default();
    let taken = if report.started_here || report.state == "DryRun" { "" } else { ", resumed" };
    let headline = format!("{}{object}{name}, Region {}{taken}", report.operation, report.region);
    for line in wrap(&printable(&headline), style.width.saturating_sub(2).max(24)) {
        writeln!(out, "  {}", style.dim(&line))?;
    }
    condition::write_all(out, style, &report.findings)?;
    for left in &report.left_behind {
        left_behind(out, style, left)?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    let line = format!("{}, {}", duration(report.elapsed_seconds), counted(report.requests, "request"));
    writeln!(out, "  {}", style.dim(&line))?;
    let (verdict, text) = conclusion(report);
    conclude(out, style, verdict, &text)?;
    match (&report.object, report.operation, verdict) {
        // EC2 reports the end of a store; nobody has read the object.
        (Some(object), TaskKind::Store, Verdict::Pass) => {
            let object = style.word(&object.to_string());
            command(out, style, "prove it", &format!("stored-ami verify {object}{}", arguments(reach, "")))
        }
        _ => Ok(()),
    }
}

fn conclusion(report: &TaskReport) -> (Verdict, String) {
    let what = format!("{} of {}", report.operation, report.image);
    let Some(verdict) = report.verdict else {
        return match &report.failure {
            Some(why) => (Verdict::Fail, format!("the {what} failed: {why}")),
            None => (Verdict::Unknown, format!("the {what} is {}", report.state)),
        };
    };
    let text = match verdict {
        Verdict::Pass => format!("the {what} is complete ({}), and no check failed", report.state),
        Verdict::Fail => {
            format!("the {what} ended ({}); failed: {}", report.state, names(&report.findings, Verdict::Fail))
        }
        Verdict::Unknown => {
            format!("the {what} ended ({}); not answered: {}", report.state, names(&report.findings, Verdict::Unknown))
        }
    };
    let proof = report.object_proof.as_ref().map(|proof| format!("; {}", proof.clause())).unwrap_or_default();
    (verdict, text + &proof)
}
