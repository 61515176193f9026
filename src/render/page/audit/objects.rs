use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;

use super::status::{Age, RowStatus};
use crate::audit::{ChangeKind, joined};
use crate::render::page::text::{Count, Text, encoded};
use crate::report::{AuditedReport, Exit};
use crate::units::ByteSize;
use crate::verdict::Verdict;

/// Maximum number of rows of a page. They take about 3 MB, which every browser can sort.
const MOST_ROWS: usize = 10_000;

/// The table of the objects, the worst first.
#[derive(Template)]
#[template(path = "audit-objects.html")]
pub(super) struct Objects {
    rows: Vec<Row>,
    total: Count,
    left_out: Count,
    counts: [(RowStatus, Count); 7],
    /// Link to the table of all objects; empty if there is none.
    table: String,
    table_name: Text,
}

/// Collects the objects, and keeps the rows of the worst.
#[derive(Default)]
pub(super) struct WorstObjects {
    rows: BTreeMap<(RowStatus, String), Row>,
    counts: [usize; RowStatus::ALL.len()],
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

impl WorstObjects {
    /// Adds an object. Ages are relative to `now`.
    pub(super) fn add(&mut self, standing: RowStatus, report: &AuditedReport, now: Option<Timestamp>) {
        if let Some(count) = self.counts.get_mut(standing as usize) {
            *count += 1;
        }
        let key = (standing, report.target.to_string());
        let is_full = self.rows.len() >= MOST_ROWS;
        if is_full && self.rows.last_key_value().is_some_and(|(last, _)| *last < key) {
            return;
        }
        self.rows.insert(key, Row::new(standing, report, now));
        if self.rows.len() > MOST_ROWS {
            self.rows.pop_last();
        }
    }

    /// Number of objects.
    pub(super) fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Number of objects without a row.
    pub(super) fn left_out(&self) -> usize {
        self.total().saturating_sub(self.rows.len())
    }

    /// The table. `table` is the name of the file beside the page that has all objects.
    pub(super) fn finish(self, table: Option<&str>) -> Objects {
        let (total, left_out) = (Count(self.total()), Count(self.left_out()));
        let mut before = None;
        let rows = self.rows.into_iter().map(|((standing, _), row)| {
            let leads = before.replace(standing) != Some(standing);
            Row { leads, ..row }
        });
        let mut counts = RowStatus::ALL.map(|standing| (standing, Count(0)));
        counts.iter_mut().zip(self.counts).for_each(|((_, count), found)| *count = Count(found));
        Objects {
            rows: rows.collect(),
            total,
            left_out,
            counts,
            table: table.map(encoded).unwrap_or_default(),
            table_name: table.unwrap_or_default().into(),
        }
    }
}

impl Objects {
    /// Number of objects per status.
    pub(super) fn counts(&self) -> &[(RowStatus, Count)] {
        &self.counts
    }

    /// Number of objects.
    pub(super) fn total(&self) -> usize {
        self.total.0
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
    fn new(standing: RowStatus, report: &AuditedReport, now: Option<Timestamp>) -> Self {
        let proof = report.proof.as_ref().or(report.unread_proof.as_ref());
        Row {
            standing,
            leads: false,
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
