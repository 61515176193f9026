use std::collections::BTreeMap;

use super::request::{FollowRequest, Origin};
use crate::checks::preflight::{
    Ownership, OwnershipClaim, RESTORE_TAG, is_token, restored_by, restored_by_some, unmarked,
};
use crate::commands::RegionServices;
use crate::commands::preflight::{SOURCE_TAG, restore_tags};
use crate::facts::ImageFacts;
use crate::ident::ObjectUri;
use crate::journal::{Entry, Journal, RestoreIdentity};
use crate::report::{Note, TaskNote};
use crate::verdict::Finding;

/// What is known about the restore that created an AMI.
pub(super) struct Traced {
    /// The restore and its claim to the AMI; `None` if it is not known.
    pub restore: Option<(RestoreIdentity, OwnershipClaim)>,
    /// The finding on which restore created the AMI.
    pub made: Finding,
    /// Key of the object, if the restore or a tag of the AMI states it.
    pub key: Option<String>,
    /// Tags that the AMI and its snapshots must have.
    pub tags: BTreeMap<String, String>,
    pub notes: Vec<Note>,
}

impl Traced {
    fn of(identity: RestoreIdentity, noted: Option<&str>, image: &ImageFacts, notes: Vec<Note>) -> Self {
        let claim = identity.claim(noted);
        let made = restored_by(&claim, image);
        // An AMI that is not the one of the restore need not have its tags.
        let mistaken = matches!(claim.classify(image), Ownership::Mistaken { .. });
        let tags = if mistaken { BTreeMap::new() } else { restore_tags(&identity) };
        let key = Some(identity.key.clone());
        Traced { tags, key, restore: Some((identity, claim)), made, notes }
    }
}

/// Finds the restore of an AMI: the current one, otherwise the one whose token is in the tags of the AMI, otherwise the
/// one whose journal entry names the AMI.
pub(super) async fn trace(
    services: &RegionServices,
    wish: &FollowRequest<'_>,
    journal: &Journal,
    image: &ImageFacts,
) -> Traced {
    match wish.origin {
        Origin::Started { identity, answered } => {
            Traced::of(identity.clone(), answered.then_some(wish.image), image, Vec::new())
        }
        Origin::TakenUp(identity) => {
            let entry = journal.read_aside(identity.token()).await.ok().flatten();
            let noted = entry.as_ref().and_then(|entry| entry.image.as_deref());
            Traced::of(identity.clone(), noted, image, Vec::new())
        }
        Origin::Named => named(services, wish, journal, image).await,
    }
}

async fn named(services: &RegionServices, wish: &FollowRequest<'_>, journal: &Journal, image: &ImageFacts) -> Traced {
    let mut notes = Vec::new();
    let token = image.tags.get(RESTORE_TAG).filter(|token| is_token(token));
    let of_token = match token {
        None => None,
        Some(token) => journal.read_aside(token.clone()).await.unwrap_or_else(|error| {
            notes.push(unreadable(journal, &error));
            None
        }),
    };
    // Also used if the AMI has a token that is not in the journal. The entry that names the AMI then belongs to another
    // restore.
    let entry = match of_token {
        Some(entry) => Some(entry),
        None => naming(journal, image, &mut notes).await,
    };
    if let Some(Entry { restore, image: noted, .. }) = entry {
        // An entry of another Region or account does not apply to an AMI of this one.
        if restore.region == services.images.region() && restore.account == image.owner {
            return Traced::of(restore, noted.as_deref(), image, notes);
        }
        let (account, region) = (restore.account, restore.region);
        let (image, owner, here) = (image.id.clone(), image.owner.clone(), services.images.region().to_owned());
        notes.push(TaskNote::OtherJournalEntry { account, region, image, owner, here }.into());
    }
    let object: Option<ObjectUri> = image.tags.get(SOURCE_TAG).and_then(|source| source.parse().ok());
    let key = object.map(|object| object.key);
    match token {
        Some(token) => {
            let made = restored_by_some(image, token, key.as_deref());
            // The complete request of the restore is not known; the snapshots must have the same token.
            Traced { restore: None, made, key, tags: [(RESTORE_TAG.to_owned(), token.clone())].into(), notes }
        }
        None => {
            let stored = wish.source.and_then(|source| Some((source.image.as_deref()?, source.from.as_str())));
            Traced { restore: None, made: unmarked(image, stored), key, tags: BTreeMap::new(), notes }
        }
    }
}

/// A note that an entry of the journal could not be read.
fn unreadable(journal: &Journal, problem: &impl ToString) -> Note {
    let folder = journal.folder().display().to_string();
    TaskNote::JournalUnreadable { folder, problem: problem.to_string() }.into()
}

/// The entry that names an AMI.
async fn naming(journal: &Journal, image: &ImageFacts, notes: &mut Vec<Note>) -> Option<Entry> {
    let Ok(all) = journal.aside(|journal| Ok(journal.entries())).await else { return None };
    notes.extend(all.left_out.iter().map(|why| unreadable(journal, why)));
    all.entries.into_iter().find(|entry| entry.image.as_ref() == Some(&image.id))
}
