use std::io::{self, Write};

use super::audit_lines::AuditLines;
use super::charset::Encoded;
use super::{
    Label, Renderer, Style, audit, batch, bench, beside, blocks, compare, copy, cost, doctor, drill, inspect,
    preflight, printable, safe, task, task_list, thaw, verify, wrap,
};
use crate::report::{EndOption, ErrorReport, Report, SummaryReport};
use crate::units::counted;
use crate::verdict::Verdict;

/// Renders text for people, on a terminal or in a log.
///
/// The lines of an audit are written at its end, in the order of severity. Other reports are written at once.
pub struct Human<W> {
    out: Encoded<W>,
    style: Style,
    written: bool,
    audit: AuditLines,
    /// An audit was written, whose last line is its summary.
    audited: bool,
    /// The command that goes on with an audit that was stopped.
    again: Option<String>,
    /// The options that reach the objects of the command.
    reach: Vec<EndOption>,
}

impl<W: Write> Human<W> {
    /// Writes to `out` in this style.
    pub fn new(out: W, style: Style) -> Self {
        Human {
            out: Encoded::new(out, style.charset),
            style,
            written: false,
            audit: AuditLines::default(),
            audited: false,
            again: None,
            reach: Vec::new(),
        }
    }

    /// Shows this command, quoted for a shell, where an audit was stopped.
    #[must_use]
    pub fn going_on_with(self, again: Option<String>) -> Self {
        Human { again, ..self }
    }

    /// Adds these options to the commands that are proposed for the objects of a report.
    #[must_use]
    pub fn reached_by(self, reach: Vec<EndOption>) -> Self {
        Human { reach, ..self }
    }
}

impl<W: Write> Renderer for Human<W> {
    fn render(&mut self, report: &Report) -> io::Result<()> {
        if let Report::Summary(summary) = report {
            std::mem::take(&mut self.audit).finish(&mut self.out, self.style, None, (None, &[]))?;
            return if self.audited { self.out.flush() } else { summarise(&mut self.out, summary) };
        }
        match report {
            Report::Audited(report) => return self.audit.object(self.style, report),
            Report::AuditedRun(report) => return self.audit.run(self.style, report),
            Report::AuditedBucket(report) => return self.audit.bucket(self.style, report),
            Report::Observation(report) => return self.audit.observation(self.style, report),
            _ => {}
        }
        // The entries of a ledger are not separated by empty lines, and an audit begins with its objects.
        let line = matches!(report, Report::LedgerEntry(_) | Report::BatchObject(_));
        if self.written && !line {
            writeln!(self.out)?;
        }
        self.written |= !line;
        match report {
            Report::Inspect(report) => inspect::write(&mut self.out, self.style, report, &self.reach)?,
            Report::Verify(report) => verify::write(&mut self.out, self.style, report, &self.reach)?,
            Report::Preflight(report) => preflight::write(&mut self.out, self.style, report, &self.reach)?,
            Report::Stored(report) => preflight::write_stored(&mut self.out, self.style, report, &self.reach)?,
            Report::Task(report) => task::write(&mut self.out, self.style, report, &self.reach)?,
            Report::TaskList(report) => task_list::write(&mut self.out, self.style, report)?,
            Report::Copy(report) => copy::write(&mut self.out, self.style, report, self.again.as_deref())?,
            Report::Compare(report) => compare::write(&mut self.out, self.style, report)?,
            Report::Thaw(report) => thaw::write(&mut self.out, self.style, report)?,
            Report::Fingerprint(report) => blocks::write_fingerprint(&mut self.out, self.style, report)?,
            Report::Prove(report) => blocks::write_prove(&mut self.out, self.style, report)?,
            Report::BatchPlan(report) => batch::write_plan(&mut self.out, self.style, report, &self.reach)?,
            Report::BatchJob(report) => batch::write_job(&mut self.out, self.style, report, &self.reach)?,
            Report::BatchObject(report) => batch::write_object(&mut self.out, self.style, report)?,
            Report::Batch(report) => batch::write_summary(&mut self.out, self.style, report)?,
            Report::Drill(report) => drill::write(&mut self.out, self.style, report)?,
            Report::Bench(report) => bench::write(&mut self.out, self.style, report)?,
            Report::Hashes(report) => bench::write_hashes(&mut self.out, self.style, report)?,
            Report::Doctor(report) => doctor::write(&mut self.out, self.style, report)?,
            Report::Cost(report) => cost::write(&mut self.out, self.style, report)?,
            Report::Audit(report) => {
                self.audited = true;
                let lines = std::mem::take(&mut self.audit);
                lines.finish(&mut self.out, self.style, Some(report), (self.again.as_deref(), &self.reach))?;
            }
            Report::LedgerEntry(report) => audit::write_entry(&mut self.out, self.style, report)?,
            Report::Ledger(report) => audit::write_ledger(&mut self.out, self.style, report)?,
            Report::Safe(report) => safe::write(&mut self.out, self.style, report, &self.reach)?,
            Report::Error(error) => write_error(&mut self.out, self.style, error)?,
            Report::Audited(_)
            | Report::AuditedRun(_)
            | Report::AuditedBucket(_)
            | Report::Observation(_)
            | Report::Summary(_) => {}
        }
        self.out.flush()
    }
}

fn write_error(out: &mut impl Write, style: Style, error: &ErrorReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&error.target)))?;
    let mut text = error.message.clone();
    if let Some(id) = &error.request_id {
        text = format!("{text} [request id {id}]");
    }
    let head = format!("  {}", style.label(Label::new("error", Verdict::Unknown), 7));
    beside(out, style, &head, 10, |width| wrap(&printable(&text), width))?;
    match &error.advice {
        Some(advice) => beside(out, style, "  help   ", 10, |width| wrap(&printable(advice), width)).map(drop),
        None => Ok(()),
    }
}

/// Writes nothing for a single target, whose report is sufficient.
fn summarise(out: &mut impl Write, summary: &SummaryReport) -> io::Result<()> {
    if summary.targets > 1 {
        writeln!(
            out,
            "\n{} targets: {} passed, {} failed, {} unknown, {}",
            summary.targets,
            summary.passed,
            summary.failed,
            summary.unknown,
            counted(summary.errors, "error")
        )?;
    }
    out.flush()
}
