use std::fmt;

/// A condition of storing or restoring an AMI: what AWS refuses a task for (EC2 User Guide, *Store
/// and restore an AMI using S3*, and its chapters on permissions and quotas), or what must be true
/// of the AMI that comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The bucket is there and may be seen.
    Bucket,
    /// The bucket is in the Region of the call.
    BucketRegion,
    /// The AMI is within the size limit, before compression.
    ImageSize,
    /// The work in progress leaves room for one task more.
    InProgress,
    /// The caller may make the EC2 call itself.
    Permission,
    /// The AMI is there and available.
    Image,
    EbsBacked,
    /// Not paravirtual.
    Virtualization,
    /// The AMI and its snapshots are owned, or shared with this account directly.
    Sharing,
    /// All snapshots are there and completed.
    Snapshots,
    /// No snapshot is in the archive tier.
    SnapshotTier,
    /// The keys of encrypted snapshots are enabled.
    SnapshotKeys,
    /// No other store of the same AMI is in progress.
    OneStore,
    /// The bucket holds no copy of the AMI, and none is on its way.
    NotStored,
    /// The object to restore from is there, and is the current version.
    Object,
    /// The object can be read now, and for as long as a restore may take.
    Readable,
    /// The bytes of the object were proved.
    Verified,
    /// The name of the new AMI is legal.
    NameLegal,
    /// No AMI of the account in the Region has the name.
    NameFree,
    /// The key that new snapshots will be encrypted with is enabled.
    EbsKey,
    /// The account may have one AMI more.
    ImageQuota,
    /// The account may have so many snapshots more.
    SnapshotQuota,
    /// A restore made the AMI.
    RestoredBy,
    /// The restored AMI is available, and all its snapshots are complete.
    RestoredState,
    /// It has as many volumes as the source, under the same device names.
    RestoredMappings,
    /// Its volumes are as large as those of the source.
    RestoredSizes,
    /// Its snapshots are encrypted where those of the source were.
    RestoredEncryption,
    /// The AMI and its snapshots bear the tags that were asked for.
    RestoredTags,
    /// Architecture, boot mode and virtualization are those of the source.
    RestoredBoot,
    /// The SSM parameter names the restored AMI.
    Alias,
}

use Condition as C;

impl Condition {
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
