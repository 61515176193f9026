use std::fmt;

/// The storage classes that have prices here. S3 has more; what is not known passes through as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StorageClass {
    Standard,
    IntelligentTiering,
    StandardIa,
    OneZoneIa,
    GlacierIr,
    Glacier,
    DeepArchive,
}

impl StorageClass {
    pub const ALL: [StorageClass; 7] = [
        StorageClass::Standard,
        StorageClass::IntelligentTiering,
        StorageClass::StandardIa,
        StorageClass::OneZoneIa,
        StorageClass::GlacierIr,
        StorageClass::Glacier,
        StorageClass::DeepArchive,
    ];

    /// S3's word for it.
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

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Days that are billed at the least (S3 storage class pages).
    pub fn minimum_days(self) -> Option<u32> {
        match self {
            StorageClass::Standard | StorageClass::IntelligentTiering => None,
            StorageClass::StandardIa | StorageClass::OneZoneIa => Some(30),
            StorageClass::GlacierIr | StorageClass::Glacier => Some(90),
            StorageClass::DeepArchive => Some(180),
        }
    }

    /// Bytes that are billed at the least: 128 KB (S3 storage class pages).
    pub fn minimum_bytes(self) -> u64 {
        match self {
            StorageClass::StandardIa | StorageClass::OneZoneIa | StorageClass::GlacierIr => 128 << 10,
            _ => 0,
        }
    }

    /// Whether an object must be brought back before it can be read.
    pub fn archives(self) -> bool {
        matches!(self, StorageClass::Glacier | StorageClass::DeepArchive)
    }

    /// Whether reading costs by the GB besides the request.
    pub fn charges_reading(self) -> bool {
        matches!(self, StorageClass::StandardIa | StorageClass::OneZoneIa | StorageClass::GlacierIr)
    }
}

impl fmt::Display for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How fast an object is brought back from an archive class (S3 API reference, *RestoreObject*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetrievalTier {
    Expedited,
    Standard,
    Bulk,
}

impl RetrievalTier {
    pub fn name(self) -> &'static str {
        match self {
            RetrievalTier::Expedited => "Expedited",
            RetrievalTier::Standard => "Standard",
            RetrievalTier::Bulk => "Bulk",
        }
    }

    /// The tiers that a class has.
    pub fn of(class: StorageClass) -> &'static [RetrievalTier] {
        match class {
            StorageClass::Glacier => &[RetrievalTier::Expedited, RetrievalTier::Standard, RetrievalTier::Bulk],
            StorageClass::DeepArchive => &[RetrievalTier::Standard, RetrievalTier::Bulk],
            _ => &[],
        }
    }

    /// The documented time.
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
