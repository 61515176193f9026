use super::start::unwritable;
use crate::checks::preflight::{Ownership, RESTORE_TAG, is_token};
use crate::commands::RegionServices;
use crate::ident::AmiId;
use crate::journal::{Journal, RestoreIdentity};
use crate::source::SourceError;

/// The restore that made an AMI, by its tag and the journal. `None` if the journal does not hold it.
///
/// # Errors
///
/// The AMI cannot be described, or the entry of the journal cannot be read.
pub async fn identify_restore(
    services: &RegionServices,
    image: &AmiId,
    journal: &Journal,
) -> Result<Option<RestoreIdentity>, SourceError> {
    let images = services.images.images(&[image.to_string()]).await?;
    let Some(image) = images.into_iter().find(|found| found.id == image.as_str()) else { return Ok(None) };
    let Some(token) = image.tags.get(RESTORE_TAG).filter(|token| is_token(token)).cloned() else { return Ok(None) };
    let entry = journal.read_aside(token).await.map_err(|error| unwritable(journal, error))?;
    Ok(entry
        .filter(|entry| {
            let (restore, noted) = (&entry.restore, entry.image.as_deref());
            let is_here = restore.region == services.images.region() && restore.account == image.owner;
            is_here && matches!(restore.claim(noted).classify(&image), Ownership::Ours(_))
        })
        .map(|entry| entry.restore))
}
