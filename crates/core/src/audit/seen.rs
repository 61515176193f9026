use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Word;
use crate::facts::ListedObject;
use crate::ident::{ObjectIdentity, Same};
use crate::text::words;
use crate::verdict::CheckId;

/// How a listing shows an object, if it does so by another time alone: some servers keep two.
pub fn listed_apart(seen: &ObjectIdentity, listed: &ListedObject) -> Option<ObjectIdentity> {
    let listed = listed.identity();
    (listed.same_bytes_as(seen).is_yes() && !listed.same_as(seen).is_yes()).then_some(listed)
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

    /// The check that holds the bytes against it.
    pub fn check(&self) -> Word<CheckId> {
        Word::of(self.name().to_owned())
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
fn differs<'a>(
    one: &'a [ContentFingerprint],
    other: &'a [ContentFingerprint],
) -> Option<(&'a ContentFingerprint, &'a ContentFingerprint)> {
    one.iter().find_map(|was| {
        let is = other.iter().find(|is| is.name() == was.name() && !is.by_part() && !was.by_part())?;
        (is != was).then_some((was, is))
    })
}

/// The names of the checksums of the whole content, in order. Contents of the same size that have none of these in
/// common cannot be told apart.
pub fn comparable_names(content: &[ContentFingerprint]) -> BTreeSet<&str> {
    content.iter().filter(|one| !one.by_part()).map(ContentFingerprint::name).collect()
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
    pub fn between(
        before: (&ObjectIdentity, &[ContentFingerprint]),
        now: (&ObjectIdentity, &[ContentFingerprint]),
    ) -> Self {
        let ((then, had), (seen, has)) = (before, now);
        match then.same_as(seen) {
            Same::Yes => return Change::Same,
            Same::No(difference) if difference.size => {
                let bytes = |identity: &ObjectIdentity| identity.object_bytes.unwrap_or_default();
                return Change::Replaced { detail: format!("{} bytes became {}", bytes(then), bytes(seen)) };
            }
            Same::No(_) | Same::CannotTell(_) => {}
        }
        if let Some((was, is)) = differs(had, has) {
            return Change::Replaced { detail: format!("{was} became {is}") };
        }
        match had.iter().find(|was| has.contains(was)) {
            Some(by) => Change::SameContent { by: by.clone() },
            None => Change::Unclear,
        }
    }

    /// What an audit has against the change, for people; `None` if nothing.
    pub fn objection(&self) -> Option<String> {
        match self {
            Change::New | Change::Same | Change::SameContent { .. } => None,
            Change::Restated { detail } => Some(detail.clone()),
            Change::Replaced { detail } => Some(format!("replaced by other content: {detail}")),
            Change::Unclear => {
                Some("it was written again, and no value shows whether the content is the same".to_owned())
            }
        }
    }

    /// The change without its details, as a report names it.
    pub fn kind(&self) -> ChangeKind {
        match self {
            Change::New => ChangeKind::New,
            Change::Same => ChangeKind::Same,
            Change::SameContent { .. } => ChangeKind::ReplacedSameContent,
            Change::Replaced { .. } => ChangeKind::Replaced,
            Change::Unclear | Change::Restated { .. } => ChangeKind::ReplacedUnclear,
        }
    }
}

words! {
    /// A change as a report names it.
    pub enum ChangeKind {
        New = "new",
        Same = "same",
        ReplacedSameContent = "replaced_same_content",
        Replaced = "replaced",
        ReplacedUnclear = "replaced_unclear",
        /// It was known, and is gone.
        Missing = "missing",
    }
}

impl ChangeKind {
    /// In words for people.
    pub fn in_words(self) -> String {
        self.name().replace('_', " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::ETag;

    fn seen(bytes: u64, etag: &str, modified: &str) -> ObjectIdentity {
        ObjectIdentity {
            object_bytes: Some(bytes),
            etag: Some(ETag::kept(etag)),
            last_modified: Some(modified.into()),
            version_id: None,
        }
    }

    fn contents(values: &[&str]) -> Vec<ContentFingerprint> {
        values.iter().map(|value| ContentFingerprint((*value).to_owned())).collect()
    }

    #[test]
    fn an_object_is_held_against_what_it_was() {
        let before = seen(9, "a-2", "2026-01-01T00:00:00Z");
        let after = |had: &[&str], has: &[&str], now: &ObjectIdentity| {
            Change::between((&before, &contents(had)), (now, &contents(has))).kind().name()
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
        let bare = ObjectIdentity { etag: None, ..seen(9, "a", "2026-01-01T00:00:00Z") };
        assert_eq!(Change::between((&bare, &[]), (&bare, &[])), Change::Unclear);
        for weak in ["W/\"a\"", "W/\"a", ""] {
            let weak = seen(9, weak, "2026-01-01T00:00:00Z");
            assert_eq!(Change::between((&weak, &[]), (&weak, &[])), Change::Unclear, "{weak:?}");
        }
    }
}
