use super::{Preflight, fail, pass, reason, unknown};
use crate::facts::{BucketEncryption, BucketFacts, Fact, Versioning};
use crate::verdict::{Condition, Reason};

/// Answers about a bucket.
#[derive(Debug, Clone)]
pub struct BucketSurvey {
    /// Name of the bucket.
    pub name: String,
    /// Existence and Region.
    pub facts: Fact<BucketFacts>,
    /// Versioning.
    pub versioning: Fact<Versioning>,
    /// Default encryption.
    pub encryption: Fact<BucketEncryption>,
    /// Whether all four settings of Block Public Access are on.
    pub public_access_blocked: Fact<bool>,
}

/// Checks that the bucket exists and is in the Region of the call.
pub(super) fn bucket_location(survey: &BucketSurvey, region: &str, out: &mut Preflight) {
    let name = &survey.name;
    match &survey.facts {
        Fact::Known { value, source } => {
            out.findings.push(pass(Condition::Bucket, source, format!("bucket {name} exists"), "it answers"));
            let rule = format!("{name} is in {region}, the Region of the call");
            out.findings.push(match &value.region {
                Some(at) if at == region => pass(Condition::BucketRegion, source, rule, at.as_str()),
                Some(at) => fail(Condition::BucketRegion, source, rule, format!("it is in {at}")),
                None => {
                    let detail = "the server does not tell the Region of the bucket".to_owned();
                    unknown(Condition::BucketRegion, Reason::NotStated { detail })
                }
            });
        }
        Fact::Absent { source } => {
            let rule = format!("bucket {name} exists");
            out.findings.push(fail(Condition::Bucket, source, rule, "there is no such bucket"));
        }
        other => {
            out.findings.push(unknown(Condition::Bucket, reason(other, "the bucket")));
            out.findings.push(unknown(Condition::BucketRegion, reason(other, "the Region of the bucket")));
        }
    }
}

/// Notes on the protection of objects in this bucket, which AWS recommends to check before a store.
pub(super) fn bucket_protection(survey: &BucketSurvey, out: &mut Preflight) {
    let mut note = |text: String| out.notes.push(text);
    match &survey.versioning {
        Fact::Known { value: Versioning::Enabled, .. } => {}
        Fact::Known { value, .. } => {
            note(format!(
                "versioning of the bucket is {}: what is overwritten or deleted is gone",
                value.as_str().to_lowercase()
            ));
        }
        other => note(format!("versioning of the bucket: {}", other.why_not().unwrap_or_default())),
    }
    match &survey.encryption {
        Fact::Known { value, .. } => {
            let key = value.key.as_ref().map(|key| format!(" with key {key}")).unwrap_or_default();
            note(format!("the bucket encrypts new objects with {}{key}", value.algorithm));
        }
        Fact::Absent { .. } => note("the bucket states no default encryption".to_owned()),
        other => note(format!("default encryption of the bucket: {}", other.why_not().unwrap_or_default())),
    }
    match &survey.public_access_blocked {
        Fact::Known { value: true, .. } => {}
        Fact::Known { value: false, .. } | Fact::Absent { .. } => {
            note("public access to the bucket is not blocked in all four ways".to_owned());
        }
        other => note(format!("public access to the bucket: {}", other.why_not().unwrap_or_default())),
    }
}
