//! `copy` between two labs, which stand for two partitions.

#[path = "../common/mod.rs"]
mod common;
mod ends;
mod faults;
mod files;
mod large;
mod ledger;
mod policy;
mod resume;
mod rig;
mod same;
