use std::collections::{BTreeMap, BTreeSet};

use super::examine::{AuditedObject, add_finding};
use super::look::ObjectOutcome;
use super::{AuditRequest, AuditServices, Scope};
use crate::audit::{ContentFingerprint, CopyState, CrossObjectIndex, Observation, Policy, differs, tasks, uploads};
use crate::ident::ObjectUri;
use crate::image::TaskFilter;
use crate::report::{AuditReport, AuditedReport, Exit, ObservationReport, Report};
use crate::source::SourceError;

/// What all objects together come to.
pub(super) struct AuditSummary {
    policy: Policy,
    joint: CrossObjectIndex,
    counts: BTreeMap<&'static str, u64>,
    objects: u64,
    /// Reports that wait for the other objects.
    waiting: Vec<(AuditedReport, Vec<ContentFingerprint>, bool)>,
    /// Regions that hold a content, of this size.
    regions: BTreeMap<(u64, ContentFingerprint), BTreeSet<String>>,
    /// Objects of this size, by Region and content.
    sizes: BTreeMap<u64, Vec<(String, Vec<ContentFingerprint>)>>,
    unplaced: BTreeSet<String>,
}

impl AuditSummary {
    pub fn new(request: &AuditRequest) -> Self {
        AuditSummary {
            policy: request.policy.clone(),
            joint: CrossObjectIndex::default(),
            counts: BTreeMap::new(),
            objects: 0,
            waiting: Vec::new(),
            regions: BTreeMap::new(),
            sizes: BTreeMap::new(),
            unplaced: BTreeSet::new(),
        }
    }

    pub fn objects(&self) -> u64 {
        self.objects
    }

    /// Adds an object, and hands out its report unless that must wait for the others.
    pub fn add(
        &mut self,
        done: ObjectOutcome,
        examined: AuditedObject,
        services: &AuditServices,
        emit: &mut impl FnMut(Report),
    ) -> Exit {
        let AuditedObject { report, content, proved, .. } = examined;
        self.objects += 1;
        let name = match done {
            ObjectOutcome::Examined => "examined",
            ObjectOutcome::StillGood => "still_good",
            ObjectOutcome::Left => "left",
            ObjectOutcome::Missing => "missing",
        };
        *self.counts.entry(name).or_default() += 1;
        if proved {
            *self.counts.entry("proved").or_default() += 1;
        }
        let (uri, bytes) = (report.target.parse::<ObjectUri>(), report.identity.as_ref().map(|id| id.object_bytes));
        if let (Ok(uri), Some(bytes)) = (&uri, bytes) {
            self.joint.add(uri, bytes, &content);
            // One that is not in order is no copy of anything.
            if self.policy.object.other_region && report.exit_code == Exit::Passed {
                match services.archive.region(&uri.bucket) {
                    None => drop(self.unplaced.insert(uri.bucket.clone())),
                    Some(region) => {
                        for value in &content {
                            self.regions.entry((bytes, value.clone())).or_default().insert(region.clone());
                        }
                        self.sizes.entry(bytes).or_default().push((region, content.clone()));
                    }
                }
            }
        }
        if self.policy.object.other_region {
            self.waiting.push((report, content, proved));
            return Exit::Passed;
        }
        let exit = report.exit_code;
        emit(Report::Audited(Box::new(report)));
        exit
    }

    /// Hands out the reports that waited for the other objects; whether those were all seen.
    pub fn release(&mut self, services: &AuditServices, all_seen: bool, emit: &mut impl FnMut(Report)) -> Exit {
        let mut exit = Exit::Passed;
        for (mut object, content, proved) in std::mem::take(&mut self.waiting) {
            let copies = match self.copies(services, &object, &content) {
                CopyState::None if !all_seen => CopyState::NotKnown { why: "not all objects were seen".to_owned() },
                copies => copies,
            };
            if let Some(finding) = self.policy.judge_copies(&copies) {
                add_finding(&mut object, proved, &finding);
            }
            exit = exit.and(object.exit_code);
            emit(Report::Audited(Box::new(object)));
        }
        exit
    }

    /// Says what only shows of all objects together.
    pub async fn observe(
        &self,
        services: &AuditServices,
        request: &AuditRequest,
        all_seen: bool,
        report: &mut AuditReport,
        emit: &mut impl FnMut(Report),
    ) {
        let mut tell = |observations: Vec<Observation>| {
            observations.iter().for_each(|one| emit(Report::Observation(ObservationReport::from(one))));
        };
        tell(self.joint.duplicates());
        if request.is_share() {
            report.notes.push("duplicates were looked for among the objects of this share alone".to_owned());
        }
        if let Scope::Listed(prefixes) = &request.chosen
            && request.shard.is_none_or(|share| share.index() == 1)
        {
            let now = services.context.clock.now();
            let mut seen = BTreeSet::new();
            for prefix in prefixes {
                let bucket = services.archive.bucket(&prefix.bucket, services.context.clone());
                match bucket.uploads(&prefix.prefix).await {
                    Ok(found) => {
                        let found = uploads(&prefix.bucket, &found, now);
                        // Prefixes may lie in each other.
                        tell(found.into_iter().filter(|upload| seen.insert(upload.clone())).collect());
                    }
                    Err(error) => {
                        report.notes.push(not_asked(&format!("uploads left over in {}", prefix.bucket), &error));
                    }
                }
            }
        }
        if let Some(images) = &services.images
            && request.shard.is_none_or(|share| share.index() == 1)
        {
            match images.own_images().await {
                Ok(_) if !all_seen => {
                    report
                        .notes
                        .push("the account's AMIs were not held against the copies: not all were seen".to_owned());
                }
                Ok(found) => tell(self.joint.images(&found)),
                Err(error) => report.notes.push(not_asked("the account's AMIs", &error)),
            }
            for bucket in request.chosen.buckets() {
                match images.store_tasks(&TaskFilter::Bucket(bucket.clone())).await {
                    Ok(found) => tell(tasks(&found)),
                    Err(error) => report.notes.push(not_asked(&format!("store tasks into {bucket}"), &error)),
                }
            }
        }
    }

    fn copies(&self, services: &AuditServices, object: &AuditedReport, content: &[ContentFingerprint]) -> CopyState {
        let here = object.target.parse::<ObjectUri>().ok().and_then(|uri| services.archive.region(&uri.bucket));
        let Some(here) = here else {
            return CopyState::NotKnown { why: "the Region of its bucket is not known".to_owned() };
        };
        let bytes = object.identity.as_ref().map_or(0, |identity| identity.object_bytes);
        let regions = content.iter().filter_map(|value| self.regions.get(&(bytes, value.clone()))).flatten();
        match regions.into_iter().find(|region| **region != here) {
            Some(other) => CopyState::In { other: other.clone() },
            None if content.is_empty() => {
                CopyState::NotKnown { why: "nothing tells its content, so no copy can be recognised".to_owned() }
            }
            None if !self.unplaced.is_empty() => {
                CopyState::NotKnown { why: "the Regions of some buckets are not known".to_owned() }
            }
            // Values of other kinds, or over other parts, tell nothing of each other.
            None => match self
                .sizes
                .get(&bytes)
                .into_iter()
                .flatten()
                .find(|(region, other)| *region != here && differs(content, other).is_none())
            {
                Some((region, _)) => CopyState::NotKnown {
                    why: format!("an object of the same size in {region} has no value that tells whether it is a copy"),
                },
                None => CopyState::None,
            },
        }
    }

    /// Writes the counts into the report over all.
    pub fn fill(&self, report: &mut AuditReport) {
        let count = |name: &str| self.counts.get(name).copied().unwrap_or_default();
        report.objects = self.objects;
        report.examined = count("examined");
        report.still_good = count("still_good");
        report.proved = count("proved");
        report.left = count("left");
        report.missing = count("missing");
    }
}

fn not_asked(what: &str, error: &SourceError) -> String {
    format!("{what} could not be asked for: {}", error.explain())
}
