use super::{CheckId, Doubt, Evidence, Failure, Reason};
use crate::text::words;

words! {
    /// What a check or a whole run came out as.
    pub enum Verdict {
        Pass = "pass",
        Fail = "fail",
        /// Neither is shown; a reason says why.
        Unknown = "unknown",
    }
}

/// A verdict with its justification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Passed, with the comparison that shows it.
    Pass(Evidence),
    /// Failed, with the comparison that shows it.
    Fail(Failure),
    /// Not decided, with the reason.
    Unknown(Reason),
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: CheckId,
    /// Whether an unknown outcome makes the overall verdict unknown.
    pub required: bool,
    /// The outcome.
    pub outcome: Outcome,
}

impl Finding {
    /// The verdict of the outcome.
    pub fn verdict(&self) -> Verdict {
        match &self.outcome {
            Outcome::Pass(_) => Verdict::Pass,
            Outcome::Fail(_) => Verdict::Fail,
            Outcome::Unknown(_) => Verdict::Unknown,
        }
    }
}

/// The overall verdict: fail if any finding fails; otherwise unknown if a required finding is unknown or no
/// required finding passes; otherwise pass.
pub fn overall(findings: &[Finding]) -> Verdict {
    let any = |verdict: Verdict, required: bool| {
        findings.iter().any(|finding| finding.verdict() == verdict && (finding.required || !required))
    };
    if any(Verdict::Fail, false) {
        Verdict::Fail
    } else if any(Verdict::Unknown, true) || !any(Verdict::Pass, true) {
        Verdict::Unknown
    } else {
        Verdict::Pass
    }
}

impl Doubt {
    /// The most severe doubt among the unknown findings. A failed finding is not a doubt, because it refutes
    /// the bytes.
    ///
    /// If a read proved every byte, two unknown findings are ignored, because they are not about the bytes: a
    /// value over parts that are not proved, and a contradiction that a strong value outweighs (which is then
    /// not required).
    pub fn of(findings: &[Finding]) -> Option<Doubt> {
        let proved =
            findings.iter().any(|finding| finding.check == CheckId::Proof && finding.verdict() == Verdict::Pass);
        let doubt = |finding: &Finding| match &finding.outcome {
            Outcome::Unknown(Reason::LayoutNotProved { .. }) if proved => None,
            Outcome::Unknown(Reason::Contradiction { .. }) if !finding.required => None,
            Outcome::Unknown(reason) => reason.doubt(),
            Outcome::Pass(_) | Outcome::Fail(_) => None,
        };
        findings.iter().filter_map(doubt).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ByteRange;
    use crate::verdict::{Coverage, Damage, Reads};

    proptest::proptest! {
        /// Findings can be merged in any order and grouping: a group acts like one required finding, except
        /// for groups without a required finding.
        #[test]
        fn verdicts_merge_in_any_order(
            all in proptest::collection::vec((0..3_u8, proptest::bool::ANY), 1..12),
            cut in 0..12_usize,
        ) {
            let of = |(verdict, required): &(u8, bool)| {
                finding([Verdict::Pass, Verdict::Fail, Verdict::Unknown][usize::from(*verdict)], *required)
            };
            let findings: Vec<Finding> = all.iter().map(of).collect();
            let whole = overall(&findings);
            let reversed: Vec<Finding> = findings.iter().rev().cloned().collect();
            proptest::prop_assert_eq!(overall(&reversed), whole);
            let (left, right) = findings.split_at(cut.min(findings.len()));
            let demands = |group: &[Finding]| {
                group.iter().any(|one| one.required || one.verdict() == Verdict::Fail)
            };
            let merged: Vec<Finding> = [left, right]
                .into_iter()
                .filter(|group| demands(group))
                .map(|group| finding(overall(group), true))
                .collect();
            proptest::prop_assert_eq!(overall(&merged), whole);
        }
    }

    fn finding(verdict: Verdict, required: bool) -> Finding {
        let evidence = Evidence {
            source: "test".into(),
            expected: "a".into(),
            observed: "b".into(),
            coverage: Some(Coverage { bytes: 1, of: 1 }),
        };
        let outcome = match verdict {
            Verdict::Pass => Outcome::Pass(evidence),
            Verdict::Fail => Outcome::Fail(Failure {
                evidence,
                reads: Some(Reads::One),
                damage: vec![Damage {
                    part: 1,
                    range: ByteRange::whole(1),
                    expected: "a".into(),
                    observed: "b".into(),
                    second_read: None,
                }],
            }),
            Verdict::Unknown => Outcome::Unknown(Reason::NoReference),
        };
        Finding { check: CheckId::Proof, required, outcome }
    }

    #[test]
    fn the_words_of_verdicts() {
        crate::text::assert_words!(Verdict, ["pass", "fail", "unknown"]);
        assert_eq!(format!("{:<8}|", Verdict::Pass), "pass    |");
    }

    #[test]
    fn fail_beats_unknown_beats_pass() {
        use Verdict::{Fail, Pass, Unknown};
        for (findings, expected) in [
            (vec![], Unknown),
            (vec![finding(Pass, true)], Pass),
            (vec![finding(Pass, false)], Unknown),
            (vec![finding(Pass, true), finding(Unknown, false)], Pass),
            (vec![finding(Pass, true), finding(Unknown, true)], Unknown),
            (vec![finding(Pass, true), finding(Unknown, true), finding(Fail, false)], Fail),
        ] {
            assert_eq!(overall(&findings), expected, "{findings:?}");
        }
    }

    #[test]
    fn a_mismatch_that_proves_nothing_is_a_doubt_and_what_was_not_read_is_none() {
        let detail = || "x".to_owned();
        let half = Coverage { bytes: 1, of: 2 };
        for (reason, doubt) in [
            (Reason::LayoutNotProved { because: detail() }, Some(Doubt::Mismatch)),
            (Reason::Unconfirmed { detail: detail() }, Some(Doubt::Mismatch)),
            (Reason::RereadFailed { detail: detail() }, Some(Doubt::Mismatch)),
            (Reason::UnstableRead { detail: detail() }, Some(Doubt::Unstable)),
            (Reason::Contradiction { detail: detail() }, Some(Doubt::Contradiction)),
            (Reason::Unreadable { detail: detail() }, Some(Doubt::Unreadable)),
            (Reason::LayoutUnknown { because: detail() }, None),
            (Reason::ReadFailed { detail: detail() }, None),
            (Reason::Interrupted { coverage: half }, None),
            (Reason::Sampled { coverage: half }, None),
            (Reason::Changed { detail: detail() }, None),
            (Reason::NotRead, None),
        ] {
            assert_eq!(reason.doubt(), doubt, "{reason:?}");
            let of = |outcome| Finding { check: CheckId::Proof, required: true, outcome };
            let sampled = of(Outcome::Unknown(Reason::Sampled { coverage: half }));
            assert_eq!(Doubt::of(&[sampled, of(Outcome::Unknown(reason))]), doubt);
        }
        assert!(Doubt::Mismatch > Doubt::Unstable && Doubt::Unstable > Doubt::Unproved);
    }

    #[test]
    fn a_reading_that_proves_every_byte_settles_what_does_not_speak_of_them() {
        use crate::verdict::{Origin, Subject};
        let detail = || "x".to_owned();
        let of = |required, reason| Finding {
            check: CheckId::Reference(Origin::Stored, Subject::ETag),
            required,
            outcome: Outcome::Unknown(reason),
        };
        let proof = || Finding {
            check: CheckId::Proof,
            required: true,
            outcome: Outcome::Pass(Evidence::of_rule("crc64nvme", "a", "a")),
        };
        for (finding, beside_a_proof) in [
            (of(false, Reason::LayoutNotProved { because: detail() }), None),
            (of(false, Reason::Contradiction { detail: detail() }), None),
            (of(true, Reason::Contradiction { detail: detail() }), Some(Doubt::Contradiction)),
            (of(false, Reason::UnstableRead { detail: detail() }), Some(Doubt::Unstable)),
            (of(false, Reason::Unconfirmed { detail: detail() }), Some(Doubt::Mismatch)),
            (of(false, Reason::RereadFailed { detail: detail() }), Some(Doubt::Mismatch)),
            (of(true, Reason::Unreadable { detail: detail() }), Some(Doubt::Unreadable)),
        ] {
            assert_eq!(Doubt::of(&[proof(), finding.clone()]), beside_a_proof, "{finding:?}");
        }
    }
}
