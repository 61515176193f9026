use std::collections::BTreeMap;

use super::follow::FollowRequest;
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

/// Why an AMI is followed.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A call in this run made it; `answered` where EC2's answer named it.
    Started { identity: &'a RestoreIdentity, answered: bool },
    /// It was found to be the AMI of this restore.
    TakenUp(&'a RestoreIdentity),
    /// A person named it; which restore made it, if one did, is for its tags and the journal to show.
    Named,
}

impl Origin<'_> {
    pub fn started_here(self) -> bool {
        matches!(self, Origin::Started { .. })
    }
}

/// What is known of the restore that made an AMI.
pub(super) struct Traced {
    pub restore: Option<(RestoreIdentity, OwnershipClaim)>,
    pub made: Finding,
    /// Key of the object, where the restore or a tag of the AMI tells it.
    pub key: Option<String>,
    /// Tags that the AMI and its snapshots must bear.
    pub tags: BTreeMap<String, String>,
    pub notes: Vec<Note>,
}

impl Traced {
    fn of(identity: RestoreIdentity, noted: Option<&str>, image: &ImageFacts, notes: Vec<Note>) -> Self {
        let claim = identity.claim(noted);
        let made = restored_by(&claim, image);
        // What was mistaken for the AMI of the restore need not bear its tags.
        let mistaken = matches!(claim.classify(image), Ownership::Mistaken { .. });
        let tags = if mistaken { BTreeMap::new() } else { restore_tags(&identity) };
        let key = Some(identity.key.clone());
        Traced { tags, key, restore: Some((identity, claim)), made, notes }
    }
}

/// Finds the restore of an AMI: the one that is carried out, else the one whose token the AMI bears, else the one
/// whose entry in the journal names it.
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
    // Also where it bears a token that the journal does not know: the entry that names it then speaks of another one.
    let entry = match of_token {
        Some(entry) => Some(entry),
        None => naming(journal, image, &mut notes).await,
    };
    if let Some(Entry { restore, image: noted, .. }) = entry {
        // An entry of another Region or account says nothing about an AMI of this one.
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
            // What was asked for is not known whole; the snapshots must bear the same token.
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
