use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CheckId, Finding, Outcome, Reason, Verdict};

/// Why a read casts doubt on bytes without refuting them, in ascending order of severity.
///
/// A read that leaves a doubt is never a proof. An audit records it in the ledger with the state of the
/// object; from then on, earlier proofs of that state do not count, until a read proves every byte again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Every byte was read, but no reference proved them.
    Unproved,
    /// Two reads of the same bytes differ.
    Unstable,
    /// References contradict each other.
    Contradiction,
    /// The server lists the object unchanged but does not return its bytes.
    Unreadable,
    /// A reference did not match, but it is not certain that the reference is right.
    Mismatch,
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

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doubt::Unproved => "all bytes were read, and nothing proved them",
            Doubt::Unstable => "two reads of the same bytes differ",
            Doubt::Contradiction => "references contradict each other",
            Doubt::Unreadable => "the server shows the object, and did not give its bytes",
            Doubt::Mismatch => "a reference did not match",
        })
    }
}

impl Reason {
    /// The doubt that a read with this result casts on the bytes.
    pub fn doubt(&self) -> Option<Doubt> {
        match self {
            Reason::LayoutNotProved { .. } | Reason::Unconfirmed { .. } | Reason::RereadFailed { .. } => {
                Some(Doubt::Mismatch)
            }
            Reason::UnstableRead { .. } => Some(Doubt::Unstable),
            Reason::Contradiction { .. } => Some(Doubt::Contradiction),
            Reason::Unreadable { .. } => Some(Doubt::Unreadable),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{CheckId, Coverage};

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
        use crate::verdict::{Evidence, Origin, Subject};
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
