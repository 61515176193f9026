use std::fmt;

/// A condition that AWS sets for storing or restoring an AMI (EC2 User Guide, *Store and restore an AMI using
/// S3*, with its sections on permissions and quotas), or a property that the restored AMI must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The bucket exists and is visible to the caller.
    Bucket,
    /// The bucket is in the Region of the call.
    BucketRegion,
    /// The size of the AMI before compression is within the limit.
    ImageSize,
    /// The work in progress is below the limit, so another task is admitted.
    InProgress,
    /// The caller is permitted to make the EC2 call.
    Permission,
    /// The AMI exists and is available.
    Image,
    /// The AMI is EBS-backed.
    EbsBacked,
    /// The AMI is not paravirtual.
    Virtualization,
    /// The AMI and its snapshots are owned by this account or shared with it directly.
    Sharing,
    /// All snapshots exist and are completed.
    Snapshots,
    /// No snapshot is in the archive tier.
    SnapshotTier,
    /// The keys of encrypted snapshots are enabled.
    SnapshotKeys,
    /// No other store of the same AMI is in progress.
    OneStore,
    /// The bucket contains no copy of the AMI, and none is in progress.
    NotStored,
    /// The object to restore exists and is the current version.
    Object,
    /// The object can be read now, and for the expected duration of a restore.
    Readable,
    /// The bytes of the object were verified.
    Verified,
    /// The name of the new AMI is legal.
    NameLegal,
    /// No AMI of the account in the Region has the name.
    NameFree,
    /// The key that new snapshots will be encrypted with is enabled.
    EbsKey,
    /// The quota of AMIs allows another one.
    ImageQuota,
    /// The quota of snapshots allows those of the restore.
    SnapshotQuota,
    /// The AMI was made by a restore.
    RestoredBy,
    /// The restored AMI is available, and all its snapshots are complete.
    RestoredState,
    /// The restored AMI has the same device names as the source.
    RestoredMappings,
    /// The volumes have the same sizes as those of the source.
    RestoredSizes,
    /// The snapshots are encrypted if those of the source were.
    RestoredEncryption,
    /// The AMI and its snapshots have the requested tags.
    RestoredTags,
    /// Architecture, boot mode and virtualization type equal those of the source.
    RestoredBoot,
    /// The SSM parameter names the restored AMI.
    Alias,
}

use Condition as C;

impl Condition {
    /// All conditions with their names, in the order of reports.
    pub const ALL: [(Condition, &'static str); 30] = [
        (C::Bucket, "bucket"),
        (C::BucketRegion, "bucket-region"),
        (C::ImageSize, "image-size"),
        (C::InProgress, "in-progress"),
        (C::Permission, "permission"),
        (C::Image, "image"),
        (C::EbsBacked, "ebs-backed"),
        (C::Virtualization, "virtualization"),
        (C::Sharing, "sharing"),
        (C::Snapshots, "snapshots"),
        (C::SnapshotTier, "snapshot-tier"),
        (C::SnapshotKeys, "snapshot-keys"),
        (C::OneStore, "one-store"),
        (C::NotStored, "not-stored"),
        (C::Object, "object"),
        (C::Readable, "readable"),
        (C::Verified, "verified"),
        (C::NameLegal, "name-legal"),
        (C::NameFree, "name-free"),
        (C::EbsKey, "ebs-key"),
        (C::ImageQuota, "image-quota"),
        (C::SnapshotQuota, "snapshot-quota"),
        (C::RestoredBy, "restored-by"),
        (C::RestoredState, "restored-state"),
        (C::RestoredMappings, "restored-mappings"),
        (C::RestoredSizes, "restored-sizes"),
        (C::RestoredEncryption, "restored-encryption"),
        (C::RestoredTags, "restored-tags"),
        (C::RestoredBoot, "restored-boot"),
        (C::Alias, "alias"),
    ];

    /// What the user can do if the condition is not met; `None` if that depends on what was found.
    pub fn next_step(self) -> Option<&'static str> {
        Some(match self {
            C::Bucket => "check the name of the bucket, and that the caller may see it",
            C::BucketRegion => "use a bucket in the Region of the call, or call in the Region of the bucket (--region)",
            C::ImageSize => "store a smaller AMI, or raise --image-limit if AWS raised the limit",
            C::InProgress => "wait until a task that is in progress ends",
            C::Permission => "`stored-ami policy COMMAND` prints the permissions that are needed",
            C::Image => "check the AMI id and --region; wait if the AMI is pending",
            C::EbsBacked | C::Virtualization => "this AMI cannot be stored: only EBS-backed HVM AMIs can",
            C::Sharing => "copy the AMI into this account (aws ec2 copy-image), and store the copy",
            C::Snapshots => "wait until every snapshot is completed",
            C::SnapshotTier => "restore the snapshots from the archive tier first (aws ec2 restore-snapshot-tier)",
            C::SnapshotKeys => "enable the KMS keys of the snapshots",
            C::OneStore => {
                "follow the store that is in progress: `stored-ami store --follow AMI-ID`, with --record FILE if it keeps a record"
            }
            C::NotStored => {
                "verify the copy that is there (stored-ami verify), or choose another path or bucket (--bucket)"
            }
            C::Object => "check bucket and key; `aws s3api list-object-versions` lists older versions",
            C::Readable => "bring the object back first (stored-ami thaw), or wait until that is complete",
            C::Verified => "do not restore from this object, and keep every other copy until one of them is proved",
            C::NameLegal | C::NameFree => "choose another --name",
            C::EbsKey => "enable the default KMS key of EBS encryption, or set another one",
            C::ImageQuota | C::SnapshotQuota => "deregister what is no longer needed, or ask AWS for a higher quota",
            _ => return None,
        })
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(condition, _)| condition)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.into_iter().find(|(known, _)| known == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}
