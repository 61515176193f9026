use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::output::{keep_output, keep_output_from};
use super::written::WrittenFiles;
use crate::clock::{Clock, SystemClock};
use crate::files::OutputKind;
use crate::render::{AuditPage, AuditTable, page};
use crate::report::{Report, SummaryReport};

/// Collects the reports of a run, and writes them as the page of `--report` at the end. The lines of an audit are not
/// kept: there may be millions.
pub(super) struct PageFile {
    path: PathBuf,
    reports: Vec<Report>,
    audit: AuditPage,
    table: AuditTable,
    written: WrittenFiles,
}

/// The table of all objects beside the page of an audit that cannot show all of them. A page that is a pipe or a device
/// has none.
pub(super) fn table_beside(page: &Path) -> Option<PathBuf> {
    let is_special = std::fs::metadata(page).is_ok_and(|there| !there.is_file());
    let mut path = page.as_os_str().to_owned();
    path.push(".csv");
    (!is_special).then(|| path.into())
}

impl PageFile {
    /// Starts without reports.
    pub(super) fn new(path: &Path, written: &WrittenFiles) -> Self {
        let (reports, table) = (Vec::new(), AuditTable::default());
        let audit = AuditPage::new(Some(SystemClock.now()));
        PageFile { path: path.to_owned(), reports, audit, table, written: written.clone() }
    }

    /// Adds a report.
    pub(super) fn add(&mut self, report: Report) {
        self.audit.add(&report);
        self.table.add(&report);
        if !matches!(
            report,
            Report::Audited(_) | Report::AuditedRun(_) | Report::AuditedBucket(_) | Report::Observation(_)
        ) {
            self.reports.push(report);
        }
    }

    /// Writes the page, with the summary of the run.
    ///
    /// # Errors
    ///
    /// The page cannot be rendered or written; a message with its path.
    pub(super) fn write(mut self, summary: &SummaryReport) -> Result<(), String> {
        self.add(Report::Summary(summary.clone()));
        let beside = table_beside(&self.path).filter(|_| self.audit.is_complete() && self.audit.left_out() > 0);
        if let Some(path) = &beside {
            write_table(self.table, path, &self.written)
                .map_err(|error| format!("{}: the table could not be written: {error}", path.display()))?;
        }
        let now = SystemClock.now().to_string();
        let name = beside.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
        let text = match self.audit.is_complete() {
            true => self.audit.finish(&now, name.as_deref()),
            false => page(&self.reports, &now),
        };
        let written = text.and_then(|text| {
            keep_output(&self.written, &self.path, OutputKind::Page, text.as_bytes()).map_err(|error| error.to_string())
        });
        written.map_err(|problem| format!("{}: the page could not be written: {problem}", self.path.display()))
    }
}

fn write_table(table: AuditTable, path: &Path, written: &WrittenFiles) -> io::Result<()> {
    let mut whole = io::BufWriter::new(tempfile::tempfile()?);
    table.finish(&mut whole)?;
    whole.flush()?;
    let mut whole = whole.into_inner()?;
    whole.rewind()?;
    keep_output_from(written, path, OutputKind::Table, &mut whole)
}
