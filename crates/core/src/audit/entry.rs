use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Proof;
use crate::ident::ObjectIdentity;

/// One entry of the history of an archive, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// The result of one examination.
    Proof(Box<Proof>),
    /// The object no longer existed.
    Gone(Gone),
    /// The user accepted a change.
    Acceptance(Acceptance),
}

/// An object no longer existed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    /// Time of the listing, RFC 3339.
    pub at: String,
    /// Name and version of the program.
    pub tool: String,
    /// The object as `s3://bucket/key`.
    pub target: String,
}

/// The user states that the last state of an object, or its absence, is correct. Earlier states no longer
/// count as a reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acceptance {
    /// Time of the acceptance, RFC 3339.
    pub at: String,
    /// Name and version of the program.
    pub tool: String,
    /// The object as `s3://bucket/key`.
    pub target: String,
    /// The state that is correct; absent if the absence is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectIdentity>,
    /// The reason that the user gave.
    pub reason: String,
}

impl Entry {
    /// The object as `s3://bucket/key`.
    pub fn target(&self) -> &str {
        match self {
            Entry::Proof(proof) => &proof.target,
            Entry::Gone(gone) => &gone.target,
            Entry::Acceptance(acceptance) => &acceptance.target,
        }
    }

    /// Time of the entry, RFC 3339.
    pub fn at(&self) -> &str {
        match self {
            Entry::Proof(proof) => &proof.at,
            Entry::Gone(gone) => &gone.at,
            Entry::Acceptance(acceptance) => &acceptance.at,
        }
    }
}
