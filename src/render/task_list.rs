use std::io::{self, Write};

use super::blocks::priced;
use super::condition::conclude;
use super::{Label, Style, beside, field, printable, wrap};
use crate::checks::preflight::both_units;
use crate::price::Amount;
use crate::report::{Exit, TaskListEstimate, TaskListReport, TaskRowReport, TaskRowState};
use crate::units::{counted, duration};
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
    let end = format!("{}, {}", duration(list.elapsed_seconds), counted(list.requests, "request"));
    writeln!(out, "  {}", style.dim(&end))?;
    let (label, text) = conclusion(list);
    conclude(out, style, label, &text)
}

/// The headline: a word that agrees with the exit code, and how many tasks are in which state.
fn conclusion(list: &TaskListReport) -> (Label<'static>, String) {
    let count = |is: &dyn Fn(&TaskRowReport) -> bool| list.rows.iter().filter(|row| is(row)).count();
    let all = list.rows.len();
    let of_state = |state: TaskRowState| count(&|row| row.state == state && row.exit_code == Exit::Passed);
    let (first, states) = match list.started {
        false => {
            let following = of_state(TaskRowState::Running);
            let can = if following == 0 { "can be started" } else { "can be started or followed" };
            (format!("{} of {all} {can}", of_state(TaskRowState::Ready) + following), Vec::new())
        }
        true => {
            let is_proving = list.rows.iter().any(|row| row.proof.is_some());
            let complete = if is_proving { "restored and proved" } else { "complete" };
            let with = |outcome: Outcome| count(&|row| Outcome::of(row) == outcome);
            let states = [Outcome::Accepted, Outcome::NotStarted, Outcome::Failed, Outcome::GoesOn, Outcome::Open];
            let states = states.map(|outcome| (with(outcome), outcome.name()));
            (format!("{} of {all} {complete}", with(Outcome::Complete)), states.to_vec())
        }
    };
    let states = states.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    let again = (list.exit_code == Exit::Interrupted).then(|| "the same command continues".to_owned());
    let text: Vec<String> = std::iter::once(first).chain(states).chain(again).collect();
    let has = |outcome: Outcome| list.rows.iter().any(|row| Outcome::of(row) == outcome);
    let label = match list.exit_code {
        Exit::Passed if !list.started => Label::new("ready", Verdict::Pass),
        Exit::Passed if has(Outcome::Accepted) => Label::from(Verdict::Unknown),
        Exit::Passed => Label::from(Verdict::Pass),
        Exit::Failed => Label::from(Verdict::Fail),
        Exit::Unknown => Label::from(Verdict::Unknown),
        Exit::Interrupted => Label::new("stopped", Verdict::Unknown),
        // A task that failed in AWS has this exit code, too.
        Exit::CouldNot | Exit::Usage if has(Outcome::Failed) => Label::from(Verdict::Fail),
        Exit::CouldNot | Exit::Usage => ERROR,
    };
    (label, text.join("; "))
}

/// A task could not be checked, started, followed or compared.
const ERROR: Label<'static> = Label::new("error", Verdict::Fail);

/// What became of a task at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete,
    /// It is complete, and what is not known of it was accepted.
    Accepted,
    NotStarted,
    Failed,
    GoesOn,
    /// It could not be followed, or what was made of it is not proved.
    Open,
}

impl Outcome {
    fn of(row: &TaskRowReport) -> Self {
        match (row.state, row.exit_code) {
            (TaskRowState::Refused | TaskRowState::NotStarted, _) => Outcome::NotStarted,
            (_, Exit::Passed) if [row.verdict, row.proof].contains(&Some(Verdict::Unknown)) => Outcome::Accepted,
            (_, Exit::Passed) => Outcome::Complete,
            (_, Exit::Failed) => Outcome::Failed,
            // Without a verdict there is nothing to check: EC2 reports a failure.
            (TaskRowState::Ended, Exit::CouldNot) if row.verdict.is_none() => Outcome::Failed,
            (TaskRowState::Running, Exit::Interrupted) => Outcome::GoesOn,
            _ => Outcome::Open,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Outcome::Complete => "complete",
            Outcome::Accepted => "complete with an accepted unknown",
            Outcome::NotStarted => "not started",
            Outcome::Failed => "failed",
            Outcome::GoesOn => "in progress",
            Outcome::Open => "not known",
        }
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
            format!("{} one after the other, at the rate of earlier restores", duration(seconds))
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
        duration(proof.seconds_most as f64),
        counted(u64::from(proof.block_rate), "block")
    );
    field(out, style.width, 2, "then compare", &text)
}

fn write_row(out: &mut impl Write, style: Style, row: &TaskRowReport, width: usize) -> io::Result<()> {
    let label = match (row.exit_code, row.state) {
        (Exit::Passed, TaskRowState::Ended) if Outcome::of(row) == Outcome::Accepted => Label::from(Verdict::Unknown),
        (Exit::Passed, TaskRowState::Ended) => Label::from(Verdict::Pass),
        // Only a plan has these rows.
        (Exit::Passed, TaskRowState::Running) => Label::new("started", Verdict::Pass),
        (Exit::Passed, state) => Label::new(state.name(), Verdict::Pass),
        (Exit::Failed, _) => Label::from(Verdict::Fail),
        (Exit::Unknown, _) => Label::from(Verdict::Unknown),
        (Exit::Interrupted, TaskRowState::NotStarted) => Label::new("not started", Verdict::Unknown),
        (Exit::Interrupted, TaskRowState::Ended) => Label::new("not proved", Verdict::Unknown),
        (Exit::Interrupted, state) => Label::new(state.name(), Verdict::Unknown),
        (Exit::CouldNot | Exit::Usage, _) if Outcome::of(row) == Outcome::Failed => Label::from(Verdict::Fail),
        (Exit::CouldNot | Exit::Usage, _) => ERROR,
    };
    let name = printable(&row.name);
    let head = format!("  {} {name:<width$}", style.label(label, LABEL));
    let left = 2 + LABEL + 1 + width.max(name.chars().count()) + 1;
    let image = row.image.as_ref().filter(|image| **image != row.target);
    let image = image.map(|image| format!("{image}: ")).unwrap_or_default();
    let text = printable(&format!("{image}{} ({})", row.detail, row.target));
    beside(out, style, &head, left, |width| wrap(&text, width)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn row(state: &str, exit: u8, verdict: Option<&str>) -> Value {
        json!({ "line": 1, "target": "t", "name": "n", "state": state, "detail": "d", "exit_code": exit, "verdict": verdict })
    }

    /// The label of the first row, and the headline.
    fn written(started: bool, exit: u8, rows: &[Value]) -> (String, String) {
        let list: TaskListReport = serde_json::from_value(json!({
            "operation": "restore", "region": "us-east-1", "started": started, "limit_bytes": 600, "volume_bytes": 0,
            "rows": rows, "notes": [], "elapsed_seconds": 1900.5, "requests": 4, "exit_code": exit,
        }))
        .unwrap();
        assert_eq!(list.exit_of_rows(), list.exit_code);
        let mut out = Vec::new();
        write(&mut out, Style::PLAIN, &list).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let label = lines[1].split(" n ").next().unwrap().trim();
        (label.to_owned(), lines.last().unwrap().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_headline_says_what_is_true_in_its_state() {
        let (ready, running) = (|| row("ready", 0, None), || row("running", 0, None));
        let (refused, ended) = (|| row("refused", 1, Some("fail")), || row("ended", 0, Some("pass")));
        // As EC2 reports a failure: without a verdict.
        let failed = || row("ended", 4, None);
        let proving = |mut row: Value| {
            row["proof"] = "unknown".into();
            row
        };
        for (started, exit, rows, label, headline) in [
            (false, 0, vec![ready()], "READY", "READY 1 of 1 can be started"),
            (false, 0, vec![running(), ready()], "STARTED", "READY 2 of 2 can be started or followed"),
            (false, 1, vec![refused()], "FAIL", "FAIL 0 of 1 can be started"),
            (false, 1, vec![refused(), ready()], "FAIL", "FAIL 1 of 2 can be started"),
            (false, 3, vec![row("refused", 3, Some("unknown"))], "UNKNOWN", "UNKNOWN 0 of 1 can be started"),
            (false, 4, vec![row("error", 4, None)], "ERROR", "ERROR 0 of 1 can be started"),
            (true, 0, vec![ended()], "PASS", "PASS 1 of 1 complete"),
            (
                true,
                0,
                vec![row("ended", 0, Some("unknown")), ended()],
                "UNKNOWN",
                "UNKNOWN 1 of 2 complete; 1 complete with an accepted unknown",
            ),
            (true, 4, vec![failed()], "FAIL", "FAIL 0 of 1 complete; 1 failed"),
            (true, 1, vec![refused(), failed(), ended()], "FAIL", "FAIL 1 of 3 complete; 1 not started; 1 failed"),
            (true, 4, vec![row("error", 4, None)], "ERROR", "ERROR 0 of 1 complete; 1 not known"),
            (true, 3, vec![row("ended", 3, Some("unknown"))], "UNKNOWN", "UNKNOWN 0 of 1 complete; 1 not known"),
            (
                true,
                130,
                vec![row("running", 130, None), row("not_started", 130, None)],
                "RUNNING",
                "STOPPED 0 of 2 complete; 1 not started; 1 in progress; the same command continues",
            ),
            (
                true,
                130,
                vec![proving(row("ended", 130, Some("pass")))],
                "NOT PROVED",
                "STOPPED 0 of 1 restored and proved; 1 not known; the same command continues",
            ),
            (
                true,
                4,
                vec![proving(row("ended", 4, Some("pass")))],
                "ERROR",
                "ERROR 0 of 1 restored and proved; 1 not known",
            ),
        ] {
            assert_eq!(written(started, exit, &rows), (label.to_owned(), headline.to_owned()), "{rows:?}");
        }
    }
}
