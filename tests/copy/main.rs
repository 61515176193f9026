//! `copy` and `compare` between two labs, which stand for two partitions, and `thaw`.

#[path = "../common/mod.rs"]
mod common;
mod compare;
mod ends;
mod faults;
mod files;
mod large;
mod policy;
mod resume;
mod rig;
mod same;
mod thaw;
