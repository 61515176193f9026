//! `--max-memory` holds for every size of an object and every response of a server: the peak memory of the process is
//! measured.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "the peaks are told")]

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod files;
mod peak;
mod server;
