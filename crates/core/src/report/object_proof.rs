use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audit::joined;
use crate::checks::preflight::LastVerified;
use crate::text::words;
use crate::verdict::{CheckId, Origin, Verdict};

words! {
    /// Whether the bytes of an object were proved before it is restored.
    pub enum ObjectProofState {
        /// This run read none of them but one, which tests the permission, and no earlier proof is known.
        NotVerified = "not_verified",
        /// An earlier run proved them, and the object still has the ETag and the size of that time.
        ProvedBefore = "proved_before",
        /// This run read and proved all of them.
        Proved = "proved",
        /// This run read them, and they do not match.
        Failed = "failed",
        /// This run was to prove them, and could not.
        Unknown = "unknown",
    }
}

/// What is known of the bytes of the object that a restore reads. AWS demands no proof of them, so a preflight passes
/// without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectProofReport {
    /// `not_verified`, `proved_before`, `proved`, `failed` or `unknown`.
    pub state: ObjectProofState,
    /// Time of the earlier proof, RFC 3339; only with `proved_before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved_at: Option<String>,
    /// The manifest of the earlier proof; only with `proved_before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The references that every byte was held against in this run; only with `proved`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proved_by: Vec<CheckId>,
}

/// What a proof by references without a cryptographic digest cannot detect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofLimit {
    /// All of them were computed when this object was written: earlier damage is part of it.
    SinceWritten,
    /// A change on purpose.
    Accidents,
}

impl ProofLimit {
    /// The limit as a clause about the references.
    pub fn clause(self) -> &'static str {
        match self {
            ProofLimit::SinceWritten => "they detect accidents since this object was written",
            ProofLimit::Accidents => {
                "they detect accidents, not a deliberate change by someone who can write the object"
            }
        }
    }
}

/// The limit of a proof by these references; `None` if one of them also speaks against a replacement made on purpose.
pub fn limit_of(proved_by: &[CheckId]) -> Option<ProofLimit> {
    let is_stored = |check: &CheckId| matches!(check, CheckId::Reference(Origin::Stored, _));
    match proved_by {
        checks if checks.iter().any(|check| check.resists_forgery()) => None,
        checks if checks.iter().all(is_stored) => Some(ProofLimit::SinceWritten),
        _ => Some(ProofLimit::Accidents),
    }
}

impl ObjectProofReport {
    /// Nothing is known of the bytes.
    pub const NOT_VERIFIED: ObjectProofReport = ObjectProofReport {
        state: ObjectProofState::NotVerified,
        proved_at: None,
        manifest: None,
        proved_by: Vec::new(),
    };

    /// The state as a clause about the object.
    pub fn clause(&self) -> String {
        match self.state {
            ObjectProofState::NotVerified => "this run did not verify the object's bytes".to_owned(),
            ObjectProofState::ProvedBefore => {
                let at = self.proved_at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
                let by = self.manifest.as_ref().map(|file| format!(" ({file})")).unwrap_or_default();
                format!("the object's bytes were proved{at}{by}, and not read now")
            }
            ObjectProofState::Proved => {
                let by = joined(&self.proved_by, ", ");
                let limit = limit_of(&self.proved_by).map(|limit| format!("; {}", limit.clause())).unwrap_or_default();
                format!("all bytes of the object were read now and proved by {by}{limit}")
            }
            ObjectProofState::Failed => "the object's bytes were read now and do not match".to_owned(),
            ObjectProofState::Unknown => "the object's bytes could not be proved now".to_owned(),
        }
    }
}

impl From<&LastVerified> for ObjectProofReport {
    fn from(last: &LastVerified) -> Self {
        let of = |state| ObjectProofReport { state, ..ObjectProofReport::NOT_VERIFIED };
        match last {
            LastVerified::NotKnown | LastVerified::Useless { .. } => ObjectProofReport::NOT_VERIFIED,
            LastVerified::Manifest { file, written_at, .. } => ObjectProofReport {
                state: ObjectProofState::ProvedBefore,
                proved_at: Some(written_at.clone()),
                manifest: Some(file.clone()),
                proved_by: Vec::new(),
            },
            LastVerified::Now { verdict, .. } => of(match verdict {
                Verdict::Pass => ObjectProofState::Proved,
                Verdict::Fail => ObjectProofState::Failed,
                Verdict::Unknown => ObjectProofState::Unknown,
            }),
        }
    }
}
