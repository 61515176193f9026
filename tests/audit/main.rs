//! Audits over HTTP against the lab: many objects, the ledger, planted problems, and failures during the run.

mod accounts;
#[cfg(feature = "batch")]
mod batch;
mod changed;
#[path = "../common/mod.rs"]
mod common;
mod damaged;
mod edges_denied;
mod edges_doubt;
mod edges_empty;
mod edges_ledger;
mod edges_lifecycle;
mod edges_listing;
mod edges_lock;
mod edges_merge;
mod edges_proved;
mod fleet;
#[allow(dead_code, reason = "the tests of security use more of it")]
#[path = "../security/http.rs"]
mod http;
mod kinds;
mod ledger;
#[allow(dead_code, reason = "the tests of memory use more of it")]
#[allow(clippy::print_stderr, reason = "the peaks are shown")]
#[path = "../edges_memory/peak.rs"]
mod peak;
mod planted;
mod requests;
mod results;
mod rig;
mod scale;
mod shares;
mod split;
mod split_apart;
mod split_ledger;
mod wrong;
