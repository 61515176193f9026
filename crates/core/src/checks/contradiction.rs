use crate::checksum::Algorithm;
use crate::verdict::{CheckId, Evidence, Failure, Finding, Origin, Outcome, Reads, Reason, Subject, Verdict};

/// Length in bits from which on a matching value outweighs an ETag that is not documented as an MD5.
const STRONG_BITS: usize = 64;

/// A finding if references over the same bytes disagree: some matched over every byte and others did not.
/// `None` if they agree.
///
/// It fails if a value that does not match is documented or was given by the user. It is unknown if only
/// undocumented ETags differ; it is then required unless a value of at least 64 bits matched. It is unknown
/// and required if a mismatch was seen but a second read did not confirm it; no match outweighs that.
pub fn contradiction(findings: &[Finding]) -> Option<Finding> {
    let matched: Vec<&Finding> = findings.iter().filter(|finding| matches(finding)).collect();
    let refuted: Vec<&Failure> = findings.iter().filter_map(refuted).collect();
    let unconfirmed: Vec<(&Finding, &Reason)> = findings.iter().filter_map(unconfirmed).collect();
    let undocumented = findings.iter().filter(|finding| is_undocumented(finding));
    let differing = findings.iter().filter(|finding| refuted_by(finding)).chain(undocumented);
    let differing: Vec<&Finding> = differing.chain(unconfirmed.iter().map(|(finding, _)| *finding)).collect();
    if matched.is_empty() || differing.is_empty() {
        return None;
    }
    let (matched_names, differing_names) = (names(&matched), names(&differing));
    let observed = format!("{matched_names} matched, {differing_names} did not");
    let outcome = match refuted.first() {
        Some(first) => {
            let evidence = Evidence {
                source: explain(&matched, &differing),
                expected: "all references match, or none".to_owned(),
                observed,
                coverage: first.evidence.coverage,
            };
            Outcome::Fail(Failure { evidence, reads: fewest(&refuted), damage: Vec::new() })
        }
        None => Outcome::Unknown(Reason::Contradiction {
            detail: match unconfirmed.first() {
                Some((finding, why)) => format!("{observed}; {}: {why}", finding.check),
                None => format!("{observed}; nothing documents that the ETags of this server are MD5s"),
            },
        }),
    };
    let outweighed = unconfirmed.is_empty() && matched.iter().any(|finding| bits(finding) >= STRONG_BITS);
    let required = refuted.is_empty() && !outweighed;
    Some(Finding { check: CheckId::Contradiction, required, outcome })
}

/// Replaces the finding on the proof by the contradiction: if references over the same bytes disagree and nothing decides
/// between them, a match does not prove the bytes.
pub fn contradict(proof: &mut Finding, contradiction: &Finding) {
    match &contradiction.outcome {
        Outcome::Fail(failure) => proof.outcome = Outcome::Fail(failure.clone()),
        Outcome::Unknown(reason) if contradiction.required => proof.outcome = Outcome::Unknown(reason.clone()),
        Outcome::Pass(_) | Outcome::Unknown(_) => {}
    }
}

/// Whether a reference matched, which implies that every byte was read.
fn matches(finding: &Finding) -> bool {
    matches!(finding.check, CheckId::Reference(..)) && finding.verdict() == Verdict::Pass
}

/// The failure of a reference. A size is left out, because a different size says nothing about the same
/// bytes.
fn refuted(finding: &Finding) -> Option<&Failure> {
    match (&finding.check, &finding.outcome) {
        (CheckId::Reference(_, Subject::Size), _) => None,
        (CheckId::Reference(..), Outcome::Fail(failure)) => Some(failure),
        _ => None,
    }
}

fn refuted_by(finding: &Finding) -> bool {
    refuted(finding).is_some()
}

/// A mismatch that was seen, and why it is not confirmed.
fn unconfirmed(finding: &Finding) -> Option<(&Finding, &Reason)> {
    match (finding.check, &finding.outcome) {
        (CheckId::Reference(..), Outcome::Unknown(reason)) if reason.leaves_mismatch() => Some((finding, reason)),
        _ => None,
    }
}

fn is_undocumented(finding: &Finding) -> bool {
    matches!(finding.outcome, Outcome::Unknown(Reason::ETagUndocumented { .. }))
}

fn bits(finding: &Finding) -> usize {
    let algorithm = match finding.check {
        CheckId::Reference(_, Subject::ETag) => Algorithm::Md5,
        CheckId::Reference(_, Subject::Checksum(algorithm) | Subject::Parts(algorithm)) => algorithm,
        _ => return 0,
    };
    algorithm.digest_len() * 8
}

fn names(findings: &[&Finding]) -> String {
    findings.iter().map(|finding| finding.check.to_string()).collect::<Vec<_>>().join(", ")
}

/// Origin of a reference, as far as it matters for explaining a disagreement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The user, or a document that the user named.
    Given,
    StoredETag,
    StoredValue,
    /// Another program, in tags or metadata.
    Left,
}

fn side(finding: &&Finding) -> Option<Side> {
    match finding.check {
        CheckId::Reference(Origin::Stored, Subject::ETag) => Some(Side::StoredETag),
        CheckId::Reference(Origin::Stored, _) => Some(Side::StoredValue),
        CheckId::Reference(Origin::Expect | Origin::Sums | Origin::Manifest | Origin::Baseline | Origin::Like, _) => {
            Some(Side::Given)
        }
        CheckId::Reference(Origin::Tags | Origin::Metadata, _) => Some(Side::Left),
        _ => None,
    }
}

/// Describes which references disagree.
fn explain(matched: &[&Finding], differing: &[&Finding]) -> String {
    let agrees = |wanted: Side| matched.iter().filter_map(side).any(|side| side == wanted);
    let differs = |wanted: Side| differing.iter().filter_map(side).any(|side| side == wanted);
    let opposed = |one: Side, other: Side| agrees(one) && differs(other) || agrees(other) && differs(one);
    if differs(Side::Given) && (agrees(Side::StoredETag) || agrees(Side::StoredValue)) {
        "the values given and those stored with the object disagree".to_owned()
    } else if differs(Side::Left) && !differs(Side::StoredETag) && !differs(Side::StoredValue) {
        "a value that another program left disagrees; it may be of older bytes, or of another file".to_owned()
    } else if opposed(Side::StoredETag, Side::StoredValue) {
        "the stored value and the ETag disagree".to_owned()
    } else {
        "the references disagree".to_owned()
    }
}

/// The lowest number of reads behind the failures.
fn fewest(failures: &[&Failure]) -> Option<Reads> {
    let once = failures.iter().any(|failure| failure.reads == Some(Reads::One));
    if once { Some(Reads::One) } else { failures.first().and_then(|failure| failure.reads) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: Subject = Subject::ETag;
    const CRC32: Subject = Subject::Checksum(Algorithm::Crc32);
    const CRC32C: Subject = Subject::Checksum(Algorithm::Crc32c);
    const CRC64: Subject = Subject::Checksum(Algorithm::Crc64Nvme);
    const SHA256: Subject = Subject::Checksum(Algorithm::Sha256);

    fn pass(origin: Origin, subject: Subject) -> Finding {
        of(origin, subject, Outcome::Pass(Evidence::of_rule("", "a", "a")))
    }

    fn fail(origin: Origin, subject: Subject) -> Finding {
        let evidence = Evidence::of_rule("", "a", "b");
        of(origin, subject, Outcome::Fail(Failure { evidence, reads: Some(Reads::Reproduced), damage: vec![] }))
    }

    fn undocumented(origin: Origin) -> Finding {
        let reason = Reason::ETagUndocumented { expected: "a".into(), observed: "b".into() };
        of(origin, ETAG, Outcome::Unknown(reason))
    }

    fn of(origin: Origin, subject: Subject, outcome: Outcome) -> Finding {
        Finding { check: CheckId::Reference(origin, subject), required: false, outcome }
    }

    #[test]
    fn references_that_agree_do_not_contradict_each_other() {
        use Origin::{Like, Stored};
        for findings in [
            vec![],
            vec![pass(Stored, ETAG), pass(Stored, CRC64)],
            vec![fail(Stored, ETAG), fail(Stored, CRC64)],
            vec![fail(Stored, ETAG)],
            vec![undocumented(Stored)],
            vec![pass(Stored, ETAG), fail(Like, Subject::Size)],
            vec![pass(Stored, ETAG), of(Stored, CRC64, Outcome::Unknown(Reason::NotUsed))],
        ] {
            assert_eq!(contradiction(&findings), None, "{findings:?}");
        }
    }

    #[test]
    fn a_mismatch_that_no_second_reading_decided_is_never_outweighed() {
        use Origin::{Expect, Like, Manifest, Stored};
        let detail = || "why".to_owned();
        for reason in [
            Reason::Unconfirmed { detail: detail() },
            Reason::RereadFailed { detail: detail() },
            Reason::UnstableRead { detail: detail() },
        ] {
            for (matched, seen) in [
                (pass(Stored, CRC64), (Manifest, Subject::Parts(Algorithm::Sha256))),
                (pass(Manifest, SHA256), (Stored, CRC64)),
                (pass(Stored, ETAG), (Stored, CRC32)),
                (pass(Like, SHA256), (Stored, ETAG)),
                (pass(Stored, SHA256), (Expect, CRC32)),
            ] {
                let open = of(seen.0, seen.1, Outcome::Unknown(reason.clone()));
                let found = contradiction(&[matched, open.clone(), undocumented(Stored)]).unwrap();
                assert_eq!((found.verdict(), found.required), (Verdict::Unknown, true), "{open:?}");
                let Outcome::Unknown(why) = &found.outcome else { panic!("{found:?}") };
                assert!(why.to_string().contains(&format!("{}: {reason}", open.check)), "{why}");
                assert_eq!(contradiction(&[open]), None, "nothing matched");
            }
        }
    }

    #[test]
    fn who_decides_where_they_do_not_agree() {
        use Origin::{Expect, Like, Manifest, Stored, Sums};
        let (fails, unknown) = (Verdict::Fail, Verdict::Unknown);
        for (findings, verdict, required, says) in [
            // A documented ETag, or a stored value that contradicts the ETag.
            (vec![pass(Stored, CRC64), fail(Stored, ETAG)], fails, false, "the stored value and the ETag disagree"),
            (vec![fail(Stored, CRC32), pass(Stored, ETAG)], fails, false, "the stored value and the ETag disagree"),
            (vec![fail(Stored, CRC64), pass(Stored, SHA256)], fails, false, "the references disagree"),
            // A value that the user gave.
            (vec![pass(Stored, ETAG), fail(Expect, SHA256)], fails, false, "the values given"),
            (vec![pass(Stored, ETAG), fail(Sums, SHA256)], fails, false, "the values given"),
            (vec![pass(Stored, CRC64), fail(Manifest, SHA256), undocumented(Stored)], fails, false, "the values given"),
            (vec![pass(Stored, CRC64), fail(Like, ETAG)], fails, false, "the values given"),
            (vec![pass(Expect, SHA256), fail(Expect, CRC32)], fails, false, "the references disagree"),
            // Only an ETag that is not documented.
            (vec![pass(Stored, CRC64), undocumented(Stored)], unknown, false, "nothing documents"),
            (vec![pass(Stored, SHA256), undocumented(Stored)], unknown, false, "nothing documents"),
            (vec![pass(Expect, SHA256), undocumented(Stored)], unknown, false, "nothing documents"),
            (vec![pass(Stored, CRC32), undocumented(Stored)], unknown, true, "nothing documents"),
            (vec![pass(Stored, CRC32C), pass(Expect, CRC32), undocumented(Stored)], unknown, true, "nothing documents"),
            (vec![pass(Like, CRC32), undocumented(Like)], unknown, true, "nothing documents"),
        ] {
            let found = contradiction(&findings).unwrap();
            assert_eq!((found.verdict(), found.required), (verdict, required), "{findings:?}");
            let text = match &found.outcome {
                Outcome::Fail(failure) => format!("{}: {}", failure.evidence.source, failure.evidence.observed),
                Outcome::Unknown(reason) => reason.to_string(),
                Outcome::Pass(_) => panic!("{found:?}"),
            };
            assert!(text.contains(says) && text.contains("matched, ") && text.contains("did not"), "{text}");
            assert!(!text.contains("damage"), "{text}");
            let reversed: Vec<Finding> = findings.iter().rev().cloned().collect();
            let again = contradiction(&reversed).unwrap();
            assert_eq!((again.verdict(), again.required), (verdict, required), "in any order");
        }
    }
}
