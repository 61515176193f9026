use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audit::{ChangeKind, DamagePlace, History, Proof, Trouble, Word, failed_by};
use crate::ident::ObjectIdentity;
use crate::verdict::{CheckId, Doubt, Verdict};

/// What an earlier examination found wrong with the bytes of an object, in the state that it has by its newest entry.
/// Only a read that proves every byte of this state ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TroubleReport {
    /// `fail` for damage, `unknown` for evidence that does not refute the bytes.
    pub verdict: Verdict,
    /// Time of the examination, RFC 3339.
    pub at: String,
    /// Checks that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Word<CheckId>>,
    /// Where the damage is, if the entry states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<DamagePlace>,
    /// The doubt, for `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

impl TroubleReport {
    /// What is known to be wrong with the newest state of an object; `None` if nothing is, or the object is gone.
    pub fn of(history: &History) -> Option<Self> {
        Self::of_state(history, history.state()?)
    }

    /// What is known to be wrong with this state of an object; `None` if nothing is.
    pub fn of_state(history: &History, seen: &ObjectIdentity) -> Option<Self> {
        let report = |look: &Proof, verdict, doubt| TroubleReport {
            verdict,
            at: look.at.clone(),
            failed: look.failed.clone(),
            damage: look.damage.clone(),
            doubt,
        };
        Some(match history.trouble_of(seen)? {
            Trouble::Damage(look) => report(look, Verdict::Fail, None),
            Trouble::Doubt(look, doubt) => report(look, Verdict::Unknown, Some(doubt)),
        })
    }

    /// The trouble as a clause: `bytes 8–15 (part 2 of 6): etag failed 2026-01-02T03:04:05Z, and no read has proved these
    /// bytes since`.
    pub fn sentence(&self) -> String {
        let place = self.damage.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let found = match &self.doubt {
            Some(doubt) => format!("in doubt ({doubt}) since"),
            None => format!("{} failed", failed_by(&self.failed)),
        };
        format!("{place}{found} {}, and no read has proved these bytes since", self.at)
    }
}

/// What an audit has against the change of an object since it was first seen or accepted. It ends with an acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedReport {
    /// `replaced` or `replaced_unclear`.
    pub change: ChangeKind,
    /// The difference, for the user.
    pub detail: String,
}

impl ChangedReport {
    /// The change of the last known state; `None` if an audit has nothing against it, or the object is gone.
    pub fn of(history: &History) -> Option<Self> {
        let change = history.last_change()?;
        Some(ChangedReport { change: change.kind(), detail: change.objection()? })
    }
}
