use std::time::Duration;

use crate::checks::preflight::RESTORE_TAG;
use crate::commands::Services;
use crate::commands::preflight::{RestoreWish, Surveyed, restore_tags, survey_restore};
use crate::facts::ImageFacts;
use crate::ident::AmiId;
use crate::image::RestoreRequest;
use crate::journal::{Entry, Journal, RestoreIdentity, Step};
use crate::source::{ErrorKind, SourceError};

/// An AMI that was just made may not be listed yet: so often it is looked for, with a pause before each further look.
const LOOKS: u32 = 6;
const PAUSE: Duration = Duration::from_secs(5);

/// A preflight, and the AMI of the same restore where there is one already.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub surveyed: Surveyed,
    pub existing: Option<ImageFacts>,
}

/// Runs the preflight, and looks for traces of the same restore: the tag, then the name.
pub async fn prepare_restore(
    services: &Services,
    wish: &RestoreWish,
    journal: &Journal,
) -> Result<Prepared, SourceError> {
    let surveyed = survey_restore(services, wish).await?;
    let Some(identity) = &surveyed.identity else { return Ok(Prepared { surveyed, existing: None }) };
    let entry = read(journal, identity)?;
    let mut existing = surveyed.images.as_ref().and_then(|images| find(images, identity, entry.as_ref()).cloned());
    let lost = entry.as_ref().is_some_and(|entry| matches!(entry.step, Step::Calling | Step::Started));
    if existing.is_none() && lost {
        let context = services.object.context();
        context.monitor.note("an earlier run of this restore was stopped in the middle; looking for its AMI");
        existing = look(services, identity, entry.as_ref(), LOOKS).await?;
    }
    Ok(Prepared { surveyed, existing })
}

fn read(journal: &Journal, identity: &RestoreIdentity) -> Result<Option<Entry>, SourceError> {
    journal.read(&identity.token()).map_err(|error| unwritable(journal, &error))
}

fn unwritable(journal: &Journal, error: &std::io::Error) -> SourceError {
    SourceError::new(ErrorKind::Io, format!("journal {}", journal.folder().display()), error.to_string())
}

/// The AMI of this very restore. One with its tag; else the one that the journal names; else, if the journal knows
/// of the call, one with its name and its source.
fn find<'a>(images: &'a [ImageFacts], identity: &RestoreIdentity, entry: Option<&Entry>) -> Option<&'a ImageFacts> {
    let token = identity.token();
    let tagged = images.iter().find(|image| image.tags.get(RESTORE_TAG) == Some(&token));
    let noted = || {
        let id = entry?.image.as_deref()?;
        images.iter().find(|image| image.id == id)
    };
    let named = || {
        entry?;
        let source = AmiId::from_key(&identity.key);
        images.iter().find(|image| {
            let same_source = match (&image.source_image, &source) {
                (Some(image), Some(source)) => image == source.as_str(),
                _ => true,
            };
            image.name.as_ref() == Some(&identity.name) && same_source
        })
    };
    tagged.or_else(noted).or_else(named)
}

async fn look(
    services: &Services,
    identity: &RestoreIdentity,
    entry: Option<&Entry>,
    looks: u32,
) -> Result<Option<ImageFacts>, SourceError> {
    for number in 0..looks {
        if number > 0 {
            services.object.context().clock.sleep(PAUSE).await;
        }
        let images = services.images.own_images().await?;
        if let Some(found) = find(&images, identity, entry) {
            return Ok(Some(found.clone()));
        }
    }
    Ok(None)
}

/// Starts the restore, or finds the one that an earlier call started; the id of the new AMI, and whether it was
/// started here. The request is made once, after the journal holds it and the object was seen to be the same still.
pub async fn start_restore(
    services: &Services,
    surveyed: &Surveyed,
    journal: &Journal,
) -> Result<(String, bool), SourceError> {
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
    // A weak ETag stays when bytes change.
    let identified = before.id.etag.as_ref().is_some_and(crate::ident::ETag::is_strong);
    let same = now.id.etag == before.id.etag && now.version == before.version && now.size == before.size;
    if !same || (!identified && now.last_modified != before.last_modified) {
        let detail = "the object was replaced since the preflight; run it again";
        return Err(SourceError::new(ErrorKind::Changed, services.object.target(), detail));
    }
    let mut entry = Entry::new(identity.clone(), context.clock.now().to_string(), surveyed.size.volumes);
    journal.write(&entry).map_err(|error| unwritable(journal, &error))?;
    let request = RestoreRequest {
        bucket: identity.bucket.clone(),
        key: identity.key.clone(),
        name: Some(identity.name.clone()),
        tags: restore_tags(identity),
    };
    let answer = services.images.restore(&request, false).await;
    let found = match answer {
        Ok(id) => (id, true),
        Err(error) => resolve(services, identity, journal, &entry, error).await?,
    };
    (entry.step, entry.image) = (Step::Started, Some(found.0.clone()));
    journal.write(&entry).map_err(|error| unwritable(journal, &error))?;
    Ok(found)
}

/// What a failed call means: nothing was started, or it was, and the answer is lost.
async fn resolve(
    services: &Services,
    identity: &RestoreIdentity,
    journal: &Journal,
    entry: &Entry,
    error: SourceError,
) -> Result<(String, bool), SourceError> {
    let duplicate = error.code.as_deref() == Some("InvalidAMIName.Duplicate");
    let lost = error.may_be_done();
    if duplicate || lost {
        let looks = if lost { LOOKS } else { 1 };
        if let Some(found) = look(services, identity, Some(entry), looks).await? {
            return Ok((found.id, lost));
        }
    }
    if lost {
        let detail = format!(
            "{}; whether the restore was started is not known. Run the same command again: it looks before it calls",
            error.detail
        );
        return Err(SourceError { kind: ErrorKind::Invalid, detail, ..error });
    }
    // EC2 refused it, so nothing was started.
    journal.forget(&identity.token()).map_err(|error| unwritable(journal, &error))?;
    if error.kind == ErrorKind::Denied {
        let detail = services.decoded(&error).await;
        return Err(SourceError { detail, request_id: None, ..error });
    }
    Err(error)
}

/// Notes how a restore ended. The AMI tells the same, so a journal that cannot be written is no failure.
pub(super) fn close(services: &Services, journal: &Journal, image: &str, step: Step) {
    let Some(mut entry) = journal.of_image(image) else { return };
    if matches!(entry.step, Step::Calling | Step::Started) {
        entry.step = step;
        entry.ended_at = Some(services.object.context().clock.now().to_string());
        if let Err(error) = journal.write(&entry) {
            services.object.context().monitor.note(&unwritable(journal, &error).to_string());
        }
    }
}
