use std::path::{Path, PathBuf};

use super::output::keep_output;
use super::written::WrittenFiles;
use crate::clock::{Clock, SystemClock};
use crate::files::OutputKind;
use crate::render::page;
use crate::report::{Report, SummaryReport};

/// Collects the reports of a run, and writes them as the page of `--report` at the end.
pub(super) struct PageFile {
    path: PathBuf,
    reports: Vec<Report>,
    written: WrittenFiles,
}

impl PageFile {
    /// Starts without reports.
    pub(super) fn new(path: &Path, written: &WrittenFiles) -> Self {
        PageFile { path: path.to_owned(), reports: Vec::new(), written: written.clone() }
    }

    /// Adds a report.
    pub(super) fn add(&mut self, report: Report) {
        self.reports.push(report);
    }

    /// Writes the page, with the summary of the run.
    ///
    /// # Errors
    ///
    /// The page cannot be rendered or written; a message with its path.
    pub(super) fn write(mut self, summary: &SummaryReport) -> Result<(), String> {
        self.reports.push(Report::Summary(summary.clone()));
        let written = page(&self.reports, &SystemClock.now().to_string()).and_then(|text| {
            keep_output(&self.written, &self.path, OutputKind::Page, text.as_bytes()).map_err(|error| error.to_string())
        });
        written.map_err(|problem| format!("{}: the page could not be written: {problem}", self.path.display()))
    }
}
