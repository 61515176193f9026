use super::{DestinationSurvey, PlannedObject};
use crate::copy::{CopyCheck, CopyFinding};
use crate::facts::{Fact, UploadFacts, Versioning};

/// The reason why a fact is not known.
fn why<T>(fact: &Fact<T>) -> String {
    fact.why_not().unwrap_or_default()
}

pub(super) fn bucket_exists(survey: &DestinationSurvey) -> CopyFinding {
    let name = &survey.bucket;
    match &survey.facts {
        Fact::Known { value, source } => {
            let region = value.region.as_deref().unwrap_or("not stated");
            CopyFinding::pass(CopyCheck::Bucket, format!("{name} exists, Region {region}")).by(source)
        }
        Fact::Absent { source } => {
            CopyFinding::fail(CopyCheck::Bucket, format!("there is no bucket {name}")).by(source)
        }
        other => CopyFinding::open(CopyCheck::Bucket, why(other)),
    }
}

pub(super) fn versioning(survey: &DestinationSurvey) -> CopyFinding {
    let check = CopyCheck::Versioning;
    match &survey.versioning {
        Fact::Known { value: Versioning::Enabled, source } => CopyFinding::pass(check, "enabled").by(source),
        Fact::Known { value, source } => {
            let state = value.as_str().to_lowercase();
            let text = format!("{state}: a later write or delete of this key leaves no older version");
            CopyFinding { required: false, ..CopyFinding::pass(check, text).by(source) }
        }
        other => CopyFinding::aside(check, why(other)),
    }
}

pub(super) fn bucket_encryption(survey: &DestinationSurvey) -> CopyFinding {
    let check = CopyCheck::BucketEncryption;
    match &survey.encryption {
        Fact::Known { value, source } => {
            let key = value.key.as_ref().map(|key| format!(", key {key}")).unwrap_or_default();
            CopyFinding::pass(check, format!("{}{key}", value.algorithm)).by(source)
        }
        other => CopyFinding::aside(check, why(other)),
    }
}

/// Whether the bucket takes the lock that was asked for, and which one it applies by itself.
pub(super) fn object_lock(survey: &DestinationSurvey, planned: &PlannedObject<'_>) -> CopyFinding {
    let check = CopyCheck::ObjectLock;
    let asked = planned.lock;
    match &survey.object_lock {
        Fact::Known { value, source } if value.is_enabled => {
            let default = match &value.default {
                Some(default) => format!("it locks new objects for {default}"),
                None => "it locks no new object by default".to_owned(),
            };
            let text = match asked.is_empty() {
                true => format!("the bucket has Object Lock; {default}"),
                false => format!("the bucket has Object Lock; the copy requests {asked}"),
            };
            CopyFinding::pass(check, text).by(source)
        }
        Fact::Known { source, .. } | Fact::Absent { source } => match asked.is_empty() {
            true => CopyFinding::pass(check, "the bucket has no Object Lock").by(source),
            false => {
                let text = format!("the copy requests {asked}, and the bucket has no Object Lock");
                CopyFinding::fail(check, text).by(source)
            }
        },
        other if asked.is_empty() => CopyFinding::aside(check, why(other)),
        other => CopyFinding::open(check, format!("the copy requests {asked}: {}", why(other))),
    }
}

/// The Region in the ARN of a KMS key; `None` for an id or an alias, which S3 looks up in the Region of the bucket.
fn region_of(key: &str) -> Option<&str> {
    match *key.splitn(6, ':').collect::<Vec<_>>() {
        ["arn", _, "kms", region, _, _] if !region.is_empty() => Some(region),
        _ => None,
    }
}

/// S3 takes a key of the bucket's Region only (S3 User Guide, *Using server-side encryption with AWS KMS keys*).
pub(super) fn kms_key(survey: &DestinationSurvey, planned: &PlannedObject<'_>) -> Option<CopyFinding> {
    let check = CopyCheck::KmsKey;
    let of_bucket = survey.encryption.value().and_then(|default| default.key.as_deref());
    let key = planned.kms_key.or(of_bucket)?;
    let key_region = region_of(key)?;
    let bucket_region = survey.facts.value().and_then(|facts| facts.region.as_deref());
    Some(match bucket_region {
        Some(region) if region == key_region => {
            CopyFinding::pass(check, format!("the key is in {region}, the Region of the bucket")).by("its ARN")
        }
        Some(region) => {
            let text =
                format!("the key is in {key_region} and the bucket in {region}: S3 takes no key of another Region");
            CopyFinding::fail(check, text).by("its ARN")
        }
        None => {
            CopyFinding::open(check, format!("the key is in {key_region}, and the Region of the bucket is not stated"))
        }
    })
}

/// At most this many uploads are named.
const MOST_UPLOADS: usize = 3;

/// Names unfinished uploads, `count` of which are of others.
fn other_uploads(uploads: &[UploadFacts], count: usize) -> String {
    let names = uploads.iter().take(MOST_UPLOADS).map(|upload| {
        let id = upload.id.as_deref().unwrap_or("not stated");
        let begun = upload.initiated.map(|at| format!(" of {at}")).unwrap_or_default();
        format!("{id}{begun}")
    });
    let names = names.collect::<Vec<_>>().join(", ");
    let more = if uploads.len() > MOST_UPLOADS { ", and more" } else { "" };
    let of = if uploads.len() > count { "; one of these is the upload that this copy continues" } else { "" };
    let (other, are) = if count == 1 { ("other upload", "is") } else { ("other uploads", "are") };
    format!(
        "{count} {other} of this key {are} in progress, by another writer or left by one: upload id {names}{more}{of}"
    )
}

pub(super) fn uploads(survey: &DestinationSurvey, planned: &PlannedObject<'_>) -> CopyFinding {
    let check = CopyCheck::Uploads;
    match &survey.uploads {
        Fact::Known { value, source } => match value.len().saturating_sub(planned.own_uploads) {
            0 => CopyFinding::pass(check, "no other upload of this key is in progress").by(source),
            count => CopyFinding::open(check, other_uploads(value, count)).by(source),
        },
        other => CopyFinding::aside(check, why(other)),
    }
}

/// Whether an object of the same name is under another path. It prevents nothing: copies in several places are usual.
pub(super) fn other_path(survey: &DestinationSurvey, planned: &PlannedObject<'_>) -> CopyFinding {
    let check = CopyCheck::OtherPath;
    let (found, source) = match &survey.others {
        Fact::Known { value, source } => (value, source),
        other => return CopyFinding::aside(check, why(other)),
    };
    let keys: Vec<&str> = found.keys.iter().map(String::as_str).filter(|key| *key != planned.key).collect();
    let place = if found.under.is_empty() { "in the bucket".to_owned() } else { format!("under {}", found.under) };
    let finding = match (keys.first(), found.is_all) {
        (Some(first), _) => CopyFinding::aside(
            check,
            match keys.len() {
                1 => format!("an object of the same name is at {first}"),
                count => format!("{count} objects of the same name are {place}, the first at {first}"),
            },
        ),
        (None, true) => CopyFinding::pass(check, format!("no other object of this name is {place}")),
        (None, false) => {
            CopyFinding::aside(check, format!("none among the first keys {place}; the rest was not listed"))
        }
    };
    CopyFinding { required: false, ..finding.by(source) }
}
