//! The lab over HTTP, as clients see it.

mod client;
mod faults;
mod first;
mod rig;
mod rules;
mod safe;
