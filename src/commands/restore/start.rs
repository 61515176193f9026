use std::collections::BTreeMap;
use std::future::ready;
use std::io;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::holder::{claimed_by, doubtful};
use super::request::Origin;
use crate::checks::preflight::{Claimed, DRILL_TAG};
use crate::commands::preflight::{
    RegionSurvey, RestorePreflight, RestorePreflightRequest, preflight_restore, preflight_restore_in,
};
use crate::commands::{ObjectServices, RegionServices, before_signal};
use crate::facts::ImageFacts;
use crate::image::RestoreRequest;
use crate::journal::{Entry, Journal, RestoreIdentity, Step};
use crate::report::FileKind;
use crate::source::{Context, ErrorKind, SourceError};

/// Number of lookups for a new AMI.
const LOOKS: u32 = 6;
/// Number of lookups for the tags of a new AMI, which may appear later than the AMI itself.
const LOOKS_FOR_TAGS: u32 = 2;
const PAUSE: Duration = Duration::from_secs(5);

/// A completed preflight, and the existing AMI of the same restore, if any.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The preflight.
    pub surveyed: RestorePreflight,
    /// The AMI that an earlier call of this restore created.
    pub existing: Option<ImageFacts>,
}

/// Runs the preflight, and looks for an existing AMI of the same restore by its tag or by the id in the journal. An AMI
/// that is found is written to the journal first; a failed write is a note.
///
/// # Errors
///
/// [`ErrorKind::Ambiguous`] if the AMI that is there is that of a drill, or if an earlier call of this restore may have
/// succeeded and an AMI has its name but cannot be attributed to it. No restore may be started then. Also the errors of
/// the preflight, and an unreadable journal.
pub async fn prepare_restore(
    services: &ObjectServices,
    wish: &RestorePreflightRequest,
    journal: &Journal,
) -> Result<Prepared, SourceError> {
    let surveyed = preflight_restore(services, wish).await?;
    with_existing(services, surveyed, journal, Maker::Restore).await
}

/// [`prepare_restore`] for a drill, whose AMI may be there already.
///
/// # Errors
///
/// As for [`prepare_restore`], with [`ErrorKind::Ambiguous`] if the AMI that is there is that of a restore.
pub async fn prepare_restore_of_drill(
    services: &ObjectServices,
    wish: &RestorePreflightRequest,
    journal: &Journal,
) -> Result<Prepared, SourceError> {
    let surveyed = preflight_restore(services, wish).await?;
    with_existing(services, surveyed, journal, Maker::Drill).await
}

/// For whom an AMI is made. Drills and restores of one name and object have the same token, and neither may take the AMI of
/// the other: a drill removes its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Restore,
    Drill,
}

impl Maker {
    fn of(tags: &BTreeMap<String, String>) -> Self {
        if tags.contains_key(DRILL_TAG) { Maker::Drill } else { Maker::Restore }
    }

    /// Refuses an AMI that another maker made.
    fn check(self, services: &ObjectServices, image: &ImageFacts) -> Result<(), SourceError> {
        let detail = match (self, Maker::of(&image.tags)) {
            (Maker::Restore, Maker::Drill) => {
                "by a drill, which removes it again: run the drill once more to remove it, or give another --name"
            }
            (Maker::Drill, Maker::Restore) => "by a restore, and is not the drill's to remove: give another --name",
            _ => return Ok(()),
        };
        let detail = format!("{} of this name was made of this object {detail}", image.id);
        Err(SourceError::new(ErrorKind::Ambiguous, services.object.target(), detail))
    }
}

/// [`prepare_restore`] with the answers about the Region from before, as for one restore of a list. The AMIs of the
/// account are not kept in the result.
///
/// # Errors
///
/// As for [`prepare_restore`].
pub async fn prepare_restore_in(
    services: &ObjectServices,
    wish: &RestorePreflightRequest,
    journal: &Journal,
    region: &RegionSurvey,
) -> Result<Prepared, SourceError> {
    let surveyed = preflight_restore_in(services, wish, region).await;
    let prepared = with_existing(services, surveyed, journal, Maker::Restore).await?;
    Ok(Prepared { surveyed: RestorePreflight { images: None, ..prepared.surveyed }, ..prepared })
}

async fn with_existing(
    services: &ObjectServices,
    mut surveyed: RestorePreflight,
    journal: &Journal,
    maker: Maker,
) -> Result<Prepared, SourceError> {
    let existing = existing(services, &surveyed, journal, maker).await?;
    surveyed.report.requests = services.region.requests();
    Ok(Prepared { surveyed, existing })
}

/// The AMI that an earlier call of this restore created.
async fn existing(
    services: &ObjectServices,
    surveyed: &RestorePreflight,
    journal: &Journal,
    maker: Maker,
) -> Result<Option<ImageFacts>, SourceError> {
    let Some(identity) = &surveyed.identity else { return Ok(None) };
    let entry = journal.read_aside(identity.token()).await.map_err(|error| unwritable(journal, error))?;
    let open = entry.as_ref().is_some_and(Entry::is_open);
    let noted = entry.as_ref().and_then(|entry| entry.image.as_deref());
    let claim = identity.claim(noted);
    let first = surveyed.images.as_deref().map_or(Claimed::Nothing, |images| claim.find_in(images));
    let found = match first {
        Claimed::Ours(image) => Found::Ours(image.clone()),
        _ if open => {
            let context = services.object.context();
            context.monitor.note("an earlier run of this restore was stopped in the middle; looking for its AMI");
            look(services, identity, noted, LOOKS).await?
        }
        // No call was made, so an AMI of that name is not from this restore; the preflight reports it.
        _ => Found::Nothing,
    };
    match found {
        Found::Ours(image) => {
            maker.check(services, &image)?;
            take_up(services, journal, identity, entry, &image).await;
            Ok(Some(image))
        }
        Found::Doubtful(image) => Err(doubtful(&services.object.target().to_string(), &identity.name, &image)),
        Found::Nothing | Found::Taken(_) => Ok(None),
    }
}

/// Writes the id of the AMI to the journal before the AMI is followed. A failed write is only noted, because the tag also
/// identifies the AMI.
async fn take_up(
    services: &ObjectServices,
    journal: &Journal,
    identity: &RestoreIdentity,
    entry: Option<Entry>,
    image: &ImageFacts,
) {
    let context = services.object.context();
    let same = |entry: &Entry| entry.image.as_ref() == Some(&image.id);
    let entry = match entry {
        Some(entry) if entry.step != Step::Calling && same(&entry) => return,
        Some(entry) if entry.is_open() => entry,
        // The time of the call is not known, so the duration of this restore is not used for later estimates.
        _ => Entry::new(identity.clone(), context.clock.now().to_string(), None),
    };
    let entry = Entry { step: Step::Started, image: Some(image.id.clone()), ended_at: None, ..entry };
    if let Err(error) = record(journal, context, entry).await {
        context.monitor.note(&unwritable(journal, error).to_string());
    }
}

/// Writes an entry to the journal, and reports its file.
async fn record(journal: &Journal, context: &Context, entry: Entry) -> io::Result<()> {
    let path = journal.path(&entry.restore.token());
    journal.write_aside(entry).await?;
    context.monitor.wrote(&path, FileKind::Journal);
    Ok(())
}

pub(super) fn unwritable(journal: &Journal, error: io::Error) -> SourceError {
    let subject = format!("journal {}", journal.folder().display());
    SourceError::new(ErrorKind::Io, subject, error.to_string()).caused_by(error)
}

/// Result of looking for the AMI of a restore; see [`Claimed`].
enum Found {
    Nothing,
    Ours(ImageFacts),
    Doubtful(ImageFacts),
    Taken(ImageFacts),
}

async fn look(
    services: &ObjectServices,
    identity: &RestoreIdentity,
    noted: Option<&str>,
    looks: u32,
) -> Result<Found, SourceError> {
    let claim = identity.claim(noted);
    let mut untagged = 0;
    for number in 0..looks {
        if number > 0 {
            services.object.context().clock.sleep(PAUSE).await;
        }
        let images = services.region.images.own_images().await?;
        match claim.find_in(&images) {
            Claimed::Ours(image) => return Ok(Found::Ours(image.clone())),
            Claimed::Taken(image) => return Ok(Found::Taken(image.clone())),
            Claimed::Doubtful(image) => {
                untagged += 1;
                if untagged >= LOOKS_FOR_TAGS.min(looks) {
                    return Ok(Found::Doubtful(image.clone()));
                }
            }
            Claimed::Nothing => {}
        }
    }
    Ok(Found::Nothing)
}

/// A restore whose AMI exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The id of the AMI.
    pub image: String,
    /// The identity of the restore.
    pub identity: RestoreIdentity,
    /// How the AMI was found.
    pub how: How,
}

/// How the AMI of a restore was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// EC2 answered this call with the id.
    Answered,
    /// The response was lost, and the AMI was found by its tag.
    FoundAfterLoss,
    /// EC2 rejected this call because the same restore had been started elsewhere.
    Elsewhere,
}

impl Begun {
    /// Why the AMI is followed.
    pub fn origin(&self) -> Origin<'_> {
        match self.how {
            How::Answered => Origin::Started { identity: &self.identity, answered: true },
            How::FoundAfterLoss => Origin::Started { identity: &self.identity, answered: false },
            How::Elsewhere => Origin::TakenUp(&self.identity),
        }
    }
}

/// Starts the restore, or finds the AMI that an earlier call created. The request is sent once, after it was written to
/// the journal and after the object was confirmed to be unchanged.
///
/// # Errors
///
/// The preflight found no name or no object with an ETag, the object changed, the journal cannot be written, EC2
/// rejected the request, its outcome is unknown, or `cancel` came before it ([`ErrorKind::Interrupted`]).
pub async fn start_restore(
    services: &ObjectServices,
    surveyed: &RestorePreflight,
    journal: &Journal,
    cancel: &CancellationToken,
) -> Result<Begun, SourceError> {
    let context = services.object.context();
    let (Some(identity), Some(before)) = (&surveyed.identity, &surveyed.object) else {
        let subject = services.object.target();
        return Err(SourceError::new(
            ErrorKind::Invalid,
            subject,
            "a restore needs a name, and an object with an ETag",
        ));
    };
    let now = before_signal(cancel, services.object.target(), services.object.head()).await?;
    if !before.identity().same_bytes_as(&now.identity()).agrees() {
        let detail = "the object was replaced since the preflight; run it again";
        return Err(SourceError::new(ErrorKind::Changed, services.object.target(), detail));
    }
    let earlier = journal.read_aside(identity.token()).await.map_err(|error| unwritable(journal, error))?;
    let mut entry = Entry::new(identity.clone(), context.clock.now().to_string(), surveyed.size.volumes);
    // If this process dies during the call, the AMI of an earlier call that is still open can be found by its id.
    entry.image = earlier.as_ref().filter(|entry| entry.is_open()).and_then(|entry| entry.image.clone());
    // What is in the journal as a call was called.
    before_signal(cancel, services.object.target(), ready(Ok(()))).await?;
    record(journal, context, entry.clone()).await.map_err(|error| unwritable(journal, error))?;
    let request = RestoreRequest {
        bucket: identity.bucket.clone(),
        key: identity.key.clone(),
        name: Some(identity.name.clone()),
        tags: surveyed.report.tags.clone(),
    };
    let answer = services.region.images.restore(&request, false).await;
    let (image, how) = match answer {
        Ok(id) => (id, How::Answered),
        Err(error) => {
            let (image, how) = resolve(services, identity, journal, earlier, error).await?;
            Maker::of(&request.tags).check(services, &image)?;
            (image.id, how)
        }
    };
    (entry.step, entry.image) = (Step::Started, Some(image.clone()));
    if let Err(error) = record(journal, context, entry).await {
        // The restore was started, and its tags identify it, so it is followed although the journal cannot be written.
        context.monitor.note(&format!(
            "{} was started, and the journal could not record it: {}",
            image,
            unwritable(journal, error)
        ));
    }
    Ok(Begun { image, identity: identity.clone(), how })
}

/// The error of a call whose response was lost. `looking` is the error of the search for its AMI, if that failed too.
fn outcome_unknown(error: SourceError, looking: Option<&SourceError>) -> SourceError {
    let looking = looking.map(|failed| format!(", and looking for its AMI failed: {}", failed.explain()));
    let detail = format!(
        "{}; whether the restore was started is not known{}. Run the same command again: it checks before it starts anything",
        error.detail,
        looking.unwrap_or_default()
    );
    SourceError { kind: ErrorKind::OutcomeUnknown, detail, ..error }
}

/// Determines what a failed call means: nothing was started, or the restore was started and the response lost.
/// `earlier` is the journal entry from before the call.
async fn resolve(
    services: &ObjectServices,
    identity: &RestoreIdentity,
    journal: &Journal,
    earlier: Option<Entry>,
    error: SourceError,
) -> Result<(ImageFacts, How), SourceError> {
    let duplicate = error.code.as_deref() == Some("InvalidAMIName.Duplicate");
    let lost = error.may_be_done();
    let noted = earlier.as_ref().and_then(|entry| entry.image.as_deref());
    let found = match (lost, duplicate) {
        (true, _) => match look(services, identity, noted, LOOKS).await {
            Ok(found) => found,
            Err(failed) => return Err(outcome_unknown(error, Some(&failed))),
        },
        (false, true) => look(services, identity, noted, 1).await?,
        (false, false) => Found::Nothing,
    };
    let found = match found {
        Found::Ours(image) => return Ok((image, if lost { How::FoundAfterLoss } else { How::Elsewhere })),
        other => other,
    };
    if !lost {
        // EC2 rejected this call, so it started nothing. Restore the entry of an earlier call whose outcome is still
        // unknown.
        match earlier.filter(Entry::is_open) {
            Some(earlier) => record(journal, services.object.context(), earlier).await,
            None => {
                let token = identity.token();
                journal.aside(move |journal| journal.forget(&token)).await
            }
        }
        .map_err(|error| unwritable(journal, error))?;
    }
    match found {
        Found::Doubtful(image) => Err(doubtful(&error.subject, &identity.name, &image)),
        Found::Taken(image) => {
            let open = if lost { "; whether this one was started is not known" } else { "; nothing was started" };
            let detail = format!("{}: {}{open}", error.detail, claimed_by(&image));
            Err(SourceError { kind: ErrorKind::Invalid, detail, ..error })
        }
        _ if lost => Err(outcome_unknown(error, None)),
        _ if error.kind == ErrorKind::Denied => {
            let detail = services.region.decoded(&error).await;
            Err(SourceError { detail, request_id: None, ..error })
        }
        _ => Err(error),
    }
}

/// Records in the journal how a restore ended. A failed write is only noted, because the AMI shows the same.
pub(super) async fn close(
    services: &RegionServices,
    journal: &Journal,
    identity: &RestoreIdentity,
    image: &str,
    step: Step,
) {
    let Ok(Some(mut entry)) = journal.read_aside(identity.token()).await else { return };
    if entry.is_open() && entry.image.as_deref() == Some(image) {
        entry.step = step;
        entry.ended_at = Some(services.context().clock.now().to_string());
        if let Err(error) = record(journal, services.context(), entry).await {
            services.context().monitor.note(&unwritable(journal, error).to_string());
        }
    }
}
