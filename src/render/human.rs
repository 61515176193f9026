use std::io::{self, Write};

use super::{Renderer, Style, bench, cost, inspect, preflight, printable, task, verify};
use crate::report::{ErrorReport, Report, SummaryReport};

/// Text for a person at a terminal or reading a log.
pub struct Human<W> {
    out: W,
    style: Style,
    written: bool,
}

impl<W: Write> Human<W> {
    pub fn new(out: W, style: Style) -> Self {
        Human { out, style, written: false }
    }
}

impl<W: Write> Renderer for Human<W> {
    fn render(&mut self, report: &Report) -> io::Result<()> {
        if let Report::Summary(summary) = report {
            return summarise(&mut self.out, summary);
        }
        if self.written {
            writeln!(self.out)?;
        }
        self.written = true;
        match report {
            Report::Inspect(report) => inspect::write(&mut self.out, self.style, report)?,
            Report::Verify(report) => verify::write(&mut self.out, self.style, report)?,
            Report::Preflight(report) => preflight::write(&mut self.out, self.style, report)?,
            Report::Stored(report) => preflight::write_stored(&mut self.out, self.style, report)?,
            Report::Task(report) => task::write(&mut self.out, self.style, report)?,
            Report::Bench(report) => bench::write(&mut self.out, self.style, report)?,
            Report::Hashes(report) => bench::write_hashes(&mut self.out, self.style, report)?,
            Report::Cost(report) => cost::write(&mut self.out, self.style, report)?,
            Report::Error(error) => write_error(&mut self.out, self.style, error)?,
            Report::Summary(_) => {}
        }
        self.out.flush()
    }
}

fn write_error(out: &mut impl Write, style: Style, error: &ErrorReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&printable(&error.target)))?;
    let mut text = error.message.clone();
    if let Some(id) = &error.request_id {
        text = format!("{text} [request id {id}]");
    }
    writeln!(out, "  {} {}", style.verdict("error", 7), printable(&text))
}

/// One target says it all by itself.
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
