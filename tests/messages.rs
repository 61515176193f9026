//! The messages for mistakes, as a table: what is typed, where, the exit code, and every word that is printed.
//!
//! In the texts, `LAB` is host and port of the test server, `CLOSED` an address where nothing listens, `TLS` a server
//! that speaks TLS, `UNTRUSTED` one whose certificate is not trusted, and `HOME` the home directory. Request ids are left out.

mod common;

#[path = "messages/connection.rs"]
mod connection;
#[path = "messages/files.rs"]
mod files;
#[path = "messages/rig.rs"]
mod rig;
#[path = "messages/service.rs"]
mod service;
#[path = "messages/tasks.rs"]
mod tasks;
#[path = "messages/usage.rs"]
mod usage;
