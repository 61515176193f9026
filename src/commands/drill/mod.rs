//! `drill`: restores an object under a name of its own, proves the AMI block by block, and removes what it made.
//!
//! A drill composes the preflight, the restore and the proof of the other commands. The restore has the journal entry of
//! every restore; a second entry holds the ids that removing goes by, so that a drill that was killed at any time is
//! continued or cleaned up by the next run.

mod earlier;
mod phases;
mod prepare;
mod remove;
mod request;
mod run;
mod uses;

pub use earlier::EarlierDrills;
pub use prepare::Drill;
pub use request::{DrillRequest, DrillServices, drill_name};
