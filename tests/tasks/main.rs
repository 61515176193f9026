//! Stores and restores as they are run: every command over HTTP against the lab's EC2 and S3.

#[path = "../common/mod.rs"]
mod common;

mod cost;
mod edges_safe;
mod edges_words;
mod life;
mod policy;
mod restore_conditions;
mod rig;
mod safe;
mod starting;
mod store_conditions;
mod stored;
mod wrong;
