//! State words in responses of servers. Known words have a variant; any other word is kept as received in
//! `Other`, and no check passes or fails on it.

use std::fmt;

/// Defines an enum with a variant per known word, and `Other`.
macro_rules! api_words {
    ($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$of])* #[doc = concat!("`", $word, "`.")] $variant,)+
            /// An unknown word, as received.
            Other(String),
        }

        impl $name {
            /// All known words.
            pub const KNOWN: &'static [&'static str] = &[$($word),+];

            /// Parses a word. Case matters, as it does in the APIs.
            pub fn of(word: &str) -> Self {
                match word {
                    $($word => $name::$variant,)+
                    other => $name::Other(other.to_owned()),
                }
            }

            /// The word as the API spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $word,)+
                    $name::Other(word) => word,
                }
            }

            /// Whether the word is known.
            pub fn is_known(&self) -> bool {
                !matches!(self, $name::Other(_))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

api_words! {
    /// Mode of an Object Lock retention (S3 API Reference, `ObjectLockMode`).
    LockMode { Governance = "GOVERNANCE", Compliance = "COMPLIANCE" }
}

api_words! {
    /// Legal hold of Object Lock (S3 API Reference, `ObjectLockLegalHoldStatus`).
    LegalHold { On = "ON", Off = "OFF" }
}

api_words! {
    /// Versioning of a bucket (S3 API Reference, `BucketVersioningStatus`); `Off` if none is stated.
    Versioning { Enabled = "Enabled", Suspended = "Suspended", Off = "Off" }
}

api_words! {
    /// Storage class of an object (S3 API Reference, `StorageClass`).
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
    /// Whether an object of this class must be restored before it can be read.
    pub fn archives(&self) -> bool {
        matches!(self, ClassWord::Glacier | ClassWord::DeepArchive)
    }
}

api_words! {
    /// Archive tier of Intelligent-Tiering (S3 API Reference, `ArchiveStatus`).
    ArchiveStatus { Archive = "ARCHIVE_ACCESS", DeepArchive = "DEEP_ARCHIVE_ACCESS" }
}

api_words! {
    /// Kind of encryption (S3 API Reference, `ServerSideEncryption`), or SSE-C, which has its own header.
    EncryptionWord {
        S3Managed = "AES256",
        Kms = "aws:kms",
        KmsDsse = "aws:kms:dsse",
        Fsx = "aws:fsx",
        CustomerKey = "SSE-C",
        None = "none stated",
    }
}

api_words! {
    /// State of an AMI (EC2 API Reference, `ImageState`).
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

api_words! {
    /// State of a snapshot (EC2 API Reference, `SnapshotState`).
    SnapshotState {
        Pending = "pending",
        Completed = "completed",
        Error = "error",
        Recoverable = "recoverable",
        Recovering = "recovering",
    }
}

api_words! {
    /// Storage tier of a snapshot (EC2 API Reference, `StorageTier`).
    SnapshotTier { Standard = "standard", Archive = "archive" }
}

api_words! {
    /// Type of the root device (EC2 API Reference, `DeviceType`).
    RootDevice { Ebs = "ebs", InstanceStore = "instance-store" }
}

api_words! {
    /// Virtualization type (EC2 API Reference, `VirtualizationType`).
    Virtualization { Hvm = "hvm", Paravirtual = "paravirtual" }
}

api_words! {
    /// State of a store task (EC2 API Reference, `StoreImageTaskResult`).
    TaskState { InProgress = "InProgress", Completed = "Completed", Failed = "Failed" }
}

api_words! {
    /// State of a KMS key (KMS API Reference, `KeyState`).
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

    /// Checks that each known word of the named enums is written as it was read; the number of enums.
    macro_rules! round_trips {
        ($($name:ident),+ $(,)?) => {{
            $(for (at, word) in $name::KNOWN.iter().enumerate() {
                let value = $name::of(word);
                assert!(value.is_known() && value.as_str() == *word && value.to_string() == *word, "{value:?}");
                assert!(!$name::KNOWN[at + 1..].contains(word), "{word} stands for two values");
                assert_eq!($name::of(&format!("{word} ")), $name::Other(format!("{word} ")));
            })+
            [$(stringify!($name)),+].len()
        }};
    }

    #[test]
    fn every_known_word_is_written_as_it_was_read() {
        let checked = round_trips!(
            ArchiveStatus,
            ClassWord,
            EncryptionWord,
            ImageState,
            KeyState,
            LegalHold,
            LockMode,
            RootDevice,
            SnapshotState,
            SnapshotTier,
            TaskState,
            Versioning,
            Virtualization,
        );
        let defined = include_str!("words.rs").lines().filter(|line| *line == "api_words! {").count();
        assert_eq!(checked, defined, "an enum is missing here");
    }

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
