//! Checks that the lines of an audit were judged by the policy that its end names.

use std::collections::{BTreeMap, BTreeSet};

use super::{AuditLines, AuditScope, FindingReport};
use crate::ident::Prefix;
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

impl AuditLines {
    /// The policy checks in these lines.
    pub fn demands(&self) -> Demands {
        let known = self.objects.iter().find(|one| one.identity.is_some());
        let buckets = self.buckets.iter().map(|one| (one.bucket.clone(), demands(&one.findings)));
        Demands { objects: known.map(|one| demands(&one.findings)), buckets: buckets.collect() }
    }

    /// A contradiction between the lines and the policy of the audit.
    pub(super) fn odd_policy(&self) -> Option<String> {
        let all = self.demands();
        let of_objects = all.objects.clone().unwrap_or_default();
        let other = self.objects.iter().find(|one| one.identity.is_some() && demands(&one.findings) != of_objects);
        if let Some(other) = other {
            return Some(format!("{}: it was not checked with the policy of the other objects", other.target));
        }
        let first = all.buckets.values().next();
        let missing = |prefix: &Prefix| first.is_some() && !all.buckets.contains_key(&prefix.bucket);
        if let Some(prefix) = self.end.scope.iter().filter_map(AuditScope::prefix).find(|prefix| missing(prefix)) {
            return Some(format!("bucket {}: it was not checked with the policy", prefix.bucket));
        }
        if let Some((bucket, _)) = all.buckets.iter().find(|(_, checks)| Some(*checks) != first || checks.is_empty()) {
            return Some(format!("bucket {bucket}: it was not checked with the policy of the others"));
        }
        let (is_none, is_asked) = (self.end.policy_sha256.is_none(), !of_objects.is_empty() || first.is_some());
        if is_none && is_asked {
            return Some("its lines were checked with a policy, and its end names none".to_owned());
        }
        (!is_none && !is_asked && all.objects.is_some())
            .then(|| "its end names a policy, and no line was checked with it".to_owned())
    }
}
