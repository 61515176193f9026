use jiff::{SignedDuration, Timestamp};

use super::rule::in_days;
use crate::checks::{Removals, horizon};
use crate::facts::{Fact, removal};
use crate::verdict::{Evidence, Failure, Outcome, Reason};

const SOURCES: &str = "HeadObject and GetBucketLifecycleConfiguration";

/// Checks that no lifecycle rule removes an object within a time, by the header of its HEAD and by the rules
/// of its bucket. The earlier date applies. If one of the two is not known, the other can only show a
/// failure.
pub(super) fn judge_stays(
    time: SignedDuration,
    header: &Result<Option<String>, String>,
    rules: &Fact<Removals>,
    now: Timestamp,
) -> Outcome {
    let expected = format!("no lifecycle rule removes it within {}", in_days(time));
    let until = horizon(now, time);
    let stated = header.as_ref().ok().and_then(Option::as_deref);
    let by_header = stated.and_then(|text| Some((removal(text)?, text.to_owned())));
    let by_rule = rules.value().and_then(|rules| rules.first.as_ref());
    let by_rule = by_rule.map(|first| (first.at, format!("{} on {}", first.by, first.at)));
    let first = by_header.clone().into_iter().chain(by_rule).min_by_key(|(at, _)| *at);
    if let Some((at, observed)) = &first
        && *at <= until
    {
        return Outcome::Fail(Failure::of_rule(Evidence::of_rule(SOURCES, expected, observed)));
    }
    if let Some(reason) = open(header, by_header.is_some(), rules, until) {
        return Outcome::Unknown(reason);
    }
    let observed = first.map_or("no expiration is stated, and no lifecycle rule removes it".to_owned(), |(_, by)| by);
    Outcome::Pass(Evidence::of_rule(SOURCES, expected, observed))
}

/// Why one of the two may remove it earlier.
fn open(
    header: &Result<Option<String>, String>,
    dated: bool,
    rules: &Fact<Removals>,
    until: Timestamp,
) -> Option<Reason> {
    match header {
        Err(why) => return Some(Reason::NotStated { detail: why.clone() }),
        Ok(Some(text)) if !dated => return Some(Reason::NotStated { detail: format!("{text} states no time") }),
        Ok(_) => {}
    }
    match rules {
        Fact::Known { value, .. } => {
            let unclear: Vec<&str> =
                value.unclear.iter().filter(|unclear| unclear.at <= until).map(|unclear| unclear.by.as_str()).collect();
            (!unclear.is_empty()).then(|| Reason::NotStated { detail: unclear.join("; ") })
        }
        Fact::NotPermitted { needs } => Some(Reason::NotPermitted { needs: (*needs).to_owned() }),
        other => Some(Reason::Unanswered {
            detail: format!("the lifecycle rules of the bucket: {}", other.why_not().unwrap_or_default()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Removal;
    use crate::verdict::Verdict::{self, Fail, Pass, Unknown};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn on(days: i64) -> Timestamp {
        NOW + SignedDuration::from_hours(24 * days)
    }

    fn header(days: i64) -> Result<Option<String>, String> {
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&on(days)).unwrap();
        Ok(Some(format!("expiry-date=\"{date}\", rule-id=\"x\"")))
    }

    fn rules(first: Option<i64>, unclear: &[&str]) -> Fact<Removals> {
        let first = first.map(|days| Removal { at: on(days), by: "lifecycle rule `y`".into() });
        let unclear = unclear.iter().map(|why| Removal { at: NOW, by: (*why).to_owned() }).collect();
        Fact::Known { value: Removals { first, unclear, ..Removals::default() }, source: "test" }
    }

    fn of(header: &Result<Option<String>, String>, rules: &Fact<Removals>) -> Verdict {
        match judge_stays(SignedDuration::from_hours(24 * 90), header, rules, NOW) {
            Outcome::Pass(_) => Pass,
            Outcome::Fail(_) => Fail,
            Outcome::Unknown(_) => Unknown,
        }
    }

    #[test]
    fn the_earlier_date_counts_and_what_is_not_known_passes_nothing() {
        let denied = Fact::NotPermitted { needs: "s3:GetLifecycleConfiguration" };
        let odd = Fact::Unavailable { because: "no answer".to_owned() };
        let none: Result<Option<String>, String> = Ok(None);
        let odd_header = Ok(Some("soon".to_owned()));
        for (name, header, rules, expected) in [
            ("nothing", none.clone(), rules(None, &[]), Pass),
            ("late in both", header(100), rules(Some(200), &[]), Pass),
            ("soon by the header", header(80), rules(Some(200), &[]), Fail),
            ("soon by a rule", header(100), rules(Some(80), &[]), Fail),
            ("soon by a rule alone", none.clone(), rules(Some(3), &[]), Fail),
            ("on the very day", none.clone(), rules(Some(90), &[]), Fail),
            ("a rule that is not understood", none.clone(), rules(None, &["x"]), Unknown),
            ("soon, beside one that is not understood", none.clone(), rules(Some(3), &["x"]), Fail),
            ("no permission", none.clone(), denied.clone(), Unknown),
            ("late, and no permission", header(100), denied.clone(), Unknown),
            ("soon, and no permission", header(80), denied, Fail),
            ("no answer", none, odd, Unknown),
            ("an odd header", odd_header.clone(), rules(None, &[]), Unknown),
            ("an odd header, and soon by a rule", odd_header, rules(Some(3), &[]), Fail),
            ("no HEAD", Err("denied".to_owned()), rules(None, &[]), Unknown),
            ("no HEAD, and soon by a rule", Err("denied".to_owned()), rules(Some(3), &[]), Fail),
        ] {
            assert_eq!(of(&header, &rules), expected, "{name}");
        }
    }
}
