use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a read casts doubt on bytes without refuting them, in ascending order of severity.
///
/// A read that leaves a doubt is never a proof. An audit records it in the ledger with the state of the
/// object; from then on, earlier proofs of that state do not count, until a read proves every byte again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Every byte was read, but no reference proved them.
    Unproved,
    /// Two reads of the same bytes differ.
    Unstable,
    /// References contradict each other.
    Contradiction,
    /// The server lists the object unchanged but does not return its bytes.
    Unreadable,
    /// A reference did not match, but it is not certain that the reference is right.
    Mismatch,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doubt::Unproved => "all bytes were read, and nothing proved them",
            Doubt::Unstable => "two reads of the same bytes differ",
            Doubt::Contradiction => "references contradict each other",
            Doubt::Unreadable => "the server shows the object, and did not give its bytes",
            Doubt::Mismatch => "a reference did not match",
        })
    }
}
