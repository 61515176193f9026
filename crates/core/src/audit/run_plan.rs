use serde::{Deserialize, Serialize};

use super::{Level, Partition};
use crate::checksum::{Algorithm, Hasher};

/// The schema of the document.
const SCHEMA: &str = "stored-ami/audit-plan/1";

/// What all shards of one run have in common. The first shard writes it beside the results, and the others compare it
/// with their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPlan {
    /// The schema of the document, `stored-ami/audit-plan/1`.
    pub schema: String,
    /// The prefixes or the list.
    pub scope: Vec<String>,
    /// SHA-256 of the names, if the objects are named and not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names_sha256: Option<String>,
    /// How thoroughly each object is examined.
    pub level: Level,
    /// The part that is read at level `sample`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// Origins of further references.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub using: Vec<String>,
    /// The slice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<Partition>,
    /// Number of shards.
    pub shards: u32,
    /// Objects with more bytes than this are read in runs of parts by all shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_bytes: Option<u64>,
    /// Maximum age of a proof in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<i64>,
    /// SHA-256 of the policy's requirements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_sha256: Option<String>,
}

impl RunPlan {
    /// A plan of this many shards at this level, over everything in `scope`.
    pub fn new(scope: Vec<String>, level: Level, shards: u32) -> Self {
        RunPlan {
            schema: SCHEMA.to_owned(),
            scope,
            names_sha256: None,
            level,
            sample: None,
            using: Vec::new(),
            slice: None,
            shards,
            split_bytes: None,
            max_age_seconds: None,
            policy_sha256: None,
        }
    }

    /// The document, as it is written.
    pub fn document(&self) -> String {
        // Serialising strings and numbers cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// SHA-256 of a document.
    pub fn digest(document: &[u8]) -> String {
        Hasher::digest(Algorithm::Sha256, document).hex()
    }

    /// The names of the fields in which a document differs; `None` if it is no plan.
    pub fn differences(&self, document: &[u8]) -> Option<Vec<String>> {
        let other: RunPlan = serde_json::from_slice(document).ok().filter(|plan: &RunPlan| plan.schema == SCHEMA)?;
        let fields = |plan: &RunPlan| match serde_json::to_value(plan) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let (own, theirs) = (fields(self), fields(&other));
        let mut names: Vec<String> = own.keys().chain(theirs.keys()).cloned().collect();
        names.retain(|name| own.get(name) != theirs.get(name));
        names.sort();
        names.dedup();
        Some(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_what_differs() {
        let plan = RunPlan::new(vec!["s3://b/p".into()], Level::Bytes, 4);
        let same = plan.document();
        assert_eq!(plan.differences(same.as_bytes()), Some(Vec::new()));
        let other = RunPlan { policy_sha256: Some("00".into()), shards: 8, ..plan.clone() };
        assert_eq!(plan.differences(other.document().as_bytes()), Some(vec!["policy_sha256".into(), "shards".into()]));
        assert_ne!(RunPlan::digest(same.as_bytes()), RunPlan::digest(other.document().as_bytes()));
        for foreign in ["", "{}", "x"] {
            assert_eq!(plan.differences(foreign.as_bytes()), None);
        }
        let later = same.replace("audit-plan/1", "audit-plan/2");
        assert_eq!(plan.differences(later.as_bytes()), None);
    }
}
