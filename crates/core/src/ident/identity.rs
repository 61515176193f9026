use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ETag;

/// What marks one state of an object, as one answer, listing or document states it.
///
/// A field that is `None` is not stated. Whether two of them are one state is decided by [`ObjectIdentity::same_as`]
/// and nowhere else.
///
/// In JSON it has the form that the ledger keeps; a version id stands beside it there. Checkpoints, manifests, records
/// and reports have other names or another order, and convert.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Seen", description = "What tells one state of an object from another without reading it.")]
pub struct ObjectIdentity {
    /// Size of the object.
    #[serde(serialize_with = "write_bytes", deserialize_with = "read_bytes")]
    #[schemars(with = "u64", description = "")]
    pub object_bytes: Option<u64>,
    /// An empty one counts as not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", description = "")]
    pub etag: Option<ETag>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// `null` is S3's name for the version of an object that was written without versioning (S3 user guide, "How S3
    /// Versioning works").
    #[serde(skip)]
    pub version_id: Option<String>,
}

/// A field of an [`ObjectIdentity`], in the order in which differences are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdentityField {
    /// The entity tag.
    ETag,
    /// The version id.
    VersionId,
    /// The size in bytes.
    Size,
    /// The time of last modification.
    LastModified,
}

/// Whether two identities are of one state of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Same {
    /// They are of one state.
    Yes,
    /// They are of two states.
    No(Difference),
    /// What they state does not decide it.
    CannotTell(Why),
}

/// The fields that both identities state and that differ; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Difference {
    /// The ETags differ.
    pub etag: bool,
    /// The version ids differ.
    pub version_id: bool,
    /// The sizes differ.
    pub size: bool,
    /// The times of last modification differ.
    pub last_modified: bool,
}

/// Why two identities are neither the same nor different for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// One of them states this field, the other does not.
    StatedOnce(IdentityField),
    /// One ETag is weak, the other strong, and both have the same text.
    OtherStrength,
    /// Neither a strong ETag nor a version id identifies the state; the times are the same, to the second.
    TimeOnly,
    /// Neither a strong ETag nor a version id identifies the state, and no time is stated.
    Unidentified,
}

impl Same {
    /// Whether it is [`Same::Yes`].
    pub fn is_yes(self) -> bool {
        self == Same::Yes
    }

    /// Whether both state the same fields, and no field differs. It takes a "yes" for what nothing identifies as well,
    /// so it proves nothing: it is for passing on what was found wrong, and for looking again within one run.
    pub fn agrees(self) -> bool {
        matches!(self, Same::Yes | Same::CannotTell(Why::TimeOnly | Why::Unidentified))
    }

    /// The field that keeps the two from agreeing: the first one that differs or that one of them does not state.
    pub fn disagreement(self) -> Option<IdentityField> {
        match self {
            Same::No(difference) => difference.first(),
            Same::CannotTell(Why::StatedOnce(field)) => Some(field),
            Same::CannotTell(Why::OtherStrength) => Some(IdentityField::ETag),
            Same::Yes | Same::CannotTell(Why::TimeOnly | Why::Unidentified) => None,
        }
    }
}

impl Difference {
    /// `None` where nothing differs.
    pub fn first(self) -> Option<IdentityField> {
        let all = [
            (self.etag, IdentityField::ETag),
            (self.version_id, IdentityField::VersionId),
            (self.size, IdentityField::Size),
            (self.last_modified, IdentityField::LastModified),
        ];
        all.into_iter().find_map(|(differs, field)| differs.then_some(field))
    }
}

impl ObjectIdentity {
    /// Whether the two are of one state of one object: the same bytes, written once. The target is not part of it.
    ///
    /// The first row that holds decides; it is symmetric.
    ///
    /// | # | of the fields that both state, or that one states | answer |
    /// |---|---|---|
    /// | 1 | the sizes differ | `No` |
    /// | 2 | the version ids differ; an absent one and `null` are equal | `No` |
    /// | 3 | the texts of the ETags differ, whatever their strength | `No` |
    /// | 4 | the times differ | `No` |
    /// | 5 | one states an ETag, a version id, a size or a time, the other does not | `CannotTell(StatedOnce)` |
    /// | 6 | one ETag is weak, the other strong, with the same text | `CannotTell(OtherStrength)` |
    /// | 7 | both have a strong ETag | `Yes` |
    /// | 8 | both have a version id other than `null` | `Yes` |
    /// | 9 | both have a time | `CannotTell(TimeOnly)` |
    /// | 10 | otherwise | `CannotTell(Unidentified)` |
    ///
    /// Rows 1 to 4 are one answer that names every field that differs. An empty ETag is not stated. A weak ETag may
    /// stay when bytes change (RFC 9110 §8.8.1), so it can only show a difference. HEAD tells whole seconds and a
    /// listing may tell more: times of which one is a whole second are compared to the second. An object can be
    /// replaced twice in a second, so a time identifies nothing.
    pub fn same_as(&self, other: &ObjectIdentity) -> Same {
        let etags = pair(self.stated_etag(), other.stated_etag());
        let versions = pair(self.version(), other.version());
        let sizes = pair(self.object_bytes, other.object_bytes);
        let times = pair(self.last_modified.as_deref(), other.last_modified.as_deref());
        // "null" beside no version at all is no difference, and beside an id it is one.
        let unversioned = |one: &Self| one.version_id.is_some() && one.version().is_none();
        let kept_otherwise = matches!(versions, Pair::Once) && (unversioned(self) || unversioned(other));
        let difference = Difference {
            etag: matches!(etags, Pair::Both(one, other) if one.is_same(other) == Some(false)),
            version_id: kept_otherwise || versions.differs(),
            size: sizes.differs(),
            last_modified: matches!(times, Pair::Both(one, other) if !is_same_time(one, other)),
        };
        if difference != Difference::default() {
            return Same::No(difference);
        }
        let once = [
            (etags.is_once(), IdentityField::ETag),
            (versions.is_once(), IdentityField::VersionId),
            (sizes.is_once(), IdentityField::Size),
            (times.is_once(), IdentityField::LastModified),
        ];
        if let Some((_, field)) = once.into_iter().find(|(is_once, _)| *is_once) {
            return Same::CannotTell(Why::StatedOnce(field));
        }
        match (etags, versions, times) {
            (Pair::Both(one, other), ..) if one.strength() != other.strength() => Same::CannotTell(Why::OtherStrength),
            (Pair::Both(one, _), ..) if one.is_strong() => Same::Yes,
            (_, Pair::Both(..), _) => Same::Yes,
            (_, _, Pair::Both(..)) => Same::CannotTell(Why::TimeOnly),
            _ => Same::CannotTell(Why::Unidentified),
        }
    }

    /// The same where only the bytes matter, and not when they were written: between identities that a strong ETag or a
    /// version id identifies, times are left out. Some servers keep two times of an object.
    pub fn same_bytes_as(&self, other: &ObjectIdentity) -> Same {
        match self.is_identified() && other.is_identified() {
            true => self.without_time().same_as(&other.without_time()),
            false => self.same_as(other),
        }
    }

    /// Whether it can be told from every other state of the object: by a strong ETag or a version id.
    pub fn is_identified(&self) -> bool {
        self.has_strong_etag() || self.version().is_some()
    }

    /// Whether it states an ETag that is not weak (RFC 9110, 8.8.1).
    pub fn has_strong_etag(&self) -> bool {
        self.stated_etag().is_some_and(ETag::is_strong)
    }

    /// The version id, if it names one version for good: `null` is overwritten in place.
    pub fn version(&self) -> Option<&str> {
        lasting_version(self.version_id.as_deref())
    }

    /// The ETag and the size alone: what a copy elsewhere, or a later version, can have in common with it.
    pub fn content(&self) -> ObjectIdentity {
        ObjectIdentity { etag: self.etag.clone(), object_bytes: self.object_bytes, ..ObjectIdentity::default() }
    }

    /// Without the fields that `other` does not state: for an answer that never states all of them.
    pub fn restricted_to(&self, other: &ObjectIdentity) -> ObjectIdentity {
        ObjectIdentity {
            etag: self.etag.clone().filter(|_| other.stated_etag().is_some()),
            object_bytes: self.object_bytes.filter(|_| other.object_bytes.is_some()),
            version_id: self.version_id.clone().filter(|_| other.version_id.is_some()),
            last_modified: self.last_modified.clone().filter(|_| other.last_modified.is_some()),
        }
    }

    /// An identity of which only the ETag is known.
    pub fn of_etag(etag: Option<ETag>) -> ObjectIdentity {
        ObjectIdentity { etag, ..ObjectIdentity::default() }
    }

    /// An identity of which only the size is known.
    pub fn of_size(object_bytes: u64) -> ObjectIdentity {
        ObjectIdentity { object_bytes: Some(object_bytes), ..ObjectIdentity::default() }
    }

    fn without_time(&self) -> ObjectIdentity {
        ObjectIdentity { last_modified: None, ..self.clone() }
    }

    fn stated_etag(&self) -> Option<&ETag> {
        self.etag.as_ref().filter(|etag| !etag.is_empty())
    }
}

/// A version id that names one version for good; see [`ObjectIdentity::version`].
pub fn lasting_version(version_id: Option<&str>) -> Option<&str> {
    version_id.filter(|version| !matches!(*version, "null" | ""))
}

/// A field of two identities.
enum Pair<T> {
    Both(T, T),
    Once,
    Neither,
}

fn pair<T>(one: Option<T>, other: Option<T>) -> Pair<T> {
    match (one, other) {
        (Some(one), Some(other)) => Pair::Both(one, other),
        (None, None) => Pair::Neither,
        _ => Pair::Once,
    }
}

impl<T: PartialEq> Pair<T> {
    fn differs(&self) -> bool {
        matches!(self, Pair::Both(one, other) if one != other)
    }

    fn is_once(&self) -> bool {
        matches!(self, Pair::Once)
    }
}

/// Times that cannot be read are the same only as texts.
fn is_same_time(one: &str, other: &str) -> bool {
    let read = |text: &str| text.parse::<Timestamp>().ok();
    let Some((one, other)) = read(one).zip(read(other)).filter(|_| one != other) else { return one == other };
    let is_whole = |time: Timestamp| time.subsec_nanosecond() == 0;
    one == other || (one.as_second() == other.as_second() && (is_whole(one) || is_whole(other)))
}

fn write_bytes<S: Serializer>(bytes: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(bytes.unwrap_or_default())
}

fn read_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    u64::deserialize(deserializer).map(Some)
}

#[cfg(test)]
#[path = "identity/tests.rs"]
mod tests;
