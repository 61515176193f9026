use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cloud::blocks::{BLOCK, Content};
use crate::cloud::ec2::{Ec2State, ImageRecord, Mapping, SnapshotRecord};
use crate::image::DiskImage;
use crate::shared::ACCOUNT;
use stored_ami_core::units::GIB;

/// An AMI to create. Other properties are those of an ordinary x86-64 AMI.
#[derive(Debug, Clone)]
pub struct ImageSpec {
    /// `None` lets the lab choose one.
    pub id: Option<String>,
    /// Unique in an account and a Region, as EC2 demands.
    pub name: String,
    /// Account number of the owner.
    pub owner: String,
    /// One EBS volume with a snapshot for each entry.
    pub volumes: Vec<VolumeSpec>,
    /// Tags of the AMI.
    pub tags: BTreeMap<String, String>,
}

/// An EBS volume of an AMI, and its snapshot.
#[derive(Debug, Clone)]
pub struct VolumeSpec {
    /// Device name, such as `/dev/sda1`.
    pub device: String,
    /// Size in GiB of the volume and the snapshot.
    pub size: u64,
    /// `FullSnapshotSizeInBytes`: the size of the written blocks.
    pub full_bytes: Option<u64>,
    /// Number of bytes that the lab generates for the snapshot, far fewer than its size; at least
    /// [`DiskImage::SMALLEST`].
    pub bytes: u64,
    /// One block of this many is written, and generated when it is read: a volume of any size that takes no memory.
    /// `bytes` is not used then.
    pub sparse: Option<u32>,
    /// ARN of the KMS key; `None` for an unencrypted snapshot.
    pub key: Option<String>,
    /// Account number of the owner of the snapshot.
    pub owner: String,
}

impl VolumeSpec {
    /// An unencrypted volume of `size` GiB, of which a quarter is written.
    pub fn new(device: &str, size: u64) -> Self {
        VolumeSpec {
            device: device.to_owned(),
            size,
            full_bytes: Some(size << 28),
            bytes: DiskImage::SMALLEST,
            sparse: None,
            key: None,
            owner: ACCOUNT.to_owned(),
        }
    }
}

impl ImageSpec {
    /// An AMI of the lab's account with one volume of 8 GiB.
    pub fn new(name: &str) -> Self {
        ImageSpec {
            id: None,
            name: name.to_owned(),
            owner: ACCOUNT.to_owned(),
            volumes: vec![VolumeSpec::new("/dev/sda1", 8)],
            tags: BTreeMap::new(),
        }
    }

    pub(crate) fn make(self, state: &mut Ec2State, fresh: impl Fn(&str) -> String) -> String {
        let id = self.id.unwrap_or_else(|| fresh("ami"));
        let mut mappings = Vec::new();
        for volume in self.volumes {
            let snapshot = fresh("snap");
            let seed = snapshot.bytes().fold(7u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
            mappings.push(Mapping { device: volume.device, snapshot: snapshot.clone(), size: Some(volume.size) });
            let blocks = u32::try_from(volume.size.saturating_mul(GIB / BLOCK as u64)).unwrap_or(u32::MAX);
            let content = match volume.sparse {
                Some(of) => Content::Sparse { seed, of, blocks },
                None => match DiskImage::new(seed, volume.bytes.max(DiskImage::SMALLEST)) {
                    Some(image) => Content::Generated(image),
                    None => continue,
                },
            };
            let record = SnapshotRecord {
                id: snapshot.clone(),
                state: "completed".to_owned(),
                owner: volume.owner,
                size: Some(volume.size),
                full_bytes: volume.full_bytes,
                encrypted: volume.key.is_some(),
                key: volume.key,
                progress: 100,
                tier: "standard".to_owned(),
                description: String::new(),
                started: Timestamp::now(),
                shared: false,
                usable_by: Vec::new(),
                tags: BTreeMap::new(),
                content,
                flips: BTreeMap::new(),
                parent: None,
            };
            state.snapshots.insert(snapshot, record);
        }
        let image = ImageRecord {
            id: id.clone(),
            name: self.name,
            description: "made by the lab".to_owned(),
            state: "available".to_owned(),
            state_reason: None,
            owner: self.owner,
            public: false,
            shared: false,
            launchable_by: Vec::new(),
            protected: false,
            root_device_type: "ebs".to_owned(),
            virtualization: "hvm".to_owned(),
            architecture: "x86_64".to_owned(),
            boot_mode: Some("uefi-preferred".to_owned()),
            created: Timestamp::now(),
            source_image: None,
            source_region: None,
            source_instance: None,
            mappings,
            ephemeral: 0,
            tags: self.tags,
            progress: None,
            fails: None,
        };
        state.images.insert(id.clone(), image);
        id
    }
}
