//! How far an unfinished `verify` has come, kept in a file, so that another run goes on from there.

mod document;
mod file;

pub use document::{Checkpoint, CheckpointError, Identity};
pub use file::CheckpointFile;
