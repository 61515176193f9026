//! Edge cases of files: outputs that would damage inputs, unbounded inputs, unwritable files, and text that other
//! programs cannot handle.

#[path = "../common/mod.rs"]
mod common;

mod bounds;
mod harm;
mod inputs;
mod outputs;
mod overwrite;
mod rig;
#[path = "../common/signals.rs"]
mod signals;
mod text;
