//! The lab over HTTP, as clients see it.

#[path = "lab_http/client.rs"]
mod client;
#[path = "lab_http/faults.rs"]
mod faults;
#[path = "lab_http/first.rs"]
mod first;
#[path = "lab_http/rig.rs"]
mod rig;
#[path = "lab_http/rules.rs"]
mod rules;
#[path = "lab_http/safe.rs"]
mod safe;
