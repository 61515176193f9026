use std::io::{self, Write};

use super::condition::conclude;
use super::cost::write_line;
use super::{Label, Style, beside, field, printable, wrap};
use crate::checks::thaw::ThawCheck;
use crate::report::{Exit, ThawFindingReport, ThawOutcome, ThawReport, ThawState};
use crate::units::ByteSize;
use crate::verdict::Verdict;

/// Width of a check's name, in characters.
const NAME: usize = 8;

pub(super) fn write(out: &mut impl Write, style: Style, report: &ThawReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.target)))?;
    let mut headline = vec![ByteSize(report.identity.object_bytes).to_string()];
    headline.extend(report.storage_class.clone());
    headline.extend(report.archive_status.clone());
    field(out, style.width, 2, "object", &headline.join(", "))?;
    // A request that was sent comes after a report with its price.
    if report.outcome != ThawOutcome::Requested {
        report.costs.iter().try_for_each(|line| write_line(out, style, line))?;
    }
    let is_asked = report.outcome == ThawOutcome::Requested;
    let is_shown = |finding: &&ThawFindingReport| {
        !is_asked || finding.check == ThawCheck::Request || finding.verdict != Verdict::Pass
    };
    for finding in report.findings.iter().filter(is_shown) {
        let optional = if finding.required { "" } else { "(optional) " };
        let text = format!("{optional}{}", finding.detail);
        let head = format!("  {} {:<NAME$}", style.verdict(finding.verdict, 7), finding.check);
        beside(out, style, &head, 2 + 7 + 1 + NAME + 1, |width| wrap(&printable(&text), width))?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    let (label, text) = conclusion(report);
    conclude(out, style, label, &text)?;
    match next(report) {
        Some(next) => field(out, style.width, 2, "next", &next),
        None => Ok(()),
    }
}

/// What to do if nothing was sent because a check failed, or if the state is not known.
fn next(report: &ThawReport) -> Option<String> {
    let is_open = |check, verdict| {
        report.findings.iter().any(|finding| finding.check == check && finding.required && finding.verdict == verdict)
    };
    if is_open(ThawCheck::Tier, Verdict::Fail) {
        return Some("choose --tier standard or --tier bulk".to_owned());
    }
    if is_open(ThawCheck::Days, Verdict::Fail) {
        return Some(match report.needed_days {
            Some(days) => format!("leave --days out, or give at least --days {days}"),
            None => "leave --days out".to_owned(),
        });
    }
    is_open(ThawCheck::State, Verdict::Unknown)
        .then(|| "see what S3 states of the object with `stored-ami inspect`, and run the command again".to_owned())
}

fn conclusion(report: &ThawReport) -> (Label<'static>, String) {
    let reasons = |verdict| {
        let of = report.findings.iter().filter(move |finding| finding.required && finding.verdict == verdict);
        of.map(|finding| finding.detail.clone()).collect::<Vec<_>>().join("; ")
    };
    let until = report.readable_until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
    let pass = |word| Label::new(word, Verdict::Pass);
    let again = "run the same command again to see the state, or wait with --follow";
    match (report.outcome, report.state) {
        (ThawOutcome::Refused, _) => {
            (Verdict::Fail.into(), format!("nothing was sent to S3: {}", reasons(Verdict::Fail)))
        }
        (ThawOutcome::Planned, _) => {
            let days = match report.days {
                None => String::new(),
                Some(1) => " for 1 day".to_owned(),
                Some(days) => format!(" for {days} days"),
            };
            let sent = if report.goes_on { "" } else { "; nothing was sent (--dry-run)" };
            (pass("ready"), format!("S3 can be asked for a readable copy{days}{sent}"))
        }
        (_, ThawState::NotArchived) => (pass("readable"), "it can be read now".to_owned()),
        (_, ThawState::Restored) => (pass("readable"), format!("a copy can be read{until}")),
        (_, ThawState::Restoring) if report.exit_code == Exit::Interrupted => {
            (Label::new("waiting", Verdict::Unknown), "the restore from the archive continues in S3".to_owned())
        }
        (ThawOutcome::Requested, ThawState::Restoring) => (pass("asked"), format!("S3 makes a readable copy; {again}")),
        (_, ThawState::Restoring) => {
            (Label::new("waiting", Verdict::Unknown), format!("it cannot be read yet; {again}"))
        }
        (_, ThawState::Archived | ThawState::Unknown) => {
            (report.verdict().into(), format!("the state is not known: {}", reasons(Verdict::Unknown)))
        }
    }
}
