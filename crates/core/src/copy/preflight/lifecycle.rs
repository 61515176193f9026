use jiff::{SignedDuration, Timestamp};

use super::{DestinationSurvey, PlannedObject};
use crate::checks::{LifecycleSubject, Removals, VersionState, removals};
use crate::copy::{CopyCheck, CopyFinding, RateBasis, WriteMode};
use crate::facts::{ClassWord, Fact, LifecycleRule, RuleStatus};
use crate::price::{RetrievalTier, StorageClass};

/// An assumed rate may be wrong by this factor before a rule that aborts uploads counts as harmless.
const MARGIN: i32 = 4;

fn applied(rules: &[LifecycleRule], planned: &PlannedObject<'_>) -> Removals {
    let subject = LifecycleSubject {
        key: planned.key,
        size: planned.size,
        made: Some(planned.now),
        tags: Some(planned.tags),
        standing: VersionState::Current,
        lock: None,
    };
    removals(rules, &subject, planned.now)
}

/// Whether a rule would remove the copy.
pub(super) fn removal(survey: &DestinationSurvey, planned: &PlannedObject<'_>) -> CopyFinding {
    let check = CopyCheck::Lifecycle;
    let (rules, source) = match &survey.lifecycle {
        Fact::Known { value, source } => (value, source),
        // A server without lifecycle rules says that it does not know the request, and nothing is lost there.
        Fact::NotPermitted { .. } => {
            return CopyFinding::open(check, survey.lifecycle.why_not().unwrap_or_default());
        }
        other => return CopyFinding::aside(check, other.why_not().unwrap_or_default()),
    };
    let found = applied(rules, planned);
    let finding = match (found.first, found.unclear.first()) {
        (Some(removal), _) => {
            CopyFinding::fail(check, format!("a rule would remove the copy at {}: {}", removal.at, removal.by))
        }
        (None, Some(removal)) => {
            CopyFinding::open(check, format!("a rule may remove the copy at {}: {}", removal.at, removal.by))
        }
        (None, None) => CopyFinding::pass(check, "no rule removes the copy"),
    };
    finding.by(source)
}

/// The earliest time at which a rule may remove the unfinished upload, with the rule.
fn abort(rules: &[LifecycleRule], key: &str, begun: Timestamp) -> Option<(Timestamp, String)> {
    let applies = |rule: &&LifecycleRule| {
        rule.status != RuleStatus::Disabled
            && rule.filter.prefix.as_deref().is_none_or(|prefix| key.starts_with(prefix))
    };
    let times = rules.iter().filter(applies).filter_map(|rule| {
        let days = rule.abort_uploads_after_days?;
        let at = begun.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()?;
        Some((at, format!("{}, by AbortIncompleteMultipartUpload after {days} days", rule.name())))
    });
    times.min()
}

/// Whether a rule would remove the upload before it is complete. `None` without an upload.
pub(super) fn abort_rule(survey: &DestinationSurvey, planned: &PlannedObject<'_>) -> Option<CopyFinding> {
    let check = CopyCheck::AbortRule;
    if planned.mode == WriteMode::Put {
        return None;
    }
    let (rules, source) = match &survey.lifecycle {
        Fact::Known { value, source } => (value, source),
        other => return Some(CopyFinding::aside(check, other.why_not().unwrap_or_default())),
    };
    // An upload of an earlier run has used some of its time. Which of several is ours is not known: the oldest counts.
    let begun = survey.uploads.value().filter(|_| planned.own_uploads > 0);
    let begun = begun.and_then(|uploads| uploads.iter().filter_map(|upload| upload.initiated).min());
    let Some((at, by)) = abort(rules, planned.key, begun.unwrap_or(planned.now)) else {
        return Some(CopyFinding::pass(check, "no rule aborts unfinished uploads of this key").by(source));
    };
    let time = &planned.time;
    let left = at.duration_since(planned.now);
    let text = format!("{by}, which is {at}; the copy takes {time}");
    Some(
        match time.basis {
            _ if left < time.duration => CopyFinding::fail(check, format!("the upload would be removed first: {text}")),
            RateBasis::Assumed if left < time.duration.saturating_mul(MARGIN) => {
                CopyFinding::open(check, format!("the upload may be removed first: {text}"))
            }
            RateBasis::Assumed | RateBasis::Limit => CopyFinding::pass(check, text),
        }
        .by(source),
    )
}

/// Whether a restore can read the copy at once. It prevents nothing: copies in archive classes are made on purpose.
pub(super) fn readable_later(survey: &DestinationSurvey, planned: &PlannedObject<'_>) -> CopyFinding {
    let check = CopyCheck::Readable;
    let name = planned.storage_class.unwrap_or(StorageClass::Standard.name());
    let finding = match StorageClass::from_name(name) {
        Some(class) if class.archives() => {
            let tiers = RetrievalTier::of(class).iter();
            let tiers = tiers.filter_map(|tier| Some(format!("{} {}", tier.name(), tier.takes(class)?)));
            let tiers: Vec<String> = tiers.collect();
            CopyFinding::aside(
                check,
                format!(
                    "an object of {class} cannot be read or restored as an AMI before `stored-ami thaw` has brought it back: {}",
                    tiers.join("; ")
                ),
            )
        }
        Some(StorageClass::IntelligentTiering) => CopyFinding::pass(
            check,
            "INTELLIGENT_TIERING can be read at once, unless the bucket moves it to an archive tier later",
        ),
        Some(class) if class.charges_reading() => {
            CopyFinding::pass(check, format!("{class} can be read at once, with a charge for each GB"))
        }
        Some(class) => CopyFinding::pass(check, format!("{class} can be read at once")),
        None => {
            CopyFinding::aside(check, format!("whether an object of class {name} can be read at once is not known"))
        }
    };
    let rules = survey.lifecycle.value().map(Vec::as_slice).unwrap_or_default();
    let finding = match applied(rules, planned).archived.first() {
        Some(move_) if !ClassWord::of(name).archives() => CopyFinding::aside(
            check,
            format!(
                "{}; a rule moves it at {}: {}; `stored-ami thaw` brings it back then",
                finding.text, move_.at, move_.by
            ),
        ),
        _ => finding,
    };
    CopyFinding { required: false, ..finding }
}
