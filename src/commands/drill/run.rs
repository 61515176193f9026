use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::earlier::unreadable;
use super::phases::{done, restored, together};
use super::prepare::{Drill, is_accepted, is_busy, not_alone};
use super::remove::{Removal, SIGNAL, staying};
use crate::checks::preflight::restore_work;
use crate::commands::RegionServices;
use crate::commands::blocks::{Prove, ProveRequest, record_proof};
use crate::commands::preflight::RestorePreflight;
use crate::commands::restore::{FollowRequest, How, Origin, follow_restore, start_restore};
use crate::facts::{ImageFacts, ImageState};
use crate::ident::AmiId;
use crate::journal::{Concluded, DrillEntry, MadeResource, RestoreIdentity};
use crate::report::{
    BackupValidation, DrillOutcome, DrillPhase, DrillReport, DrillResourceState, DrillState, Exit, FileKind, Note,
    TaskReport,
};
use crate::source::{ErrorKind, SourceError};
use crate::verdict::{CheckId, Condition, Finding, Verdict};

/// Clocks of this machine and of EC2 may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

impl<'a> Drill<'a> {
    fn region(&self) -> &'a RegionServices {
        &self.services.object.region
    }

    fn now(&self) -> Timestamp {
        self.region().context().clock.now()
    }

    fn is_interrupted(&self) -> bool {
        self.report.outcome == DrillOutcome::Interrupted
    }

    /// Starts the restore, or takes up the one of an earlier run, and follows it until the AMI is available or failed.
    ///
    /// # Errors
    ///
    /// The restore could not be started or followed. What it made is still in the journal.
    pub async fn restore(&mut self, cancel: &CancellationToken) -> Result<(), SourceError> {
        let Some(surveyed) = self.surveyed.clone() else { return Ok(()) };
        let Some(identity) = surveyed.identity.clone() else {
            let problem = "a drill needs an object with an ETag, and an account that is known";
            return Err(SourceError::new(ErrorKind::Invalid, self.services.object.object.target(), problem));
        };
        let existing = self.existing.as_ref().map(|image| image.id.clone());
        let (image, how) = match existing {
            Some(image) => (image, How::Elsewhere),
            None if self.is_beside_another().await? => return Ok(()),
            None => match self.start(&surveyed, &identity, cancel).await {
                Err(error) if error.kind == ErrorKind::Interrupted => {
                    self.report.outcome = DrillOutcome::Interrupted;
                    return Ok(());
                }
                started => started?,
            },
        };
        self.report.image = Some(image.clone());
        let origin = match how {
            How::Elsewhere => Origin::TakenUp(&identity),
            How::Answered => Origin::Started { identity: &identity, answered: true },
            How::FoundAfterLoss => Origin::Started { identity: &identity, answered: false },
        };
        let follow = FollowRequest {
            image: &image,
            origin,
            source: surveyed.source.as_ref(),
            verified: None,
            object_proof: surveyed.report.object_proof.as_ref(),
            alias: None,
            accept: &self.request.restore.accept,
            options: "",
        };
        let task = follow_restore(self.region(), &follow, self.journal, cancel).await?;
        if task.exit_code == Exit::Interrupted {
            self.report.outcome = DrillOutcome::Interrupted;
        }
        self.witness(&image, how).await?;
        self.add_restore(task, how);
        Ok(())
    }

    /// Looks once more, right before the call, whether a restore is in progress. A drill beside one is refused.
    async fn is_beside_another(&mut self) -> Result<bool, SourceError> {
        if is_accepted(self.request, CheckId::Condition(Condition::InProgress)) {
            return Ok(false);
        }
        let images = &self.region().images;
        let work = restore_work(&images.own_images().await?, &images.pending_snapshots().await?);
        if is_busy(&work) {
            self.report.outcome = DrillOutcome::Refused;
            self.report.notes.push(Note::Source(not_alone(&work)));
        }
        Ok(self.is_refused())
    }

    /// Writes the entry of the drill, and calls. A call that was certainly refused leaves no entry.
    async fn start(
        &mut self,
        surveyed: &RestorePreflight,
        identity: &RestoreIdentity,
        cancel: &CancellationToken,
    ) -> Result<(String, How), SourceError> {
        let earlier = self.entry.clone();
        if let Some(image) = earlier.as_ref().and_then(|earlier| earlier.image.as_ref()) {
            let problem = format!("the journal names {} of this drill, and EC2 does not list it; look again", image.id);
            return Err(SourceError::new(ErrorKind::Ambiguous, self.services.object.object.target(), problem));
        }
        let entry = DrillEntry::new(identity.clone(), self.now().to_string());
        self.write(entry.clone()).await?;
        let begun = start_restore(&self.services.object, surveyed, self.journal, cancel).await;
        let is_none = match &begun {
            Ok(begun) => begun.how == How::Elsewhere,
            Err(error) => !matches!(error.kind, ErrorKind::OutcomeUnknown | ErrorKind::Ambiguous),
        };
        if is_none {
            match earlier {
                Some(earlier) => self.write(earlier).await?,
                None => self.forget(identity.token()).await?,
            }
        }
        begun.map(|begun| (begun.image, begun.how))
    }

    async fn write(&mut self, entry: DrillEntry) -> Result<(), SourceError> {
        let written = entry.clone();
        let kept = self.journal.aside(move |journal| journal.write_drill(&written)).await;
        kept.map_err(|error| unreadable(self.journal, error))?;
        let path = self.journal.drill_path(&entry.restore.token());
        self.region().context().monitor.wrote(&path, FileKind::Journal);
        self.entry = Some(entry);
        Ok(())
    }

    async fn forget(&mut self, token: String) -> Result<(), SourceError> {
        let forgotten = self.journal.aside(move |journal| journal.forget_drill(&token)).await;
        self.entry = None;
        forgotten.map_err(|error| unreadable(self.journal, error))
    }

    /// Records the AMI and its snapshots with their times of creation, so that they can be removed later. What an entry
    /// already names stays: another resource under its id would not be the one that was made. An AMI is the one of this
    /// drill if EC2 named it in its answer to the call, or if it was created at about the time of the call.
    async fn witness(&mut self, image: &str, how: How) -> Result<(), SourceError> {
        let Some(mut entry) = self.entry.clone() else { return Ok(()) };
        let found = self.region().images.images(&[image.to_owned()]).await?;
        let Some(facts) = found.into_iter().find(|found| found.id == image) else { return Ok(()) };
        let is_made_here = match &entry.image {
            Some(_) => entry.has_made(&facts.id, facts.created.as_deref()),
            None => how == How::Answered || is_made_at(&facts, &entry.called_at),
        };
        if !is_made_here {
            return Ok(());
        }
        let ids: Vec<String> = facts.volumes.iter().filter_map(|volume| volume.snapshot.clone()).collect();
        let snapshots = self.region().images.snapshots(&ids).await?;
        let made = facts.created.clone().map(|created| MadeResource { id: facts.id.clone(), created });
        entry.image = entry.image.or(made);
        for snapshot in snapshots {
            let (Some(started), false) = (snapshot.started, entry.snapshots.iter().any(|made| made.id == snapshot.id))
            else {
                continue;
            };
            entry.snapshots.push(MadeResource { id: snapshot.id, created: started.to_string() });
        }
        if ImageState::of(&facts.state) == ImageState::Available && entry.available_at.is_none() {
            entry.available_at = Some(self.now().to_string());
        }
        self.write(entry).await
    }

    /// Adds the restore, with the recovery time if this or an earlier run measured it.
    fn add_restore(&mut self, task: TaskReport, how: How) {
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let measured = self.entry.as_ref().and_then(|entry| {
            let (called, available) = (time(&entry.called_at)?, time(entry.available_at.as_deref()?)?);
            Some(available.duration_since(called).as_secs_f64())
        });
        self.report.recovery_seconds = measured;
        self.report.restored_at = self.restored_at(how == How::Answered);
        let verdict = restored(&task);
        let what = match (&task.failure, self.is_interrupted()) {
            (_, true) => format!("{} is {}; a signal ended the drill", task.image, task.state),
            (Some(failure), _) => format!("the restore failed: {failure}"),
            (None, _) => format!("{} is {}", task.image, task.state),
        };
        let detail = match how {
            How::Elsewhere if measured.is_some() => format!("{what}; an earlier run had started it"),
            How::Elsewhere => format!("{what}; another run had started it, so its time is not known"),
            _ => what,
        };
        let state = if self.is_interrupted() { DrillState::Unknown } else { verdict.into() };
        self.report.phases.push(done(DrillPhase::Restore, state, measured, detail));
        self.report.restore = Some(task);
    }

    /// Compares every block of the restored AMI. Does nothing if it is not available.
    pub async fn prove(&mut self, cancel: &CancellationToken) {
        let is_available = self.report.restore.as_ref().is_some_and(|task| task.state == "available");
        let image = self.report.image.as_ref().and_then(|image| image.parse::<AmiId>().ok());
        let (Some(image), true, false) = (image, is_available, self.is_interrupted()) else { return };
        if self.is_own_reference() {
            let detail = format!("{image} would be compared with itself");
            return self.report.phases.push(done(DrillPhase::Prove, DrillState::Unknown, None, detail));
        }
        let clock = self.region().context().clock.clone();
        let started = clock.monotonic();
        let agreed_blocks = self.report.estimate.as_ref().map(|estimate| estimate.blocks_most);
        let expected = self.request.expected.clone();
        let request = ProveRequest { expected, sample: None, max_cost: None, agreed_blocks };
        let proof = match Prove::prepare(self.services.blocks.clone(), &image, request).await {
            Ok(prove) => {
                let mut proof = prove.carry_out(cancel).await;
                let restore = self.surveyed.as_ref().and_then(|surveyed| surveyed.identity.as_ref());
                if let (Some(ledger), Some(restore)) = (&self.request.ledger, restore) {
                    record_proof(ledger, restore, &mut proof, self.now()).await;
                }
                Ok(proof)
            }
            Err(error) => Err(error),
        };
        let seconds = Some(clock.monotonic().duration_since(started).as_secs_f64());
        match proof {
            Err(error) => {
                let detail = format!("{}: {}", error.subject, error.explain());
                self.report.phases.push(done(DrillPhase::Prove, DrillState::Unknown, seconds, detail));
            }
            Ok(proof) => {
                if proof.exit_code == Exit::Interrupted {
                    self.report.outcome = DrillOutcome::Interrupted;
                }
                let detail = match proof.verdict {
                    Verdict::Pass => "every block of every volume is the same",
                    Verdict::Fail => "the AMI does not have the content that it should have",
                    Verdict::Unknown => "not every block is proved",
                };
                self.report.phases.push(done(DrillPhase::Prove, proof.verdict, seconds, detail));
                self.report.proof = Some(proof);
            }
        }
    }

    /// The verdict over what was done so far.
    pub fn verdict(&self) -> Verdict {
        let verified = self.surveyed.as_ref().and_then(|surveyed| surveyed.verified.as_ref());
        let verified = verified.map(Finding::verdict);
        let restored = self.report.restore.as_ref().map(restored);
        together(&[verified, restored, self.report.proof.as_ref().map(|proof| proof.verdict)])
    }

    /// Removes the AMI and the snapshots that this drill saw being made. Others are named. After a cancellation, nothing
    /// more is removed.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; nothing is removed then.
    pub async fn remove(&mut self, cancel: &CancellationToken) -> Result<(), SourceError> {
        if self.is_own_reference() {
            self.leave(DrillResourceState::Left, "it is named as the reference").await;
            return Ok(());
        }
        let is_of_entry =
            |entry: &DrillEntry| entry.image.as_ref().is_some_and(|made| Some(&made.id) == self.report.image.as_ref());
        let Some(mut entry) = self.entry.clone().filter(is_of_entry) else {
            self.leave(DrillResourceState::Left, "this drill did not see it being made").await;
            return Ok(());
        };
        entry.removing = Some(self.earlier.clone().unwrap_or_else(|| self.concluded()));
        self.write(entry.clone()).await?;
        let clock = self.region().context().clock.clone();
        let started = clock.monotonic();
        let token = entry.restore.token();
        let removal = Removal {
            region: self.region(),
            removal: &*self.services.removal,
            token: &token,
            account: &entry.restore.account,
            cancel,
        };
        let mut resources = removal.all(&entry).await;
        let strays = removal.strays(&resources).await;
        let is_known = strays.is_ok();
        self.is_clean = is_known;
        match strays {
            Ok(strays) => resources.extend(strays),
            Err(error) => {
                let text =
                    format!("whether other snapshots have the tag of this drill is not known: {}", error.explain());
                self.report.notes.push(Note::Source(text));
            }
        }
        let seconds = clock.monotonic().duration_since(started).as_secs_f64();
        let remarks = removal.recycled(&entry, &mut resources).await;
        self.report.notes.extend(remarks.into_iter().map(Note::Source));
        self.report.resources = resources;
        let left = self.report.left().count();
        let (state, detail) = match left {
            0 if is_known => (DrillState::Passed, "nothing of the drill is left".to_owned()),
            0 => (DrillState::Unknown, "what the drill saw being made is gone".to_owned()),
            left => (DrillState::Failed, format!("{left} of {} were not removed", self.report.resources.len())),
        };
        self.report.phases.push(done(DrillPhase::Remove, state, Some(seconds), detail));
        if left == 0 && is_known {
            self.forget(token).await?;
        }
        Ok(())
    }

    fn concluded(&self) -> Concluded {
        Concluded { verdict: self.verdict(), at: self.now().to_string() }
    }

    /// Leaves the AMI and its snapshots on purpose. No later drill counts them as its own result.
    pub async fn keep(&mut self, why: &str) {
        let entry = self.entry.clone().filter(|entry| entry.image.is_some() && entry.concluded().is_none());
        if let Some(mut entry) = entry {
            entry.kept = Some(self.concluded());
            if let Err(error) = self.write(entry).await {
                self.report.notes.push(Note::Source(format!("{error}; the next drill takes up what is kept")));
            }
        }
        self.leave(DrillResourceState::Kept, why).await;
    }

    /// Names the AMI and its snapshots, which stay.
    pub async fn leave(&mut self, state: DrillResourceState, why: &str) {
        let Some(image) = self.report.image.clone() else { return };
        let found = self.region().images.images(std::slice::from_ref(&image)).await.unwrap_or_else(|error| {
            let text = format!("the snapshots of {image} could not be looked at: {}", error.explain());
            self.report.notes.push(Note::Source(text));
            Vec::new()
        });
        let volumes = found.into_iter().flat_map(|image| image.volumes);
        let known = self.entry.iter().flat_map(|entry| &entry.snapshots).map(|made| made.id.clone());
        let mut all = vec![image];
        for id in volumes.filter_map(|volume| volume.snapshot).chain(known) {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        self.report.resources =
            all.into_iter().map(|id| staying(self.region(), &id, state, Some(why.to_owned()))).collect();
        self.report.phases.push(done(DrillPhase::Remove, DrillState::Skipped, None, why));
    }

    /// What the object's own verification makes of the exit code. An AMI that is taken up was not held to it before.
    fn exit_of_verification(&self) -> Exit {
        match self.surveyed.as_ref().and_then(|surveyed| surveyed.verified.as_ref()) {
            Some(finding) if finding.verdict() == Verdict::Unknown && is_accepted(self.request, finding.check) => {
                Exit::Passed
            }
            Some(finding) => finding.verdict().into(),
            None => Exit::Unknown,
        }
    }

    /// The report at the end.
    pub async fn finish(mut self, cancel: &CancellationToken) -> DrillReport {
        let is_looked_at = self.report.phases.iter().any(|phase| phase.phase == DrillPhase::Remove);
        if cancel.is_cancelled() && (!is_looked_at || self.report.left().next().is_some()) {
            self.report.outcome = DrillOutcome::Interrupted;
        }
        if !self.is_interrupted() && !self.is_refused() {
            self.report.outcome = DrillOutcome::Ended;
        }
        if !is_looked_at {
            self.leave(DrillResourceState::Left, SIGNAL).await;
        }
        let verdict = self.verdict();
        let mut exit = match (&self.report.restore, &self.report.proof) {
            _ if self.is_interrupted() => Exit::Interrupted,
            _ if verdict == Verdict::Fail => Exit::Failed,
            (Some(task), Some(proof)) => task.exit_code.and(proof.exit_code).and(self.exit_of_verification()),
            _ => verdict.into(),
        };
        if self.report.left().next().is_some() {
            exit = exit.and(Exit::CouldNot);
        }
        if !self.is_clean {
            exit = exit.and(Exit::Unknown);
        }
        if let (Some(Concluded { verdict, .. }), Some(at)) = (&self.earlier, &self.report.removes_only) {
            let (end, next) = match self.entry.is_none() {
                true => ("is finished", "for a new drill"),
                false => ("is not finished", "to finish it"),
            };
            let text = format!(
                "the clean-up of the drill of {at} {end}; its verdict was {verdict}; run the same command again {next}"
            );
            self.report.notes.push(Note::Source(text));
        }
        (self.report.verdict, self.report.exit_code) = (verdict, exit);
        self.report.backup_validation = BackupValidation::of(self.report.outcome, verdict);
        self.report.requests = self.region().requests();
        self.report
    }
}

/// Whether an AMI was created at about the time of the call, by the time that EC2 states.
fn is_made_at(image: &ImageFacts, called_at: &str) -> bool {
    let created = image.created.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    let called = called_at.parse::<Timestamp>().ok();
    matches!((created, called), (Some(created), Some(called)) if created.duration_since(called).abs() <= SKEW)
}
