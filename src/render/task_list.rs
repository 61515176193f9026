use std::io::{self, Write};
use std::time::Duration;

use super::blocks::{priced, span};
use super::condition::conclude;
use super::{Label, Style, beside, field, printable, wrap};
use crate::checks::preflight::both_units;
use crate::price::Amount;
use crate::report::{Exit, TaskListEstimate, TaskListReport, TaskRowReport, TaskRowState};
use crate::units::counted;
use crate::verdict::Verdict;

/// Width of the widest name that the results of all rows are aligned behind.
const WIDEST: usize = 32;
/// Width of the labels of rows.
const LABEL: usize = 11;

pub(super) fn write(out: &mut impl Write, style: Style, list: &TaskListReport) -> io::Result<()> {
    let what = format!("{} in Region {}", counted(list.rows.len() as u64, list.operation.name()), list.region);
    writeln!(out, "{}", style.bold(&printable(&what)))?;
    let widths = list.rows.iter().map(|row| printable(&row.name).chars().count());
    let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or(0);
    list.rows.iter().try_for_each(|row| write_row(out, style, row, width))?;
    if let Some(estimate) = &list.estimate {
        write_estimate(out, style, list, estimate)?;
    }
    for note in style.notes(&list.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    let time = span(Duration::from_secs_f64(list.elapsed_seconds.max(0.0)));
    writeln!(out, "  {}", style.dim(&format!("{time}, {}", counted(list.requests, "request"))))?;
    let (label, text) = conclusion(list);
    conclude(out, style, label, &text)
}

fn conclusion(list: &TaskListReport) -> (Label<'static>, String) {
    let done = list.rows.iter().filter(|row| row.exit_code == Exit::Passed).count();
    let all = list.rows.len();
    let complete = match list.rows.iter().any(|row| row.proof.is_some()) {
        true => format!("{done} of {all} are restored and proved"),
        false => format!("{done} of {all} are complete"),
    };
    match (list.started, list.exit_code) {
        (false, Exit::Passed) => (Label::new("ready", Verdict::Pass), format!("{done} of {all} can go on")),
        (false, _) => (Label::new("ready", Verdict::Unknown), format!("{done} of {all} can go on")),
        (true, Exit::Interrupted) => {
            (Label::new("stopped", Verdict::Unknown), format!("{complete}; the same command continues"))
        }
        (true, Exit::Passed) => (Label::from(Verdict::Pass), complete),
        (true, Exit::Failed) => (Label::from(Verdict::Fail), complete),
        (true, _) => (Label::from(Verdict::Unknown), complete),
    }
}

fn write_estimate(
    out: &mut impl Write,
    style: Style,
    list: &TaskListReport,
    estimate: &TaskListEstimate,
) -> io::Result<()> {
    let unsized_tasks = match estimate.unsized_tasks {
        0 => String::new(),
        some => format!(", and {some} of unknown size, which price and time leave out"),
    };
    let tasks = counted(estimate.tasks, list.operation.name());
    let start = format!("{tasks}, {} together{unsized_tasks}", both_units(estimate.volume_bytes));
    field(out, style.width, 2, "to start", &start)?;
    let limit = format!("each starts while less than {} are in progress", both_units(list.limit_bytes));
    field(out, style.width, 2, "limit", &limit)?;
    let amount = Amount { least: estimate.dollars_least, most: estimate.dollars_most };
    let price = match estimate.dollars_most {
        Some(_) => priced(amount, estimate.price.as_ref()),
        None => "not known".to_owned(),
    };
    field(out, style.width, 2, "price", &price)?;
    let time = match estimate.seconds_most {
        Some(seconds) => {
            let all = span(Duration::try_from_secs_f64(seconds).unwrap_or_default());
            format!("{all} one after the other, at the rate of earlier restores")
        }
        None => "not known".to_owned(),
    };
    field(out, style.width, 2, "time", &time)?;
    let Some(proof) = &estimate.proof else { return Ok(()) };
    let amount = Amount { least: proof.dollars_least, most: proof.dollars_most };
    let text = format!(
        "at most {}, {}, up to {} at {} a second",
        counted(proof.blocks_most, "block"),
        priced(amount, proof.price.as_ref()),
        span(Duration::from_secs(proof.seconds_most)),
        counted(u64::from(proof.block_rate), "block")
    );
    field(out, style.width, 2, "then compare", &text)
}

fn write_row(out: &mut impl Write, style: Style, row: &TaskRowReport, width: usize) -> io::Result<()> {
    let label = match (row.exit_code, row.state) {
        (Exit::Passed, TaskRowState::Ended) => Label::from(Verdict::Pass),
        (Exit::Passed, state) => Label::new(state.name(), Verdict::Pass),
        (Exit::Failed, _) => Label::from(Verdict::Fail),
        (Exit::Unknown, _) => Label::from(Verdict::Unknown),
        (Exit::Interrupted, TaskRowState::NotStarted) => Label::new("not started", Verdict::Unknown),
        (Exit::Interrupted, state) => Label::new(state.name(), Verdict::Unknown),
        _ => Label::new("error", Verdict::Fail),
    };
    let name = printable(&row.name);
    let head = format!("  {} {name:<width$}", style.label(label, LABEL));
    let left = 2 + LABEL + 1 + width.max(name.chars().count()) + 1;
    let image = row.image.as_ref().filter(|image| **image != row.target);
    let image = image.map(|image| format!("{image}: ")).unwrap_or_default();
    let text = printable(&format!("{image}{} ({})", row.detail, row.target));
    beside(out, style, &head, left, |width| wrap(&text, width)).map(drop)
}
