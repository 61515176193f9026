//! Responses that S3 would not send, and the names of objects.

mod heads;
mod identity;
mod names;
mod object;
mod server;
mod subresources;
mod words;
