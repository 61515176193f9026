use crate::verdict::{CheckId, Demand, Finding, Verdict};

/// Whether the outcome of a check is required for the overall verdict, by the origin of the reference: every
/// value that the user typed or a checksum file contains is required. Of a manifest or another object, the
/// open ones are required unless one of its values matched.
pub fn demanded(check: CheckId, findings: &[Finding]) -> bool {
    let CheckId::Reference(origin, _) = check else { return false };
    let matched = |finding: &Finding| {
        matches!(finding.check, CheckId::Reference(of, _) if of == origin) && finding.verdict() == Verdict::Pass
    };
    match origin.demand() {
        Demand::Offered => false,
        Demand::Each => true,
        Demand::OneOf => !findings.iter().any(matched),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Algorithm;
    use crate::verdict::{Evidence, Origin, Outcome, Reason, Subject};

    #[test]
    fn what_a_person_gave_is_demanded() {
        let id = |origin, algorithm| CheckId::Reference(origin, Subject::Checksum(algorithm));
        let of = |check, outcome| Finding { check, required: false, outcome };
        let pass = |check| of(check, Outcome::Pass(Evidence::of_rule("", "", "")));
        let open = |check| of(check, Outcome::Unknown(Reason::NotRead));
        let (crc, sha) = (Algorithm::Crc32, Algorithm::Sha256);
        for (origin, alone, beside_a_match) in [
            (Origin::Stored, false, false),
            (Origin::Expect, true, true),
            (Origin::Sums, true, true),
            (Origin::Manifest, true, false),
            (Origin::Baseline, true, false),
            (Origin::Like, true, false),
            (Origin::Tags, false, false),
            (Origin::Metadata, false, false),
        ] {
            let (one, other) = (id(origin, crc), id(origin, sha));
            assert_eq!(demanded(one, &[open(one), open(other)]), alone, "{origin:?}");
            assert_eq!(demanded(one, &[open(one), pass(other)]), beside_a_match, "{origin:?}");
            let elsewhere = id(if origin == Origin::Stored { Origin::Like } else { Origin::Stored }, sha);
            assert_eq!(demanded(one, &[open(one), pass(elsewhere)]), alone, "{origin:?}: another origin's match");
        }
        assert!(!demanded(CheckId::Stream, &[]));
    }
}
