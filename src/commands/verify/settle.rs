//! Determines the actual part layout if a composite value matches under none of the assumed layouts.

use std::mem;
use std::sync::Arc;

use super::mismatch::Judged;
use super::references::needs;
use super::run::{Reader, VerifyRun};
use super::unknown;
use crate::checks::Digests;
use crate::checksum::Algorithm;
use crate::commands::discover::ask_every_part;
use crate::plan::{Claim, KnownLayout, PartLayout, ReadPlan, Reference, settle};
use crate::progress::Purpose;
use crate::report::VerifyNote;
use crate::verdict::{CheckId, Origin, Reason};

impl VerifyRun<'_> {
    /// Asks each part for its size. If the parts differ from the assumed ones, reads the object again along the proved
    /// parts and judges the open references again.
    pub(super) async fn settle_layout(&mut self, judged: &mut Judged, digests: &mut Digests) {
        // Values computed over other bytes or for another object need not use the parts of this object.
        let of_this = |reference: &Reference| matches!(reference.check, CheckId::Reference(Origin::Stored, _));
        let (unproved, elsewhere): (Vec<_>, Vec<_>) = mem::take(&mut judged.unproved).into_iter().partition(of_this);
        judged.leave_open(&elsewhere, &not_proved("the parts it was made over are not known"));
        if unproved.is_empty() {
            return;
        }
        let proved = match self.prove_layout().await {
            Ok(proved) => proved,
            Err(because) => return judged.leave_open(&unproved, &not_proved(&because)),
        };
        let (mut settled, other): (Vec<_>, Vec<_>) =
            unproved.into_iter().partition(|reference| has_part_count_of(reference, &proved));
        judged.leave_open(&other, &not_proved("it has another number of parts than the object"));
        settled.iter_mut().for_each(|reference| settle(&mut reference.claim, &proved));
        self.found.layout = proved;
        if let Err(reason) = self.read_proved_parts(&settled, digests).await {
            return judged.leave_open(&settled, &reason);
        }
        let mut again = Judged::default();
        for reference in settled {
            self.judge(reference, digests, &mut again);
        }
        judged.findings.append(&mut again.findings);
        if self.disputed {
            judged.findings.extend(again.mismatches.into_iter().map(super::listed::disputed));
        } else {
            judged.mismatches.append(&mut again.mismatches);
        }
        judged.leave_open(&again.unproved, &not_proved("the value fits no reading of it"));
    }

    /// The layout proved by a HEAD request for each part, or the reason why it cannot be proved.
    async fn prove_layout(&self) -> Result<KnownLayout, String> {
        let Some(parts) = self.found.layout.parts_count else {
            return Err("the number of parts is not known".to_owned());
        };
        let clock = Arc::clone(&self.session.context().clock);
        let asked = ask_every_part(self.session, &self.found.facts, parts);
        let asked = self.request.quota.within(clock.as_ref(), asked).await;
        asked.unwrap_or_else(|| Err("--max-time was over before every part was asked".to_owned()))
    }

    /// Reads the object along the proved parts, unless the digests at hand suffice.
    ///
    /// Results such as the bytes that a sink took, or the digests of a manifest, are of the first read. This read computes
    /// their digests again, and a match counts only if both reads have the same.
    async fn read_proved_parts(&mut self, settled: &[Reference], digests: &mut Digests) -> Result<(), Reason> {
        let size = self.found.facts.size;
        let mut wanted = needs(settled, size);
        wanted.extend(self.results());
        let missing = wanted.iter().any(|(algorithm, layout)| digests.all_parts(*algorithm, layout).is_none());
        if !missing || settled.is_empty() || self.stopped.is_some() {
            return Ok(());
        }
        let plan = Arc::new(ReadPlan::new(size, &wanted, self.request.budget));
        plan.fits(self.request.budget).map_err(|error| not_proved(&error.to_string()))?;
        self.announce(VerifyNote::RereadByParts { bytes: size });
        let again = self.read(self.session, &plan, None, Purpose::ProvedParts, Reader::default()).await;
        self.read_again = true;
        self.stopped.clone_from(&again.stopped);
        let again = again.digests();
        if let Some(detail) = difference(digests, &again) {
            return Err(Reason::UnstableRead { detail });
        }
        let is_complete = |of: &(Algorithm, PartLayout)| again.all_parts(of.0, &of.1).is_some();
        if self.results().iter().all(is_complete) {
            for (algorithm, layout, list) in again.iter() {
                digests.insert(algorithm, layout.clone(), list.to_vec());
            }
        }
        Ok(())
    }
}

/// The first digest that two reads do not have in common.
fn difference(first: &Digests, again: &Digests) -> Option<String> {
    again.iter().find_map(|(algorithm, layout, list)| {
        let mut pairs = first.parts(algorithm, layout)?.iter().zip(list);
        let part = pairs.position(|pair| matches!(pair, (Some(first), Some(again)) if first != again))?;
        Some(match layout.count() {
            1 => format!("{} of the object", algorithm.name()),
            _ => format!("{} of part {}", algorithm.name(), part + 1),
        })
    })
}

fn not_proved(because: &str) -> Reason {
    Reason::LayoutNotProved { because: because.to_owned() }
}

impl Judged {
    fn leave_open(&mut self, references: &[Reference], reason: &Reason) {
        self.findings.extend(references.iter().map(|reference| unknown(reference.check, reason.clone())));
    }
}

/// Whether the reference covers as many parts as the proved layout has.
fn has_part_count_of(reference: &Reference, proved: &KnownLayout) -> bool {
    let count = proved.parts_count.map(|count| count as usize);
    match &reference.claim {
        Claim::Composite { candidates, .. } => candidates.iter().any(|c| Some(c.layout.count()) == count),
        Claim::WholeOrComposite { .. } => true,
        Claim::Whole(_) | Claim::Parts { .. } => false,
    }
}
