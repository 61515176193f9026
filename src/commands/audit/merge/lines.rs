//! Takes the lines of one result: those of objects into the tables, the others as they are.

use serde::de::DeserializeOwned;

use super::MergeError;
use super::share::rank;
use crate::audit::{ObservationKind, Word};
use crate::ledger::{LedgerError, Scratch, ScratchLine, ScratchObservation};
use crate::report::{AuditReport, AuditedBucketReport, AuditedReport, Exit, ObservationReport, Report, SummaryReport};

/// Marks the lines of runs among those of objects.
const RUN: u8 = u8::MAX;

/// What is kept of a result beside its lines of objects.
#[derive(Default)]
pub(super) struct ResultLines {
    pub buckets: Vec<AuditedBucketReport>,
    pub end: Option<AuditReport>,
    pub summary: Option<SummaryReport>,
    /// Number of objects.
    pub objects: u64,
    /// The lowest rank of a line.
    pub worst: Option<u8>,
}

impl ResultLines {
    /// Takes the next line. `source` is the number of the result.
    pub(super) fn take(&mut self, scratch: &Scratch, source: u32, report: Report) -> Result<(), MergeError> {
        let refused = |problem: &str| Err(MergeError::Refused(problem.to_owned()));
        if self.summary.is_some() {
            return refused("has lines after its summary");
        }
        match report {
            Report::Audited(one) => self.object(scratch, source, &one)?,
            Report::AuditedRun(one) => {
                let document = serde_json::to_string(&one).map_err(|error| LedgerError::Io(error.to_string()))?;
                scratch.add_line(&one.target.to_string(), &ScratchLine { source, rank: RUN, document })?;
            }
            Report::AuditedBucket(report) => {
                if report.exit_code == Exit::Failed {
                    self.worst = Some(0);
                }
                self.buckets.push(report);
            }
            // Duplicates are computed again over the objects of all shards.
            Report::Observation(one) if one.kind == ObservationKind::Duplicate => {}
            Report::Observation(one) => scratch.add_observation(&ScratchObservation {
                kind: one.kind.to_string(),
                subject: one.subject,
                detail: one.detail,
            })?,
            Report::Audit(_) if self.end.is_some() => return refused("holds more than one audit"),
            Report::Audit(report) => self.end = Some(*report),
            Report::Summary(report) => self.summary = Some(report),
            _ => return refused("holds a line that no audit writes"),
        }
        Ok(())
    }

    fn object(&mut self, scratch: &Scratch, source: u32, one: &AuditedReport) -> Result<(), LedgerError> {
        let document = serde_json::to_string(one).map_err(|error| LedgerError::Io(error.to_string()))?;
        let rank = rank(one);
        self.objects += 1;
        self.worst = Some(self.worst.map_or(rank, |worst| worst.min(rank)));
        scratch.add_line(&one.target.to_string(), &ScratchLine { source, rank, document })
    }
}

/// Whether a line is of a run, and not of a whole object.
pub(super) fn is_run(line: &ScratchLine) -> bool {
    line.rank == RUN
}

/// A report as it was put into the tables.
pub(super) fn read<T: DeserializeOwned>(document: &str) -> Result<T, MergeError> {
    let report = serde_json::from_str(document);
    report.map_err(|error| MergeError::Tables(LedgerError::Io(format!("a line that was kept: {error}"))))
}

/// An observation as it was put into the tables.
pub(super) fn observation(one: ScratchObservation) -> ObservationReport {
    ObservationReport { kind: Word::of(one.kind), subject: one.subject, detail: one.detail }
}
