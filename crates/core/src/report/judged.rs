use super::{Exit, FindingReport};
use crate::verdict::Verdict;

/// The verdict over findings: fail if any fails; pass if nothing required is unknown and the bytes are
/// proved; otherwise unknown.
pub fn verdict_of(findings: &[FindingReport], proved: bool) -> Verdict {
    match exit_of(findings) {
        Exit::Failed => Verdict::Fail,
        Exit::Passed if proved => Verdict::Pass,
        _ => Verdict::Unknown,
    }
}

/// The exit status over findings: failed if any fails, unknown if a required one is unknown.
pub fn exit_of(findings: &[FindingReport]) -> Exit {
    if findings.iter().any(|finding| finding.verdict == Verdict::Fail) {
        Exit::Failed
    } else if findings.iter().any(FindingReport::blocks_pass) {
        Exit::Unknown
    } else {
        Exit::Passed
    }
}
