use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BlockDigest, Sidecar};
use crate::sealed::{SealError, at_most, open, seal};
use crate::units::GIB;

/// An AMI has at most some dozens of volumes.
const MOST_VOLUMES: usize = 1_000;

/// The content of an AMI at the time of its fingerprint. The digests of its blocks are in a second file, the sidecar,
/// whose SHA-256 is here.
///
/// On disk it is sealed; see [`crate::sealed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockRecord {
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// When the last block was read, RFC 3339.
    pub written_at: String,
    /// Id of the AMI.
    pub image: String,
    /// Region of the AMI.
    pub region: String,
    /// Its volumes with snapshots, in the order of the AMI.
    #[serde(deserialize_with = "at_most::<MOST_VOLUMES, _, _>")]
    pub volumes: Vec<RecordedBlocks>,
    /// Its EBS volumes without a snapshot. An instance gets an empty volume of this size.
    #[serde(default, deserialize_with = "at_most::<MOST_VOLUMES, _, _>")]
    pub empty_volumes: Vec<EmptyVolume>,
    /// Number of its block device mappings that are no EBS volumes, such as instance store volumes. They have no content.
    pub other_mappings: u64,
    /// SHA-256 of the sidecar.
    pub sidecar_sha256: BlockDigest,
    /// Length of the sidecar in bytes.
    pub sidecar_bytes: u64,
}

/// The content of one volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedBlocks {
    /// Device name, such as `/dev/xvda`.
    pub device: String,
    /// Id of the snapshot that was read.
    pub snapshot: String,
    /// Size of the snapshot's volume in GiB.
    pub gib: u64,
    /// Size in GiB of the volume that an instance gets, which may be larger; absent if the AMI does not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_gib: Option<u64>,
    /// Number of blocks that the snapshot lists: the ones that were written.
    pub listed_blocks: u64,
    /// Number of blocks that are not zeros.
    pub blocks: u64,
    /// SHA-256 over the index and the digest of each of these blocks.
    pub content_sha256: BlockDigest,
}

/// An EBS volume without a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmptyVolume {
    /// Device name, such as `/dev/sdf`.
    pub device: String,
    /// Size in GiB; absent if it is not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gib: Option<u64>,
}

impl fmt::Display for EmptyVolume {
    /// Device and size.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.gib {
            Some(gib) => write!(f, "{} ({gib} GiB)", self.device),
            None => f.write_str(&self.device),
        }
    }
}

/// A record and its sidecar do not belong together, or one of them cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BlockRecordError {
    /// The record cannot be read.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The sidecar is another one, or was changed.
    #[error(
        "the sidecar is not the one that the record was written with: it has {found_bytes} bytes and SHA-256 {found}"
    )]
    OtherSidecar {
        /// SHA-256 of the sidecar.
        found: BlockDigest,
        /// Its length in bytes.
        found_bytes: u64,
    },
    /// Two volumes have the same device name.
    #[error("the record names the device {0} twice")]
    DeviceTwice(String),
}

impl BlockRecord {
    /// The record as a sealed line of text.
    ///
    /// # Errors
    ///
    /// When serialisation fails.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        seal("fingerprint", self)
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// When the text is no record, was changed, or names a device twice.
    pub fn from_json(text: &str) -> Result<Self, BlockRecordError> {
        let record: BlockRecord = open("fingerprint", text)?;
        for (at, volume) in record.volumes.iter().enumerate() {
            if record.volumes.iter().skip(at + 1).any(|other| other.device == volume.device) {
                return Err(BlockRecordError::DeviceTwice(volume.device.clone()));
            }
        }
        Ok(record)
    }

    /// Sum of the sizes of all volumes in bytes, each by the larger of the sizes of volume and snapshot. A volume without
    /// a snapshot and without a stated size is left out.
    pub fn volume_bytes(&self) -> u64 {
        let written = self.volumes.iter().map(|volume| volume.gib.max(volume.mapping_gib.unwrap_or(0)));
        let empty = self.empty_volumes.iter().filter_map(|volume| volume.gib);
        written.chain(empty).fold(0, u64::saturating_add).saturating_mul(GIB)
    }

    /// Checks that a sidecar is the one of this record.
    ///
    /// # Errors
    ///
    /// When its digest or its length is another one.
    pub fn check(&self, sidecar: &Sidecar) -> Result<(), BlockRecordError> {
        let Sidecar { sha256, bytes } = *sidecar;
        if (sha256, bytes) == (self.sidecar_sha256, self.sidecar_bytes) {
            return Ok(());
        }
        Err(BlockRecordError::OtherSidecar { found: sha256, found_bytes: bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> BlockRecord {
        BlockRecord {
            tool: "stored-ami 0".to_owned(),
            written_at: "2026-01-01T00:00:00Z".to_owned(),
            image: "ami-1".to_owned(),
            region: "us-east-1".to_owned(),
            volumes: vec![RecordedBlocks {
                device: "/dev/sda1".to_owned(),
                snapshot: "snap-1".to_owned(),
                gib: 8,
                mapping_gib: Some(8),
                listed_blocks: 16,
                blocks: 15,
                content_sha256: BlockDigest::ZEROS,
            }],
            empty_volumes: Vec::new(),
            other_mappings: 0,
            sidecar_sha256: BlockDigest::ZEROS,
            sidecar_bytes: 7,
        }
    }

    #[test]
    fn it_is_sealed_and_holds_its_sidecar() {
        let text = record().to_json().unwrap();
        assert_eq!(BlockRecord::from_json(&text).unwrap(), record());
        assert!(BlockRecord::from_json(&text.replace("snap-1", "snap-2")).is_err());
        assert!(record().check(&Sidecar { sha256: BlockDigest::ZEROS, bytes: 7 }).is_ok());
        for other in
            [Sidecar { sha256: BlockDigest::ZEROS, bytes: 8 }, Sidecar { sha256: BlockDigest::new([1; 32]), bytes: 7 }]
        {
            assert!(record().check(&other).is_err());
        }
    }

    #[test]
    fn volumes_count_with_the_larger_size() {
        let of = |mapping_gib| {
            let mut record = record();
            record.volumes[0].mapping_gib = mapping_gib;
            record.empty_volumes = vec![EmptyVolume { device: "/dev/sdf".to_owned(), gib: Some(5) }];
            record.volume_bytes() / GIB
        };
        assert_eq!([of(None), of(Some(8)), of(Some(30))], [13, 13, 35]);
    }

    #[test]
    fn a_device_has_one_volume() {
        let mut twice = record();
        twice.volumes.push(record().volumes[0].clone());
        let text = twice.to_json().unwrap();
        assert!(matches!(BlockRecord::from_json(&text), Err(BlockRecordError::DeviceTwice(_))));
    }
}
