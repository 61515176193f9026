use tokio::join;

use crate::account::{IMAGES, SNAPSHOTS};
use crate::checks::preflight::SnapshotCount;
use crate::commands::RegionServices;
use crate::commands::ask::asked;
use crate::facts::{Caller, EbsDefault, Fact, ImageFacts, SnapshotFacts};
use crate::source::SourceError;

/// Maximum number of pages, of 1,000 snapshots each, to count against the quota.
const SNAPSHOT_PAGES: usize = 3;

/// What the preflight of a restore asks about the account and the Region. It is the same for every object, so a list of
/// restores asks once.
#[derive(Debug, Clone)]
pub struct RegionSurvey {
    pub(super) caller: Fact<Caller>,
    pub(super) answers: RegionAnswers,
}

/// Answers that do not depend on each other, nor on the object.
#[derive(Debug, Clone)]
pub(super) struct RegionAnswers {
    pub images: Fact<Vec<ImageFacts>>,
    pub pending: Fact<Vec<SnapshotFacts>>,
    pub snapshots: Fact<SnapshotCount>,
    pub ebs: Fact<EbsDefault>,
    pub image_quota: Fact<f64>,
    pub snapshot_quota: Fact<f64>,
}

impl RegionSurvey {
    /// Asks STS, EC2 and Service Quotas.
    ///
    /// # Errors
    ///
    /// The error of STS if it rejects the credentials or if the Region cannot be reached. Every other failed request
    /// makes its facts unknown.
    pub async fn ask(region: &RegionServices) -> Result<Self, SourceError> {
        Ok(RegionSurvey { caller: region.caller().await?, answers: RegionAnswers::ask(region).await })
    }
}

impl RegionAnswers {
    pub(super) async fn ask(region: &RegionServices) -> Self {
        let images = &region.images;
        let (own, pending, counted, ebs, image_quota, snapshot_quota) = join!(
            images.own_images(),
            images.pending_snapshots(),
            images.count_snapshots(SNAPSHOT_PAGES),
            images.ebs_default(),
            region.account.quota(IMAGES),
            region.account.quota(SNAPSHOTS),
        );
        RegionAnswers {
            images: asked(own, "DescribeImages", "ec2:DescribeImages"),
            pending: asked(pending, "DescribeSnapshots", "ec2:DescribeSnapshots"),
            snapshots: asked(counted, "DescribeSnapshots", "ec2:DescribeSnapshots")
                .map(|(counted, complete)| SnapshotCount { counted, complete }),
            ebs: asked(ebs, "GetEbsEncryptionByDefault", "ec2:GetEbsEncryptionByDefault and ec2:GetEbsDefaultKmsKeyId"),
            image_quota: asked(image_quota, "Service Quotas", "servicequotas:GetServiceQuota"),
            snapshot_quota: asked(snapshot_quota, "Service Quotas", "servicequotas:GetServiceQuota"),
        }
    }
}
