use std::collections::BTreeMap;

use jiff::Timestamp;

/// A rule of a bucket's lifecycle configuration (S3 API reference, `LifecycleRule`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRule {
    pub id: Option<String>,
    pub status: RuleStatus,
    pub filter: RuleFilter,
    pub expiration: Option<Expiration>,
    pub noncurrent: Option<Noncurrent>,
    pub transitions: Vec<Transition>,
    /// In words, what of the rule is not understood. Such a rule may remove more than it seems to.
    pub odd: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleStatus {
    Enabled,
    Disabled,
    /// A word that is not known.
    Other(String),
}

/// Which objects a rule is for: those that fit all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleFilter {
    pub prefix: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// Bytes.
    pub larger_than: Option<u64>,
    /// Bytes.
    pub smaller_than: Option<u64>,
}

/// When a rule acts upon an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// So many days after the object was made.
    Days(u32),
    Date(Timestamp),
}

/// What a rule does to current versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiration {
    After(Age),
    /// Removes delete markers that have no versions behind them, and no bytes.
    LoneMarkers,
}

/// What a rule does to versions that are no longer current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noncurrent {
    /// Days after the version stopped being current.
    pub days: u32,
    /// So many newer noncurrent versions stay whatever their age.
    pub keeps: u32,
}

/// A move to another storage class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    pub age: Age,
    /// S3's word.
    pub class: String,
}

impl LifecycleRule {
    /// How messages name it.
    pub fn name(&self) -> String {
        match self.id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => format!("lifecycle rule `{id}`"),
            None => "a lifecycle rule without a name".to_owned(),
        }
    }
}
