use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EndOption, Exit, IdentityReport, LayoutBasis, LayoutReport, Note, StatsReport};
use crate::copy::{CompareCheck, CompareFinding, Likeness, likeness_of};
use crate::text::words;

words! {
    /// What the result of a comparison rests on.
    pub enum CompareBasis {
        /// What is stated about both; no byte was read.
        Stated = "stated",
        /// Every byte of both was read.
        Read = "read",
    }
}

words! {
    /// What the user can do after a comparison.
    pub enum CompareStep {
        /// Compare again, and read both (`--read`).
        Read = "read",
        /// Make a readable copy of A (`thaw`).
        ThawA = "thaw_a",
        /// Make a readable copy of B (`thaw`).
        ThawB = "thaw_b",
        /// Find out which of the two is damaged (`verify`).
        VerifyBoth = "verify_both",
    }
}

/// Result of `compare`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompareReport {
    /// The first object.
    pub a: ComparedReport,
    /// The second object.
    pub b: ComparedReport,
    /// `same`, `different`, or `unknown` if it cannot be told.
    pub outcome: Likeness,
    /// `read` if every byte of both was compared; `stated` if the result rests on what is stated about them, which is
    /// no proof.
    pub basis: CompareBasis,
    /// What was compared, and what that shows.
    pub findings: Vec<CompareFindingReport>,
    /// Where the objects begin to differ; absent if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<FirstDifferenceReport>,
    /// What the user can do next.
    pub next_steps: Vec<CompareStep>,
    /// Requests, bytes read and time, of both objects together.
    pub stats: StatsReport,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Exit code of the command.
    pub exit_code: Exit,
}

/// One of two objects that are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedReport {
    /// The object, as a URI or a path.
    pub target: String,
    /// Profile that was named for this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Region that the requests are signed for; absent for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The state that was compared.
    pub identity: IdentityReport,
    /// Storage class in S3's spelling; absent for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Its parts; absent if they did not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutReport>,
    /// The options that reach this object, for commands that are printed. Not in JSON.
    #[serde(skip)]
    pub options: Vec<EndOption>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CompareFindingReport {
    /// What was compared.
    pub check: CompareCheck,
    /// What it shows: `same`, `different` or `unknown`.
    pub outcome: Likeness,
    /// What was found.
    pub detail: String,
}

/// The first byte that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FirstDifferenceReport {
    /// Offset of the first byte that differs.
    pub offset_bytes: u64,
    /// The part of A that contains it; absent if the parts of A are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a_part: Option<PartPlaceReport>,
    /// The part of B that contains it; absent if the parts of B are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b_part: Option<PartPlaceReport>,
    /// Number of pieces that differ.
    pub differing_pieces: u64,
    /// Number of pieces that both objects were compared in.
    pub pieces: u64,
    /// Bytes of each piece but the last.
    pub piece_bytes: u64,
}

/// A place in a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartPlaceReport {
    /// Number of the part, from 1.
    pub part: u64,
    /// Number of parts.
    pub of: u64,
    /// Offset in the part.
    pub offset_bytes: u64,
    /// How the parts are known.
    pub basis: LayoutBasis,
}

impl From<&CompareFinding> for CompareFindingReport {
    fn from(finding: &CompareFinding) -> Self {
        CompareFindingReport { check: finding.check, outcome: finding.likeness, detail: finding.text.clone() }
    }
}

impl CompareReport {
    /// Adds the findings, and sets the result and the exit code.
    pub fn conclude(&mut self, findings: &[CompareFinding]) {
        self.findings = findings.iter().map(CompareFindingReport::from).collect();
        self.outcome = likeness_of(findings);
        self.exit_code = match self.outcome {
            Likeness::Same => Exit::Passed,
            Likeness::Different => Exit::Failed,
            Likeness::Unknown => Exit::Unknown,
        };
    }
}
