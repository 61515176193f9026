use std::fmt;

use super::WriteMode;
use crate::checksum::{Algorithm, ChecksumKind, StoredChecksum};

/// The checksum that S3 computes and stores with an object that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadChecksum {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Over the values of the parts, and not over the bytes of the object.
    pub is_composite: bool,
}

impl fmt::Display for UploadChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = if self.is_composite { "over the parts" } else { "over the full object" };
        write!(f, "{} {over}", self.algorithm.name())
    }
}

/// Why a copy does not have the checksum of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumChange {
    /// The source has no checksum, or it is not known.
    NoneStored,
    /// S3 does not compute it for an object that is written this way.
    NotComputed(Algorithm),
}

/// The checksum of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChosenChecksum {
    /// The checksum to store.
    pub checksum: UploadChecksum,
    /// Why it is not that of the source; `None` if it is.
    pub change: Option<ChecksumChange>,
}

/// CRC64NVME over the full object, the default of S3.
const DEFAULT: UploadChecksum = UploadChecksum { algorithm: Algorithm::Crc64Nvme, is_composite: false };

/// The checksum for a copy: that of the source, if S3 computes it for an object that is written in this way, otherwise
/// CRC64NVME over the full object.
pub fn choose_checksum(stored: &[StoredChecksum], mode: WriteMode) -> ChosenChecksum {
    let Some(first) = stored.first() else {
        return ChosenChecksum { checksum: DEFAULT, change: Some(ChecksumChange::NoneStored) };
    };
    let kept = stored.iter().find_map(|stored| kept(stored, mode));
    match kept {
        Some(checksum) => ChosenChecksum { checksum, change: None },
        None => ChosenChecksum { checksum: DEFAULT, change: Some(ChecksumChange::NotComputed(first.algorithm())) },
    }
}

fn kept(stored: &StoredChecksum, mode: WriteMode) -> Option<UploadChecksum> {
    let algorithm = stored.algorithm();
    let with = |is_composite| UploadChecksum { algorithm, is_composite };
    match (stored.kind, mode) {
        (ChecksumKind::FullObject | ChecksumKind::Unstated, WriteMode::Put) => Some(with(false)),
        (ChecksumKind::Composite { .. }, WriteMode::Put) => None,
        (ChecksumKind::FullObject, WriteMode::Multipart) => algorithm.multipart_full_object().then(|| with(false)),
        (ChecksumKind::Composite { .. }, WriteMode::Multipart) => algorithm.multipart_composite().then(|| with(true)),
        // S3 takes composites where no type is stated and the algorithm allows them.
        (ChecksumKind::Unstated, WriteMode::Multipart) => Some(with(algorithm.multipart_composite())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(algorithm: Algorithm, kind: &str, mode: WriteMode) -> ChosenChecksum {
        let value = crate::checksum::Hasher::digest(algorithm, b"x").base64();
        let stored = StoredChecksum::parse(algorithm, &value, Some(kind), true).unwrap();
        choose_checksum(&[stored], mode)
    }

    #[test]
    fn a_checksum_is_kept_where_s3_computes_it() {
        use Algorithm::{Crc32c, Crc64Nvme, Sha256};
        use WriteMode::{Multipart, Put};
        for (algorithm, kind, mode, kept) in [
            (Crc32c, "COMPOSITE", Multipart, Some(true)),
            (Crc32c, "FULL_OBJECT", Multipart, Some(false)),
            (Crc64Nvme, "FULL_OBJECT", Multipart, Some(false)),
            (Sha256, "COMPOSITE", Multipart, Some(true)),
            (Sha256, "FULL_OBJECT", Multipart, None),
            (Sha256, "FULL_OBJECT", Put, Some(false)),
            (Sha256, "COMPOSITE", Put, None),
        ] {
            let chosen = stored(algorithm, kind, mode);
            match kept {
                Some(is_composite) => {
                    assert_eq!(chosen.checksum, UploadChecksum { algorithm, is_composite }, "{algorithm} {kind}");
                    assert_eq!(chosen.change, None);
                }
                None => {
                    assert_eq!(chosen.checksum, DEFAULT);
                    assert_eq!(chosen.change, Some(ChecksumChange::NotComputed(algorithm)));
                }
            }
        }
        assert_eq!(choose_checksum(&[], Multipart).change, Some(ChecksumChange::NoneStored));
    }
}
