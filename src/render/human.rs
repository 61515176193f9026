use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{
    Label, Renderer, Style, audit, bench, copy, cost, field, inspect, preflight, printable, shell_word, task, verify,
};
use crate::report::{ErrorReport, Report, SummaryReport};
use crate::verdict::Verdict;

/// Renders text for people, on a terminal or in a log.
pub struct Human<W> {
    out: W,
    style: Style,
    written: bool,
    /// Number of observations of each kind so far.
    observed: BTreeMap<String, usize>,
}

/// Maximum number of observations per kind that get a line; the rest are counted.
const MOST_OBSERVED: usize = 20;

impl<W: Write> Human<W> {
    /// Writes to `out` in this style.
    pub fn new(out: W, style: Style) -> Self {
        Human { out, style, written: false, observed: BTreeMap::new() }
    }
}

impl<W: Write> Renderer for Human<W> {
    fn render(&mut self, report: &Report) -> io::Result<()> {
        if let Report::Summary(summary) = report {
            return summarise(&mut self.out, summary);
        }
        // The lines of an audit are not separated by empty lines.
        let line = matches!(
            report,
            Report::Audited(_) | Report::AuditedBucket(_) | Report::Observation(_) | Report::LedgerEntry(_)
        );
        if self.written && !line {
            writeln!(self.out)?;
        }
        self.written |= !line;
        match report {
            Report::Inspect(report) => inspect::write(&mut self.out, self.style, report)?,
            Report::Verify(report) => verify::write(&mut self.out, self.style, report)?,
            Report::Preflight(report) => preflight::write(&mut self.out, self.style, report)?,
            Report::Stored(report) => preflight::write_stored(&mut self.out, self.style, report)?,
            Report::Task(report) => task::write(&mut self.out, self.style, report)?,
            Report::Copy(report) => copy::write(&mut self.out, self.style, report)?,
            Report::Bench(report) => bench::write(&mut self.out, self.style, report)?,
            Report::Hashes(report) => bench::write_hashes(&mut self.out, self.style, report)?,
            Report::Cost(report) => cost::write(&mut self.out, self.style, report)?,
            Report::Audited(report) => audit::write(&mut self.out, self.style, report)?,
            Report::AuditedBucket(report) => audit::write_bucket(&mut self.out, self.style, report)?,
            Report::Observation(report) => {
                let seen = self.observed.entry(report.kind.to_string()).or_default();
                *seen += 1;
                if *seen <= MOST_OBSERVED {
                    audit::write_observation(&mut self.out, self.style, report)?;
                }
            }
            Report::Audit(report) => {
                audit::write_all(&mut self.out, self.style, report)?;
                for (kind, count) in std::mem::take(&mut self.observed) {
                    if let Some(more @ 1..) = count.checked_sub(MOST_OBSERVED) {
                        let text = format!("{more} more: {}", kind.replace('_', " "));
                        field(&mut self.out, self.style.width, 2, "not shown", &text)?;
                    }
                }
            }
            Report::LedgerEntry(report) => audit::write_entry(&mut self.out, self.style, report)?,
            Report::Ledger(report) => audit::write_ledger(&mut self.out, self.style, report)?,
            Report::Safe(report) => audit::write_safe(&mut self.out, self.style, report)?,
            Report::Error(error) => write_error(&mut self.out, self.style, error)?,
            Report::Summary(_) => {}
        }
        self.out.flush()
    }
}

fn write_error(out: &mut impl Write, style: Style, error: &ErrorReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&shell_word(&error.target)))?;
    let mut text = error.message.clone();
    if let Some(id) = &error.request_id {
        text = format!("{text} [request id {id}]");
    }
    writeln!(out, "  {} {}", style.label(Label::new("error", Verdict::Unknown), 7), printable(&text))
}

/// Writes nothing for a single target, whose report is sufficient.
fn summarise(out: &mut impl Write, summary: &SummaryReport) -> io::Result<()> {
    if summary.targets > 1 {
        writeln!(
            out,
            "\n{} targets: {} passed, {} failed, {} unknown, {} errors",
            summary.targets, summary.passed, summary.failed, summary.unknown, summary.errors
        )?;
    }
    out.flush()
}
