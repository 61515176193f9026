//! Determines which lifecycle rules of a bucket apply to an object, and when.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::facts::{
    Age, ClassWord, Expiration, LegalHold, LifecycleRule, LockEnd, LockFacts, LockMode, Noncurrent, RuleFilter,
    RuleStatus,
};

const DAY: i64 = 24 * 60 * 60;

/// The object that rules are applied to.
#[derive(Debug, Clone)]
pub struct LifecycleSubject<'a> {
    /// Key of the object.
    pub key: &'a str,
    /// Size in bytes.
    pub size: u64,
    /// Time of creation; `None` if it is not known.
    pub made: Option<Timestamp>,
    /// Tags; `None` if they are not known.
    pub tags: Option<&'a BTreeMap<String, String>>,
    /// Whether it is the current version.
    pub standing: VersionState,
    /// Object Lock; `None` if it is not known.
    pub lock: Option<&'a LockFacts>,
}

/// Position of a version among the versions of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionState {
    /// The version that a read without a version id, or a restore, gets.
    Current,
    /// An older version.
    Noncurrent {
        /// When it was replaced.
        since: Timestamp,
        /// Number of noncurrent versions that are newer.
        newer: u32,
    },
    /// It was named by its version id, and it is not known whether it is current.
    NotKnown,
}

/// What the rules of a bucket will do to an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removals {
    /// The earliest removal that is certain.
    pub first: Option<Removal>,
    /// Possible removals, with the earliest time and the reason of the uncertainty.
    pub unclear: Vec<Removal>,
    /// Whether the tags of the object would remove an uncertainty.
    pub wants_tags: bool,
    /// Moves to classes from which an object must be restored before it can be read.
    pub archived: Vec<Removal>,
}

/// A rule acts on the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// When it acts; `now` if the time has passed.
    pub at: Timestamp,
    /// The rule and its condition, for the report.
    pub by: String,
}

/// Applies the rules to an object. Times in the past count as `now`, because S3 may carry out a due action at
/// any moment.
pub fn removals(rules: &[LifecycleRule], subject: &LifecycleSubject<'_>, now: Timestamp) -> Removals {
    let mut found = Removals::default();
    for rule in rules {
        match rule.status {
            RuleStatus::Disabled => continue,
            RuleStatus::Enabled | RuleStatus::Other(_) => {}
        }
        match match_filter(&rule.filter, subject) {
            FilterMatch::No => continue,
            FilterMatch::Yes => {}
            FilterMatch::ByTags => {
                // Report it only if the rule can remove objects.
                if can_remove(rule) {
                    found.wants_tags = true;
                    found.add_possible(now, format!("{} goes by tags, which are not known", rule.name()));
                }
                continue;
            }
        }
        if let RuleStatus::Other(word) = &rule.status {
            found.add_possible(now, format!("{} has the status `{word}`, which is not known", rule.name()));
            continue;
        }
        if let Some(odd) = &rule.odd {
            found.add_possible(now, format!("{} is not understood: {odd}", rule.name()));
        }
        found.add(rule, subject, now);
    }
    found
}

impl Removals {
    fn add(&mut self, rule: &LifecycleRule, subject: &LifecycleSubject<'_>, now: Timestamp) {
        if let Some(Expiration::After(age)) = rule.expiration {
            match time_of(age, subject.made, now) {
                Some(at) => self.add_certain(at, format!("{}, by {}", rule.name(), describe_age("Expiration", age))),
                None => self.add_possible(now, format!("{} goes by age, and the object's is not known", rule.name())),
            }
        }
        if let Some(noncurrent) = rule.noncurrent {
            self.add_noncurrent(rule, noncurrent, subject, now);
        }
        for transition in rule.transitions.iter().filter(|transition| ClassWord::of(&transition.class).archives()) {
            if let Some(at) = time_of(transition.age, subject.made, now) {
                let by = format!("{}, to {}", rule.name(), transition.class);
                self.archived.push(Removal { at, by });
            }
        }
    }

    /// Rules for noncurrent versions do not apply to the current one.
    fn add_noncurrent(
        &mut self,
        rule: &LifecycleRule,
        noncurrent: Noncurrent,
        subject: &LifecycleSubject<'_>,
        now: Timestamp,
    ) {
        // A locked version is not removed before its lock ends (S3 User Guide, *Locking objects with Object
        // Lock*).
        let from = match subject.lock.map_or(LockDuration::Free, lock_duration) {
            LockDuration::Free => now,
            LockDuration::Until(end) => end.max(now),
            LockDuration::Held => return,
        };
        match subject.standing {
            VersionState::Current => {}
            VersionState::Noncurrent { newer, .. } if newer < noncurrent.keeps => {}
            VersionState::Noncurrent { since, .. } => {
                if let Some(at) = time_of(Age::Days(noncurrent.days), Some(since), from) {
                    self.add_certain(at, format!("{}, by NoncurrentDays={}", rule.name(), noncurrent.days));
                }
            }
            VersionState::NotKnown => self.add_possible(
                from,
                format!(
                    "{} removes versions {} days after they stop being current, and whether this one is current is not known",
                    rule.name(),
                    noncurrent.days
                ),
            ),
        }
    }

    fn add_possible(&mut self, at: Timestamp, by: String) {
        self.unclear.push(Removal { at, by });
    }

    fn add_certain(&mut self, at: Timestamp, by: String) {
        if self.first.as_ref().is_none_or(|first| at < first.at) {
            self.first = Some(Removal { at, by });
        }
    }
}

/// Whether a rule may remove objects.
fn can_remove(rule: &LifecycleRule) -> bool {
    matches!(rule.expiration, Some(Expiration::After(_))) || rule.noncurrent.is_some() || rule.odd.is_some()
}

enum FilterMatch {
    Yes,
    No,
    /// All conditions except the tags are satisfied, and the tags are not known.
    ByTags,
}

fn match_filter(filter: &RuleFilter, subject: &LifecycleSubject<'_>) -> FilterMatch {
    let outside = filter.prefix.as_deref().is_some_and(|prefix| !subject.key.starts_with(prefix))
        || filter.larger_than.is_some_and(|bytes| subject.size <= bytes)
        || filter.smaller_than.is_some_and(|bytes| subject.size >= bytes);
    if outside {
        return FilterMatch::No;
    }
    match subject.tags {
        _ if filter.tags.is_empty() => FilterMatch::Yes,
        None => FilterMatch::ByTags,
        Some(tags) if filter.tags.iter().all(|(name, value)| tags.get(name) == Some(value)) => FilterMatch::Yes,
        Some(_) => FilterMatch::No,
    }
}

/// When an age is reached: creation plus the days, rounded up to midnight UTC (S3 User Guide, *Lifecycle
/// configuration elements*). `None` if the time of creation is not known.
fn time_of(age: Age, made: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let at = match age {
        Age::Date(date) => date,
        Age::Days(days) => {
            let seconds = made?.as_second().saturating_add(i64::from(days) * DAY);
            let midnight = seconds.saturating_add(DAY - 1).div_euclid(DAY) * DAY;
            Timestamp::from_second(midnight).unwrap_or(Timestamp::MAX)
        }
    };
    Some(at.max(now))
}

fn describe_age(what: &str, age: Age) -> String {
    match age {
        Age::Days(days) => format!("{what} Days={days}"),
        Age::Date(date) => format!("{what} Date={date}"),
    }
}

enum LockDuration {
    Free,
    Until(Timestamp),
    Held,
}

/// How long a lock prevents removal. An unknown mode does not count as a lock.
fn lock_duration(lock: &LockFacts) -> LockDuration {
    if lock.legal_hold == Some(LegalHold::On) {
        return LockDuration::Held;
    }
    match (&lock.mode, &lock.retain_until) {
        (Some(LockMode::Governance | LockMode::Compliance), Some(LockEnd::At(end))) => LockDuration::Until(*end),
        (Some(LockMode::Governance | LockMode::Compliance), Some(LockEnd::Beyond)) => {
            LockDuration::Until(Timestamp::MAX)
        }
        _ => LockDuration::Free,
    }
}

/// The end of a time span that starts now, at most the latest time that can be represented.
pub fn horizon(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
