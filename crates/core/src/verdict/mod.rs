//! Results of checks: pass with evidence, fail with evidence, or unknown with a reason.
//!
//! [`overall`] combines the findings of a run. An unknown result is never treated as a pass.

mod check_id;
mod condition;
mod doubt;
mod evidence;
mod finding;
mod policy_check;
mod proof_kind;
mod reason;

pub use check_id::{CheckId, CheckName, Demand, Origin, ParseCheckError, Subject};
pub use condition::Condition;
pub use doubt::Doubt;
pub use evidence::{Coverage, Damage, Evidence, Failure, Reads};
pub use finding::{Finding, Outcome, Verdict, overall};
pub use policy_check::PolicyCheck;
pub use proof_kind::ProofKind;
pub use reason::{Reason, ReasonCode};
