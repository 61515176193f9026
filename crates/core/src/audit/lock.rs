use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::rule::judge;
use crate::facts::{Fact, LegalHold, LockEnd, LockFacts, LockMode};
use crate::verdict::{Evidence, Outcome, Reason};

/// A required kind of Object Lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockRequirement {
    /// Governance mode, compliance mode or a legal hold.
    Any,
    /// Compliance mode.
    Compliance,
}

/// Checks that an object is locked for at least `days` days.
pub(super) fn judge_lock(wish: Option<LockRequirement>, days: u32, lock: &Fact<LockFacts>, now: Timestamp) -> Outcome {
    let kind = if wish == Some(LockRequirement::Compliance) { "compliance mode" } else { "locked" };
    let expected = format!("{kind}, for {days} days from now");
    let until = now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok();
    if let Fact::Known { value, source } = lock {
        match held(wish, value, until) {
            Held::Yes => return Outcome::Pass(Evidence::of_rule(*source, expected, shown(value))),
            Held::Unclear(detail) => return Outcome::Unknown(Reason::NotStated { detail }),
            Held::No => {}
        }
    }
    judge(lock, "Object Lock", &expected, |_| false, shown)
}

enum Held {
    Yes,
    No,
    /// The value that cannot be interpreted, for the report.
    Unclear(String),
}

/// Whether a lock lasts until `until`; `None` if no lock can last that long.
fn held(wish: Option<LockRequirement>, lock: &LockFacts, until: Option<Timestamp>) -> Held {
    let strict = wish == Some(LockRequirement::Compliance);
    let by_hold = match &lock.legal_hold {
        Some(LegalHold::On) if !strict => Held::Yes,
        Some(LegalHold::Other(word)) if !strict => {
            Held::Unclear(format!("the legal hold is `{word}`, which is not known"))
        }
        _ => Held::No,
    };
    let lasts = |end: &LockEnd| match (end, until) {
        (LockEnd::At(end), Some(until)) => *end > until,
        (LockEnd::Beyond, Some(_)) => true,
        (LockEnd::NotKnown(_), _) | (_, None) => false,
    };
    let by_mode = match (&lock.mode, &lock.retain_until) {
        (Some(LockMode::Other(word)), _) => {
            Held::Unclear(format!("the lock has the mode `{word}`, which is not known"))
        }
        (Some(LockMode::Governance), _) if strict => Held::No,
        (Some(_), Some(LockEnd::NotKnown(text))) => {
            Held::Unclear(format!("the lock lasts until `{text}`, which is not one time"))
        }
        (Some(_), Some(end)) if lasts(end) => Held::Yes,
        (Some(_), Some(_)) | (None, None) => Held::No,
        (Some(mode), None) => Held::Unclear(format!("the lock has the mode {mode}, and no date until when")),
        (None, Some(end)) => Held::Unclear(format!("a lock until {end} is stated, and not its mode")),
    };
    match (by_hold, by_mode) {
        (Held::Yes, _) | (_, Held::Yes) => Held::Yes,
        (Held::Unclear(why), _) | (_, Held::Unclear(why)) => Held::Unclear(why),
        (Held::No, Held::No) => Held::No,
    }
}

fn shown(lock: &LockFacts) -> String {
    let mode = lock.mode.as_ref().map_or("no retention", LockMode::as_str);
    let end = lock.retain_until.as_ref().map_or(String::new(), |end| format!(" until {end}"));
    let hold = if lock.legal_hold == Some(LegalHold::On) { ", legal hold" } else { "" };
    format!("{mode}{end}{hold}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict::{self, Fail, Pass, Unknown};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn verdict(outcome: Outcome) -> Verdict {
        match outcome {
            Outcome::Pass(_) => Pass,
            Outcome::Fail(_) => Fail,
            Outcome::Unknown(_) => Unknown,
        }
    }

    fn of(wish: LockRequirement, days: u32, mode: Option<&str>, end: Option<i64>, hold: Option<&str>) -> Verdict {
        let value = LockFacts {
            mode: mode.map(LockMode::of),
            retain_until: end.map(|days| LockEnd::At(NOW + SignedDuration::from_hours(24 * days))),
            legal_hold: hold.map(LegalHold::of),
        };
        verdict(judge_lock(Some(wish), days, &Fact::Known { value, source: "HeadObject" }, NOW))
    }

    #[test]
    fn only_words_that_are_known_decide() {
        use LockRequirement::{Any, Compliance};
        for (wish, mode, end, hold, expected) in [
            (Any, Some("GOVERNANCE"), Some(10), None, Pass),
            (Any, Some("COMPLIANCE"), Some(10), None, Pass),
            (Any, Some("COMPLIANCE"), Some(4), None, Fail),
            (Any, None, None, Some("ON"), Pass),
            (Any, None, None, Some("OFF"), Fail),
            (Any, None, None, None, Fail),
            (Any, Some("NONE"), Some(10), None, Unknown),
            (Any, Some(""), Some(10), None, Unknown),
            (Any, Some("BOGUS"), Some(10), Some("OFF"), Unknown),
            (Any, Some("governance"), Some(10), None, Unknown),
            (Any, Some("BOGUS"), Some(10), Some("ON"), Pass),
            (Any, Some("GOVERNANCE"), Some(4), Some("on"), Unknown),
            (Any, Some("GOVERNANCE"), None, None, Unknown),
            (Any, None, Some(10), None, Unknown),
            (Compliance, Some("GOVERNANCE"), Some(10), Some("ON"), Fail),
            (Compliance, Some("COMPLIANCE"), Some(10), None, Pass),
            (Compliance, Some("BOGUS"), Some(10), None, Unknown),
            (Compliance, Some("GOVERNANCE"), Some(10), Some("MAYBE"), Fail),
        ] {
            assert_eq!(of(wish, 5, mode, end, hold), expected, "{wish:?} {mode:?} {end:?} {hold:?}");
        }
    }

    #[test]
    fn at_the_end_of_the_calendar() {
        for end in [LockEnd::Beyond, LockEnd::At(Timestamp::MAX)] {
            let value = LockFacts { mode: Some(LockMode::Compliance), retain_until: Some(end), legal_hold: None };
            let lock = Fact::Known { value, source: "HeadObject" };
            for (days, expected) in [(0, Pass), (365_000, Pass), (u32::MAX, Fail)] {
                assert_eq!(verdict(judge_lock(None, days, &lock, NOW)), expected, "{days}");
            }
        }
    }

    #[test]
    fn an_end_that_is_not_known_decides_nothing() {
        for mode in [Some(LockMode::Governance), Some(LockMode::Compliance), None] {
            let retain_until = Some(LockEnd::NotKnown("2027-01-01, 2030-01-01".to_owned()));
            let value = LockFacts { mode, retain_until, legal_hold: None };
            let lock = Fact::Known { value, source: "HeadObject" };
            assert_eq!(verdict(judge_lock(None, 5, &lock, NOW)), Unknown);
        }
    }
}
