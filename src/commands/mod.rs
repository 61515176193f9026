//! One file or folder for each command: from a request to a report. Nothing is printed here.

mod ask;
pub mod audit;
pub mod bench;
pub mod cost;
mod discover;
mod exit;
mod follow;
pub mod iam_policy;
pub mod inspect;
mod logical_size;
pub mod preflight;
mod probe;
pub mod restore;
mod services;
pub mod store;
pub mod stored;
pub mod verify;

pub use discover::{Discovery, discover};
pub use exit::exit_of;
pub use logical_size::LogicalSizeSource;
pub use services::Services;
