//! What the program gives away, whom it believes, and what it lets be, against a lab and against servers worse than
//! that.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/hostile.rs"]
mod hostile;
#[allow(dead_code, reason = "the tests of tasks use more of it")]
#[path = "../tasks/rig.rs"]
mod rig;

mod http;
mod reading;
mod secrets;
mod signed;
mod terminal;
mod trust;
