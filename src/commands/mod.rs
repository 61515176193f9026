//! One file or folder for each command: from a request to a report. Nothing is printed here.

mod discover;
pub mod inspect;
pub mod verify;

pub use discover::{Discovery, discover};
