//! What the program does with answers that are not what S3 would send, and how objects are named.

#[path = "../common/mod.rs"]
mod common;

mod heads;
mod identity;
mod names;
mod object;
mod server;
mod subresources;
mod words;
