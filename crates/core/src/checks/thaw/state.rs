use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::facts::{ArchiveStatus, ClassWord, ObjectFacts};
use crate::price::{RetrievalTier, StorageClass};

/// Where an archived object is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveTier {
    /// S3 Glacier Flexible Retrieval.
    Glacier,
    /// S3 Glacier Deep Archive.
    DeepArchive,
    /// The Archive Access tier of Intelligent-Tiering.
    TieringArchive,
    /// The Deep Archive Access tier of Intelligent-Tiering.
    TieringDeepArchive,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

impl ArchiveTier {
    /// The storage class.
    pub fn class(self) -> StorageClass {
        match self {
            ArchiveTier::Glacier => StorageClass::Glacier,
            ArchiveTier::DeepArchive => StorageClass::DeepArchive,
            ArchiveTier::TieringArchive | ArchiveTier::TieringDeepArchive => StorageClass::IntelligentTiering,
        }
    }

    /// Whether the object itself becomes readable again. Of the other classes, a temporary copy does.
    pub fn is_tiering(self) -> bool {
        self.class() == StorageClass::IntelligentTiering
    }

    /// The longest documented time until the object can be read; `None` if there is no such tier.
    pub fn takes(self, tier: RetrievalTier) -> Option<Duration> {
        let is_deep = matches!(self, ArchiveTier::DeepArchive | ArchiveTier::TieringDeepArchive);
        match (tier, is_deep) {
            (RetrievalTier::Expedited, false) => Some(5 * MINUTE),
            (RetrievalTier::Expedited, true) => None,
            (RetrievalTier::Standard, false) => Some(5 * HOUR),
            (RetrievalTier::Standard, true) | (RetrievalTier::Bulk, false) => Some(12 * HOUR),
            (RetrievalTier::Bulk, true) => Some(48 * HOUR),
        }
    }
}

impl fmt::Display for ArchiveTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArchiveTier::Glacier => "GLACIER",
            ArchiveTier::DeepArchive => "DEEP_ARCHIVE",
            ArchiveTier::TieringArchive => "INTELLIGENT_TIERING, ARCHIVE_ACCESS",
            ArchiveTier::TieringDeepArchive => "INTELLIGENT_TIERING, DEEP_ARCHIVE_ACCESS",
        })
    }
}

/// Whether an object can be read, and what is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveState {
    /// It is not archived.
    Readable,
    /// It is archived.
    Archived(ArchiveTier),
    /// It is archived, and a copy is being made.
    Restoring(ArchiveTier),
    /// A copy can be read, until this time if it is stated.
    Restored(ArchiveTier, Option<Timestamp>),
    /// What the server states is not understood; the reason, for the user.
    Unclear(String),
}

/// The state that HEAD shows (S3 API Reference, `HeadObject`).
pub fn archive_state(facts: &ObjectFacts) -> ArchiveState {
    let class = facts.storage_class.as_deref().map(ClassWord::of);
    let tier = match (class, facts.archive_status.as_deref().map(ArchiveStatus::of)) {
        (Some(ClassWord::Glacier), _) => ArchiveTier::Glacier,
        (Some(ClassWord::DeepArchive), _) => ArchiveTier::DeepArchive,
        (_, Some(ArchiveStatus::Archive)) => ArchiveTier::TieringArchive,
        (_, Some(ArchiveStatus::DeepArchive)) => ArchiveTier::TieringDeepArchive,
        (_, Some(ArchiveStatus::Other(word))) => {
            return ArchiveState::Unclear(format!("the archive status {word} is not known"));
        }
        (_, None) => return ArchiveState::Readable,
    };
    match &facts.restore {
        None => ArchiveState::Archived(tier),
        Some(Err(text)) => ArchiveState::Unclear(text.clone()),
        Some(Ok(restore)) if restore.ongoing => ArchiveState::Restoring(tier),
        Some(Ok(restore)) => ArchiveState::Restored(tier, restore.expires),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::RestoreState;
    use crate::ident::ObjectId;

    #[test]
    fn what_head_shows() {
        let facts = |class: &str, status: Option<&str>, restore: Option<&str>| {
            let id = ObjectId { target: "s3://b/k".parse().unwrap(), etag: None };
            ObjectFacts {
                storage_class: Some(class.to_owned()),
                archive_status: status.map(str::to_owned),
                restore: restore.map(|text| text.parse::<RestoreState>().map_err(|error| error.to_string())),
                ..ObjectFacts::new(id, crate::facts::FactsSource::Other("test"), 1)
            }
        };
        let running = Some(r#"ongoing-request="true""#);
        let done = Some(r#"ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT""#);
        let end = Some("2012-12-21T00:00:00Z".parse().unwrap());
        for (class, status, restore, expected) in [
            ("STANDARD", None, None, ArchiveState::Readable),
            ("GLACIER_IR", None, None, ArchiveState::Readable),
            ("INTELLIGENT_TIERING", None, None, ArchiveState::Readable),
            ("SOMETHING_NEW", None, None, ArchiveState::Readable),
            ("GLACIER", None, None, ArchiveState::Archived(ArchiveTier::Glacier)),
            ("DEEP_ARCHIVE", None, running, ArchiveState::Restoring(ArchiveTier::DeepArchive)),
            ("GLACIER", None, done, ArchiveState::Restored(ArchiveTier::Glacier, end)),
            (
                "INTELLIGENT_TIERING",
                Some("ARCHIVE_ACCESS"),
                running,
                ArchiveState::Restoring(ArchiveTier::TieringArchive),
            ),
            (
                "INTELLIGENT_TIERING",
                Some("DEEP_ARCHIVE_ACCESS"),
                None,
                ArchiveState::Archived(ArchiveTier::TieringDeepArchive),
            ),
        ] {
            assert_eq!(archive_state(&facts(class, status, restore)), expected, "{class} {status:?} {restore:?}");
        }
        for odd in [facts("GLACIER", None, Some("soon")), facts("INTELLIGENT_TIERING", Some("COLDER"), None)] {
            assert!(matches!(archive_state(&odd), ArchiveState::Unclear(_)), "{odd:?}");
        }
    }
}
