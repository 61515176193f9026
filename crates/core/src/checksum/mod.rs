//! Checksums: algorithms, digests, streaming, folding. Knows nothing of S3's transport.

mod algorithm;
mod composite;
mod digest;
mod fold;
mod hasher;
mod lanes;
mod stored;

pub use algorithm::Algorithm;
pub use composite::{composite, multipart_etag};
pub use digest::{Digest, ParseDigestError};
pub use fold::fold;
pub use hasher::Hasher;
pub use lanes::{Kernel, LaneScheduler, LaneStream, Md5Lanes, Room};
pub use stored::{ChecksumKind, ParseChecksumError, StoredChecksum};
