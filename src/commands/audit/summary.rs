use std::collections::{BTreeMap, BTreeSet};

use super::copies::{CopyIndex, CopyRole, ObjectContent};
use super::look::ObjectOutcome;
use super::object::AuditedObject;
use super::store::{AuditStore, Waiting};
use super::{AuditRequest, AuditServices, Scope};
use crate::audit::{CopyState, ImageComparison, Observation, Policy, tasks, uploads};
use crate::ident::Prefix;
use crate::image::{ImageService, TaskFilter};
use crate::ledger::LedgerError;
use crate::report::{AuditNote, AuditReport, Exit, ObservationReport, Report, VerifyNote};
use crate::source::SourceError;

/// Counts and checks across all objects.
pub(super) struct AuditSummary {
    policy: Policy,
    /// Objects for the checks across objects, which the next [`AuditSummary::take_contents`] returns.
    contents: Vec<ObjectContent>,
    counts: BTreeMap<ObjectOutcome, u64>,
    proved: u64,
    unproved_copies: u64,
    an_unproved_copy: Option<String>,
    /// Reports that wait for the checks across all objects, which the next [`AuditSummary::take_contents`] returns.
    waiting: Vec<Waiting>,
    copies: CopyIndex,
}

impl AuditSummary {
    /// An empty summary for this audit.
    pub(super) fn new(request: &AuditRequest) -> Self {
        AuditSummary {
            policy: request.policy.clone(),
            contents: Vec::new(),
            counts: BTreeMap::new(),
            proved: 0,
            unproved_copies: 0,
            an_unproved_copy: None,
            waiting: Vec::new(),
            copies: CopyIndex::default(),
        }
    }

    /// Number of objects.
    pub(super) fn objects(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Whether a limit ended the run before all objects were examined.
    pub(super) fn has_left(&self) -> bool {
        self.counts.contains_key(&ObjectOutcome::Left)
    }

    /// Adds an object, and emits its report unless it must wait for the others.
    pub(super) fn add(
        &mut self,
        done: ObjectOutcome,
        examined: AuditedObject,
        services: &AuditServices,
        emit: &mut impl FnMut(Report),
    ) -> Exit {
        *self.counts.entry(done).or_default() += 1;
        self.proved += u64::from(examined.proved);
        let report = &examined.report;
        if report.notes.contains(&VerifyNote::UnprovedCopy.into()) {
            self.unproved_copies += 1;
            self.an_unproved_copy.get_or_insert_with(|| report.target.to_string());
        }
        let region = services.archive.region(&report.target.bucket);
        let asks = self.policy.object.other_region;
        if let Some(bytes) = report.identity.as_ref().map(|identity| identity.object_bytes) {
            // An object with problems does not count as a copy.
            let role = match &region {
                _ if !asks || report.exit_code != Exit::Passed => CopyRole::None,
                Some(region) => CopyRole::In(region.clone()),
                None => CopyRole::Unplaced,
            };
            self.copies.is_unplaced |= role == CopyRole::Unplaced;
            let (target, values) = (report.target.to_string(), examined.content.clone());
            self.contents.push(ObjectContent { target, bytes, values, role });
        }
        if asks {
            let AuditedObject { report, content, proved, entry: _ } = examined;
            self.waiting.push(Waiting { report, proved, content, region });
            return Exit::Passed;
        }
        let exit = examined.report.exit_code;
        emit(Report::Audited(Box::new(examined.report)));
        exit
    }

    /// The objects that were added since the last call, and those of them whose reports wait.
    pub(super) fn take_contents(&mut self) -> (Vec<ObjectContent>, Vec<Waiting>) {
        (std::mem::take(&mut self.contents), std::mem::take(&mut self.waiting))
    }

    /// Emits the reports that waited for the other objects. `all_seen` states whether all objects were seen.
    pub(super) async fn release(
        &self,
        store: &AuditStore,
        all_seen: bool,
        emit: &mut impl FnMut(Report),
    ) -> Result<Exit, LedgerError> {
        if !self.policy.object.other_region {
            return Ok(Exit::Passed);
        }
        let mut exit = Exit::Passed;
        let judge = |one: Waiting, copies: CopyState| {
            let Waiting { report, proved, content, region: _ } = one;
            let mut object = AuditedObject { report, content, proved, entry: None };
            let copies = match copies {
                CopyState::None if !all_seen => CopyState::NotKnown { why: "not all objects were seen".to_owned() },
                copies => copies,
            };
            if let Some(finding) = self.policy.judge_copies(&copies) {
                object.add(&finding);
            }
            exit = exit.and(object.report.exit_code);
            emit(Report::Audited(Box::new(object.report)));
        };
        store.each_waiting(self.copies, judge).await?;
        Ok(exit)
    }

    /// Emits the observations across all objects. Adds notes on requests that failed.
    pub(super) async fn observe<E: FnMut(Report)>(
        &self,
        services: &AuditServices,
        request: &AuditRequest,
        (store, all_seen): (&AuditStore, bool),
        out: &mut Observed<'_, E>,
    ) -> Result<(), LedgerError> {
        store.each_duplicate(|one| out.tell_one(&one)).await?;
        if request.is_share() {
            out.notes.push(AuditNote::DuplicatesInShare);
        }
        if request.shard.is_some_and(|share| share.index() != 1) {
            return Ok(());
        }
        if let Scope::Listed(prefixes) = &request.chosen {
            out.uploads(services, prefixes).await;
        }
        if let Some(images) = services.images.as_deref() {
            out.images(images, store, all_seen).await?;
            out.tasks(images, request).await;
        }
        Ok(())
    }

    /// Writes the counts into the audit report, and what they must not hide.
    pub(super) fn fill(&self, report: &mut AuditReport) {
        let objects = self.unproved_copies;
        let note = self.an_unproved_copy.clone().map(|example| AuditNote::UnprovedCopies { objects, example });
        report.notes.extend(note);
        let count = |outcome: ObjectOutcome| self.counts.get(&outcome).copied().unwrap_or_default();
        report.objects = self.objects();
        report.examined = count(ObjectOutcome::Examined);
        report.still_good = count(ObjectOutcome::StillGood);
        report.proved = self.proved;
        report.left = count(ObjectOutcome::Left);
        report.missing = count(ObjectOutcome::Missing);
    }
}

/// Receives observations, and notes on requests that failed.
pub(super) struct Observed<'a, E> {
    /// Notes of the audit report.
    pub notes: &'a mut Vec<AuditNote>,
    /// Receives the reports.
    pub emit: &'a mut E,
    /// Prefixes whose bucket did not answer the listing, and is not asked again.
    pub unanswered: &'a [Prefix],
}

impl<E: FnMut(Report)> Observed<'_, E> {
    fn tell(&mut self, observations: Vec<Observation>) {
        observations.iter().for_each(|one| self.tell_one(one));
    }

    fn tell_one(&mut self, one: &Observation) {
        (self.emit)(Report::Observation(ObservationReport::from(one)));
    }

    fn not_asked(&mut self, what: String, error: &SourceError) {
        self.notes.push(AuditNote::NotAsked { what, why: error.explain() });
    }

    async fn uploads(&mut self, services: &AuditServices, prefixes: &[Prefix]) {
        let now = services.context.clock.now();
        let mut seen = BTreeSet::new();
        for prefix in prefixes.iter().filter(|prefix| !self.unanswered.contains(prefix)) {
            let bucket = services.archive.bucket(&prefix.bucket, services.context.clone());
            match bucket.uploads(&prefix.prefix).await {
                Ok(found) => {
                    let found = uploads(&prefix.bucket, &found, now);
                    // Prefixes may overlap.
                    self.tell(found.into_iter().filter(|upload| seen.insert(upload.clone())).collect());
                }
                Err(error) => self.not_asked(format!("uploads left over in {}", prefix.bucket), &error),
            }
        }
    }

    /// Compares the copies with the AMIs of the account.
    async fn images(
        &mut self,
        images: &dyn ImageService,
        store: &AuditStore,
        all_seen: bool,
    ) -> Result<(), LedgerError> {
        match images.own_images().await {
            Ok(_) if !all_seen => self.notes.push(AuditNote::ImagesNotCompared),
            Ok(found) => {
                let mut comparison = ImageComparison::new(&found);
                let each = |target: String| {
                    if let Some(one) = comparison.object(&target) {
                        self.tell_one(&one);
                    }
                };
                store.each_object(each).await?;
                comparison.without_copy().for_each(|one| self.tell_one(&one));
            }
            Err(error) => self.not_asked("the account's AMIs".to_owned(), &error),
        }
        Ok(())
    }

    async fn tasks(&mut self, images: &dyn ImageService, request: &AuditRequest) {
        for bucket in request.chosen.buckets() {
            match images.store_tasks(&TaskFilter::Bucket(bucket.clone())).await {
                Ok(found) => self.tell(tasks(&found)),
                Err(error) => self.not_asked(format!("store tasks into {bucket}"), &error),
            }
        }
    }
}
