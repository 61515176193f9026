use super::{Exit, FindingReport};
use crate::verdict::Verdict;

/// The verdict over findings: any fail, else whether all that is required and the proof itself passed.
pub fn verdict_of(findings: &[FindingReport], proved: bool) -> Verdict {
    match exit_of(findings) {
        Exit::Failed => Verdict::Fail,
        Exit::Passed if proved => Verdict::Pass,
        _ => Verdict::Unknown,
    }
}

/// Whether anything that is required is wrong or open.
pub fn exit_of(findings: &[FindingReport]) -> Exit {
    if findings.iter().any(|finding| finding.verdict == Verdict::Fail) {
        Exit::Failed
    } else if findings.iter().any(FindingReport::blocks_pass) {
        Exit::Unknown
    } else {
        Exit::Passed
    }
}
