use std::fmt;

/// A requirement that an archive must satisfy, besides the integrity of its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyCheck {
    /// The object still exists.
    Present,
    /// The content equals the content first seen, or the one accepted since.
    Unchanged,
    /// No earlier examination found damage in the current state.
    Sound,
    /// The bucket has versioning enabled.
    Versioning,
    /// The bucket blocks public access.
    PublicAccess,
    /// The bucket's default encryption is one of the permitted kinds.
    BucketEncryption,
    /// The object's encryption is one of the permitted kinds.
    Encryption,
    /// The object is locked for long enough.
    Lock,
    /// The storage class is one of the permitted ones.
    StorageClass,
    /// The object has the required tags.
    Tags,
    /// Every byte was proved, recently enough.
    ProofAge,
    /// No lifecycle rule removes the object too early.
    Stays,
    /// The same content also exists in a bucket of another Region.
    OtherRegion,
}

use PolicyCheck as U;

impl PolicyCheck {
    /// All requirements with their names, in the order of reports.
    pub const ALL: [(PolicyCheck, &'static str); 13] = [
        (U::Present, "present"),
        (U::Unchanged, "unchanged"),
        (U::Sound, "sound"),
        (U::Versioning, "versioning"),
        (U::PublicAccess, "public-access"),
        (U::BucketEncryption, "bucket-encryption"),
        (U::Encryption, "encryption"),
        (U::Lock, "lock"),
        (U::StorageClass, "storage-class"),
        (U::Tags, "tags"),
        (U::ProofAge, "proof-age"),
        (U::Stays, "stays"),
        (U::OtherRegion, "other-region"),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(upkeep, _)| upkeep)
    }
}

impl fmt::Display for PolicyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.into_iter().find(|(known, _)| known == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}
