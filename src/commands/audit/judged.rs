use crate::report::{Exit, FindingReport};
use crate::verdict::Verdict;

/// The verdict over findings as they are reported: any fail, else whether all that is required and the proof itself
/// passed.
pub(super) fn verdict(findings: &[FindingReport], proved: bool) -> Verdict {
    match exit(findings) {
        Exit::Failed => Verdict::Fail,
        Exit::Passed if proved => Verdict::Pass,
        _ => Verdict::Unknown,
    }
}

/// Whether anything that is required is wrong or open.
pub(super) fn exit(findings: &[FindingReport]) -> Exit {
    if findings.iter().any(|finding| finding.verdict == Verdict::Fail.name()) {
        Exit::Failed
    } else if findings.iter().any(FindingReport::blocks_pass) {
        Exit::Unknown
    } else {
        Exit::Passed
    }
}
