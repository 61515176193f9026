use std::collections::BTreeMap;

use jiff::Timestamp;

/// A rule of a bucket's lifecycle configuration (S3 API Reference, `LifecycleRule`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRule {
    /// Id of the rule.
    pub id: Option<String>,
    /// Whether the rule is in effect.
    pub status: RuleStatus,
    /// The objects it applies to.
    pub filter: RuleFilter,
    /// What it does to current versions.
    pub expiration: Option<Expiration>,
    /// What it does to noncurrent versions.
    pub noncurrent: Option<Noncurrent>,
    /// The storage classes it moves current versions to.
    pub transitions: Vec<Transition>,
    /// Days after which it removes unfinished uploads; 0 if it states no usable number.
    pub abort_uploads_after_days: Option<u32>,
    /// What could not be parsed, for the report. Such a rule may remove more than the other fields show.
    pub odd: Option<String>,
}

/// Status of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleStatus {
    /// The rule is in effect.
    Enabled,
    /// The rule is not in effect.
    Disabled,
    /// An unknown status, as the server wrote it.
    Other(String),
}

/// The objects a rule applies to: those that satisfy all conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleFilter {
    /// The key starts with this text.
    pub prefix: Option<String>,
    /// The object has all these tags.
    pub tags: BTreeMap<String, String>,
    /// The object is larger than this number of bytes.
    pub larger_than: Option<u64>,
    /// The object is smaller than this number of bytes.
    pub smaller_than: Option<u64>,
}

/// When a rule acts on an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// This number of days after the object was created.
    Days(u32),
    /// At a fixed time.
    Date(Timestamp),
}

/// What a rule does to current versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiration {
    /// Removes the current version at this age.
    After(Age),
    /// Removes delete markers without any other versions, and no data.
    LoneMarkers,
}

/// What a rule does to versions that are no longer current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noncurrent {
    /// Days after the version became noncurrent.
    pub days: u32,
    /// Number of newer noncurrent versions that are kept at any age.
    pub keeps: u32,
}

/// A move to another storage class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// When the move takes place.
    pub age: Age,
    /// Storage class in S3's spelling.
    pub class: String,
}

impl LifecycleRule {
    /// The name of the rule in reports.
    pub fn name(&self) -> String {
        match self.id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => format!("lifecycle rule `{id}`"),
            None => "a lifecycle rule without a name".to_owned(),
        }
    }
}
