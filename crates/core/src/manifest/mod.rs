//! Reference values kept in files: manifests of earlier runs, their signatures, and checksum files.

mod document;
mod signature;
mod sums;

pub use document::{Manifest, ManifestError, PartDigests, PartRun, StoredValue};
pub use signature::{ManifestKey, ParseManifestKeyError, SignatureError, Signed};
pub use sums::{GivenSums, SumLine, SumValue, SumsError, SumsNote, SumsRequest, SumsTarget, decode, find_sums};
