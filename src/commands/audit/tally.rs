use std::sync::Mutex;

use super::list::{Candidate, Listed, ListingDigest};
use super::store::{Admitted, AuditStore, Turn};
use super::{AuditRequest, Scope};
use crate::ident::Prefix;
use crate::ledger::{Head, LedgerError};
use crate::report::{AuditNote, AuditReport, AuditStep, Exit};
use crate::source::{ErrorKind, SourceError};
use crate::sync::lock;

/// What the listing has returned so far.
pub(super) struct ListingTally {
    /// The summary, as far as it is known.
    pub report: AuditReport,
    /// The digest of the listing.
    pub digest: ListingDigest,
    /// Prefixes that could not be listed completely.
    pub failed: Vec<Prefix>,
    /// Those of them whose bucket did not answer: it is not there, cannot be reached, or refuses the credentials.
    pub unanswered: Vec<Prefix>,
    /// Number of objects in this run's partition.
    pub own: u64,
    /// Their size in bytes.
    pub own_bytes: u64,
    /// Objects that all shards read together.
    pub huge: Vec<Candidate>,
    /// The temporary tables or the ledger cannot be read.
    pub is_broken: bool,
    /// The exit status of the listing.
    pub exit: Exit,
}

impl ListingTally {
    /// Nothing is listed yet.
    pub(super) fn new(request: &AuditRequest, began: String, head: Option<Head>) -> Self {
        let mut report = AuditReport {
            scope: request.chosen.shown(),
            level: request.level,
            began,
            shard: request.shard,
            shard_from: request.shard_from,
            split_bytes: request.split_bytes,
            plan_sha256: request.plan_sha256.clone(),
            slice: request.slice,
            max_age_seconds: request.max_age.map(|age| age.as_secs()),
            proof_age_seconds: request.policy.object.proof_age.map(|age| age.as_secs()),
            sample: request.sample_of_level(),
            using: request.using_names(),
            policy_sha256: request.policy.digest(),
            ..AuditReport::default()
        };
        if head.is_some_and(|head| head.entries == 0) {
            report.notes.push(AuditNote::NewLedger);
        }
        if matches!(request.chosen, Scope::Named { .. }) {
            report.notes.push(AuditNote::NamedOnly);
        }
        ListingTally {
            report,
            digest: ListingDigest::new(),
            failed: Vec::new(),
            unanswered: Vec::new(),
            own: 0,
            own_bytes: 0,
            huge: Vec::new(),
            is_broken: false,
            exit: Exit::Passed,
        }
    }

    /// Records that the temporary tables or the ledger cannot be read: not everything that was listed is known.
    pub(super) fn fail(&mut self, error: &LedgerError) {
        self.is_broken = true;
        self.report.problems.push(format!("what was listed could not be compared with the ledger: {error}"));
        self.exit = self.exit.and(Exit::CouldNot);
    }

    /// Number of listed objects, and number and size of those in this run's partition.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        (self.report.listed, self.own, self.own_bytes)
    }

    /// Takes a page of the listing. Returns its objects, and which of them are in this run's partition.
    fn open(&mut self, request: &AuditRequest, listed: Listed) -> Vec<Admitted> {
        let (page, others, empty) = match listed {
            Listed::Problem(prefix, error) => {
                self.report.problems.push(format!("{prefix} could not be listed: {}", error.explain()));
                self.exit = self.exit.and(crate::commands::exit_of(&error));
                self.report.steps.extend(step_after(&prefix, &error));
                if error.kind != ErrorKind::Denied {
                    self.unanswered.push(prefix.clone());
                }
                self.failed.push(prefix);
                return Vec::new();
            }
            Listed::Page { candidates, others, empty, notes, .. } => {
                self.report.notes.extend(notes);
                (candidates, others, empty)
            }
        };
        self.report.listing_requests += u64::from(matches!(request.chosen, Scope::Listed(_)));
        self.report.other_objects += others;
        if let Some(prefix) = empty {
            // An empty prefix is not an error, but may be misspelt.
            self.report.notes.push(AuditNote::NothingUnder { prefix: prefix.to_string() });
            self.exit = self.exit.and(Exit::Unknown);
        }
        let turn = |candidate: Candidate| {
            let (bucket, key) = (&candidate.uri.bucket, &candidate.uri.key);
            let turn = if request.slice.is_some_and(|share| !share.holds("slice", bucket, key)) {
                Turn::OtherSlice
            } else if request.shard.is_none_or(|share| share.holds("shard", bucket, key)) {
                Turn::Own
            } else {
                Turn::OtherShard
            };
            (candidate, turn)
        };
        page.into_iter().map(turn).collect()
    }

    /// Counts objects that are listed for the first time, and returns those in this run's partition.
    fn count(&mut self, request: &AuditRequest, page: Vec<Admitted>) -> Vec<Candidate> {
        let mut own = Vec::with_capacity(page.len());
        for (candidate, turn) in page {
            self.digest.add(&candidate);
            self.report.listed += 1;
            let bytes = candidate.listed.as_ref().and_then(|object| object.size).unwrap_or_default();
            self.report.listed_bytes = self.report.listed_bytes.saturating_add(bytes);
            let is_huge = turn != Turn::OtherSlice && request.splits(&candidate);
            self.huge.extend(is_huge.then(|| candidate.clone()));
            match turn {
                Turn::OtherSlice => self.report.other_slices += 1,
                Turn::OtherShard => {}
                Turn::Own => {
                    // The bytes of a huge object count with its runs.
                    self.own_bytes = self.own_bytes.saturating_add(if is_huge { 0 } else { bytes });
                    own.push(candidate);
                }
            }
        }
        self.own += own.len() as u64;
        own
    }
}

/// What can be done about a prefix that could not be listed.
pub(super) fn step_after(prefix: &Prefix, error: &SourceError) -> Option<AuditStep> {
    match error.kind {
        ErrorKind::Denied => Some(AuditStep::Allow { bucket: prefix.bucket.clone() }),
        _ => error.advice.as_ref().map(|advice| AuditStep::Advice(advice.to_string())),
    }
}

/// Takes a page of the listing. Returns the objects that are in this run's partition and were not listed before, with
/// what the ledger knows of each.
pub(super) async fn admit(
    store: &AuditStore,
    request: &AuditRequest,
    tally: &Mutex<ListingTally>,
    listed: Listed,
) -> Vec<Candidate> {
    let page = lock(tally).open(request, listed);
    let admitted = async {
        // Prefixes may overlap.
        let new = store.admit(page).await?;
        let own = lock(tally).count(request, new);
        store.with_histories(own).await
    };
    admitted.await.unwrap_or_else(|error| {
        lock(tally).fail(&error);
        Vec::new()
    })
}
