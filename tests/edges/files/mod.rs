//! Edge cases of files: outputs that would damage inputs, unbounded inputs, unwritable files, and text that other
//! programs cannot handle.

mod bounds;
mod harm;
mod inputs;
mod outputs;
mod overwrite;
mod rig;
mod text;
