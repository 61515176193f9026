use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, FindingReport, PartRunReport, ProbeReport, RatioReport, StreamReport};
use crate::checksum::{Algorithm, Digest};
use crate::facts::ObjectFacts;
use crate::plan::{Basis, KnownLayout, LayoutShape};
use crate::text::words;
use crate::verdict::{CheckId, Verdict};

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerifyReport {
    pub target: String,
    /// Over all findings.
    pub verdict: Verdict,
    /// Names of the references that matched over every byte.
    pub proved_by: Vec<CheckId>,
    /// Required checks whose `unknown` was accepted with `--accept`; the verdict does not change by it,
    /// the exit code does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<CheckId>,
    pub identity: IdentityReport,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutReport>,
    pub findings: Vec<FindingReport>,
    /// What is known of each part, in order; absent where the parts are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartRunReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<RatioReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamReport>,
    /// Digests of all bytes that were computed.
    pub digests: Vec<DigestReport>,
    pub stats: StatsReport,
    pub notes: Vec<String>,
    pub exit_code: Exit,
}

/// Under which identity an object was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityReport {
    pub object_bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Whether the name carries an AMI id, and which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ami_id: Option<String>,
}

words! {
    /// Whether all parts but the last are of one size.
    pub enum LayoutKind {
        Uniform = "uniform",
        Uneven = "uneven",
        Unknown = "unknown",
    }
}

words! {
    /// How a layout is known.
    pub enum LayoutBasis {
        Proved = "proved",
        /// It fits the number of parts; nothing states it.
        Assumed = "assumed",
    }
}

/// Where the parts end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LayoutReport {
    pub shape: LayoutKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
    /// Of all parts but the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_part_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest_part_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_part_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<LayoutBasis>,
    /// Where it is known from, or why it is not.
    pub source: String,
    /// Other part sizes that fit as well, in bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_candidates: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestReport {
    pub algorithm: Algorithm,
    pub base64: String,
    pub hex: String,
}

/// What the work took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatsReport {
    /// Requests of all kinds, repeated ones too.
    pub requests: u64,
    /// Of these, reads of object bytes.
    pub reads: u64,
    pub retries: u64,
    /// Object bytes that came over the wire.
    pub received_bytes: u64,
    /// Object bytes of ranges that came whole in the first reading.
    pub covered_bytes: u64,
    pub elapsed_seconds: f64,
    /// Bytes a second in each of equal periods, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub periods: Vec<f64>,
    /// How long each of these periods was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<f64>,
}

impl From<&ObjectFacts> for IdentityReport {
    fn from(facts: &ObjectFacts) -> Self {
        IdentityReport {
            object_bytes: facts.size,
            etag: facts.id.etag.as_ref().map(ToString::to_string),
            version_id: facts.version.clone(),
            last_modified: facts.last_modified.map(|time| time.to_string()),
            ami_id: facts.id.target.ami_id().map(|id| id.to_string()),
        }
    }
}

impl From<&Digest> for DigestReport {
    fn from(digest: &Digest) -> Self {
        DigestReport { algorithm: digest.algorithm(), base64: digest.base64(), hex: digest.hex() }
    }
}

impl From<&KnownLayout> for LayoutReport {
    fn from(known: &KnownLayout) -> Self {
        let mut report = LayoutReport {
            shape: LayoutKind::Unknown,
            parts: known.parts_count.map(u64::from),
            part_bytes: None,
            last_part_bytes: None,
            smallest_part_bytes: None,
            largest_part_bytes: None,
            basis: None,
            source: known.why_none.clone().unwrap_or_default(),
            other_candidates: Vec::new(),
        };
        let Some((first, others)) = known.candidates.split_first() else { return report };
        report.parts = Some(first.layout.count() as u64);
        let (basis, source) = match &first.basis {
            Basis::Proved { by } => (LayoutBasis::Proved, by),
            Basis::Assumed { from } => (LayoutBasis::Assumed, from),
        };
        report.basis = Some(basis);
        report.source = (*source).to_owned();
        match first.layout.shape() {
            LayoutShape::Uniform { part, last } => {
                report.shape = LayoutKind::Uniform;
                (report.part_bytes, report.last_part_bytes) = (Some(part), Some(last));
            }
            LayoutShape::Uneven { smallest, largest } => {
                report.shape = LayoutKind::Uneven;
                (report.smallest_part_bytes, report.largest_part_bytes) = (Some(smallest), Some(largest));
            }
        }
        report.other_candidates = others
            .iter()
            .filter_map(|candidate| match candidate.layout.shape() {
                LayoutShape::Uniform { part, .. } => Some(part),
                LayoutShape::Uneven { .. } => None,
            })
            .collect();
        report
    }
}
