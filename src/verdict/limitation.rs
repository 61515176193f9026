use std::fmt;

/// A condition under which AWS refuses to store or to restore an AMI, or one that
/// bears on what comes out (EC2 User Guide, *Store and restore an AMI using S3*, and its
/// chapters on permissions and quotas).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limitation {
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
}

use Limitation as L;

impl Limitation {
    pub const ALL: [(Limitation, &'static str); 22] = [
        (L::Bucket, "bucket"),
        (L::BucketRegion, "bucket-region"),
        (L::ImageSize, "image-size"),
        (L::InProgress, "in-progress"),
        (L::Permission, "permission"),
        (L::Image, "image"),
        (L::EbsBacked, "ebs-backed"),
        (L::Virtualization, "virtualization"),
        (L::Sharing, "sharing"),
        (L::Snapshots, "snapshots"),
        (L::SnapshotTier, "snapshot-tier"),
        (L::SnapshotKeys, "snapshot-keys"),
        (L::OneStore, "one-store"),
        (L::NotStored, "not-stored"),
        (L::Object, "object"),
        (L::Readable, "readable"),
        (L::Verified, "verified"),
        (L::NameLegal, "name-legal"),
        (L::NameFree, "name-free"),
        (L::EbsKey, "ebs-key"),
        (L::ImageQuota, "image-quota"),
        (L::SnapshotQuota, "snapshot-quota"),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(limitation, _)| limitation)
    }
}

impl fmt::Display for Limitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.into_iter().find(|(known, _)| known == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}
