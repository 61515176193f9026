//! Who may read a bucket, and whether it locks objects.

use aws_sdk_s3::types::{Grant, ObjectLockConfiguration, ObjectLockEnabled};

use crate::facts::{BucketLock, DefaultRetention, LockMode, RetentionPeriod};

/// Predefined groups that hold everybody (S3 User Guide, *Access control list overview*).
const EVERYBODY: [(&str, &str); 2] = [
    ("http://acs.amazonaws.com/groups/global/AllUsers", "everybody"),
    ("http://acs.amazonaws.com/groups/global/AuthenticatedUsers", "every AWS account"),
];

/// The grants to everybody, for the user.
pub(super) fn public_grants(grants: &[Grant]) -> Vec<String> {
    let public = grants.iter().filter_map(|grant| {
        let uri = grant.grantee()?.uri()?;
        let (_, name) = EVERYBODY.into_iter().find(|(group, _)| *group == uri)?;
        let permission = grant.permission().map_or("a permission", |permission| permission.as_str());
        Some(format!("{permission} to {name}"))
    });
    public.collect()
}

/// The setting of a bucket.
pub(super) fn bucket_lock(stated: &ObjectLockConfiguration) -> BucketLock {
    let default = stated.rule().and_then(|rule| rule.default_retention());
    let number = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    BucketLock {
        is_enabled: stated.object_lock_enabled() == Some(&ObjectLockEnabled::Enabled),
        default: default.map(|default| DefaultRetention {
            mode: LockMode::of(default.mode().map_or("", |mode| mode.as_str())),
            period: match (number(default.days()), number(default.years())) {
                (Some(days), None) => RetentionPeriod::Days(days),
                (None, Some(years)) => RetentionPeriod::Years(years),
                _ => RetentionPeriod::NotStated,
            },
        }),
    }
}
