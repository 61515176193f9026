use askama::Template;
use jiff::Timestamp;

use super::status::{Age, RowStatus};
use crate::audit::{ChangeKind, joined};
use crate::render::page::text::{Count, Text};
use crate::report::{AuditedReport, Exit};
use crate::units::ByteSize;
use crate::verdict::Verdict;

/// Maximum number of rows of a page, which a browser can sort quickly.
const MOST_ROWS: usize = 50_000;

/// The table of all objects, the worst first.
#[derive(Template)]
#[template(path = "audit-objects.html")]
pub(super) struct Objects {
    rows: Vec<Row>,
    total: Count,
    left_out: Count,
    counts: [(RowStatus, Count); 7],
}

struct Row {
    standing: RowStatus,
    /// The first row of its status: links lead there if no script filters the rows.
    leads: bool,
    target: Text,
    age: Age,
    bytes: Option<u64>,
    class: Text,
    change: Text,
    proof_kind: Text,
    proved_by: Text,
    checks: Text,
}

impl Objects {
    /// Sorts the objects and builds the rows. Ages are relative to `now`.
    pub(super) fn new(objects: &[&AuditedReport], now: Option<Timestamp>) -> Self {
        let mut sorted: Vec<(RowStatus, &AuditedReport)> =
            objects.iter().map(|report| (RowStatus::of(report), *report)).collect();
        sorted.sort_by_cached_key(|(standing, report)| (*standing, report.target.to_string()));
        let mut before = None;
        let rows = sorted.iter().take(MOST_ROWS).map(|(standing, report)| {
            let leads = before.replace(*standing) != Some(*standing);
            Row::new(*standing, leads, report, now)
        });
        Objects {
            rows: rows.collect(),
            total: Count(objects.len()),
            left_out: Count(objects.len().saturating_sub(MOST_ROWS)),
            counts: RowStatus::ALL
                .map(|standing| (standing, Count(sorted.iter().filter(|(found, _)| *found == standing).count()))),
        }
    }

    /// Number of objects per status.
    pub(super) fn counts(&self) -> &[(RowStatus, Count)] {
        &self.counts
    }

    /// Number of rows.
    fn shown(&self) -> Count {
        Count(self.rows.len())
    }

    /// Number of objects with this status.
    pub(super) fn count(&self, standing: RowStatus) -> usize {
        self.counts.iter().find(|(found, _)| *found == standing).map_or(0, |(_, count)| count.0)
    }
}

impl Row {
    fn new(standing: RowStatus, leads: bool, report: &AuditedReport, now: Option<Timestamp>) -> Self {
        let proof = report.proof.as_ref().or(report.unread_proof.as_ref());
        Row {
            standing,
            leads,
            target: report.target.to_string().into(),
            age: Age::of(report, now),
            bytes: report.identity.as_ref().map(|identity| identity.object_bytes),
            class: report.storage_class.as_deref().unwrap_or_default().into(),
            change: report.change.map(ChangeKind::in_words).unwrap_or_default().into(),
            proof_kind: proof.map(|proof| proof.kind.to_string()).unwrap_or_default().into(),
            proved_by: proof.map(|proof| joined(&proof.by, ", ")).unwrap_or_default().into(),
            checks: checks(report).into(),
        }
    }

    fn size(&self) -> String {
        self.bytes.map(|bytes| ByteSize(bytes).to_string()).unwrap_or_default()
    }
}

/// Names of the checks that prevent a pass; without any, the reason why the object did not pass.
fn checks(report: &AuditedReport) -> String {
    let named = report.findings.iter().filter(|finding| finding.blocks_pass()).map(|finding| match finding.verdict {
        Verdict::Fail => finding.check.to_string(),
        Verdict::Pass | Verdict::Unknown => format!("{} (not answered)", finding.check),
    });
    let named: Vec<String> = named.collect();
    match report.exit_code {
        Exit::Interrupted if named.is_empty() => "interrupted".to_owned(),
        Exit::CouldNot if named.is_empty() => "could not be done".to_owned(),
        _ => named.join(", "),
    }
}
