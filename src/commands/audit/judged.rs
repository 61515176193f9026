use crate::report::{Exit, FindingReport};
use crate::verdict::Verdict;

/// The verdict over findings as they are reported: any fail, else whether all that is required and the proof itself
/// passed.
pub(super) fn verdict(findings: &[FindingReport], proved: bool) -> Verdict {
    let any = |verdict: Verdict, required: bool| {
        findings.iter().any(|finding| finding.verdict == verdict.name() && (finding.required || !required))
    };
    if any(Verdict::Fail, false) {
        Verdict::Fail
    } else if proved && !any(Verdict::Unknown, true) {
        Verdict::Pass
    } else {
        Verdict::Unknown
    }
}

/// Whether anything that is required is wrong or open.
pub(super) fn exit(findings: &[FindingReport]) -> Exit {
    if findings.iter().any(|finding| finding.verdict == Verdict::Fail.name()) {
        Exit::Failed
    } else if findings.iter().any(|finding| finding.required && finding.verdict == Verdict::Unknown.name()) {
        Exit::Unknown
    } else {
        Exit::Passed
    }
}
