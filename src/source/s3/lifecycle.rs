use std::collections::BTreeSet;

use aws_sdk_s3::types::{
    ExpirationStatus, LifecycleExpiration, LifecycleRule as Stated, LifecycleRuleFilter, NoncurrentVersionExpiration,
    Tag, Transition as StatedTransition,
};

use super::parse::timestamp;
use crate::facts::{Age, Expiration, LifecycleRule, Noncurrent, RuleFilter, RuleStatus, Transition};

/// Converts a rule. What cannot be understood is recorded in `odd`, because the rule may remove more than it seems to.
/// A rule with unknown or repeated elements (`not_understood`) is not interpreted at all, because it is not known which
/// of them apply.
pub(super) fn rule(stated: &Stated, not_understood: Option<&str>) -> LifecycleRule {
    if let Some(why) = not_understood {
        return LifecycleRule {
            id: stated.id().map(str::to_owned),
            status: RuleStatus::Enabled,
            filter: RuleFilter::default(),
            expiration: None,
            noncurrent: None,
            transitions: Vec::new(),
            abort_uploads_after_days: None,
            odd: Some(why.to_owned()),
        };
    }
    let mut odd = Vec::new();
    let filter = filter(stated, &mut odd);
    let expiration = stated.expiration().and_then(|expiration| self::expiration(expiration, &mut odd));
    let noncurrent = stated.noncurrent_version_expiration().and_then(|stated| noncurrent(stated, &mut odd));
    let transitions = stated.transitions().iter().filter_map(|stated| transition(stated, &mut odd)).collect();
    let acts = stated.expiration().is_some()
        || stated.noncurrent_version_expiration().is_some()
        || !stated.transitions().is_empty()
        || !stated.noncurrent_version_transitions().is_empty()
        || stated.abort_incomplete_multipart_upload().is_some();
    if !acts {
        odd.push("it states no action that is known".to_owned());
    }
    LifecycleRule {
        id: stated.id().map(str::to_owned),
        status: match stated.status() {
            ExpirationStatus::Enabled => RuleStatus::Enabled,
            ExpirationStatus::Disabled => RuleStatus::Disabled,
            other => RuleStatus::Other(other.as_str().to_owned()),
        },
        filter,
        expiration,
        noncurrent,
        transitions,
        abort_uploads_after_days: stated
            .abort_incomplete_multipart_upload()
            .map(|abort| abort.days_after_initiation().and_then(|days| u32::try_from(days).ok()).unwrap_or(0)),
        odd: (!odd.is_empty()).then(|| odd.join("; ")),
    }
}

/// The filter of a rule, or the prefix that older rules have instead. A filter that is not understood becomes one that
/// matches all objects.
fn filter(stated: &Stated, odd: &mut Vec<String>) -> RuleFilter {
    #[allow(deprecated)]
    let own = stated.prefix();
    let Some(filter) = stated.filter() else {
        return RuleFilter { prefix: own.map(str::to_owned), ..RuleFilter::default() };
    };
    if own.is_some_and(|own| !own.is_empty()) {
        odd.push("it has a filter and a prefix of its own".to_owned());
        return RuleFilter::default();
    }
    let alone = [
        filter.prefix().is_some(),
        filter.tag().is_some(),
        filter.object_size_greater_than().is_some(),
        filter.object_size_less_than().is_some(),
        filter.and().is_some(),
    ];
    if alone.into_iter().filter(|there| *there).count() > 1 {
        odd.push("its filter has several conditions without And".to_owned());
        return RuleFilter::default();
    }
    match sizes(filter) {
        Some((larger_than, smaller_than)) => {
            let and = filter.and();
            let tags = filter.tag().into_iter().chain(and.into_iter().flat_map(|and| and.tags()));
            let tags: Vec<(String, String)> = tags.map(pair).collect();
            let mut names = BTreeSet::new();
            if let Some((name, _)) = tags.iter().find(|(name, _)| !names.insert(name)) {
                odd.push(format!("its filter has the tag `{name}` twice"));
                return RuleFilter::default();
            }
            let prefix = filter.prefix().or(and.and_then(|and| and.prefix()));
            RuleFilter {
                prefix: prefix.map(str::to_owned),
                tags: tags.into_iter().collect(),
                larger_than,
                smaller_than,
            }
        }
        None => {
            odd.push("its filter has a size below zero".to_owned());
            RuleFilter::default()
        }
    }
}

fn pair(tag: &Tag) -> (String, String) {
    (tag.key().to_owned(), tag.value().to_owned())
}

/// Both size bounds of a filter; `None` if one of them is negative.
fn sizes(filter: &LifecycleRuleFilter) -> Option<(Option<u64>, Option<u64>)> {
    let and = filter.and();
    let size = |alone: Option<i64>, both: Option<i64>| alone.or(both).map(u64::try_from).transpose().ok();
    Some((
        size(filter.object_size_greater_than(), and.and_then(|and| and.object_size_greater_than()))?,
        size(filter.object_size_less_than(), and.and_then(|and| and.object_size_less_than()))?,
    ))
}

fn expiration(stated: &LifecycleExpiration, odd: &mut Vec<String>) -> Option<Expiration> {
    match (stated.days(), stated.date(), stated.expired_object_delete_marker()) {
        (Some(days), None, None | Some(false)) if days > 0 => {
            u32::try_from(days).ok().map(|days| Expiration::After(Age::Days(days)))
        }
        (None, Some(date), None | Some(false)) => match timestamp(date) {
            Some(date) => Some(Expiration::After(Age::Date(date))),
            None => {
                odd.push("its Date is beyond the calendar".to_owned());
                None
            }
        },
        (None, None, Some(true)) => Some(Expiration::LoneMarkers),
        _ => {
            odd.push("its Expiration states neither Days nor Date, or both".to_owned());
            None
        }
    }
}

fn noncurrent(stated: &NoncurrentVersionExpiration, odd: &mut Vec<String>) -> Option<Noncurrent> {
    let days = stated.noncurrent_days().and_then(|days| u32::try_from(days).ok());
    let keeps = u32::try_from(stated.newer_noncurrent_versions().unwrap_or(0)).ok();
    match days.zip(keeps) {
        Some((days, keeps)) => Some(Noncurrent { days, keeps }),
        None => {
            odd.push("its NoncurrentVersionExpiration states no usable number".to_owned());
            None
        }
    }
}

fn transition(stated: &StatedTransition, odd: &mut Vec<String>) -> Option<Transition> {
    let age = match (stated.days(), stated.date()) {
        (Some(days), None) => u32::try_from(days).ok().map(Age::Days),
        (None, Some(date)) => timestamp(date).map(Age::Date),
        _ => None,
    };
    let Some(age) = age else {
        odd.push("a Transition of it states no usable time".to_owned());
        return None;
    };
    Some(Transition { age, class: stated.storage_class().map_or_else(String::new, |class| class.as_str().to_owned()) })
}
