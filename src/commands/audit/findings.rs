//! Findings that several steps of an audit use.

use crate::audit::{Change, History, Trouble, failed_by};
use crate::checks::wrong_size;
use crate::ident::{ObjectIdentity, ObjectUri, Target};
use crate::report::FindingReport;
use crate::verdict::{CheckId, Evidence, Failure, Finding, Outcome, PolicyCheck, Reason};

/// Whether a stored AMI object can have this size, in bytes.
pub(super) fn size(uri: &ObjectUri, bytes: u64) -> Finding {
    let outcome = match wrong_size(&Target::Object(uri.clone()), bytes) {
        Some(failure) => Outcome::Fail(failure),
        None => Outcome::Pass(Evidence::of_rule("HeadObject", "an object with bytes", format!("{bytes} bytes"))),
    };
    Finding { check: CheckId::Size, required: true, outcome }
}

/// The finding for damage or doubt that an earlier examination recorded for the same state.
pub(super) fn known_trouble(history: &History, seen: &ObjectIdentity) -> Option<FindingReport> {
    let (outcome, at) = match history.trouble_of(seen)? {
        Trouble::Damage(damage) => {
            let failed = format!("{} failed {}", failed_by(&damage.failed), damage.at);
            let observed = match &damage.damage {
                Some(place) => format!("{place}; {failed}"),
                None => failed,
            };
            let evidence = Evidence::of_rule("ledger", "no damage was found in it as it is now", observed);
            (Outcome::Fail(Failure::of_rule(evidence)), &damage.at)
        }
        Trouble::Doubt(look, doubt) => (Outcome::Unknown(Reason::InDoubt { doubt, since: look.at.clone() }), &look.at),
    };
    let finding = Finding { check: CheckId::PolicyCheck(PolicyCheck::Sound), required: true, outcome };
    Some(FindingReport { since: Some(at.clone()), ..FindingReport::from(&finding) })
}

/// The finding for a change of the object since it was first seen or accepted; `None` for a new one.
pub(super) fn unchanged(change: &Change) -> Option<Finding> {
    let evidence = |observed: &str| Evidence::of_rule("ledger", "what it was when first seen, or accepted", observed);
    let detail = change.objection().unwrap_or_default();
    let outcome = match change {
        Change::New => return None,
        Change::Same => Outcome::Pass(evidence("the same object")),
        Change::SameContent { by } => Outcome::Pass(evidence(&format!("written again with the same {by}"))),
        Change::Restated { .. } => Outcome::Unknown(Reason::Contradiction { detail }),
        Change::Replaced { .. } => Outcome::Fail(Failure::of_rule(evidence(&detail))),
        Change::Unclear => Outcome::Unknown(Reason::NotStated { detail }),
    };
    Some(Finding { check: CheckId::PolicyCheck(PolicyCheck::Unchanged), required: true, outcome })
}

/// The finding for an object of the ledger that no longer exists.
pub(super) fn missing() -> Finding {
    let evidence = Evidence::of_rule("ledger", "still there", "there is no such object any more");
    let outcome = Outcome::Fail(Failure::of_rule(evidence));
    Finding { check: CheckId::PolicyCheck(PolicyCheck::Present), required: true, outcome }
}
