use std::fmt;

/// The storage classes with known prices. Other classes are passed through as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StorageClass {
    /// S3 Standard.
    Standard,
    /// S3 Intelligent-Tiering.
    IntelligentTiering,
    /// S3 Standard-Infrequent Access.
    StandardIa,
    /// S3 One Zone-Infrequent Access.
    OneZoneIa,
    /// S3 Glacier Instant Retrieval.
    GlacierIr,
    /// S3 Glacier Flexible Retrieval.
    Glacier,
    /// S3 Glacier Deep Archive.
    DeepArchive,
}

impl StorageClass {
    /// All classes, in the order of reports.
    pub const ALL: [StorageClass; 7] = [
        StorageClass::Standard,
        StorageClass::IntelligentTiering,
        StorageClass::StandardIa,
        StorageClass::OneZoneIa,
        StorageClass::GlacierIr,
        StorageClass::Glacier,
        StorageClass::DeepArchive,
    ];

    /// The name in S3's spelling.
    pub fn name(self) -> &'static str {
        match self {
            StorageClass::Standard => "STANDARD",
            StorageClass::IntelligentTiering => "INTELLIGENT_TIERING",
            StorageClass::StandardIa => "STANDARD_IA",
            StorageClass::OneZoneIa => "ONEZONE_IA",
            StorageClass::GlacierIr => "GLACIER_IR",
            StorageClass::Glacier => "GLACIER",
            StorageClass::DeepArchive => "DEEP_ARCHIVE",
        }
    }

    /// The class of this name in S3's spelling.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Minimum billed storage duration in days (S3 storage class pages).
    pub fn minimum_days(self) -> Option<u32> {
        match self {
            StorageClass::Standard | StorageClass::IntelligentTiering => None,
            StorageClass::StandardIa | StorageClass::OneZoneIa => Some(30),
            StorageClass::GlacierIr | StorageClass::Glacier => Some(90),
            StorageClass::DeepArchive => Some(180),
        }
    }

    /// Minimum billed object size in bytes (S3 storage class pages: 128 KB); 0 if there is none.
    pub fn minimum_bytes(self) -> u64 {
        match self {
            StorageClass::StandardIa | StorageClass::OneZoneIa | StorageClass::GlacierIr => 128 << 10,
            _ => 0,
        }
    }

    /// Whether an object must be restored before it can be read.
    pub fn archives(self) -> bool {
        matches!(self, StorageClass::Glacier | StorageClass::DeepArchive)
    }

    /// Whether reading is charged per GB in addition to the request.
    pub fn charges_reading(self) -> bool {
        matches!(self, StorageClass::StandardIa | StorageClass::OneZoneIa | StorageClass::GlacierIr)
    }
}

impl fmt::Display for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Speed of a restore from an archive class (S3 API Reference, `RestoreObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetrievalTier {
    /// The fastest tier.
    Expedited,
    /// The default tier.
    Standard,
    /// The cheapest tier.
    Bulk,
}

impl RetrievalTier {
    /// The name in S3's spelling.
    pub fn name(self) -> &'static str {
        match self {
            RetrievalTier::Expedited => "Expedited",
            RetrievalTier::Standard => "Standard",
            RetrievalTier::Bulk => "Bulk",
        }
    }

    /// The tiers available for a class.
    pub fn of(class: StorageClass) -> &'static [RetrievalTier] {
        match class {
            StorageClass::Glacier => &[RetrievalTier::Expedited, RetrievalTier::Standard, RetrievalTier::Bulk],
            StorageClass::DeepArchive => &[RetrievalTier::Standard, RetrievalTier::Bulk],
            _ => &[],
        }
    }

    /// The documented duration, for the report; `None` if the class has no such tier.
    pub fn takes(self, class: StorageClass) -> Option<&'static str> {
        match (class, self) {
            (StorageClass::Glacier, RetrievalTier::Expedited) => Some("1–5 min, for objects up to some 250 MB"),
            (StorageClass::Glacier, RetrievalTier::Standard) => Some("3–5 h"),
            (StorageClass::Glacier, RetrievalTier::Bulk) => Some("5–12 h"),
            (StorageClass::DeepArchive, RetrievalTier::Standard) => Some("within 12 h"),
            (StorageClass::DeepArchive, RetrievalTier::Bulk) => Some("within 48 h"),
            _ => None,
        }
    }
}
