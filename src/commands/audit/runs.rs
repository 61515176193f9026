//! The runs of huge objects that this shard reads.

use super::budget::ObjectCost;
use super::list::Candidate;
use super::look::Look;
use super::split::divided;
use super::still_good::has_proof;
use super::subject::Subject;
use crate::audit::{Partition, PartsRun, SplitPlan};
use crate::commands::Discovery;
use crate::commands::verify::run_digests;
use crate::plan::Reference;
use crate::report::{AuditedRunReport, Exit, IdentityReport, ReasonReport};
use crate::verdict::Reason;

/// A huge object as this shard found it.
pub(super) struct HugeObject<'a> {
    look: &'a Look<'a>,
    candidate: Candidate,
    found: Discovery,
    plan: SplitPlan,
}

impl<'a> HugeObject<'a> {
    /// Describes an object. `None` if one shard reads it alone, or none because the ledger has a proof of it.
    ///
    /// # Errors
    ///
    /// The line that states why it could not be described.
    pub(super) async fn open(
        look: &'a Look<'a>,
        mut candidate: Candidate,
    ) -> Result<Option<Self>, Box<AuditedRunReport>> {
        let history = candidate.history.take();
        let subject = Subject::new(look.services, look.request, candidate.clone(), history.as_deref());
        if has_proof(&subject).await {
            return Ok(None);
        }
        let facts = match subject.head().await {
            Ok(facts) => facts.clone(),
            Err(error) => {
                let report = AuditedRunReport::new(&candidate.uri, subject.now().to_string());
                let reason = Reason::Unanswered { detail: error.explain() };
                return Err(Box::new(unread(report, &reason, crate::commands::exit_of(error))));
            }
        };
        let mut found = Discovery::from_head(&subject.session, facts).await;
        let plan = divided(&subject, &mut found).map(|(plan, _)| plan);
        Ok(plan.map(|plan| HugeObject { look, candidate, found, plan }))
    }

    /// The runs that a share reads.
    pub(super) fn runs_of(&self, share: Partition) -> Vec<PartsRun> {
        let uri = &self.candidate.uri;
        let owner = share.owner("shard", &uri.bucket, &uri.key);
        let is_own = |run: &PartsRun| SplitPlan::shard_of(run.number, owner, share.of()) == share.index();
        self.plan.runs().into_iter().filter(is_own).collect()
    }

    /// Says which references the runs do not decide, before anything is read.
    pub(super) fn announce(&self) {
        let names = |references: &[Reference]| {
            references.iter().map(|one| one.check.to_string()).collect::<Vec<_>>().join(", ")
        };
        if !self.plan.serial.is_empty() {
            let (serial, joined, uri) = (names(&self.plan.serial), names(&self.plan.joined), &self.candidate.uri);
            self.look.services.context.monitor.note(&format!(
                "{uri}: the runs of parts that the shards read do not give {serial}; audit merge compares {joined}"
            ));
        }
    }

    /// Reads a run, unless a limit is reached.
    pub(super) async fn read(&self, run: PartsRun) -> AuditedRunReport {
        let Look { services, request, cancel, .. } = self.look;
        let subject = Subject::new(services, request, self.candidate.clone(), None);
        let mut report = AuditedRunReport::new(&self.candidate.uri, subject.now().to_string()).of_run(&self.plan, &run);
        report.identity = Some(IdentityReport::from(&self.found.facts));
        let cost = ObjectCost::of_run(&self.candidate, run.range.len());
        let spent = self.look.spend(&cost);
        let mut report = match &spent {
            Err(why) => {
                let reason = Reason::Unanswered { detail: format!("due, and left for another run: {why}") };
                unread(report, &reason, Exit::Unknown)
            }
            Ok(_) => {
                let plan = (&self.plan, &run);
                match run_digests(&subject.session, &self.found, plan, request.budget, cancel).await {
                    Ok(digests) => report.with(&digests),
                    Err(not) => unread(report, &not.reason, not.exit),
                }
            }
        };
        (report.requests, report.received_bytes) = subject.counted();
        self.look.settle(spent.ok().flatten().as_ref(), report.received_bytes);
        report.elapsed_seconds = subject.elapsed().as_secs_f64();
        report
    }
}

fn unread(report: AuditedRunReport, reason: &Reason, exit_code: Exit) -> AuditedRunReport {
    AuditedRunReport { reason: Some(ReasonReport::from(reason)), exit_code, ..report }
}
