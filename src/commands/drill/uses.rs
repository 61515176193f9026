use crate::facts::ImageFacts;
use crate::image::RemovalService;
use crate::source::SourceError;

/// Why an AMI or a snapshot is not removed, for the report.
pub(super) type Reason = String;

/// What could not be asked counts as a use: nothing is removed on a guess.
pub(super) fn unanswered(error: &SourceError) -> Reason {
    format!("whether it is in use cannot be told: {}", error.explain())
}

/// Checks that nothing uses an AMI.
///
/// # Errors
///
/// The use, or why it is not known.
pub(super) async fn image_is_unused(removal: &dyn RemovalService, image: &ImageFacts) -> Result<(), Reason> {
    match image.deregistration_protection.as_deref() {
        Some("disabled") | None => {}
        Some(protection) => return Err(format!("its deregistration protection is `{protection}`")),
    }
    if image.public {
        return Err("every account may launch it".to_owned());
    }
    let who = removal.who_may_launch(&image.id).await.map_err(|error| unanswered(&error))?;
    if !who.is_empty() {
        return Err(format!("it is shared with {}", who.join(", ")));
    }
    let instances = removal.instances_of(&image.id).await.map_err(|error| unanswered(&error))?;
    match instances.is_empty() {
        true => Ok(()),
        false => Err(format!("{} was launched from it", instances.join(", "))),
    }
}

/// Checks that nothing uses a snapshot but the AMI of the drill, `image`. `own` are the account's AMIs.
///
/// # Errors
///
/// The use, or why it is not known.
pub(super) async fn snapshot_is_unused(
    removal: &dyn RemovalService,
    snapshot: &str,
    image: &str,
    own: &[ImageFacts],
) -> Result<(), Reason> {
    let refers = |image: &ImageFacts| image.volumes.iter().any(|volume| volume.snapshot.as_deref() == Some(snapshot));
    let there = own.iter().filter(|other| other.id != image && other.state != "deregistered");
    if let Some(other) = there.filter(|other| refers(other)).map(|other| other.id.as_str()).next() {
        return Err(format!("the AMI {other} needs {snapshot}"));
    }
    let who = removal.who_may_use(snapshot).await.map_err(|error| unanswered(&error))?;
    if !who.is_empty() {
        return Err(format!("{snapshot} is shared with {}", who.join(", ")));
    }
    let volumes = removal.volumes_of(snapshot).await.map_err(|error| unanswered(&error))?;
    match volumes.is_empty() {
        true => Ok(()),
        false => Err(format!("{} was made from {snapshot}", volumes.join(", "))),
    }
}
