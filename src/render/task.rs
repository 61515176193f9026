use std::io::{self, Write};

use super::condition::{conclude, names};
use super::{Style, condition, field, printable};
use crate::report::TaskReport;

pub(super) fn write(out: &mut impl Write, style: Style, report: &TaskReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&printable(&report.image)))?;
    let object = match (&report.object, report.operation.as_str()) {
        (Some(object), "store") => format!(" to {object}"),
        (Some(object), _) => format!(" from {object}"),
        _ => String::new(),
    };
    let name = report.name.as_ref().map(|name| format!(" as `{name}`")).unwrap_or_default();
    let taken = if report.started_here || report.state == "DryRun" { "" } else { ", taken up" };
    let headline = format!("{}{object}{name}, Region {}{taken}", report.operation, report.region);
    writeln!(out, "  {}", style.dim(&printable(&headline)))?;
    for finding in &report.findings {
        condition::write(out, style, finding)?;
    }
    for left in &report.left_behind {
        field(
            out,
            style.width,
            2,
            "left behind",
            &format!("{} ({}); remove it with: {}", left.id, left.state, left.remove_with),
        )?;
    }
    for note in &report.notes {
        field(out, style.width, 2, "note", note)?;
    }
    let line = format!("{:.0} s, {} requests", report.elapsed_seconds, report.requests);
    writeln!(out, "  {}", style.dim(&line))?;
    let (verdict, text) = conclusion(report);
    conclude(out, style, verdict, &text)
}

fn conclusion(report: &TaskReport) -> (&str, String) {
    let what = format!("{} of {}", report.operation, report.image);
    let Some(verdict) = report.verdict.as_deref() else {
        return match &report.failure {
            Some(why) => ("fail", format!("the {what} failed: {why}")),
            None => ("unknown", format!("the {what} is {}", report.state)),
        };
    };
    let text = match verdict {
        "pass" => format!("the {what} is complete ({}), and what could be checked holds", report.state),
        "fail" => {
            format!("the {what} ended ({}), and does not hold: {}", report.state, names(&report.findings, "fail"))
        }
        _ => format!("the {what} ended ({}); not known: {}", report.state, names(&report.findings, "unknown")),
    };
    (verdict, text)
}
