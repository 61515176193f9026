use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::uses::{Reason, image_is_unused, snapshot_is_unused, unanswered};
use crate::checks::preflight::DRILL_TAG;
use crate::commands::RegionServices;
use crate::facts::{ImageFacts, SnapshotFacts};
use crate::image::{NO_IMAGE, NO_SNAPSHOT, RemovalService};
use crate::journal::{DrillEntry, MadeResource};
use crate::report::{DrillResourceReport, DrillResourceState as State, RecycleBinReport};
use crate::source::{ErrorKind, SourceError};

/// Number of attempts to see a change of EC2, which may appear later.
const LOOKS: u32 = 6;
/// Why something stays after a signal.
pub(super) const SIGNAL: &str = "a signal ended the drill; the same command goes on";
/// Remark on what is named with the Recycle Bin.
const BIN_COSTS: &str =
    "what the Recycle Bin keeps costs money as long as it is there; this tool does not delete it earlier";
const PAUSE: Duration = Duration::from_secs(5);

/// Removes the AMI and the snapshots of a drill, by id, tag and time of creation, each read again right before.
pub(super) struct Removal<'a> {
    pub region: &'a RegionServices,
    pub removal: &'a dyn RemovalService,
    /// The token of the drill's restore.
    pub token: &'a str,
    /// The account of the drill.
    pub account: &'a str,
    /// Nothing more is removed once it is cancelled.
    pub cancel: &'a CancellationToken,
}

/// Why an AMI stays.
struct Stay {
    reason: Reason,
    /// Snapshots of it that the drill did not see being made.
    unseen: Vec<String>,
}

impl From<Reason> for Stay {
    fn from(reason: Reason) -> Self {
        Stay { reason, unseen: Vec::new() }
    }
}

/// A resource in this Region that stays.
pub(super) fn staying(region: &RegionServices, id: &str, state: State, reason: Option<Reason>) -> DrillResourceReport {
    DrillResourceReport { id: id.to_owned(), state, reason, remove_with: region.remove_with(id), recycle_bin: None }
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
            match self.image(made, &entry.snapshots).await {
                Ok(state) => done.push(self.result(&made.id, Ok(state))),
                Err(Stay { reason, unseen }) => {
                    done.push(self.result(&made.id, Err(reason)));
                    let snapshots = entry.snapshots.iter().map(|made| &made.id).chain(&unseen);
                    let reason = format!("{image} needs it");
                    done.extend(snapshots.map(|id| staying(self.region, id, State::Left, Some(reason.clone()))));
                    return done;
                }
            }
        }
        for made in &entry.snapshots {
            let removed = match self.cancel.is_cancelled() {
                true => Err(SIGNAL.to_owned()),
                false => self.snapshot(made, image).await,
            };
            done.push(self.result(&made.id, removed));
        }
        done
    }

    fn result(&self, id: &str, done: Result<State, Reason>) -> DrillResourceReport {
        match done {
            Ok(state) => {
                DrillResourceReport { id: id.to_owned(), state, reason: None, remove_with: None, recycle_bin: None }
            }
            Err(reason) => staying(self.region, id, State::Left, Some(reason)),
        }
    }

    async fn image(&self, made: &MadeResource, snapshots: &[MadeResource]) -> Result<State, Stay> {
        let Some(found) = self.described(made).await? else { return Ok(State::Gone) };
        let ids = found.volumes.iter().filter_map(|volume| volume.snapshot.as_ref());
        let unseen: Vec<String> = ids.filter(|id| snapshots.iter().all(|made| made.id != **id)).cloned().collect();
        if !unseen.is_empty() {
            let reason = format!("this drill did not see {} of it being made", unseen.join(", "));
            return Err(Stay { reason, unseen });
        }
        for snapshot in snapshots {
            self.described_snapshot(snapshot).await.map_err(|reason| format!("{}: {reason}", snapshot.id))?;
        }
        image_is_unused(self.removal, &found).await?;
        let own = self.region.images.own_images().await.map_err(|error| unanswered(&error))?;
        for snapshot in snapshots {
            snapshot_is_unused(self.removal, &snapshot.id, &made.id, &own).await?;
        }
        if self.described(made).await?.is_none() {
            return Ok(State::Gone);
        }
        if self.cancel.is_cancelled() {
            return Err(SIGNAL.to_owned().into());
        }
        // What is seen from now on says whether it is gone.
        let gone = match self.removal.deregister(&made.id).await {
            Err(error) if is_none(&error, &NO_IMAGE) => State::Gone,
            Err(error) if !error.may_be_done() => return Err(self.refused(&error).await.into()),
            _ => State::Removed,
        };
        let mut seen = Reason::new();
        for look in 0..LOOKS {
            if look > 0 {
                self.region.context().clock.sleep(PAUSE).await;
            }
            seen = match self.described(made).await {
                Ok(None) => return Ok(gone),
                Ok(Some(_)) => "EC2 still lists it after DeregisterImage".to_owned(),
                // One look that fails does not decide.
                Err(reason) => reason,
            };
        }
        Err(seen.into())
    }

    /// The AMI as it is now; `None` if it does not exist any more.
    async fn described(&self, made: &MadeResource) -> Result<Option<ImageFacts>, Reason> {
        let found = self.removal.image(&made.id).await.map_err(|error| unanswered(&error))?;
        let Some(image) = found.filter(|image| image.state != "deregistered") else { return Ok(None) };
        self.is_own(&image.owner)?;
        is_the_one(image.tags.get(DRILL_TAG), image.created.as_deref(), self.token, made)?;
        Ok(Some(image))
    }

    /// `image` is the AMI of the drill, which is gone.
    async fn snapshot(&self, made: &MadeResource, image: &str) -> Result<State, Reason> {
        let mut looks = 0;
        let gone = |looks: u32| Ok(if looks == 0 { State::Gone } else { State::Removed });
        loop {
            if self.described_snapshot(made).await?.is_none() {
                return gone(looks);
            }
            let own = self.region.images.own_images().await.map_err(|error| unanswered(&error))?;
            snapshot_is_unused(self.removal, &made.id, image, &own).await?;
            if self.described_snapshot(made).await?.is_none() {
                return gone(looks);
            }
            looks += 1;
            match self.removal.delete_snapshot(&made.id).await {
                Ok(()) => return Ok(State::Removed),
                Err(error) if is_none(&error, &NO_SNAPSHOT) => return Ok(State::Removed),
                // EC2 may need a moment to see that the AMI is gone.
                Err(error) if looks < LOOKS && may_pass(&error) && !self.cancel.is_cancelled() => {
                    self.region.context().clock.sleep(PAUSE).await
                }
                Err(error) => return Err(self.refused(&error).await),
            }
        }
    }

    async fn described_snapshot(&self, made: &MadeResource) -> Result<Option<SnapshotFacts>, Reason> {
        let found = self.removal.snapshot(&made.id).await.map_err(|error| unanswered(&error))?;
        let Some(snapshot) = found else { return Ok(None) };
        self.is_own(&snapshot.owner)?;
        let started = snapshot.started.map(|time| time.to_string());
        is_the_one(snapshot.tags.get(DRILL_TAG), started.as_deref(), self.token, made)?;
        Ok(Some(snapshot))
    }

    fn is_own(&self, owner: &str) -> Result<(), Reason> {
        match owner == self.account {
            true => Ok(()),
            false => Err(format!("its owner is `{owner}`, and the drill was run by account {}", self.account)),
        }
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
        let is_of_it = |snapshot: &SnapshotFacts| {
            snapshot.owner == self.account && snapshot.tags.get(DRILL_TAG).map(String::as_str) == Some(self.token)
        };
        let strays =
            found.into_iter().filter(is_of_it).filter(|snapshot| known.iter().all(|known| known.id != snapshot.id));
        let reason = "it has the tag of this drill, which did not see it being made";
        Ok(strays.map(|snapshot| staying(self.region, &snapshot.id, State::Left, Some(reason.to_owned()))).collect())
    }

    /// States what the Recycle Bin keeps of that which does not exist any more, and returns remarks on it. That something
    /// is not listed is no result: EC2 may list it later.
    pub(super) async fn recycled(&self, entry: &DrillEntry, resources: &mut [DrillResourceReport]) -> Vec<String> {
        let is_gone = |made: &&MadeResource| {
            let is = |known: &DrillResourceReport| matches!(known.state, State::Removed | State::Gone);
            resources.iter().any(|known| known.id == made.id && is(known))
        };
        let ids = |made: &[MadeResource]| made.iter().filter(is_gone).map(|made| made.id.clone()).collect::<Vec<_>>();
        let (images, snapshots) = (ids(entry.image.as_slice()), ids(&entry.snapshots));
        let answers = [
            ("the AMI", self.removal.recycled_images(&images).await),
            ("the snapshots", self.removal.recycled_snapshots(&snapshots).await),
        ];
        let mut remarks = Vec::new();
        for (what, answer) in answers {
            match answer {
                Ok(all) => {
                    for kept in all {
                        let until = kept.until.map(|until| until.to_string());
                        let known = resources.iter_mut().filter(|known| known.id == kept.id);
                        known.for_each(|known| known.recycle_bin = Some(RecycleBinReport { until: until.clone() }));
                    }
                }
                Err(error) => remarks.push(format!(
                    "not known: whether the Recycle Bin keeps {what}, which costs money, because {}",
                    error.explain()
                )),
            }
        }
        if resources.iter().any(|known| known.recycle_bin.is_some()) {
            remarks.push(BIN_COSTS.to_owned());
        }
        remarks
    }
}

fn is_none(error: &SourceError, codes: &[&str]) -> bool {
    error.code.as_deref().is_some_and(|code| codes.contains(&code))
}

fn may_pass(error: &SourceError) -> bool {
    error.code.as_deref() == Some("InvalidSnapshot.InUse") || error.may_be_done() || error.is_transient()
}
