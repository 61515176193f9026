use crate::checks::preflight::RESTORE_TAG;
use crate::facts::ImageFacts;
use crate::source::{ErrorKind, SourceError};

/// Describes the AMI that another, faster restore created under the same name.
pub(super) fn claimed_by(image: &ImageFacts) -> String {
    let token = image.tags.get(RESTORE_TAG).map_or("", String::as_str);
    format!(
        "{} ({}) has the name `{}`, and another restore made it ({RESTORE_TAG} is {token})",
        image.id,
        image.state,
        image.name.as_deref().unwrap_or_default()
    )
}

/// The error for an AMI that an earlier call of this restore may have created, but that cannot be attributed to it.
pub(super) fn doubtful(subject: &str, name: &str, image: &ImageFacts) -> SourceError {
    let source = image.source_image.as_ref().map(|source| format!(", made from {source}")).unwrap_or_default();
    let tag = match image.tags.get(RESTORE_TAG) {
        None => "has no tag that shows which restore made it".to_owned(),
        Some(_) => "has the tag of this restore, and is not the AMI it makes: perhaps a copy of it".to_owned(),
    };
    let detail = format!(
        "{id} ({state}{source}) has the name `{name}` and {tag}. An earlier call of this restore may have been carried \
         out, so nothing is started. Run the same command again in a minute, because tags can appear later; if \
         {id} is not yours, restore under another --name; `restore --follow {id}` shows what is known of it",
        id = image.id,
        state = image.state,
    );
    SourceError::new(ErrorKind::Ambiguous, subject, detail)
}
