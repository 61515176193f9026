use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CostLineReport, Exit, IdentityReport, Note};
use crate::checks::thaw::{ArchiveState, ThawCheck, ThawFinding, ThawTimes};
use crate::price::RetrievalTier;
use crate::text::words;
use crate::verdict::Verdict;

words! {
    /// Whether an object can be read, and what is under way.
    pub enum ThawState {
        /// It is not archived.
        NotArchived = "not_archived",
        /// It is archived.
        Archived = "archived",
        /// It is archived, and a copy is being made.
        Restoring = "restoring",
        /// A copy can be read.
        Restored = "restored",
        /// What the server states is not understood.
        Unknown = "unknown",
    }
}

words! {
    /// What a run of `thaw` did.
    pub enum ThawOutcome {
        /// There was nothing to ask for.
        Reported = "reported",
        /// Nothing was sent; this is what it would ask for.
        Planned = "planned",
        /// A condition is not met; nothing was asked for.
        Refused = "refused",
        /// S3 took the request.
        Requested = "requested",
    }
}

/// Result of `thaw`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThawReport {
    /// The object.
    pub target: String,
    /// What this run did.
    pub outcome: ThawOutcome,
    /// The last known state of the object.
    pub state: ThawState,
    /// Its identity.
    pub identity: IdentityReport,
    /// Storage class in S3's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Archive tier of Intelligent-Tiering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_status: Option<String>,
    /// Until when the copy can be read, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readable_until: Option<String>,
    /// The tier that is asked for, in S3's spelling; absent if nothing is to be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// The days that are asked for; absent in Intelligent-Tiering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// The days that are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_days: Option<u32>,
    /// The longest documented time until the object can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_seconds: Option<u64>,
    /// Estimated time to verify the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_seconds: Option<u64>,
    /// Estimated time to restore the AMI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_seconds: Option<u64>,
    /// Region of the prices.
    pub price_region: String,
    /// What it costs.
    pub costs: Vec<CostLineReport>,
    /// One finding per check.
    pub findings: Vec<ThawFindingReport>,
    /// Remarks.
    pub notes: Vec<Note>,
    /// Requests of all kinds.
    pub requests: u64,
    /// Time since this run began.
    pub elapsed_seconds: f64,
    /// Exit code of the command.
    pub exit_code: Exit,
    /// Whether S3 is asked next, so that this report is not the last one. Not in JSON.
    #[serde(skip)]
    pub goes_on: bool,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThawFindingReport {
    /// Name of the check.
    pub check: ThawCheck,
    /// Whether nothing is asked for without it.
    pub required: bool,
    /// `pass`, `fail` or `unknown`.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
}

impl From<&ThawFinding> for ThawFindingReport {
    fn from(finding: &ThawFinding) -> Self {
        ThawFindingReport {
            check: finding.check,
            required: finding.required,
            verdict: finding.verdict,
            detail: finding.text.clone(),
        }
    }
}

impl ThawReport {
    /// Takes over a state that was seen.
    pub fn saw(&mut self, state: &ArchiveState) {
        let (state, until) = match state {
            ArchiveState::Readable => (ThawState::NotArchived, None),
            ArchiveState::Archived(_) => (ThawState::Archived, None),
            ArchiveState::Restoring(_) => (ThawState::Restoring, None),
            ArchiveState::Restored(_, until) => (ThawState::Restored, *until),
            ArchiveState::Unclear(_) => (ThawState::Unknown, None),
        };
        (self.state, self.readable_until) = (state, until.map(|until| until.to_string()));
    }

    /// Takes over what is to be asked for.
    pub fn plan(&mut self, tier: Option<RetrievalTier>, days: Option<u32>, times: Option<ThawTimes>) {
        self.tier = tier.map(|tier| tier.name().to_owned());
        self.days = days;
        if let Some(times) = times {
            self.tier_seconds = Some(times.tier.as_secs());
            self.verify_seconds = Some(times.verify.as_secs());
            self.restore_seconds = Some(times.restore.as_secs());
        }
    }

    /// Adds findings.
    pub fn add(&mut self, findings: &[ThawFinding]) {
        self.findings.extend(findings.iter().map(ThawFindingReport::from));
    }

    /// `fail` if a check failed, `unknown` if a required one is unknown.
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.findings.iter().any(|finding| finding.required && finding.verdict == verdict);
        match (any(Verdict::Fail), any(Verdict::Unknown)) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Unknown,
            (false, false) => Verdict::Pass,
        }
    }
}
