use super::{AuditedBucketReport, AuditedReport, Exit, FindingReport};
use crate::audit::ChangeKind;
use crate::text::words;
use crate::verdict::{CheckId, PolicyCheck, Verdict};

words! {
    /// How bad the result for an object or a bucket is, the worst first. All outputs for people and CSV and JUnit are
    /// in this order.
    pub enum Severity {
        /// The bytes contradict a reference, now or in an earlier examination of the same state.
        Damaged = "damaged",
        /// The object no longer exists.
        Missing = "missing",
        /// The object has other content than when it was first seen or accepted.
        Replaced = "replaced",
        /// A requirement of the policy is not met.
        Policy = "policy",
        /// Something that is required is not known.
        Unknown = "unknown",
        Good = "good",
    }
}

impl Severity {
    /// The severity of one finding. A finding that does not prevent a pass is good.
    pub fn of_finding(finding: &FindingReport) -> Severity {
        match (finding.verdict, finding.check) {
            _ if !finding.blocks_pass() => Severity::Good,
            (Verdict::Fail, CheckId::PolicyCheck(check)) => match check {
                PolicyCheck::Sound => Severity::Damaged,
                PolicyCheck::Present => Severity::Missing,
                PolicyCheck::Unchanged => Severity::Replaced,
                _ => Severity::Policy,
            },
            (Verdict::Fail, CheckId::Condition(_)) => Severity::Policy,
            (Verdict::Fail, _) => Severity::Damaged,
            _ => Severity::Unknown,
        }
    }

    /// The worst severity of these findings, or unknown if the exit code says more than they do.
    fn of(findings: &[FindingReport], exit: Exit) -> Severity {
        let worst = findings.iter().map(Severity::of_finding).min().unwrap_or(Severity::Good);
        if worst == Severity::Good && exit != Exit::Passed { Severity::Unknown } else { worst }
    }
}

impl AuditedReport {
    /// How bad the result is.
    pub fn severity(&self) -> Severity {
        Severity::of(&self.findings, self.exit_code)
    }

    /// Whether the object was due and a limit ended the run before it was examined.
    pub fn is_not_reached(&self) -> bool {
        self.examined.is_none() && self.identity.is_none() && self.change != Some(ChangeKind::Missing)
    }
}

impl AuditedBucketReport {
    /// How bad the result is.
    pub fn severity(&self) -> Severity {
        Severity::of(&self.findings, self.exit_code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(check: &str, verdict: Verdict, required: bool) -> FindingReport {
        FindingReport {
            check: serde_json::from_value(check.into()).unwrap(),
            verdict,
            required,
            source: None,
            expected: None,
            observed: None,
            covered_bytes: None,
            reads: None,
            damage: Vec::new(),
            reason: None,
            since: None,
        }
    }

    #[test]
    fn the_words_are_in_the_order_of_severity() {
        crate::text::assert_words!(Severity, ["damaged", "missing", "replaced", "policy", "unknown", "good"]);
        assert!(Severity::ALL.is_sorted());
    }

    #[test]
    fn each_check_has_its_severity() {
        for (check, severity) in [
            ("crc64nvme", Severity::Damaged),
            ("manifest-parts-sha256", Severity::Damaged),
            ("contradiction", Severity::Damaged),
            ("size", Severity::Damaged),
            ("sound", Severity::Damaged),
            ("present", Severity::Missing),
            ("unchanged", Severity::Replaced),
            ("tags", Severity::Policy),
            ("proof-age", Severity::Policy),
            ("versioning", Severity::Policy),
        ] {
            assert_eq!(Severity::of_finding(&finding(check, Verdict::Fail, false)), severity, "{check}");
            assert_eq!(Severity::of_finding(&finding(check, Verdict::Unknown, true)), Severity::Unknown, "{check}");
            assert_eq!(Severity::of_finding(&finding(check, Verdict::Unknown, false)), Severity::Good, "{check}");
            assert_eq!(Severity::of_finding(&finding(check, Verdict::Pass, true)), Severity::Good, "{check}");
        }
    }

    #[test]
    fn the_worst_finding_counts_and_an_exit_code_without_a_finding_is_unknown() {
        let missing = || finding("present", Verdict::Fail, true);
        let tags = || finding("tags", Verdict::Fail, true);
        assert_eq!(Severity::of(&[tags(), missing()], Exit::Failed), Severity::Missing);
        assert_eq!(Severity::of(&[finding("tags", Verdict::Pass, true)], Exit::CouldNot), Severity::Unknown);
        assert_eq!(Severity::of(&[], Exit::Passed), Severity::Good);
    }
}
