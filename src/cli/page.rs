use std::path::{Path, PathBuf};

use super::output::keep_output;
use crate::clock::{Clock, SystemClock};
use crate::files::OutputKind;
use crate::render::page;
use crate::report::{Report, SummaryReport};

/// The reports of a run, kept until all are there to make the page of `--report`.
pub(super) struct PageFile {
    path: PathBuf,
    reports: Vec<Report>,
}

impl PageFile {
    pub fn new(path: &Path) -> Self {
        PageFile { path: path.to_owned(), reports: Vec::new() }
    }

    pub fn add(&mut self, report: Report) {
        self.reports.push(report);
    }

    pub fn write(mut self, summary: &SummaryReport) -> Result<(), String> {
        self.reports.push(Report::Summary(summary.clone()));
        let written = page(&self.reports, &SystemClock.now().to_string()).and_then(|text| {
            keep_output(&self.path, OutputKind::Page, text.as_bytes()).map_err(|error| error.to_string())
        });
        written.map_err(|problem| format!("{}: the page could not be written: {problem}", self.path.display()))
    }
}
