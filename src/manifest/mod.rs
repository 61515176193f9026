//! Reference values kept in files: manifests of earlier runs, and checksum files.

mod document;
mod sums;

pub use document::{Manifest, ManifestError, PartDigests, PartRun, StoredValue};
pub use sums::{SumsError, find_sum};
