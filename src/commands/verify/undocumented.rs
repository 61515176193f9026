//! ETags of servers that do not document them as MD5 digests.

use super::mismatch::{Judged, Mismatch};
use super::unknown;
use crate::plan::{AlgorithmCertainty, Reference};
use crate::report::VerifyNote;
use crate::verdict::{CheckId, Finding, Reason, Verdict};

/// Turns mismatches of undocumented ETags into unknown findings if another reference matched.
pub(super) fn set_aside(judged: &mut Judged) {
    let matches = |f: &Finding| matches!(f.check, CheckId::Reference(..)) && f.verdict() == Verdict::Pass;
    if !judged.findings.iter().any(matches) {
        return;
    }
    let undocumented = |mismatch: &mut Mismatch| mismatch.reference.standing == AlgorithmCertainty::UndocumentedETag;
    for mismatch in judged.mismatches.extract_if(.., undocumented) {
        let (expected, observed) = (mismatch.evidence.expected, mismatch.evidence.observed);
        judged.findings.push(unknown(mismatch.reference.check, Reason::ETagUndocumented { expected, observed }));
    }
}

/// The checks that use undocumented ETags.
pub(super) fn undocumented(references: &[Reference]) -> Vec<CheckId> {
    let undocumented = references.iter().filter(|reference| reference.standing == AlgorithmCertainty::UndocumentedETag);
    undocumented.map(|reference| reference.check).collect()
}

/// A note where nothing but such an ETag refutes the bytes.
pub(super) fn looks_the_same(undocumented: &[CheckId], findings: &[Finding]) -> Option<VerifyNote> {
    let mut failed = findings
        .iter()
        .filter(|finding| matches!(finding.check, CheckId::Reference(..)) && finding.verdict() == Verdict::Fail)
        .peekable();
    let first = failed.peek()?.check;
    failed
        .all(|finding| undocumented.contains(&finding.check))
        .then_some(VerifyNote::OnlyUndocumentedETag { check: first })
}
