use std::time::Duration;

use super::request::DRILL_TAG;
use super::uses::{Reason, image_is_unused, snapshot_is_unused, unanswered};
use crate::commands::RegionServices;
use crate::facts::{ImageFacts, SnapshotFacts};
use crate::image::RemovalService;
use crate::journal::{DrillEntry, MadeResource};
use crate::report::{DrillResourceReport, DrillResourceState as State};
use crate::source::{ErrorKind, SourceError};

/// Number of attempts to see a change of EC2, which may appear later.
const LOOKS: u32 = 6;
const PAUSE: Duration = Duration::from_secs(5);

/// Removes the AMI and the snapshots of a drill, by id, tag and time of creation, each read again right before.
pub(super) struct Removal<'a> {
    pub region: &'a RegionServices,
    pub removal: &'a dyn RemovalService,
    /// The token of the drill's restore.
    pub token: &'a str,
}

/// The command that removes an AMI or a snapshot.
pub(super) fn remove_with(id: &str) -> String {
    match id.starts_with("snap-") {
        true => format!("aws ec2 delete-snapshot --snapshot-id {id}"),
        false => format!("aws ec2 deregister-image --image-id {id}"),
    }
}

/// A resource that stays.
pub(super) fn staying(id: &str, state: State, reason: Option<Reason>) -> DrillResourceReport {
    DrillResourceReport { id: id.to_owned(), state, reason, remove_with: Some(remove_with(id)) }
}

fn result(id: &str, done: Result<State, Reason>) -> DrillResourceReport {
    match done {
        Ok(state) => DrillResourceReport { id: id.to_owned(), state, reason: None, remove_with: None },
        Err(reason) => staying(id, State::Left, Some(reason)),
    }
}

/// Checks tag and time of creation of a resource.
fn is_the_one(tag: Option<&String>, created: Option<&str>, token: &str, made: &MadeResource) -> Result<(), Reason> {
    if tag.map(String::as_str) != Some(token) {
        return Err(format!("its tag {DRILL_TAG} is not that of this drill"));
    }
    match created {
        Some(created) if created == made.created => Ok(()),
        Some(created) => Err(format!("it was created at {created}, and the one of this drill at {}", made.created)),
        None => Err("its time of creation is not stated".to_owned()),
    }
}

impl Removal<'_> {
    /// Removes everything that the entry names. The snapshots stay as long as the AMI does.
    pub(super) async fn all(&self, entry: &DrillEntry) -> Vec<DrillResourceReport> {
        let image = entry.image.as_ref().map_or("", |made| made.id.as_str());
        let mut done = Vec::new();
        if let Some(made) = &entry.image {
            let removed = self.image(made, &entry.snapshots).await;
            let is_left = removed.is_err();
            done.push(result(&made.id, removed));
            if is_left {
                let reason = || Some(format!("{image} needs it"));
                done.extend(entry.snapshots.iter().map(|made| staying(&made.id, State::Left, reason())));
                return done;
            }
        }
        for made in &entry.snapshots {
            done.push(result(&made.id, self.snapshot(made, image).await));
        }
        done
    }

    async fn image(&self, made: &MadeResource, snapshots: &[MadeResource]) -> Result<State, Reason> {
        let Some(found) = self.described(made).await? else { return Ok(State::Gone) };
        image_is_unused(self.removal, &found).await?;
        let own = self.region.images.own_images().await.map_err(|error| unanswered(&error))?;
        for snapshot in snapshots {
            snapshot_is_unused(self.removal, &snapshot.id, &made.id, &own).await?;
        }
        if self.described(made).await?.is_none() {
            return Ok(State::Gone);
        }
        match self.removal.deregister(&made.id).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(State::Gone),
            Err(error) if !error.may_be_done() => return Err(self.refused(&error).await),
            _ => {}
        }
        for look in 0..LOOKS {
            if look > 0 {
                self.region.context().clock.sleep(PAUSE).await;
            }
            if self.described(made).await?.is_none() {
                return Ok(State::Removed);
            }
        }
        Err("EC2 still lists it after DeregisterImage".to_owned())
    }

    /// The AMI as it is now; `None` if it does not exist any more.
    async fn described(&self, made: &MadeResource) -> Result<Option<ImageFacts>, Reason> {
        let ids = [made.id.clone()];
        let found = self.region.images.images(&ids).await.map_err(|error| unanswered(&error))?;
        let there = found.into_iter().find(|image| image.id == made.id && image.state != "deregistered");
        let Some(image) = there else { return Ok(None) };
        is_the_one(image.tags.get(DRILL_TAG), image.created.as_deref(), self.token, made)?;
        Ok(Some(image))
    }

    /// `image` is the AMI of the drill, which is gone.
    async fn snapshot(&self, made: &MadeResource, image: &str) -> Result<State, Reason> {
        if self.described_snapshot(made).await?.is_none() {
            return Ok(State::Gone);
        }
        let own = self.region.images.own_images().await.map_err(|error| unanswered(&error))?;
        snapshot_is_unused(self.removal, &made.id, image, &own).await?;
        let mut looks = 0;
        loop {
            if self.described_snapshot(made).await?.is_none() {
                return Ok(if looks == 0 { State::Gone } else { State::Removed });
            }
            looks += 1;
            match self.removal.delete_snapshot(&made.id).await {
                Ok(()) => return Ok(State::Removed),
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(State::Removed),
                // EC2 may need a moment to see that the AMI is gone.
                Err(error) if looks < LOOKS && may_pass(&error) => self.region.context().clock.sleep(PAUSE).await,
                Err(error) => return Err(self.refused(&error).await),
            }
        }
    }

    async fn described_snapshot(&self, made: &MadeResource) -> Result<Option<SnapshotFacts>, Reason> {
        let ids = [made.id.clone()];
        let found = self.region.images.snapshots(&ids).await.map_err(|error| unanswered(&error))?;
        let Some(snapshot) = found.into_iter().find(|snapshot| snapshot.id == made.id) else { return Ok(None) };
        let started = snapshot.started.map(|time| time.to_string());
        is_the_one(snapshot.tags.get(DRILL_TAG), started.as_deref(), self.token, made)?;
        Ok(Some(snapshot))
    }

    async fn refused(&self, error: &SourceError) -> Reason {
        match error.kind {
            ErrorKind::Denied => self.region.decoded(error).await,
            _ => error.explain(),
        }
    }

    /// Snapshots with the tag of this drill that it does not know. They stay.
    ///
    /// # Errors
    ///
    /// The snapshots cannot be listed.
    pub(super) async fn strays(&self, known: &[DrillResourceReport]) -> Result<Vec<DrillResourceReport>, SourceError> {
        let found = self.removal.tagged_snapshots(DRILL_TAG, self.token).await?;
        let strays = found.into_iter().filter(|snapshot| known.iter().all(|known| known.id != snapshot.id));
        let reason = "it has the tag of this drill, which did not see it being made";
        Ok(strays.map(|snapshot| staying(&snapshot.id, State::Left, Some(reason.to_owned()))).collect())
    }
}

fn may_pass(error: &SourceError) -> bool {
    error.code.as_deref() == Some("InvalidSnapshot.InUse") || error.may_be_done() || error.is_transient()
}
