//! Files at the edges: outputs that would harm inputs, inputs without bound, files that cannot be written, and text
//! that other programs trip over.

#[path = "../common/mod.rs"]
mod common;

mod bounds;
mod harm;
mod inputs;
mod outputs;
mod overwrite;
mod rig;
mod text;
