use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exit, FindingReport, Note, PartRunReport, ProbeReport, RatioReport, StreamReport};
use crate::checksum::{Algorithm, Digest};
use crate::facts::ObjectFacts;
use crate::ident::{ETag, ObjectIdentity, Target};
use crate::plan::{Basis, KnownLayout, LayoutShape};
use crate::text::words;
use crate::verdict::{CheckId, Verdict};

/// Result of `verify`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerifyReport {
    /// The object, as a URI or a path.
    pub target: String,
    /// `pass`, `fail` or `unknown`, over all findings.
    pub verdict: Verdict,
    /// Names of the references that matched over every byte.
    pub proved_by: Vec<CheckId>,
    /// Required checks whose `unknown` was accepted with `--accept`. This changes the exit code, not the
    /// verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<CheckId>,
    /// The state of the object that was read.
    pub identity: IdentityReport,
    /// The parts of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutReport>,
    /// One finding per check.
    pub findings: Vec<FindingReport>,
    /// State of each part, in order; absent if the parts are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartRunReport>,
    /// Compression ratios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<RatioReport>,
    /// Estimates about the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeReport>,
    /// Result of decoding the object as a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamReport>,
    /// Digests of the whole object that were computed.
    pub digests: Vec<DigestReport>,
    /// Requests, bytes and time.
    pub stats: StatsReport,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Exit code for this target.
    pub exit_code: Exit,
}

/// The state of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityReport {
    /// Size in bytes.
    pub object_bytes: u64,
    /// ETag of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Version id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Time of last modification, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// The AMI id in the name of the object, if there is one.
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

/// The parts of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LayoutReport {
    /// `uniform`, `uneven` or `unknown`.
    pub shape: LayoutKind,
    /// Number of parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
    /// Bytes of each part but the last, if they are equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_bytes: Option<u64>,
    /// Bytes of the last part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_part_bytes: Option<u64>,
    /// Bytes of the smallest part, if the sizes differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest_part_bytes: Option<u64>,
    /// Bytes of the largest part, if the sizes differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_part_bytes: Option<u64>,

    /// `proved`, or `assumed` if it only fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<LayoutBasis>,
    /// Source of the layout, or why it is not known.
    pub source: String,
    /// Other part sizes that fit, in bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_candidates: Vec<u64>,
}

/// A digest of the whole object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestReport {
    /// Name of the algorithm.
    pub algorithm: Algorithm,
    /// The value in base64.
    pub base64: String,
    /// The value in hexadecimal.
    pub hex: String,
}

/// Requests, bytes and time of the work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatsReport {
    /// Requests of all kinds, including repeated ones.
    pub requests: u64,
    /// Number of these that read object bytes.
    pub reads: u64,
    /// Number of repeated requests.
    pub retries: u64,
    /// Object bytes received.
    pub received_bytes: u64,
    /// Object bytes of the ranges that were complete after the first read.
    pub covered_bytes: u64,
    /// Duration of the work.
    pub elapsed_seconds: f64,
    /// Throughput in periods of equal length, in order, in bytes per second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub periods: Vec<f64>,
    /// Length of a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<f64>,
}

impl From<&ObjectFacts> for IdentityReport {
    fn from(facts: &ObjectFacts) -> Self {
        IdentityReport::new(&facts.identity(), &facts.id.target)
    }
}

impl IdentityReport {
    /// The form of an identity in reports.
    pub fn new(identity: &ObjectIdentity, target: &Target) -> Self {
        IdentityReport {
            object_bytes: identity.object_bytes.unwrap_or_default(),
            etag: identity.etag.as_ref().map(ToString::to_string),
            version_id: identity.version_id.clone(),
            last_modified: identity.last_modified.clone(),
            ami_id: target.ami_id().map(|id| id.to_string()),
        }
    }

    /// The identity that it reports.
    pub fn identity(&self) -> ObjectIdentity {
        ObjectIdentity {
            object_bytes: Some(self.object_bytes),
            etag: self.etag.as_deref().map(ETag::kept),
            version_id: self.version_id.clone(),
            last_modified: self.last_modified.clone(),
        }
    }

    /// The same as far as a listing states it too: the time in whole seconds, and no version.
    pub fn listed_identity(&self) -> ObjectIdentity {
        let whole = |at: &String| {
            let second = at.parse::<Timestamp>().ok().and_then(|at| Timestamp::from_second(at.as_second()).ok());
            second.map_or_else(|| at.clone(), |second| second.to_string())
        };
        let last_modified = self.last_modified.as_ref().map(whole);
        ObjectIdentity { last_modified, version_id: None, ..self.identity() }
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
