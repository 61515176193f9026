//! XML elements that several documents share.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::checksum::{Algorithm, ChecksumType, StoredChecksum};

/// `<ChecksumCRC32>…</ChecksumCRC32>` and, where requested, `<ChecksumType>`.
#[derive(Debug, Default, Clone)]
pub(super) struct ChecksumElements {
    value: Option<(Algorithm, String)>,
    kind: Option<ChecksumType>,
}

impl ChecksumElements {
    pub(super) fn value(algorithm: Algorithm, value: String) -> Self {
        ChecksumElements { value: Some((algorithm, value)), kind: None }
    }

    pub(super) fn without_type(self) -> Self {
        ChecksumElements { kind: None, ..self }
    }

    /// As GetObjectAttributes shows it: without `-N`.
    pub(super) fn bare(stored: &StoredChecksum) -> Self {
        ChecksumElements { value: Some((stored.algorithm, stored.value.clone())), kind: Some(stored.kind) }
    }

    pub(super) fn with_count(stored: &StoredChecksum, parts: usize) -> Self {
        ChecksumElements { value: Some((stored.algorithm, stored.header_value(parts))), kind: Some(stored.kind) }
    }
}

impl Serialize for ChecksumElements {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some((algorithm, value)) = &self.value {
            map.serialize_entry(algorithm.element(), value)?;
        }
        if let Some(kind) = self.kind {
            map.serialize_entry("ChecksumType", kind.name())?;
        }
        map.end()
    }
}
