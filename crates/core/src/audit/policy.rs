use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

use super::judge_proof::{ProofRule, Proofs, judge_proof};
use super::lock::{LockRequirement, judge_lock};
use super::rule::{decide, judge};
use super::stays::judge_stays;
use crate::audit::{Proof, UnprovedCopy};
use crate::checks::Removals;
use crate::checksum::{Algorithm, Hasher};
use crate::facts::{BucketEncryption, ClassWord, Encryption, EncryptionWord, Fact, LockFacts, Versioning};
use crate::verdict::{CheckId, Evidence, Failure, Finding, Outcome, PolicyCheck, ProofKind, Reason};

/// Requirements for an archive. What the file does not require is not checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Policy {
    /// Requirements for buckets.
    pub bucket: BucketPolicy,
    /// Requirements for objects.
    pub object: ObjectPolicy,
}

/// Requirements for buckets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BucketPolicy {
    /// Whether versioning must be enabled.
    pub versioning: bool,
    /// Whether all settings of Block Public Access must be on.
    pub public_access_blocked: bool,
    /// Permitted kinds of default encryption, in S3's spelling.
    #[serde(deserialize_with = "encryptions")]
    pub encryption: Vec<String>,
}

/// Requirements for objects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ObjectPolicy {
    /// Permitted kinds of encryption, in S3's spelling.
    #[serde(deserialize_with = "encryptions")]
    pub encryption: Vec<String>,
    /// Permitted storage classes, in S3's spelling.
    #[serde(deserialize_with = "classes")]
    pub storage_classes: Vec<String>,
    /// Required kind of lock.
    pub lock: Option<LockRequirement>,
    /// Minimum remaining days of the lock.
    pub lock_days: Option<u32>,
    /// Names of required tags.
    #[serde(deserialize_with = "tag_names")]
    pub tags: Vec<String>,
    /// Maximum age of a proof of every byte.
    #[serde(deserialize_with = "days")]
    pub proof_age: Option<SignedDuration>,
    /// The weakest kind of proof that counts; only reads if it is not stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofKind>,
    /// Whether the object shall stand in for the AMI that it was made of, so that neither values that other programs left
    /// prove it, nor its own values a copy of unproved bytes. A policy file cannot state it.
    #[serde(skip)]
    pub stands_in: bool,
    /// Time within which no lifecycle rule may remove the object.
    #[serde(deserialize_with = "days")]
    pub stays: Option<SignedDuration>,
    /// Whether a bucket of another Region must contain the same content.
    pub other_region: bool,
}

/// Facts about a bucket.
#[derive(Debug, Clone)]
pub struct BucketState {
    /// Versioning.
    pub versioning: Fact<Versioning>,
    /// Whether all settings of Block Public Access are on.
    pub public_access_blocked: Fact<bool>,
    /// Default encryption.
    pub encryption: Fact<BucketEncryption>,
}

/// Facts about an object.
#[derive(Debug, Clone)]
pub struct PolicySubject<'a> {
    /// Encryption, or why it is not known.
    pub encryption: Result<Encryption, String>,
    /// `x-amz-expiration`, or why it is not known.
    pub expiration: Result<Option<String>, String>,
    /// What the lifecycle rules of the bucket will do to the object.
    pub rules: Fact<Removals>,
    /// Storage class in S3's spelling.
    pub storage_class: Option<String>,
    /// Object Lock.
    pub lock: Fact<LockFacts>,
    /// Names of the tags.
    pub tags: Fact<Vec<String>>,
    /// Whether the state can be distinguished from every other, so that a proof can be attributed to it.
    pub identified: bool,
    /// The newest proof of every byte of this state.
    pub proof: Option<&'a Proof>,
    /// The newest proof of this state that did not read it.
    pub unread_proof: Option<&'a Proof>,
    /// The examination that cast doubt on this state, if there is no proof.
    pub doubt: Option<&'a Proof>,
    /// The copy that wrote this state, if nothing proved the bytes of its source.
    pub unproved_copy: Option<UnprovedCopy<'a>>,
}

/// Whether another Region contains the same content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyState {
    /// Another bucket contains it.
    In {
        /// The copy, for the report.
        other: String,
    },
    /// No listed bucket of another Region contains it.
    None,
    /// It could not be determined.
    NotKnown {
        /// The reason, for the report.
        why: String,
    },
}

impl ObjectPolicy {
    fn proof_rule(&self, age: SignedDuration) -> ProofRule {
        let weakest = self.proof.unwrap_or(ProofKind::Read);
        ProofRule { age, weakest, stands_in: self.stands_in }
    }
}

impl PolicySubject<'_> {
    fn proofs(&self) -> Proofs<'_> {
        Proofs {
            read: self.proof,
            unread: self.unread_proof,
            doubt: self.doubt,
            unproved_copy: self.unproved_copy,
            identified: self.identified,
        }
    }
}

impl Policy {
    /// Parses a policy file (TOML).
    ///
    /// # Errors
    ///
    /// When the text is not a valid policy; the text names the line.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        })
    }

    /// SHA-256 of the requirements, by which runs with the same policy are recognised; `None` if there are
    /// none.
    pub fn digest(&self) -> Option<String> {
        let demands = serde_json::to_vec(self).ok().filter(|_| *self != Policy::default())?;
        Some(Hasher::digest(Algorithm::Sha256, &demands).hex())
    }

    /// Whether it requires properties of objects that a listing does not state.
    pub fn wants_head(&self) -> bool {
        let object = &self.object;
        !object.encryption.is_empty() || object.stays.is_some() || self.wants_lock() || self.wants_tags()
    }

    /// Whether it requires a lock.
    pub fn wants_lock(&self) -> bool {
        self.object.lock.is_some() || self.object.lock_days.is_some()
    }

    /// Whether it requires tags.
    pub fn wants_tags(&self) -> bool {
        !self.object.tags.is_empty()
    }

    /// Checks a bucket, with one finding per requirement.
    pub fn judge_bucket(&self, state: &BucketState) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.bucket.versioning {
            let outcome = match &state.versioning {
                Fact::Known { value: Versioning::Other(word), .. } => not_known("versioning", word),
                known => {
                    judge(known, "GetBucketVersioning", "Enabled", |is| *is == Versioning::Enabled, ToString::to_string)
                }
            };
            findings.push(finding(PolicyCheck::Versioning, outcome));
        }
        if self.bucket.public_access_blocked {
            let show = |on: &bool| if *on { "all four settings are on" } else { "not all settings are on" }.to_owned();
            let outcome =
                judge(&state.public_access_blocked, "GetPublicAccessBlock", "all four settings are on", |on| *on, show);
            findings.push(finding(PolicyCheck::PublicAccess, outcome));
        }
        let allowed = &self.bucket.encryption;
        if !allowed.is_empty() {
            let outcome = match &state.encryption {
                Fact::Known { value, source } => encrypted(allowed, &value.algorithm, source),
                other => judge(other, "GetBucketEncryption", &one_of(allowed), |_| false, |_| String::new()),
            };
            findings.push(finding(PolicyCheck::BucketEncryption, outcome));
        }
        findings
    }

    /// Checks an object, with one finding per requirement.
    pub fn judge_object(&self, state: &PolicySubject<'_>, now: Timestamp) -> Vec<Finding> {
        let wish = &self.object;
        let mut findings = Vec::new();
        if !wish.encryption.is_empty() {
            findings.push(finding(PolicyCheck::Encryption, encryption(&wish.encryption, &state.encryption)));
        }
        if !wish.storage_classes.is_empty() {
            let outcome = match &state.storage_class {
                None => Outcome::Unknown(Reason::NotStated { detail: "no storage class is stated".to_owned() }),
                Some(class) => {
                    let fits = wish.storage_classes.iter().any(|allowed| allowed == class);
                    let evidence = Evidence::of_rule("storage class", one_of(&wish.storage_classes), class);
                    match fits || ClassWord::of(class).is_known() {
                        true => decide(fits, evidence),
                        false => not_known("storage class", class),
                    }
                }
            };
            findings.push(finding(PolicyCheck::StorageClass, outcome));
        }
        if self.wants_lock() {
            let days = wish.lock_days.unwrap_or_default();
            findings.push(finding(PolicyCheck::Lock, judge_lock(wish.lock, days, &state.lock, now)));
        }
        if !wish.tags.is_empty() {
            let lacking = |tags: &Vec<String>| {
                let lacking: Vec<&str> =
                    wish.tags.iter().filter(|tag| !tags.contains(tag)).map(String::as_str).collect();
                lacking.join(", ")
            };
            let show = |tags: &Vec<String>| match lacking(tags) {
                none if none.is_empty() => "all are there".to_owned(),
                some => format!("without {some}"),
            };
            let fits = |tags: &Vec<String>| lacking(tags).is_empty();
            let outcome = judge(&state.tags, "GetObjectTagging", &wish.tags.join(", "), fits, show);
            findings.push(finding(PolicyCheck::Tags, outcome));
        }
        if let Some(age) = wish.proof_age {
            findings.push(finding(PolicyCheck::ProofAge, judge_proof(&wish.proof_rule(age), &state.proofs(), now)));
        }
        if let Some(time) = wish.stays {
            findings.push(finding(PolicyCheck::Stays, judge_stays(time, &state.expiration, &state.rules, now)));
        }
        findings
    }

    /// Checks the requirement of a copy in another Region, which needs all objects.
    pub fn judge_copies(&self, copies: &CopyState) -> Option<Finding> {
        if !self.object.other_region {
            return None;
        }
        let evidence =
            |observed: &str| Evidence::of_rule("the objects listed", "the same content in another Region", observed);
        let outcome = match copies {
            CopyState::In { other } => Outcome::Pass(evidence(other)),
            CopyState::None => Outcome::Fail(Failure::of_rule(evidence("in no other Region"))),
            CopyState::NotKnown { why } => Outcome::Unknown(Reason::NotStated { detail: why.clone() }),
        };
        Some(finding(PolicyCheck::OtherRegion, outcome))
    }
}

fn encryption(allowed: &[String], is: &Result<Encryption, String>) -> Outcome {
    let is = match is {
        Ok(is) => is,
        Err(why) => return Outcome::Unknown(Reason::NotStated { detail: why.clone() }),
    };
    let kind = match is {
        Encryption::None => "none stated",
        Encryption::S3Managed => "AES256",
        Encryption::Kms { kind, .. } | Encryption::Other(kind) => kind,
        Encryption::CustomerKey => "SSE-C",
    };
    encrypted(allowed, kind, "HeadObject")
}

/// An unknown kind of encryption is unknown, not different from the permitted ones.
fn encrypted(allowed: &[String], kind: &str, source: &str) -> Outcome {
    let fits = allowed.iter().any(|allowed| allowed == kind);
    match fits || EncryptionWord::of(kind).is_known() {
        true => decide(fits, Evidence::of_rule(source, one_of(allowed), kind)),
        false => not_known("encryption", kind),
    }
}

/// The outcome for a word of the server that is not known.
fn not_known(what: &str, word: &str) -> Outcome {
    Outcome::Unknown(Reason::NotStated { detail: format!("the {what} is `{word}`, which is not known") })
}

fn finding(upkeep: PolicyCheck, outcome: Outcome) -> Finding {
    Finding { check: CheckId::PolicyCheck(upkeep), required: true, outcome }
}

fn one_of(allowed: &[String]) -> String {
    allowed.join(" or ")
}

/// A list in a policy file. An empty list would require nothing, and an unknown word could not be satisfied,
/// so both are refused.
fn list<'de, D: Deserializer<'de>>(
    input: D,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(input)?;
    if words.is_empty() {
        return Err(serde::de::Error::custom("the list is empty: leave it out, or name what must hold"));
    }
    words.iter().try_for_each(|word| check(word)).map_err(serde::de::Error::custom)?;
    Ok(words)
}

fn one_of_the_known(what: &str, word: &str, known: &[&str]) -> Result<(), String> {
    let wrong = || format!("`{word}` is not a {what}; known are {}", known.join(", "));
    known.contains(&word).then_some(()).ok_or_else(wrong)
}

fn encryptions<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    list(input, |word| one_of_the_known("kind of encryption", word, EncryptionWord::KNOWN))
}

fn classes<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    list(input, |word| one_of_the_known("storage class", word, ClassWord::KNOWN))
}

/// A tag key has 1 to 128 characters (S3 User Guide, *Categorizing your objects using tags*).
fn tag_names<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    list(input, |word| match word.trim().is_empty() || word.chars().count() > 128 {
        true => Err(format!("`{word}` is not a tag name: it has 1 to 128 characters")),
        false => Ok(()),
    })
}

/// Parses `30d`, `2w`, `12h`; a day has 24 hours.
fn days<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SignedDuration>, D::Error> {
    let text = String::deserialize(input)?;
    let wrong = || serde::de::Error::custom(format!("`{text}` is not a duration such as 30d, 2w or 12h"));
    age(&text).filter(SignedDuration::is_positive).map(Some).ok_or_else(wrong)
}

/// Parses a time in days, weeks or hours, such as `30d`; `None` if the text is not one.
pub fn age(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let age = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (!age.is_negative()).then_some(age)
}
