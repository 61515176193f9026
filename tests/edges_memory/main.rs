//! `--max-memory` holds whatever size an object has or a server states: the peak of the process is measured.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "the peaks are told")]

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod files;
mod peak;
mod server;
