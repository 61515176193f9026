use std::io::{self, Write};

use csv::WriterBuilder;

use super::cell_text;
use super::spool::BySeverity;
use crate::audit::joined;
use crate::report::{AuditedReport, FindingReport, Report};
use crate::verdict::Verdict;

/// The objects of an audit as CSV (RFC 4180), one row per object, the worst first.
///
/// # Errors
///
/// A row cannot be serialised.
pub fn table(reports: &[Report]) -> Result<Vec<u8>, String> {
    let mut table = AuditTable::default();
    reports.iter().for_each(|report| table.add(report));
    let mut out = Vec::new();
    table.finish(&mut out).map(|()| out).map_err(|error| error.to_string())
}

const COLUMNS: [&str; 16] = [
    "target",
    "verdict",
    "exit_code",
    "examined",
    "object_bytes",
    "etag",
    "version_id",
    "last_modified",
    "storage_class",
    "change",
    "proved_at",
    "proved_by",
    "failed",
    "open",
    "proof_kind",
    "unread_proof_at",
];

/// Writes [`table`] while the reports arrive, in memory that does not depend on their number.
#[derive(Default)]
pub struct AuditTable(BySeverity);

impl AuditTable {
    /// Adds a report. Only those of objects have rows.
    pub fn add(&mut self, report: &Report) {
        let Report::Audited(report) = report else { return };
        self.0.add(report.severity(), || row(cells(report)));
    }

    /// Writes the table.
    ///
    /// # Errors
    ///
    /// Writing it, or a temporary file of it, failed.
    pub fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&row(COLUMNS.map(str::to_owned))?)?;
        self.0.finish(out)
    }
}

fn row(cells: [String; COLUMNS.len()]) -> io::Result<Vec<u8>> {
    let mut out = WriterBuilder::new().from_writer(Vec::new());
    out.write_record(cells.map(|cell| cell_text(&cell)))?;
    out.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

fn cells(report: &AuditedReport) -> [String; COLUMNS.len()] {
    let identity = report.identity.as_ref();
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let proof = report.proof.as_ref();
    let unread = report.unread_proof.as_ref();
    [
        report.target.to_string(),
        report.verdict.to_string(),
        report.exit_code.to_string(),
        report.examined.map(|level| level.to_string()).unwrap_or_default(),
        identity.map(|identity| identity.object_bytes.to_string()).unwrap_or_default(),
        text(identity.and_then(|identity| identity.etag.as_ref())),
        text(identity.and_then(|identity| identity.version_id.as_ref())),
        text(identity.and_then(|identity| identity.last_modified.as_ref())),
        text(report.storage_class.as_ref()),
        report.change.map(|change| change.to_string()).unwrap_or_default(),
        proof.map(|proof| proof.at.clone()).unwrap_or_default(),
        proof.map(|proof| joined(&proof.by, " ")).unwrap_or_default(),
        told(&report.findings, Verdict::Fail),
        told(&report.findings, Verdict::Unknown),
        proof.or(unread).map(|proof| proof.kind.to_string()).unwrap_or_default(),
        unread.map(|proof| proof.at.clone()).unwrap_or_default(),
    ]
}

/// Findings with this verdict that prevent a pass: name and description.
pub(super) fn told(findings: &[FindingReport], verdict: Verdict) -> String {
    let told = findings.iter().filter(|finding| finding.verdict == verdict && finding.blocks_pass());
    told.map(|finding| format!("{}: {}", finding.check, words(finding))).collect::<Vec<_>>().join("; ")
}

/// A finding in one line.
pub(super) fn words(finding: &FindingReport) -> String {
    match (&finding.reason, &finding.observed) {
        (Some(reason), _) => reason.detail.clone(),
        (None, Some(observed)) => {
            format!("{observed} (expected: {})", finding.expected.as_deref().unwrap_or_default())
        }
        (None, None) => finding.verdict.to_string(),
    }
}
