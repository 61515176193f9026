//! Checksums: algorithms, digests, incremental hashing, and combining digests of ranges.
//!
//! A [`Hasher`] computes one digest over a stream. [`fold`] combines CRCs of adjacent ranges, and
//! [`composite`] computes the value that S3 stores over the values of parts. [`LaneScheduler`] hashes several
//! streams of MD5, SHA-256 or SHA-512 together. Frames of an object are passed to these by the `fetch` module of the crate
//! `stored-ami`, where they arrive. A new algorithm is added at [`Algorithm`].

mod algorithm;
mod composite;
mod digest;
mod fold;
mod hasher;
mod lanes;
mod stored;

pub use algorithm::Algorithm;
pub use composite::{composite, multipart_etag};
pub use digest::{Digest, FoundDigest, ParseDigestError};
pub use fold::fold;
pub use hasher::Hasher;
pub use lanes::{Kernel, LaneHasher, LaneScheduler, LaneStream, Md5Lanes, Room, Sha256Pairs, Sha512Lanes};
pub use stored::{ChecksumKind, ParseChecksumError, StoredChecksum};
