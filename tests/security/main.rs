//! Secrets in the output, trusted servers, and read-only commands, against a lab and against hostile servers.

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
