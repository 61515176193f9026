//! Reads mismatching bytes a second time.

use std::sync::Arc;

use super::mismatch::{Mismatch, describe, lay_over, same_damage};
use super::references::needs;
use super::run::{Reader, VerifyRun};
use super::stopped::why_stopped;
use super::unknown;
use crate::checks::{Digests, Judgement, judge};
use crate::checksum::Algorithm;
use crate::fetch::{Reading, Stop};
use crate::plan::{PartLayout, ReadPlan, Reference, Spans};
use crate::progress::Purpose;
use crate::report::VerifyNote;
use crate::units::ByteRange;
use crate::verdict::{Finding, Reads, Reason};

/// What to read the second time.
struct SecondRead {
    plan: Arc<ReadPlan>,
    /// The ranges to read; `None` for all of them.
    ranges: Option<Spans>,
}

impl VerifyRun<'_> {
    /// Reads the mismatching bytes a second time, over new connections. Only a mismatch that is reproduced counts as
    /// damage.
    pub(super) async fn confirm(
        &mut self,
        first: Vec<Mismatch>,
        plan: &Arc<ReadPlan>,
        digests: &mut Digests,
    ) -> Vec<Finding> {
        if !self.request.reread {
            return first.into_iter().map(|mismatch| mismatch.fail(Reads::One)).collect();
        }
        let SecondRead { plan, ranges } = self.plan_second_read(&first, plan);
        if let Err(error) = plan.fits(self.request.budget) {
            return all_unknown(first, &Reason::Unconfirmed { detail: error.to_string() });
        }
        let partial = ranges.is_some();
        self.read_again = true;
        let second = self.read(&self.session.fresh(), &plan, ranges, Purpose::SecondRead, Reader::default()).await;
        if let Some(stop) = second.stopped.clone() {
            let reason = why_unconfirmed(&stop, &second);
            self.stopped = Some(stop);
            return all_unknown(first, &reason);
        }
        let (second, differing) = self.take_second(second, &plan, digests, partial);
        let size = self.found.facts.size;
        let compare = |mismatch: Mismatch| {
            let check = mismatch.reference.check;
            match judge(&mismatch.reference, &second, size) {
                Judgement::Mismatch { evidence, damage }
                    if evidence.observed == mismatch.evidence.observed
                        && same_damage(&damage, &mismatch.damage)
                        && (differing.is_empty() || !partial) =>
                {
                    // If only the damaged parts were read again, a value over the whole object was compared once.
                    let once = partial && mismatch.damage.is_empty();
                    mismatch.fail(if once { Reads::One } else { Reads::Reproduced })
                }
                _ => unknown(check, Reason::UnstableRead { detail: describe(&mismatch, &differing) }),
            }
        };
        let findings = first.into_iter().map(compare).collect();
        for (algorithm, layout, list) in second.iter() {
            digests.insert(algorithm, layout.clone(), list.to_vec());
        }
        findings
    }

    /// Plans the second read: of the damaged parts only, if a plan can start at each of them; otherwise of everything.
    fn plan_second_read(&mut self, first: &[Mismatch], plan: &Arc<ReadPlan>) -> SecondRead {
        let size = self.found.facts.size;
        let placed: Vec<ByteRange> = first.iter().flat_map(|m| m.damage.iter().map(|d| d.range)).collect();
        let references: Vec<Reference> = first.iter().map(|m| m.reference.clone()).collect();
        let wanted = needs(&references, size);
        // References settled after the first read may need digests that its plan does not compute.
        let covered = wanted.iter().all(|(algorithm, layout)| plan_knows(plan, *algorithm, layout));
        if !placed.is_empty()
            && covered
            && let Some(plan) = self.plan_of_parts(first, plan)
        {
            let ranges = placed.iter().map(|range| plan.ranges_touching(*range)).collect();
            return SecondRead { plan, ranges: Some(ranges) };
        }
        self.announce(VerifyNote::ConfirmingMismatch { bytes: size });
        let plan = match covered {
            true => Arc::clone(plan),
            false => Arc::new(ReadPlan::new(size, &wanted, self.request.budget)),
        };
        SecondRead { plan, ranges: None }
    }

    /// The digests after the second read, and the ranges that the two reads disagree on.
    fn take_second(
        &mut self,
        second: Reading,
        plan: &Arc<ReadPlan>,
        first: &Digests,
        partial: bool,
    ) -> (Digests, Vec<ByteRange>) {
        match &mut self.reading {
            Some(reading) if reading.is_of(plan) => {
                let differing = reading.replace_by(second);
                (reading.digests(), differing)
            }
            _ if partial => lay_over(first, second.digests()),
            _ => (second.digests(), Vec::new()),
        }
    }

    /// A plan that can read single parts, if there is one. Digests computed in order of offset cannot start at a part.
    fn plan_of_parts(&self, mismatches: &[Mismatch], plan: &Arc<ReadPlan>) -> Option<Arc<ReadPlan>> {
        if plan.ordered().is_empty() {
            return Some(Arc::clone(plan));
        }
        let placing: Vec<Reference> =
            mismatches.iter().filter(|m| !m.damage.is_empty()).map(|m| m.reference.clone()).collect();
        let size = self.found.facts.size;
        let plan = ReadPlan::new(size, &needs(&placing, size), self.request.budget);
        plan.ordered().is_empty().then(|| Arc::new(plan))
    }
}

fn all_unknown(mismatches: Vec<Mismatch>, reason: &Reason) -> Vec<Finding> {
    mismatches.into_iter().map(|mismatch| unknown(mismatch.reference.check, reason.clone())).collect()
}

/// The mismatch was seen once; the second read stopped before it could be reproduced.
fn why_unconfirmed(stop: &Stop, second: &Reading) -> Reason {
    match why_stopped(stop, second.coverage()) {
        Reason::ReadFailed { detail } => Reason::RereadFailed { detail },
        ended => Reason::Unconfirmed { detail: ended.to_string() },
    }
}

fn plan_knows(plan: &ReadPlan, algorithm: Algorithm, layout: &PartLayout) -> bool {
    plan.needs().any(|need| need.algorithm == algorithm && plan.layout(need) == Some(layout))
}
