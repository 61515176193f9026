//! Responses that S3 would not send, and the names of objects.

#[path = "../common/mod.rs"]
mod common;

mod heads;
mod identity;
mod names;
mod object;
mod server;
mod subresources;
mod words;
