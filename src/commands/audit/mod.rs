//! `audit`: examines every stored AMI object of some buckets at the requested level, and compares it with the results
//! of earlier audits.

mod absent;
mod bucket;
mod budget;
mod copies;
mod described;
mod examine;
mod findings;
mod inspection;
mod judged;
mod lifecycles;
mod list;
mod look;
mod merge;
mod object;
mod progress;
mod request;
mod run;
mod runs;
mod safe;
mod split;
mod state;
mod still_good;
mod store;
mod subject;
mod summary;
mod tally;

pub(super) use inspection::{proved_of, stated};
pub use lifecycles::Lifecycles;
#[cfg(feature = "batch")]
pub(super) use list::{Candidate, Listed, candidates};
pub use merge::{GivenManifests, Merge, MergeError, MergeRequest, MergedAudit};
pub use request::{AuditLimits, AuditRequest, AuditServices, Scope};
pub use run::{AuditError, audit};
pub use safe::{DeletionSafetyRequest, safe_to_delete};
