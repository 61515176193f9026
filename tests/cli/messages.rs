//! The messages for mistakes, as a table: what is typed, where, the exit code, and every word that is printed.
//!
//! In the texts, `LAB` is host and port of the test server, `CLOSED` an address where nothing listens, `TLS` a server
//! that speaks TLS, `UNTRUSTED` one whose certificate is not trusted, and `HOME` the home directory. Request ids are left out.

mod connection;
mod files;
mod next;
mod rig;
mod service;
mod tasks;
mod usage;
