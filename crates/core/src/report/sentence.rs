use super::{Exit, Report};
use crate::units::counted;

impl Report {
    /// The result as one sentence, for `summary` of the JSON line.
    pub fn sentence(&self) -> String {
        match self {
            Report::Inspect(report) => format!("inspect {}: {}", report.target, word(report.exit_code)),
            Report::Verify(report) => format!("verify {}: {}", report.target, report.verdict),
            Report::Copy(report) => {
                format!("copy {} to {}: {}", report.source, report.destination, word(report.exit_code))
            }
            Report::Compare(report) => {
                format!("compare {} and {}: {}", report.a.target, report.b.target, report.outcome)
            }
            Report::Thaw(report) => format!("thaw {}: {}", report.target, report.state),
            Report::Fingerprint(report) => format!("fingerprint of {}: {}", report.image, report.outcome),
            Report::Prove(report) => format!("proof of {}: {}", report.image, report.verdict),
            Report::BatchPlan(report) => format!("batch plan of {}", counted(report.objects, "object")),
            Report::BatchJob(report) => format!("batch job {}: {}", report.job_id, report.state),
            Report::BatchObject(report) => format!("batch result of {}: {}", report.target, report.outcome),
            Report::Batch(report) => format!("batch results from {}: {}", report.from, word(report.exit_code)),
            Report::Drill(report) => format!("drill of {}: {}", report.target, report.verdict),
            Report::Preflight(report) => {
                format!("preflight of the {} of {}: {}", report.operation, report.target, report.verdict)
            }
            Report::Stored(report) => {
                let is_stored = match report.is_stored {
                    Some(true) => "is stored",
                    Some(false) => "is not stored",
                    None => "may or may not be stored",
                };
                format!("{} {is_stored} in {}", report.image, report.bucket)
            }
            Report::Task(report) => format!("task of {}: {}", report.image, word(report.exit_code)),
            Report::TaskList(report) => {
                format!(
                    "{} of {}: {}",
                    report.operation,
                    counted(report.rows.len() as u64, "target"),
                    word(report.exit_code)
                )
            }
            Report::Bench(report) => format!("bench {}: {}", report.target, word(report.exit_code)),
            Report::Hashes(report) => format!("hashing speed: {}", word(report.exit_code)),
            Report::Doctor(report) => format!("doctor: {}", report.verdict()),
            Report::Cost(report) => format!("cost of {}: {}", report.target, word(report.exit_code)),
            Report::Audited(report) => format!("audit of {}: {}", report.target, report.verdict),
            Report::AuditedRun(report) => {
                format!("audit of {}: run {} of {}: {}", report.target, report.run, report.of, word(report.exit_code))
            }
            Report::AuditedBucket(report) => format!("audit of bucket {}: {}", report.bucket, report.verdict),
            Report::Observation(report) => format!("observation: {}", report.kind),
            Report::Audit(report) => format!("audit: {}", word(report.exit_code)),
            Report::Safe(report) => format!("deletion of {}: {}", report.image, report.answer),
            Report::LedgerEntry(report) => format!("ledger entry {}", report.number),
            Report::Ledger(report) => format!("ledger: {}", word(report.exit_code)),
            Report::Error(report) => format!("{}: {}", report.target, report.message),
            Report::Summary(report) => format!(
                "{}: {} passed, {} failed, {} unknown, {}",
                counted(report.targets, "target"),
                report.passed,
                report.failed,
                report.unknown,
                counted(report.errors, "error")
            ),
        }
    }
}

fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Passed => "passed",
        Exit::Failed => "failed",
        Exit::Usage => "wrong arguments, configuration or credentials",
        Exit::Unknown => "unknown",
        Exit::CouldNot => "could not be done",
        Exit::Interrupted => "interrupted",
    }
}
