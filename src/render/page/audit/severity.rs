use crate::report::FindingReport;
use crate::verdict::{CheckId, PolicyCheck, Verdict};

/// What is wrong with an object, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// The bytes are not those of a reference.
    Damaged,
    /// The object was known, and is gone.
    Missing,
    /// Another content is under the same key.
    Replaced,
    /// The object or its bucket does not satisfy the policy.
    Policy,
    /// A required check could not be answered.
    Unknown,
}

impl Severity {
    /// The severity of a finding; `None` if it does not prevent a pass.
    pub fn of(finding: &FindingReport) -> Option<Self> {
        match (finding.verdict, finding.check) {
            _ if !finding.blocks_pass() => None,
            (Verdict::Unknown | Verdict::Pass, _) => Some(Severity::Unknown),
            (Verdict::Fail, CheckId::PolicyCheck(check)) => Some(match check {
                PolicyCheck::Sound => Severity::Damaged,
                PolicyCheck::Present => Severity::Missing,
                PolicyCheck::Unchanged => Severity::Replaced,
                _ => Severity::Policy,
            }),
            (Verdict::Fail, CheckId::Condition(_)) => Some(Severity::Policy),
            (Verdict::Fail, _) => Some(Severity::Damaged),
        }
    }

    /// The severity of the worst of several findings.
    pub fn worst(findings: &[FindingReport]) -> Option<Self> {
        findings.iter().filter_map(Severity::of).min()
    }
}
