use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::{ListedObject, ObjectFacts};
use crate::ident::ETag;

/// The properties that distinguish states of an object without reading it. Two states are the same if size,
/// ETag and time of last modification are equal and the ETag is strong ([`Seen::is_identified`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Size in bytes.
    pub object_bytes: u64,
    /// ETag of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Time of last modification, RFC 3339, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Seen {
    /// The state by a listing.
    pub fn listed(object: &ListedObject) -> Self {
        Seen {
            object_bytes: object.size.unwrap_or_default(),
            etag: object.etag.as_ref().map(ToString::to_string),
            last_modified: object.modified.map(seconds),
        }
    }

    /// The state by HEAD.
    pub fn facts(facts: &ObjectFacts) -> Self {
        Seen {
            object_bytes: facts.size,
            etag: facts.id.etag.as_ref().map(ToString::to_string),
            last_modified: facts.last_modified.map(seconds),
        }
    }
}

impl Seen {
    /// Whether the state can be distinguished from every other state of the object: only by a strong ETag.
    pub fn is_identified(&self) -> bool {
        self.etag.as_deref().and_then(ETag::told).is_some_and(|etag| etag.is_strong())
    }

    /// The state by the listing, if it differs only in the time: some servers keep two times.
    pub fn listed_as(&self, listed: &ListedObject) -> Option<Seen> {
        let listed = Seen::listed(listed);
        let same = listed.is_identified() && listed.etag == self.etag && listed.object_bytes == self.object_bytes;
        (same && listed != *self).then_some(listed)
    }
}

/// HEAD states whole seconds; a listing may be more precise.
fn seconds(time: jiff::Timestamp) -> String {
    jiff::Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// A checksum of an object's content: `crc64nvme:BASE64`, followed by `-N` if it is computed over N parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ContentFingerprint(pub String);

impl ContentFingerprint {
    /// A checksum with the name of its check.
    pub fn new(name: &str, value: &str) -> Self {
        ContentFingerprint(format!("{name}:{value}"))
    }

    /// The name of the check.
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or("", |(name, _)| name)
    }

    /// Whether it is computed over parts, so that it also differs if the same bytes are divided differently.
    fn by_part(&self) -> bool {
        self.0.split_once(':').is_some_and(|(_, value)| value.contains('-'))
    }
}

impl fmt::Display for ContentFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The change of an object since it was first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was not known before.
    New,
    /// It is unchanged.
    Same,
    /// It was written again with the same bytes.
    SameContent {
        /// The checksum that shows it.
        by: ContentFingerprint,
    },
    /// ETag, size and time are unchanged, but a checksum differs from the one recorded, so one of the two is
    /// wrong.
    Restated {
        /// The difference, for the report.
        detail: String,
    },
    /// It was written again with different bytes.
    Replaced {
        /// The difference, for the report.
        detail: String,
    },
    /// It was written again, and it is not known whether with the same bytes.
    Unclear,
}

/// A checksum of the whole content that both lists have with different values, which shows that the contents
/// differ.
pub fn differs<'a>(
    one: &'a [ContentFingerprint],
    other: &'a [ContentFingerprint],
) -> Option<(&'a ContentFingerprint, &'a ContentFingerprint)> {
    one.iter().find_map(|was| {
        let is = other.iter().find(|is| is.name() == was.name() && !is.by_part() && !was.by_part())?;
        (is != was).then_some((was, is))
    })
}

/// A checksum that is stated with two values for one state of an object. Here it may be over parts, because
/// the parts are the same.
pub(super) fn restated<'a>(
    one: &'a [ContentFingerprint],
    other: &'a [ContentFingerprint],
) -> Option<(&'a ContentFingerprint, &'a ContentFingerprint)> {
    let digest = |content: &'a ContentFingerprint| content.0.split('-').next();
    one.iter().find_map(|was| {
        let is = other.iter().find(|is| is.name() == was.name())?;
        (digest(is) != digest(was)).then_some((was, is))
    })
}

impl Change {
    /// Compares an object with its earlier state, by the checksums of its content then and now.
    pub fn between(before: (&Seen, &[ContentFingerprint]), now: (&Seen, &[ContentFingerprint])) -> Self {
        let ((then, had), (seen, has)) = (before, now);
        if then == seen && then.is_identified() {
            return Change::Same;
        }
        if then.object_bytes != seen.object_bytes {
            return Change::Replaced { detail: format!("{} bytes became {}", then.object_bytes, seen.object_bytes) };
        }
        if let Some((was, is)) = differs(had, has) {
            return Change::Replaced { detail: format!("{was} became {is}") };
        }
        match had.iter().find(|was| has.contains(was)) {
            Some(by) => Change::SameContent { by: by.clone() },
            None => Change::Unclear,
        }
    }

    /// The name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Change::New => "new",
            Change::Same => "same",
            Change::SameContent { .. } => "replaced_same_content",
            Change::Replaced { .. } => "replaced",
            Change::Unclear | Change::Restated { .. } => "replaced_unclear",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(bytes: u64, etag: &str, modified: &str) -> Seen {
        Seen { object_bytes: bytes, etag: Some(etag.into()), last_modified: Some(modified.into()) }
    }

    fn contents(values: &[&str]) -> Vec<ContentFingerprint> {
        values.iter().map(|value| ContentFingerprint((*value).to_owned())).collect()
    }

    #[test]
    fn an_object_is_held_against_what_it_was() {
        let before = seen(9, "a-2", "2026-01-01T00:00:00Z");
        let after = |had: &[&str], has: &[&str], now: &Seen| {
            Change::between((&before, &contents(had)), (now, &contents(has))).name()
        };
        assert_eq!(after(&[], &[], &before), "same");
        assert_eq!(after(&[], &[], &seen(8, "a-2", "2026-01-02T00:00:00Z")), "replaced");
        let again = seen(9, "b-3", "2026-01-02T00:00:00Z");
        assert_eq!(after(&["crc32:aa", "etag:a-2"], &["crc32:aa", "etag:b-3"], &again), "replaced_same_content");
        assert_eq!(after(&["crc32:aa"], &["crc32:bb"], &again), "replaced");
        // A differing checksum outweighs equal shorter ones.
        assert_eq!(after(&["crc32:aa", "sha256:x"], &["crc32:aa", "sha256:y"], &again), "replaced");
        assert_eq!(after(&["sha256:x-2"], &["sha256:y-3"], &again), "replaced_unclear", "cut otherwise");
        assert_eq!(after(&["sha256:x"], &["crc32:y"], &again), "replaced_unclear");
        assert_eq!(after(&["sha256:x-2"], &["sha256:x-2"], &again), "replaced_same_content");
    }

    #[test]
    fn without_an_etag_nothing_is_the_same_by_its_looks() {
        let bare = Seen { object_bytes: 9, etag: None, last_modified: Some("2026-01-01T00:00:00Z".into()) };
        assert_eq!(Change::between((&bare, &[]), (&bare, &[])), Change::Unclear);
        for weak in ["W/\"a\"", "W/\"a", ""] {
            let weak = seen(9, weak, "2026-01-01T00:00:00Z");
            assert_eq!(Change::between((&weak, &[]), (&weak, &[])), Change::Unclear, "{weak:?}");
        }
    }
}
