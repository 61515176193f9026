use std::time::Duration;

use super::holder::{claimed_by, doubtful};
use super::origin::Origin;
use crate::checks::preflight::Claimed;
use crate::commands::preflight::{RestorePreflight, RestorePreflightRequest, preflight_restore, restore_tags};
use crate::commands::{ObjectServices, RegionServices};
use crate::facts::ImageFacts;
use crate::image::RestoreRequest;
use crate::journal::{Entry, Journal, RestoreIdentity, Step};
use crate::source::{ErrorKind, SourceError};

/// Number of lookups for a new AMI.
const LOOKS: u32 = 6;
/// Tags may come into sight after the AMI; they take less time than the AMI itself.
const LOOKS_FOR_TAGS: u32 = 2;
const PAUSE: Duration = Duration::from_secs(5);

/// A preflight, and the AMI of the same restore where there is one already.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub surveyed: RestorePreflight,
    pub existing: Option<ImageFacts>,
}

/// Runs the preflight, and looks for the AMI of the same restore: by its tag, or by the id that the journal has from
/// EC2's answer. An AMI that is found is in the journal when this returns.
///
/// # Errors
///
/// [`ErrorKind::Ambiguous`] where an earlier call of this restore may have been carried out, and an AMI has its name
/// that nothing attributes to it: then nothing may be started.
pub async fn prepare_restore(
    services: &ObjectServices,
    wish: &RestorePreflightRequest,
    journal: &Journal,
) -> Result<Prepared, SourceError> {
    let mut surveyed = preflight_restore(services, wish).await?;
    let existing = existing(services, &surveyed, journal).await?;
    surveyed.report.requests = services.region.requests();
    Ok(Prepared { surveyed, existing })
}

/// The AMI that an earlier call of this restore made.
async fn existing(
    services: &ObjectServices,
    surveyed: &RestorePreflight,
    journal: &Journal,
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
        // Nothing was called, so whatever has the name is not ours; the preflight says that it has.
        _ => Found::Nothing,
    };
    match found {
        Found::Ours(image) => {
            take_up(services, journal, identity, entry, &image).await;
            Ok(Some(image))
        }
        Found::Doubtful(image) => Err(doubtful(&services.object.target().to_string(), &identity.name, &image)),
        Found::Nothing | Found::Taken(_) => Ok(None),
    }
}

/// The id goes into the journal before the AMI is followed. The tag shows it as well, so a journal that cannot be
/// written stops nothing.
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
        // When it was called is not known here, so nothing is learnt from how long it takes.
        _ => Entry::new(identity.clone(), context.clock.now().to_string(), None),
    };
    let entry = Entry { step: Step::Started, image: Some(image.id.clone()), ended_at: None, ..entry };
    if let Err(error) = journal.write_aside(entry).await {
        context.monitor.note(&unwritable(journal, error).to_string());
    }
}

pub(super) fn unwritable(journal: &Journal, error: std::io::Error) -> SourceError {
    let subject = format!("journal {}", journal.folder().display());
    SourceError::new(ErrorKind::Io, subject, error.to_string()).caused_by(error)
}

/// What looking for the AMI of a restore found; see [`Claimed`].
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

/// A restore whose AMI is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    pub image: String,
    pub identity: RestoreIdentity,
    pub how: How,
}

/// How a restore began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// EC2 answered this call with the id.
    Answered,
    /// The answer was lost, and the AMI found by its tag.
    FoundAfterLoss,
    /// EC2 refused this call: the same restore had been started elsewhere.
    Elsewhere,
}

impl Begun {
    pub fn origin(&self) -> Origin<'_> {
        match self.how {
            How::Answered => Origin::Started { identity: &self.identity, answered: true },
            How::FoundAfterLoss => Origin::Started { identity: &self.identity, answered: false },
            How::Elsewhere => Origin::TakenUp(&self.identity),
        }
    }
}

/// Starts the restore, or finds the one that an earlier call started. The request is made once, after the journal holds it and the object was seen to be the same still.
pub async fn start_restore(
    services: &ObjectServices,
    surveyed: &RestorePreflight,
    journal: &Journal,
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
    let now = services.object.head().await?;
    if !before.identity().same_bytes_as(&now.identity()).agrees() {
        let detail = "the object was replaced since the preflight; run it again";
        return Err(SourceError::new(ErrorKind::Changed, services.object.target(), detail));
    }
    let earlier = journal.read_aside(identity.token()).await.map_err(|error| unwritable(journal, error))?;
    let mut entry = Entry::new(identity.clone(), context.clock.now().to_string(), surveyed.size.volumes);
    journal.write_aside(entry.clone()).await.map_err(|error| unwritable(journal, error))?;
    let request = RestoreRequest {
        bucket: identity.bucket.clone(),
        key: identity.key.clone(),
        name: Some(identity.name.clone()),
        tags: restore_tags(identity),
    };
    let answer = services.region.images.restore(&request, false).await;
    let (image, how) = match answer {
        Ok(id) => (id, How::Answered),
        Err(error) => resolve(services, identity, journal, earlier, error).await?,
    };
    (entry.step, entry.image) = (Step::Started, Some(image.clone()));
    if let Err(error) = journal.write_aside(entry).await {
        // It was started, and its tags show whose it is: following it is worth more than ending here.
        context.monitor.note(&format!(
            "{} was started, and that could not be kept: {}",
            image,
            unwritable(journal, error)
        ));
    }
    Ok(Begun { image, identity: identity.clone(), how })
}

/// What a failed call means: nothing was started, or it was, and the answer is lost. `earlier` is the journal's entry
/// from before the call.
async fn resolve(
    services: &ObjectServices,
    identity: &RestoreIdentity,
    journal: &Journal,
    earlier: Option<Entry>,
    error: SourceError,
) -> Result<(String, How), SourceError> {
    let duplicate = error.code.as_deref() == Some("InvalidAMIName.Duplicate");
    let lost = error.may_be_done();
    let noted = earlier.as_ref().and_then(|entry| entry.image.as_deref());
    let found = match (lost, duplicate) {
        (true, _) => look(services, identity, noted, LOOKS).await?,
        (false, true) => look(services, identity, noted, 1).await?,
        (false, false) => Found::Nothing,
    };
    if let Found::Ours(image) = &found {
        return Ok((image.id.clone(), if lost { How::FoundAfterLoss } else { How::Elsewhere }));
    }
    if !lost {
        // EC2 refused it, so nothing was started by this call; whether by an earlier one stays as open as it was.
        match earlier.filter(Entry::is_open) {
            Some(earlier) => journal.write_aside(earlier).await,
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
        _ if lost => {
            let detail = format!(
                "{}; whether the restore was started is not known. Run the same command again: it looks before it calls",
                error.detail
            );
            Err(SourceError { kind: ErrorKind::OutcomeUnknown, detail, ..error })
        }
        _ if error.kind == ErrorKind::Denied => {
            let detail = services.region.decoded(&error).await;
            Err(SourceError { detail, request_id: None, ..error })
        }
        _ => Err(error),
    }
}

/// Notes how a restore ended. The AMI tells the same, so a journal that cannot be written is no failure.
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
        if let Err(error) = journal.write_aside(entry).await {
            services.context().monitor.note(&unwritable(journal, error).to_string());
        }
    }
}
