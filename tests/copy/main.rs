//! `copy` and `compare` between two labs, which stand for two partitions, and `thaw`.

mod before;
#[path = "../common/clients.rs"]
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod ends;
mod faults;
mod files;
mod kept;
mod large;
mod ledger;
mod matrix;
mod next;
mod policy;
mod replace;
mod resume;
mod rig;
mod same;
mod server;
mod servers;
#[path = "../common/signals.rs"]
mod signals;
mod thaw;
mod there;
mod told;
