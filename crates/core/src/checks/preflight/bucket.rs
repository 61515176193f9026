use super::note::BucketNote;
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
                    let detail = "the server does not state the Region of the bucket".to_owned();
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
    let mut note = |note: BucketNote| out.notes.push(note.into());
    let why = |why: Option<String>| why.unwrap_or_default();
    match &survey.versioning {
        Fact::Known { value: Versioning::Enabled, .. } => {}
        Fact::Known { value, .. } => {
            note(BucketNote::NotVersioned { state: value.as_str().to_lowercase() });
        }
        other => note(BucketNote::VersioningUnknown { why: why(other.why_not()) }),
    }
    match &survey.encryption {
        Fact::Known { value, .. } => {
            note(BucketNote::Encrypts { algorithm: value.algorithm.clone(), key: value.key.clone() });
        }
        Fact::Absent { .. } => note(BucketNote::NoEncryption),
        other => note(BucketNote::EncryptionUnknown { why: why(other.why_not()) }),
    }
    match &survey.public_access_blocked {
        Fact::Known { value: true, .. } => {}
        Fact::Known { value: false, .. } | Fact::Absent { .. } => {
            note(BucketNote::PublicAccess);
        }
        other => note(BucketNote::PublicAccessUnknown { why: why(other.why_not()) }),
    }
}
