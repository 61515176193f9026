//! `copy` between two labs, which stand for two partitions.

mod before;
#[path = "../common/clients.rs"]
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod ends;
mod faults;
mod files;
mod kept;
mod large;
mod matrix;
mod policy;
mod replace;
mod resume;
mod rig;
mod same;
mod server;
mod servers;
