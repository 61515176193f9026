use super::judged;
use crate::audit::{ContentFingerprint, Entry};
use crate::ident::ObjectUri;
use crate::report::{AuditedReport, Exit, FindingReport};
use crate::verdict::Finding;

/// One object after a run: its report, what the ledger keeps, and what the checks over all objects use.
pub(super) struct AuditedObject {
    pub report: AuditedReport,
    pub entry: Option<Entry>,
    pub content: Vec<ContentFingerprint>,
    /// Every byte of this very state is proved, not too long ago.
    pub proved: bool,
}

impl AuditedObject {
    /// An object of which nothing but findings is known.
    pub fn of_findings(target: &ObjectUri, findings: Vec<FindingReport>) -> Self {
        let report = AuditedReport {
            target: target.clone(),
            verdict: judged::verdict(&findings, false),
            examined: None,
            identity: None,
            storage_class: None,
            change: None,
            proof: None,
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

    /// Whether it was stopped before it told anything that is worth keeping.
    pub fn is_cut_off(&self) -> bool {
        self.entry.is_none() && self.report.exit_code == Exit::Interrupted
    }

    /// Adds a finding that only all objects together can give.
    pub fn add(&mut self, finding: &Finding) {
        let report = &mut self.report;
        let proved = self.proved && report.exit_code == Exit::Passed;
        report.findings.push(FindingReport::from(finding));
        report.verdict = judged::verdict(&report.findings, proved);
        report.exit_code = report.exit_code.and(judged::exit(&report.findings));
    }
}
