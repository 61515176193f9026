//! The outcome of one requirement of a policy for a fact.

use jiff::SignedDuration;

use crate::facts::Fact;
use crate::verdict::{Evidence, Failure, Outcome, Reason};

pub(super) fn decide(fits: bool, evidence: Evidence) -> Outcome {
    if fits { Outcome::Pass(evidence) } else { Outcome::Fail(Failure::of_rule(evidence)) }
}

/// An absent fact violates the rule; one that could not be requested leaves it unknown.
pub(super) fn judge<T>(
    fact: &Fact<T>,
    source: &str,
    expected: &str,
    fits: impl Fn(&T) -> bool,
    show: impl Fn(&T) -> String,
) -> Outcome {
    match fact {
        Fact::Known { value, .. } => decide(fits(value), Evidence::of_rule(source, expected, show(value))),
        Fact::Absent { .. } => decide(false, Evidence::of_rule(source, expected, "none")),
        Fact::NotPermitted { needs } => Outcome::Unknown(Reason::NotPermitted { needs: (*needs).to_owned() }),
        other => Outcome::Unknown(Reason::Unanswered { detail: other.why_not().unwrap_or_default() }),
    }
}

pub(super) fn in_days(time: SignedDuration) -> String {
    match (time.as_hours(), time.as_secs()) {
        (0, seconds) => format!("{seconds} seconds"),
        (hours, _) if hours % 24 == 0 => format!("{} days", hours / 24),
        (hours, _) => format!("{hours} hours"),
    }
}
