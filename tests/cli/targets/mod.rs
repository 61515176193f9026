//! Targets: mistakes and their hints, URLs of S3, presigned URLs, patterns, prefixes and lists.

mod hints;
mod lists;
mod patterns;
mod presigned;
mod rig;
mod urls;
