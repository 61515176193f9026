//! Words that a server answers with. Those that are known decide; any other is kept as it came, and decides nothing.

use std::fmt;

/// Makes an enum of the words that are known, and `Other` for the rest.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$of])* $variant,)+
            /// A word that is not known, as it came.
            Other(String),
        }

        impl $name {
            /// All words that are known.
            pub const KNOWN: &'static [&'static str] = &[$($word),+];

            /// Reads a word; case counts, as it does in the APIs.
            pub fn of(word: &str) -> Self {
                match word {
                    $($word => $name::$variant,)+
                    other => $name::Other(other.to_owned()),
                }
            }

            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $word,)+
                    $name::Other(word) => word,
                }
            }

            /// Whether it decides anything.
            pub fn is_known(&self) -> bool {
                !matches!(self, $name::Other(_))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Mode of an Object Lock retention (S3 API reference, `ObjectLockMode`).
    LockMode { Governance = "GOVERNANCE", Compliance = "COMPLIANCE" }
}

words! {
    /// S3 API reference, `ObjectLockLegalHoldStatus`.
    LegalHold { On = "ON", Off = "OFF" }
}

words! {
    /// S3 API reference, `BucketVersioningStatus`; `Off` where none is stated.
    Versioning { Enabled = "Enabled", Suspended = "Suspended", Off = "Off" }
}

words! {
    /// Storage classes of objects (S3 API reference, `StorageClass`).
    ClassWord {
        Standard = "STANDARD",
        ReducedRedundancy = "REDUCED_REDUNDANCY",
        StandardIa = "STANDARD_IA",
        OneZoneIa = "ONEZONE_IA",
        IntelligentTiering = "INTELLIGENT_TIERING",
        Glacier = "GLACIER",
        DeepArchive = "DEEP_ARCHIVE",
        GlacierIr = "GLACIER_IR",
        Outposts = "OUTPOSTS",
        Snow = "SNOW",
        ExpressOneZone = "EXPRESS_ONEZONE",
        FsxOpenZfs = "FSX_OPENZFS",
        FsxOntap = "FSX_ONTAP",
    }
}

impl ClassWord {
    /// Whether an object must be brought back from it before it can be read.
    pub fn archives(&self) -> bool {
        matches!(self, ClassWord::Glacier | ClassWord::DeepArchive)
    }
}

words! {
    /// Archive tiers of Intelligent-Tiering (S3 API reference, `ArchiveStatus`).
    ArchiveStatus { Archive = "ARCHIVE_ACCESS", DeepArchive = "DEEP_ARCHIVE_ACCESS" }
}

words! {
    /// Kinds of encryption (S3 API reference, `ServerSideEncryption`), and SSE-C, which has a header of its own.
    EncryptionWord {
        S3Managed = "AES256",
        Kms = "aws:kms",
        KmsDsse = "aws:kms:dsse",
        Fsx = "aws:fsx",
        CustomerKey = "SSE-C",
        None = "none stated",
    }
}

words! {
    /// States of an AMI (EC2 API reference, `ImageState`).
    ImageState {
        Pending = "pending",
        Available = "available",
        Invalid = "invalid",
        Deregistered = "deregistered",
        Transient = "transient",
        Failed = "failed",
        Error = "error",
        Disabled = "disabled",
    }
}

words! {
    /// States of a snapshot (EC2 API reference, `SnapshotState`).
    SnapshotState {
        Pending = "pending",
        Completed = "completed",
        Error = "error",
        Recoverable = "recoverable",
        Recovering = "recovering",
    }
}

words! {
    /// EC2 API reference, `StorageTier` of a snapshot.
    SnapshotTier { Standard = "standard", Archive = "archive" }
}

words! {
    /// EC2 API reference, `DeviceType` of the root device.
    RootDevice { Ebs = "ebs", InstanceStore = "instance-store" }
}

words! {
    /// EC2 API reference, `VirtualizationType`.
    Virtualization { Hvm = "hvm", Paravirtual = "paravirtual" }
}

words! {
    /// States of a store task (EC2 API reference, `StoreImageTaskResult`).
    TaskState { InProgress = "InProgress", Completed = "Completed", Failed = "Failed" }
}

words! {
    /// States of a KMS key (KMS API reference, `KeyState`).
    KeyState {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        PendingImport = "PendingImport",
        PendingReplicaDeletion = "PendingReplicaDeletion",
        Unavailable = "Unavailable",
        Updating = "Updating",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_words_are_known() {
        assert_eq!(LockMode::of("GOVERNANCE"), LockMode::Governance);
        for odd in ["", "NONE", "governance", "GOVERNANCE ", "BOGUS"] {
            let mode = LockMode::of(odd);
            assert!(!mode.is_known(), "{odd}");
            assert_eq!(mode.as_str(), odd, "it is kept as it came");
        }
        for known in ["STANDARD", "GLACIER_IR", "EXPRESS_ONEZONE"] {
            assert!(ClassWord::of(known).is_known());
        }
        assert_eq!(EncryptionWord::of("aws:kms-next"), EncryptionWord::Other("aws:kms-next".into()));
    }
}
