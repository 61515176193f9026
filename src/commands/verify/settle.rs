//! Determines the actual part layout if a composite value matches under none of the assumed layouts.

use std::mem;
use std::sync::Arc;

use super::mismatch::Judged;
use super::references::needs;
use super::run::{MANIFEST_PARTS, Reader, VerifyRun};
use super::unknown;
use crate::checks::Digests;
use crate::commands::discover::ask_every_part;
use crate::plan::{Claim, KnownLayout, ReadPlan, Reference, settle};
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
        judged.leave_open(&elsewhere, "the parts it was made over are not known");
        if unproved.is_empty() {
            return;
        }
        let proved = match self.prove_layout().await {
            Ok(proved) => proved,
            Err(because) => return judged.leave_open(&unproved, &because),
        };
        let (mut settled, other): (Vec<_>, Vec<_>) =
            unproved.into_iter().partition(|reference| has_part_count_of(reference, &proved));
        judged.leave_open(&other, "it has another number of parts than the object");
        settled.iter_mut().for_each(|reference| settle(&mut reference.claim, &proved));
        self.found.layout = proved;
        if let Err(because) = self.read_proved_parts(&settled, digests).await {
            return judged.leave_open(&settled, &because);
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
        judged.leave_open(&again.unproved, "the value fits no reading of it");
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
    async fn read_proved_parts(&mut self, settled: &[Reference], digests: &mut Digests) -> Result<(), String> {
        let size = self.found.facts.size;
        let mut wanted = needs(settled, size);
        if self.request.manifest_wanted {
            // A manifest locates damage by the proved parts, not by the assumed ones.
            wanted.push((MANIFEST_PARTS, self.found.layout.for_manifest(size)));
        }
        let missing = wanted.iter().any(|(algorithm, layout)| digests.all_parts(*algorithm, layout).is_none());
        if !missing || settled.is_empty() || self.stopped.is_some() {
            return Ok(());
        }
        let plan = Arc::new(ReadPlan::new(size, &wanted, self.request.budget));
        plan.fits(self.request.budget).map_err(|error| error.to_string())?;
        self.announce(VerifyNote::RereadByParts { bytes: size });
        let again = self.read(self.session, &plan, None, Purpose::ProvedParts, Reader::default()).await;
        self.read_again = true;
        self.stopped.clone_from(&again.stopped);
        for (algorithm, layout, list) in again.digests().iter() {
            digests.insert(algorithm, layout.clone(), list.to_vec());
        }
        Ok(())
    }
}

impl Judged {
    fn leave_open(&mut self, references: &[Reference], because: &str) {
        let reason = || Reason::LayoutNotProved { because: because.to_owned() };
        self.findings.extend(references.iter().map(|reference| unknown(reference.check, reason())));
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
