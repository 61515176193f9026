//! Checks that the lines of an audit were judged by the policy that its end names.

use std::collections::{BTreeMap, BTreeSet};

use super::{AuditReport, AuditScope, AuditedBucketReport, AuditedReport, FindingReport};
use crate::ident::{ObjectUri, Prefix};
use crate::verdict::{CheckId, PolicyCheck};

/// The policy checks in the lines of an audit. All objects of one audit are judged by the same checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demands {
    /// Checks of objects; `None` if no object has an identity.
    objects: Option<BTreeSet<CheckId>>,
    /// Checks of buckets, by bucket.
    buckets: BTreeMap<String, BTreeSet<CheckId>>,
}

impl Demands {
    /// Whether the lines of both can belong to one audit.
    pub fn go_with(&self, other: &Demands) -> bool {
        let alike = self.objects.as_ref().zip(other.objects.as_ref()).is_none_or(|(one, other)| one == other);
        alike && self.buckets == other.buckets
    }
}

impl FindingReport {
    /// Whether the check belongs to a policy.
    fn is_demand(&self) -> bool {
        use PolicyCheck::{Present, Sound, Unchanged};
        self.upkeep().is_some_and(|upkeep| !matches!(upkeep, Present | Sound | Unchanged))
    }
}

fn demands(findings: &[FindingReport]) -> BTreeSet<CheckId> {
    findings.iter().filter(|finding| finding.is_demand()).map(|finding| finding.check).collect()
}

impl Demands {
    /// Adds the line of an object. Returns whether it was checked with the policy of the objects before it.
    pub(super) fn add_object(&mut self, one: &AuditedReport) -> bool {
        if one.identity.is_none() {
            return true;
        }
        let checks = demands(&one.findings);
        *self.objects.get_or_insert_with(|| checks.clone()) == checks
    }

    /// Adds the line of a bucket.
    pub(super) fn add_bucket(&mut self, one: &AuditedBucketReport) {
        self.buckets.insert(one.bucket.clone(), demands(&one.findings));
    }

    /// A contradiction between the lines and the policy of the audit. `stranger` is an object that was checked with
    /// another policy than the others.
    pub(super) fn contradiction(&self, end: &AuditReport, stranger: Option<&ObjectUri>) -> Option<String> {
        if let Some(stranger) = stranger {
            return Some(format!("{stranger}: it was not checked with the policy of the other objects"));
        }
        let first = self.buckets.values().next();
        let missing = |prefix: &Prefix| first.is_some() && !self.buckets.contains_key(&prefix.bucket);
        if let Some(prefix) = end.scope.iter().filter_map(AuditScope::prefix).find(|prefix| missing(prefix)) {
            return Some(format!("bucket {}: it was not checked with the policy", prefix.bucket));
        }
        if let Some((bucket, _)) = self.buckets.iter().find(|(_, checks)| Some(*checks) != first || checks.is_empty()) {
            return Some(format!("bucket {bucket}: it was not checked with the policy of the others"));
        }
        let is_asked = self.objects.as_ref().is_some_and(|checks| !checks.is_empty()) || first.is_some();
        let is_none = end.policy_sha256.is_none();
        if is_none && is_asked {
            return Some("its lines were checked with a policy, and its end names none".to_owned());
        }
        (!is_none && !is_asked && self.objects.is_some())
            .then(|| "its end names a policy, and no line was checked with it".to_owned())
    }
}
