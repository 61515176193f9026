use super::judged;
use crate::audit::{ContentFingerprint, Entry};
use crate::ident::ObjectUri;
use crate::report::{AuditedReport, Exit, FindingReport};
use crate::verdict::Finding;

/// The result for one object: its report, its ledger entry, and the content values for the checks across objects.
pub(super) struct AuditedObject {
    /// The report.
    pub report: AuditedReport,
    /// The entry to append to the ledger.
    pub entry: Option<Entry>,
    /// Values that identify the content.
    pub content: Vec<ContentFingerprint>,
    /// Every byte of this state is proved, by a proof that is not older than allowed.
    pub proved: bool,
}

impl AuditedObject {
    /// A result with findings only.
    pub(super) fn of_findings(target: &ObjectUri, findings: Vec<FindingReport>) -> Self {
        let report = AuditedReport {
            target: target.clone(),
            verdict: judged::verdict(&findings, false),
            examined: None,
            identity: None,
            storage_class: None,
            parts: None,
            change: None,
            proof: None,
            unread_proof: None,
            content: Vec::new(),
            exit_code: judged::exit(&findings),
            findings,
            notes: Vec::new(),
            requests: 0,
            received_bytes: 0,
            elapsed_seconds: 0.0,
        };
        AuditedObject { report, entry: None, content: Vec::new(), proved: false }
    }

    /// Whether the examination was interrupted before it found anything to record.
    pub(super) fn is_cut_off(&self) -> bool {
        self.entry.is_none() && self.report.exit_code == Exit::Interrupted
    }

    /// Adds a finding of a check across all objects, and updates verdict and exit code.
    pub(super) fn add(&mut self, finding: &Finding) {
        let report = &mut self.report;
        let proved = self.proved && report.exit_code == Exit::Passed;
        report.findings.push(FindingReport::from(finding));
        report.verdict = judged::verdict(&report.findings, proved);
        report.exit_code = report.exit_code.and(judged::exit(&report.findings));
    }
}
