use std::sync::Arc;

use super::reader::Reader;
use crate::blocks::{BlockIndex, BlockRange, EmptyVolume, Unproved, UnprovedCode};
use crate::commands::RegionServices;
use crate::facts::SnapshotFacts;
use crate::ident::AmiId;
use crate::price::blocks;
use crate::snapshot::SnapshotService;
use crate::source::{Advice, ErrorKind, SourceError};

/// EC2 and the EBS direct APIs in one Region.
#[derive(Clone)]
pub struct BlockServices {
    /// EC2. Its context counts the requests of both.
    pub region: RegionServices,
    /// The EBS direct APIs.
    pub snapshots: Arc<dyn SnapshotService>,
    /// Blocks per second.
    pub rate: u32,
}

impl BlockServices {
    pub(super) fn reader(&self) -> Arc<Reader> {
        Arc::new(Reader::new(Arc::clone(&self.snapshots), self.region.context().clone(), self.rate))
    }

    /// Describes an AMI and its snapshots.
    ///
    /// # Errors
    ///
    /// The AMI does not exist or has no EBS volumes, or cannot be described.
    pub(super) async fn survey(&self, image: &AmiId) -> Result<Survey, SourceError> {
        let images = self.region.images.images(&[image.to_string()]).await?;
        let missing = || {
            SourceError::new(ErrorKind::NotFound, image, "there is no such AMI, or it is not visible")
                .with_advice(Advice::CheckImage)
        };
        let facts = images.into_iter().next().ok_or_else(missing)?;
        let ids: Vec<String> = facts.volumes.iter().filter_map(|volume| volume.snapshot.clone()).collect();
        if ids.is_empty() {
            return Err(SourceError::new(ErrorKind::Invalid, image, "the AMI has no volumes with snapshots"));
        }
        let snapshots = self.region.images.snapshots(&ids).await?;
        let volumes = facts.volumes.iter().filter_map(|volume| {
            let snapshot = volume.snapshot.clone()?;
            let found = snapshots.iter().find(|found| found.id == snapshot).cloned();
            Some(SurveyedVolume { device: volume.device.clone(), snapshot, mapping_gib: volume.gib, found })
        });
        let volumes: Vec<SurveyedVolume> = volumes.collect();
        let empty = facts.volumes.iter().filter(|volume| volume.snapshot.is_none());
        let empty = empty.map(|volume| EmptyVolume { device: volume.device.clone(), gib: volume.gib }).collect();
        // Device names that the AMI leaves unmapped are none.
        let other_mappings = facts.other_mappings.saturating_sub(facts.removed.len()) as u64;
        for (at, volume) in volumes.iter().enumerate() {
            if volumes.iter().skip(at + 1).any(|other| other.device == volume.device) {
                let detail = format!("the AMI has two volumes of the device {}", volume.device);
                return Err(SourceError::new(ErrorKind::Protocol, image, detail));
            }
        }
        Ok(Survey { image: image.clone(), volumes, empty, other_mappings })
    }
}

/// An AMI and its volumes.
pub(super) struct Survey {
    pub image: AmiId,
    pub volumes: Vec<SurveyedVolume>,
    /// EBS volumes without a snapshot.
    pub empty: Vec<EmptyVolume>,
    /// Mappings that are no EBS volumes.
    pub other_mappings: u64,
}

/// A volume of an AMI.
#[derive(Debug, Clone)]
pub(super) struct SurveyedVolume {
    pub device: String,
    /// Id of its snapshot.
    pub snapshot: String,
    /// Size in GiB of the volume that an instance gets, if the AMI states it.
    pub mapping_gib: Option<u64>,
    /// The snapshot; `None` if it is not visible.
    pub found: Option<SnapshotFacts>,
}

impl SurveyedVolume {
    /// The id of a snapshot that can be read.
    ///
    /// # Errors
    ///
    /// It is not visible, or cannot be read as it is.
    pub(super) fn readable(&self) -> Result<&str, Unproved> {
        let id = &self.snapshot;
        match &self.found {
            None => Err(Unproved::new(UnprovedCode::SnapshotGone, format!("{id} does not exist, or is not visible"))),
            Some(found) if found.state != "completed" => {
                let state = if found.state.is_empty() { "not stated" } else { &found.state };
                Err(Unproved::new(UnprovedCode::SnapshotNotReady, format!("the state of {id} is {state}")))
            }
            Some(found) if found.tier.as_deref() == Some("archive") => {
                Err(Unproved::new(UnprovedCode::SnapshotNotReady, format!("{id} is archived")))
            }
            Some(_) => Ok(id),
        }
    }

    /// Number of blocks that the snapshot may list: by the size of its written blocks, or by the size of the volume.
    pub(super) fn listed(&self) -> BlockRange {
        BlockRange { least: 0, most: self.written_bytes().map_or_else(|| self.of_volume(), blocks) }
    }

    /// Number of blocks of the whole volume. A snapshot has no more, whatever EC2 states of what was written.
    pub(super) fn of_volume(&self) -> u64 {
        self.found.as_ref().and_then(|found| found.gib).map_or(0, BlockIndex::count)
    }

    /// Whether the number of listed blocks is only known from the size of the volume.
    pub(super) fn is_guessed(&self) -> bool {
        self.found.is_some() && self.written_bytes().is_none()
    }

    /// The size of the written blocks. Zero is no bound that could be trusted: it would make every read free.
    fn written_bytes(&self) -> Option<u64> {
        self.found.as_ref()?.full_bytes.filter(|bytes| *bytes > 0)
    }
}
