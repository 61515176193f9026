use tokio_util::sync::CancellationToken;

use super::follow::follow_restore;
use super::request::FollowRequest;
use super::start::{Begun, How, Prepared, start_restore};
use crate::checks::preflight::{GbLimit, RESTORE_TAG, Work, restore_work};
use crate::commands::preflight::RestorePreflight;
use crate::commands::queue::{Busy, Queue, QueueEnd, QueuedTasks, Sight};
use crate::commands::{ObjectServices, RegionServices};
use crate::facts::{ImageFacts, ImageState, SnapshotFacts};
use crate::journal::Journal;
use crate::report::{TaskKind, TaskReport};
use crate::source::{Context, SourceError};
use crate::units::GIB;
use crate::verdict::{CheckId, CheckName, Condition};

/// Restores of a list, each started only while the estimate of what is in progress is below the limit of the service.
/// What was started is never started again: see [`start_restore`].
///
/// Restores of others count as well. No API lists restores, so this is an estimate from pending AMIs and snapshots, and
/// it may contain other work. If `accept` names the condition `in-progress`, only AMIs with the tag of a restore count.
pub struct RestoreQueue<'a> {
    tasks: RestoreTasks<'a>,
    limit: GbLimit,
    added: Vec<(ObjectServices, Prepared)>,
}

impl<'a> RestoreQueue<'a> {
    /// A queue without restores. `accept` names required checks that may be unknown.
    pub fn new(region: &'a RegionServices, journal: &'a Journal, limit: GbLimit, accept: &'a [CheckName]) -> Self {
        RestoreQueue { tasks: RestoreTasks { region, journal, accept }, limit, added: Vec::new() }
    }

    /// Adds a restore whose preflight allows it. One whose AMI exists is followed, and not started.
    pub fn add(&mut self, services: ObjectServices, prepared: Prepared) {
        self.added.push((services, prepared));
    }

    /// Starts and follows all restores. `ended` is called with the number of each one that ends, in the order of
    /// [`RestoreQueue::add`].
    ///
    /// # Errors
    ///
    /// The account's AMIs or snapshots cannot be described. Restores that were started continue in AWS.
    pub async fn run(self, cancel: &CancellationToken, ended: impl FnMut(usize, QueueEnd)) -> Result<(), SourceError> {
        let mut queue = Queue::new(&self.tasks, self.limit);
        for (services, Prepared { surveyed, existing }) in self.added {
            let begun = existing.zip(surveyed.identity.clone()).map(|(image, identity)| Begun {
                image: image.id,
                identity,
                how: How::Elsewhere,
            });
            queue.add(Restore { services, surveyed }, begun);
        }
        queue.run(cancel, ended).await
    }
}

struct RestoreTasks<'a> {
    region: &'a RegionServices,
    journal: &'a Journal,
    accept: &'a [CheckName],
}

struct Restore {
    services: ObjectServices,
    surveyed: RestorePreflight,
}

/// The account's AMIs, and its snapshots that are not complete.
struct Look {
    images: Vec<ImageFacts>,
    pending: Vec<SnapshotFacts>,
}

impl Look {
    fn image(&self, id: &str) -> Option<&ImageFacts> {
        self.images.iter().find(|image| image.id == id)
    }

    fn has_pending_snapshots(&self, image: &ImageFacts) -> bool {
        let mut ids = image.volumes.iter().filter_map(|volume| volume.snapshot.as_ref());
        ids.any(|id| self.pending.iter().any(|snapshot| snapshot.id == *id))
    }
}

impl QueuedTasks for RestoreTasks<'_> {
    type Task = Restore;
    type Started = Begun;
    type Look = Look;

    fn kind(&self) -> TaskKind {
        TaskKind::Restore
    }

    fn context(&self) -> &Context {
        self.region.context()
    }

    async fn look(&self) -> Result<Look, SourceError> {
        let images = self.region.images.own_images().await?;
        Ok(Look { images, pending: self.region.images.pending_snapshots().await? })
    }

    fn sight(&self, look: &Look, begun: &Begun) -> Sight {
        let Some(image) = look.image(&begun.image) else { return Sight::Missing };
        match ImageState::of(&image.state) {
            ImageState::Pending | ImageState::Transient => Sight::InProgress,
            ImageState::Available if look.has_pending_snapshots(image) => Sight::InProgress,
            _ => Sight::Over,
        }
    }

    fn image(&self, begun: &Begun) -> String {
        begun.image.clone()
    }

    fn bytes(&self, restore: &Restore) -> Option<u64> {
        restore.surveyed.size.volumes
    }

    fn busy(&self, look: &Look, own: &[(&Restore, &Begun)]) -> Busy {
        let others = of_others(look, own);
        let counted = match self.accept.iter().any(|name| name.matches(CheckId::Condition(Condition::InProgress))) {
            true => Some(others.least),
            false => Some(others.most).filter(|_| others.unknown.is_empty()),
        };
        let bytes = own.iter().try_fold(0_u64, |sum, (restore, begun)| {
            let listed = look.image(&begun.image).and_then(volume_bytes);
            Some(sum.saturating_add(restore.surveyed.size.volumes.max(listed)?))
        });
        let is_none = others.items.is_empty() && others.unknown.is_empty();
        Busy {
            bytes: bytes.zip(counted).map(|(own, others)| own.saturating_add(others)),
            others: if is_none { String::new() } else { others.describe() },
        }
    }

    fn can_start(&self, _: &Look, _: &Restore, _: &[(&Restore, &Begun)]) -> bool {
        true
    }

    async fn start(&self, restore: &Restore, cancel: &CancellationToken) -> Result<Begun, SourceError> {
        start_restore(&restore.services, &restore.surveyed, self.journal, cancel).await
    }

    async fn conclude(
        &self,
        restore: &Restore,
        begun: &Begun,
        cancel: &CancellationToken,
    ) -> Result<TaskReport, SourceError> {
        let request = FollowRequest {
            image: &begun.image,
            origin: begun.origin(),
            source: restore.surveyed.source.as_ref(),
            verified: restore.surveyed.verified.as_ref(),
            object_proof: restore.surveyed.report.object_proof.as_ref(),
            alias: None,
            accept: self.accept,
            options: "",
        };
        follow_restore(self.region, &request, self.journal, cancel).await
    }
}

/// The estimate of what others restore. EC2 may list an AMI late or without its volumes, so the queue's own restores are
/// taken out by id, snapshot and tag, and counted with the size that their preflight found.
fn of_others(look: &Look, own: &[(&Restore, &Begun)]) -> Work {
    let is_own = |image: &&ImageFacts| own.iter().any(|(_, begun)| begun.image == image.id);
    let tokens: Vec<String> = own.iter().map(|(_, begun)| begun.identity.token()).collect();
    let (mine, others): (Vec<&ImageFacts>, Vec<&ImageFacts>) = look.images.iter().partition(is_own);
    let is_of_own = |snapshot: &&SnapshotFacts| {
        let mut volumes = mine.iter().flat_map(|image| &image.volumes);
        snapshot.tags.get(RESTORE_TAG).is_some_and(|token| tokens.contains(token))
            || volumes.any(|volume| volume.snapshot.as_ref() == Some(&snapshot.id))
    };
    let pending: Vec<SnapshotFacts> = look.pending.iter().filter(|snapshot| !is_of_own(snapshot)).cloned().collect();
    // An account may have many AMIs, and those that are available do not count.
    let is_open = |image: &&&ImageFacts| ImageState::of(&image.state) != ImageState::Available;
    let others: Vec<ImageFacts> = others.iter().filter(is_open).map(|image| (*image).clone()).collect();
    restore_work(&others, &pending)
}

/// Size of all volumes; `None` if the AMI is listed without volumes, or without the size of one.
fn volume_bytes(image: &ImageFacts) -> Option<u64> {
    let sizes: Option<Vec<u64>> = image.volumes.iter().map(|volume| volume.gib).collect();
    let sizes = sizes.filter(|sizes| !sizes.is_empty())?;
    Some(sizes.into_iter().fold(0, u64::saturating_add).saturating_mul(GIB))
}
