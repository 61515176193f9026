use std::fs;
use std::path::{Path, PathBuf};

use super::resolve::UsageError;
use crate::clock::{Clock, SystemClock};
use crate::files::write_whole;
use crate::render::page;
use crate::report::{Report, SummaryReport};

/// The reports of a run, kept until all are there to make the page of `--report`.
pub(super) struct PageFile {
    path: PathBuf,
    reports: Vec<Report>,
}

impl PageFile {
    /// Refuses a place where no file can be.
    pub fn new(path: &Path) -> Result<Self, UsageError> {
        let refuse = |problem: &str| Err(UsageError(format!("--report {}: {problem}", path.display())));
        if path.is_dir() {
            return refuse("is a folder, and a file is needed");
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match fs::metadata(folder) {
            Err(error) => refuse(&format!("its folder: {error}")),
            Ok(found) if !found.is_dir() => refuse("its folder is none"),
            Ok(_) => Ok(PageFile { path: path.to_owned(), reports: Vec::new() }),
        }
    }

    pub fn add(&mut self, report: Report) {
        self.reports.push(report);
    }

    pub fn write(mut self, summary: &SummaryReport) -> Result<(), String> {
        self.reports.push(Report::Summary(summary.clone()));
        let written = page(&self.reports, &SystemClock.now().to_string())
            .and_then(|text| write_whole(&self.path, text.as_bytes()).map_err(|error| error.to_string()));
        written.map_err(|problem| format!("{}: the page could not be written: {problem}", self.path.display()))
    }
}
