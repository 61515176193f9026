use std::fmt;

/// What an archive must keep up, beside the bytes of its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyCheck {
    /// The object is still there.
    Present,
    /// Its content is what it was when it was first seen, or accepted.
    Unchanged,
    /// No earlier look found damage in it as it is now.
    Sound,
    /// The bucket keeps versions.
    Versioning,
    /// The bucket blocks public access.
    PublicAccess,
    /// The bucket's default encryption is one of those allowed.
    BucketEncryption,
    /// The object's encryption is one of those allowed.
    Encryption,
    /// The object is locked, for long enough.
    Lock,
    /// The storage class is one of those allowed.
    StorageClass,
    /// The object bears the tags it must.
    Tags,
    /// Every byte was proved, and not too long ago.
    ProofAge,
    /// No lifecycle rule removes it too soon.
    Stays,
    /// The same content is in a bucket of another Region too.
    OtherRegion,
}

use PolicyCheck as U;

impl PolicyCheck {
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
