//! Other programs: servers that the program talks to, clients that talk to the lab, and the lab's own HTTP.

#[path = "../common/clients.rs"]
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod lab_clients;
mod lab_http;
