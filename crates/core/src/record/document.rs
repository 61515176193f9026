use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blocks::BlockRecord;
use crate::checks::preflight::{LogicalSize, SourceFacts, any_encrypted};
use crate::facts::{Caller, ImageFacts, SnapshotFacts};
use crate::ident::{ETag, ObjectIdentity, Same};
use crate::sealed::{SealError, open, seal};
use crate::units::GIB;

/// What is known about an AMI at the time it is stored.
///
/// On disk it is sealed; see [`crate::sealed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// Time right before the store task was started, RFC 3339.
    pub written_at: String,
    /// Id of the AMI.
    pub image: String,
    /// Name of the AMI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Description of the AMI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Account that owns the AMI.
    pub owner: String,
    /// Account that stored it.
    pub account: String,
    /// Region of the AMI and the bucket.
    pub region: String,
    /// AWS partition, such as `aws`.
    pub partition: String,
    /// Architecture, such as `x86_64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Boot mode, such as `uefi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_mode: Option<String>,
    /// Virtualization type, such as `hvm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualization: Option<String>,
    /// Sum of the sizes of all volumes in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_bytes: Option<u64>,
    /// Bytes of the blocks written to all snapshots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_bytes: Option<u64>,
    /// The EBS volumes of the AMI.
    pub volumes: Vec<RecordedVolume>,
    /// Bucket of the stored object.
    pub bucket: String,
    /// Key of the stored object.
    pub key: String,
    /// ETag of the object, once the store is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Version of the object, once the store is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Size of the object in bytes, once the store is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_bytes: Option<u64>,
    /// The content of the AMI, if `store --blocks` read it. Its digests of blocks are in a second file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Box<BlockRecord>>,
}

/// An EBS volume of the AMI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedVolume {
    /// Device name, such as `/dev/xvda`.
    pub device: String,
    /// Id of the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// The larger of the sizes of volume and snapshot, in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gib: Option<u64>,
    /// Bytes of the blocks written to the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_bytes: Option<u64>,
    /// Whether it is encrypted; absent if EC2 did not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
}

impl Record {
    /// A record of an AMI and its snapshots before the store. Times, bucket and object are filled in later.
    pub fn of(
        image: &ImageFacts,
        snapshots: &[SnapshotFacts],
        size: &LogicalSize,
        caller: &Caller,
        region: &str,
    ) -> Self {
        let volumes = image.volumes.iter().map(|volume| {
            let snapshot = snapshots.iter().find(|snapshot| Some(&snapshot.id) == volume.snapshot.as_ref());
            RecordedVolume {
                device: volume.device.clone(),
                snapshot: volume.snapshot.clone(),
                gib: volume.gib.max(snapshot.and_then(|snapshot| snapshot.gib)),
                written_bytes: snapshot.and_then(|snapshot| snapshot.full_bytes),
                encrypted: snapshot.and_then(|snapshot| snapshot.encrypted).or(volume.encrypted),
            }
        });
        Record {
            tool: concat!("stored-ami ", env!("CARGO_PKG_VERSION")).to_owned(),
            written_at: String::new(),
            image: image.id.clone(),
            name: image.name.clone(),
            description: image.description.clone(),
            owner: image.owner.clone(),
            account: caller.account.clone(),
            region: region.to_owned(),
            partition: caller.partition().to_owned(),
            architecture: image.architecture.clone(),
            boot_mode: image.boot_mode.clone(),
            virtualization: image.virtualization.clone(),
            volume_bytes: size.volumes,
            written_bytes: size.written,
            volumes: volumes.collect(),
            bucket: String::new(),
            key: String::new(),
            etag: None,
            version_id: None,
            object_bytes: None,
            content: None,
        }
    }

    /// The ETag and the size of the object, as far as they were kept.
    pub fn content(&self) -> ObjectIdentity {
        ObjectIdentity {
            etag: self.etag.as_deref().map(ETag::kept),
            object_bytes: self.object_bytes,
            ..ObjectIdentity::default()
        }
    }

    /// How an object differs from the one that the store wrote, for the user; `None` if nothing shows that it does. ETag and
    /// size count, as far as both are stated.
    pub fn differs_from(&self, object: &ObjectIdentity) -> Option<String> {
        let wrote = self.content();
        let is_other = matches!(wrote.same_as(&object.restricted_to(&wrote)), Same::No(_));
        let stated = |object: &ObjectIdentity| {
            let bytes = object.object_bytes.map(|bytes| format!("{bytes} bytes"));
            let etag = object.etag.as_ref().map(|etag| format!("ETag {etag}"));
            [bytes, etag].into_iter().flatten().collect::<Vec<_>>().join(", ")
        };
        is_other.then(|| format!("the store wrote {}, and this one has {}", stated(&wrote), stated(object)))
    }

    /// The size of the volumes, with where it is known from; `file` names the record.
    pub fn size(&self, file: &str) -> LogicalSize {
        let of_volumes =
            self.volumes.iter().try_fold(0u64, |sum, volume| sum.checked_add(volume.gib?.checked_mul(GIB)?));
        let volumes = self.volume_bytes.or(of_volumes.filter(|_| !self.volumes.is_empty()));
        LogicalSize::of_volumes(volumes, self.written_bytes, format!("the record {file}"))
    }

    /// The properties that a restored AMI is compared with. `from` names the source in the report.
    pub fn facts(&self, from: String) -> SourceFacts {
        let volume = |volume: &RecordedVolume| (volume.device.clone(), volume.gib, volume.encrypted);
        SourceFacts {
            image: Some(self.image.clone()),
            from,
            volumes: self.volumes.iter().map(volume).collect(),
            architecture: self.architecture.clone(),
            boot_mode: self.boot_mode.clone(),
            virtualization: self.virtualization.clone(),
        }
    }

    /// Whether any of the volumes is encrypted; `None` if that is not known.
    pub fn encrypted(&self) -> Option<bool> {
        any_encrypted(self.volumes.iter().map(|volume| volume.encrypted))
    }

    /// The record as a sealed line of text.
    ///
    /// # Errors
    ///
    /// When serialisation fails.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        seal("record", self)
    }

    /// Reads a sealed record.
    ///
    /// # Errors
    ///
    /// When the text is not a sealed record of this version.
    pub fn from_json(text: &str) -> Result<Self, SealError> {
        open("record", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::VolumeFacts;

    fn record() -> Record {
        let volume = |device: &str, snapshot: &str, gib| VolumeFacts {
            device: device.into(),
            snapshot: Some(snapshot.into()),
            gib: Some(gib),
            ..VolumeFacts::default()
        };
        let image = ImageFacts {
            id: "ami-1a2b3c4d".into(),
            name: Some("web".into()),
            volumes: vec![volume("/dev/sda1", "snap-1", 8), volume("/dev/sdb", "snap-2", 20)],
            ..ImageFacts::default()
        };
        let snapshot = |id: &str, gib, encrypted| SnapshotFacts {
            id: id.into(),
            gib: Some(gib),
            encrypted: Some(encrypted),
            ..SnapshotFacts::default()
        };
        let snapshots = [snapshot("snap-1", 10, false), snapshot("snap-2", 20, true)];
        let caller = Caller { account: "123456789012".into(), arn: "arn:aws:iam::123456789012:user/x".into() };
        Record::of(&image, &snapshots, &LogicalSize::stated(30 * GIB, "test"), &caller, "us-east-1")
    }

    #[test]
    fn what_is_written_is_read_again_and_damage_is_seen() {
        let record = record();
        let text = record.to_json().unwrap();
        assert_eq!(Record::from_json(&text).unwrap(), record);
        assert!(matches!(Record::from_json(&text.replace("\"web\"", "\"wob\"")), Err(SealError::Damaged)));
    }

    #[test]
    fn what_is_not_stated_is_not_encrypted_nor_clear() {
        let with = |stated: [Option<bool>; 2]| {
            let mut record = record();
            record.volumes.iter_mut().zip(stated).for_each(|(volume, stated)| volume.encrypted = stated);
            record
        };
        for (stated, any, tag) in [
            ([Some(true), None], Some(true), Some("true")),
            ([Some(false), Some(false)], Some(false), Some("false")),
            ([Some(false), None], None, None),
            ([None, None], None, None),
        ] {
            let record = with(stated);
            assert_eq!(record.encrypted(), any, "{stated:?}");
            let (tags, _) = crate::record::object_tags(&record);
            assert_eq!(tags.get("stored-ami:encrypted").map(String::as_str), tag, "{stated:?}");
            let text = record.to_json().unwrap();
            assert_eq!(Record::from_json(&text).unwrap(), record);
            let facts = record.facts("r".into());
            assert_eq!(facts.volumes.iter().map(|volume| volume.2).collect::<Vec<_>>(), stated);
        }
    }

    #[test]
    fn volumes_count_with_the_larger_size() {
        let record = record();
        assert_eq!(record.volumes.iter().map(|volume| volume.gib).collect::<Vec<_>>(), [Some(10), Some(20)]);
        assert_eq!(record.encrypted(), Some(true));
        assert_eq!(record.size("r").volumes, Some(30 * GIB));
        assert_eq!(Record { volume_bytes: None, ..record }.size("r").volumes, Some(30 * GIB));
    }
}
