use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::checkpoint_writer::CheckpointWriter;
use super::matched::etag_parts;
use super::mismatch::{Mismatch, describe, lay_over, same_damage};
use super::references::needs;
use super::stopped::why_stopped;
use super::{VerifyError, VerifyRequest, undocumented, unknown};
use crate::checks::{Digests, Judgement, held_by_part, judge};
use crate::checksum::Algorithm;
use crate::commands::Discovery;
use crate::commands::discover::ask_every_part;
use crate::content::{Decoded, ProbePlan, Probed};
use crate::fetch::{Job, ProgressSink, Reading, Stop, fetch};
use crate::plan::{AlgorithmCertainty, KnownLayout, PartLayout, ReadPlan, ReadProgress, Reference, Spans, settle};
use crate::source::Session;
use crate::units::{ByteRange, ByteSize};
use crate::verdict::{CheckId, Coverage, Finding, Origin, Outcome, Reads, Reason};

/// The readings of one `verify`, and what they say about its references.
pub(super) struct VerifyRun<'a> {
    pub(super) session: &'a Session,
    request: &'a VerifyRequest,
    cancel: &'a CancellationToken,
    pub(super) found: &'a mut Discovery,
    reading: Option<Reading>,
    /// All digests, of all readings.
    pub digests: Option<Digests>,
    /// Trouble that ended a reading.
    pub stopped: Option<Stop>,
    /// What the bytes are as a stream.
    pub decoded: Option<Decoded>,
    /// The parts under which the stored ETag matched.
    pub etag_parts: Option<PartLayout>,
    /// Some bytes were read after the first reading.
    pub(super) read_again: bool,
    /// The list of parts and the parts themselves tell different sizes.
    pub(super) disputed: bool,
}

/// What a reading does besides digests.
#[derive(Default)]
pub(super) struct Reader {
    /// What it goes on from.
    pub from: Option<ReadProgress>,
    pub keep: Option<Arc<dyn ProgressSink>>,
    pub decode: bool,
}

/// What a manifest holds whatever the references need: it must prove a copy anywhere.
pub(super) const MANIFEST_PARTS: Algorithm = Algorithm::Sha256;
pub(super) const MANIFEST_WHOLE: Algorithm = Algorithm::Crc64Nvme;

impl<'a> VerifyRun<'a> {
    pub fn new(
        session: &'a Session,
        request: &'a VerifyRequest,
        cancel: &'a CancellationToken,
        found: &'a mut Discovery,
    ) -> Self {
        VerifyRun {
            session,
            request,
            cancel,
            found,
            reading: None,
            digests: None,
            stopped: None,
            decoded: None,
            etag_parts: None,
            read_again: false,
            disputed: false,
        }
    }

    /// Ranges that came whole in the first reading, in order.
    pub fn read_ranges(&self) -> Vec<ByteRange> {
        self.reading.as_ref().map(|reading| reading.ranges().collect()).unwrap_or_default()
    }

    /// What the content was like in the first reading.
    pub fn take_probed(&mut self) -> Option<Probed> {
        self.reading.as_mut()?.probed.take()
    }

    /// Bytes that came whole in the first reading; `None` when there was none.
    pub fn coverage(&self) -> Option<Coverage> {
        self.reading.as_ref().map(Reading::coverage)
    }

    /// Reads, judges, and where a mismatch stands, asks and reads again.
    pub async fn run(&mut self, references: Vec<Reference>) -> Result<Vec<Finding>, VerifyError> {
        let no_md5 = undocumented::undocumented(&references);
        let mut wanted = needs(&references, self.found.facts.size);
        let size = self.found.facts.size;
        wanted.extend(self.request.digest.iter().map(|algorithm| (*algorithm, PartLayout::whole(size))));
        if self.request.manifest_wanted {
            wanted.push((MANIFEST_PARTS, self.found.layout.for_manifest(size)));
            wanted.push((MANIFEST_WHOLE, PartLayout::whole(size)));
        }
        let decode = self.request.decode.is_some();
        let planned = match self.request.sample {
            Some(_) => ReadPlan::of_sample,
            None if decode => ReadPlan::in_order,
            None => ReadPlan::new,
        };
        let plan = planned(size, &wanted, self.request.budget);
        plan.fits(self.request.budget).map_err(|error| VerifyError::Request(error.to_string()))?;
        let clock = &self.session.context().clock;
        let mut chosen = self
            .request
            .sample
            .map(|sample| sample.choose(plan.ranges().len(), || clock.random()).into_iter().collect());
        let plan = Arc::new(plan);
        let keeper = CheckpointWriter::of(self.session, self.request, &self.found.facts, &plan).map(Arc::new);
        let mut from = None;
        if let Some(keeper) = &keeper
            && let Some((midway, note)) = keeper.take_up()?
        {
            self.session.context().monitor.note(&note);
            self.found.notes.push(note);
            chosen = Some(midway.missing(&plan));
            from = Some(midway);
        } else if let Some(keeper) = &keeper {
            keeper.begin(&ReadProgress::beginning(&plan))?;
        }
        let reader = Reader { from, keep: keeper.map(|keeper| keeper as Arc<dyn ProgressSink>), decode };
        let reading = self.read(self.session, &plan, chosen, "verify", reader).await;
        let mut digests = reading.digests();
        self.stopped.clone_from(&reading.stopped);
        self.reading = Some(reading);

        let mut findings = Vec::new();
        let mut mismatches = Vec::new();
        let mut unproved = Vec::new();
        for reference in references {
            self.sort(reference, &digests, &mut findings, &mut mismatches, &mut unproved);
        }
        self.question_list(&mut mismatches, &mut unproved).await;
        if !unproved.is_empty() {
            self.settle_layout(unproved, &mut digests, &mut findings, &mut mismatches).await;
        }
        undocumented::set_aside(&mut mismatches, &mut findings);
        if !mismatches.is_empty() {
            findings.extend(self.confirm(mismatches, &plan, &mut digests).await);
        }
        self.digests = Some(digests);
        self.found.notes.extend(undocumented::looks_the_same(&no_md5, &findings));
        if decode {
            let finding = self.judge_stream(&plan, &findings).await;
            findings.push(finding);
        }
        Ok(findings)
    }

    pub(super) fn take_decoded(&mut self) -> Option<Decoded> {
        self.reading.as_mut()?.decoded.take()
    }

    /// Says that bytes are read again, before they are.
    pub(super) fn announce(&mut self, note: String) {
        self.session.context().monitor.note(&note);
        self.found.notes.push(note);
    }

    /// Whether a mismatch is read a second time.
    pub(super) fn rereads(&self) -> bool {
        self.request.reread
    }

    /// Connections of their own.
    pub(super) fn fresh(&self) -> Session {
        self.session.fresh()
    }

    pub(super) async fn read(
        &self,
        session: &Session,
        plan: &Arc<ReadPlan>,
        chosen: Option<Spans>,
        what: &str,
        reader: Reader,
    ) -> Reading {
        let bytes = match &chosen {
            Some(chosen) => chosen.iter().map(|span| plan.bytes_of(span)).sum(),
            None => plan.size(),
        };
        session.context().monitor.begin(what, bytes);
        // Once is enough.
        let probe = (self.request.probe && self.reading.is_none())
            .then(|| ProbePlan::usual(plan.size(), &|| session.context().clock.random()));
        let job = Job {
            id: self.found.facts.id.clone(),
            plan: Arc::clone(plan),
            chosen,
            budget: self.request.budget,
            quota: self.request.quota.clone(),
            probe: probe.map(Arc::new),
            decode: self.request.decode.filter(|_| reader.decode),
            from: reader.from,
            keep: reader.keep,
            cancel: self.cancel.clone(),
        };
        fetch(session, job).await
    }

    /// Puts a reference where its judgement belongs.
    fn sort(
        &mut self,
        reference: Reference,
        digests: &Digests,
        findings: &mut Vec<Finding>,
        mismatches: &mut Vec<Mismatch>,
        unproved: &mut Vec<Reference>,
    ) {
        let check = reference.check;
        match judge(&reference, digests, self.found.facts.size) {
            Judgement::Match(evidence) => {
                self.etag_parts = etag_parts(&reference, digests).or(self.etag_parts.take());
                findings.push(Finding { check, required: false, outcome: Outcome::Pass(evidence) });
            }
            Judgement::Mismatch { evidence, damage } => match reference.standing {
                AlgorithmCertainty::Guessed { may_be } => {
                    let tried = reference.claim.algorithm();
                    let reason = tried.map(|tried| Reason::AlgorithmGuessed { tried, may_be });
                    findings.push(unknown(check, reason.unwrap_or(Reason::NotRead)));
                }
                AlgorithmCertainty::Stated | AlgorithmCertainty::UndocumentedETag => {
                    mismatches.push(Mismatch { reference, evidence, damage });
                }
            },
            Judgement::NoLayoutMatches { .. } => unproved.push(reference),
            Judgement::NoLayout => {
                let because = self.found.layout.why_none.clone().unwrap_or_default();
                findings.push(unknown(check, Reason::LayoutUnknown { because }));
            }
            Judgement::Incomplete => {
                let reason = match self.why_incomplete() {
                    Reason::Sampled { coverage } if held_by_part(&reference, digests) == 0 => {
                        Reason::SampleUnheld { coverage }
                    }
                    reason => reason,
                };
                findings.push(unknown(check, reason));
            }
        }
    }

    pub(super) fn why_incomplete(&self) -> Reason {
        let coverage = self.coverage().unwrap_or(Coverage { bytes: 0, of: self.found.facts.size });
        match &self.stopped {
            Some(stop) => why_stopped(stop, coverage),
            None if self.request.sample.is_some() => Reason::Sampled { coverage },
            None => Reason::NotRead,
        }
    }

    /// A value that goes by part did not match under a layout that was only assumed: asks every part
    /// where it ends, and if that is elsewhere, reads again.
    async fn settle_layout(
        &mut self,
        unproved: Vec<Reference>,
        digests: &mut Digests,
        findings: &mut Vec<Finding>,
        mismatches: &mut Vec<Mismatch>,
    ) {
        let size = self.found.facts.size;
        // What was made of other bytes, or of another object, need not go over this object's parts.
        let (unproved, elsewhere): (Vec<_>, Vec<_>) = unproved
            .into_iter()
            .partition(|reference| matches!(reference.check, CheckId::Reference(Origin::Stored, _)));
        for reference in elsewhere {
            let because = "the parts it was made over are not known".to_owned();
            findings.push(unknown(reference.check, Reason::LayoutNotProved { because }));
        }
        if unproved.is_empty() {
            return;
        }
        let clock = Arc::clone(&self.session.context().clock);
        let proved = match self.found.layout.parts_count {
            Some(parts) => {
                let asked = ask_every_part(self.session, &self.found.facts, parts);
                let asked = self.request.quota.within(clock.as_ref(), asked).await;
                asked.unwrap_or_else(|| Err("--max-time was over before every part was asked".to_owned()))
            }
            None => Err("nothing tells the number of parts".to_owned()),
        };
        let proved = match proved {
            Ok(proved) => proved,
            Err(because) => {
                let reason = |_: &Reference| Reason::LayoutNotProved { because: because.clone() };
                findings.extend(unproved.iter().map(|reference| unknown(reference.check, reason(reference))));
                return;
            }
        };
        let (mut settled, other): (Vec<_>, Vec<_>) =
            unproved.into_iter().partition(|reference| speaks_of(reference, &proved));
        for reference in other {
            let because = "it speaks of another number of parts than the object has".to_owned();
            findings.push(unknown(reference.check, Reason::LayoutNotProved { because }));
        }
        settled.iter_mut().for_each(|reference| settle(&mut reference.claim, &proved));
        self.found.layout = proved;
        let mut wanted = needs(&settled, size);
        if self.request.manifest_wanted {
            // A manifest places damage by the parts there are, not by those that were assumed.
            wanted.push((MANIFEST_PARTS, self.found.layout.for_manifest(size)));
        }
        let missing = wanted.iter().any(|(a, layout)| digests.all_parts(*a, layout).is_none());
        if missing && !settled.is_empty() && self.stopped.is_none() {
            let plan = Arc::new(ReadPlan::new(size, &wanted, self.request.budget));
            if let Err(error) = plan.fits(self.request.budget) {
                let reason = Reason::LayoutNotProved { because: error.to_string() };
                findings.extend(settled.iter().map(|reference| unknown(reference.check, reason.clone())));
                return;
            }
            let note = format!(
                "the parts end elsewhere than was assumed; reading {} again along the right ones",
                ByteSize(size)
            );
            self.announce(note);
            let again = self.read(self.session, &plan, None, "verify by the proved parts", Reader::default()).await;
            self.read_again = true;
            self.stopped.clone_from(&again.stopped);
            for (algorithm, layout, list) in again.digests().iter() {
                digests.insert(algorithm, layout.clone(), list.to_vec());
            }
        }
        let mut still_unproved = Vec::new();
        let mut differing = Vec::new();
        for reference in settled {
            self.sort(reference, digests, findings, &mut differing, &mut still_unproved);
        }
        if self.disputed {
            findings.extend(differing.into_iter().map(super::listed::disputed));
        } else {
            mismatches.extend(differing);
        }
        for reference in still_unproved {
            let because = "the value fits no reading of it".to_owned();
            findings.push(unknown(reference.check, Reason::LayoutNotProved { because }));
        }
    }

    /// Reads what differs a second time, over new connections, and only then calls it damaged.
    async fn confirm(&mut self, first: Vec<Mismatch>, plan: &Arc<ReadPlan>, digests: &mut Digests) -> Vec<Finding> {
        if !self.request.reread {
            return first.into_iter().map(|mismatch| mismatch.fail(Reads::One)).collect();
        }
        let size = self.found.facts.size;
        let placed: Vec<ByteRange> = first.iter().flat_map(|m| m.damage.iter().map(|d| d.range)).collect();
        let references: Vec<Reference> = first.iter().map(|m| m.reference.clone()).collect();
        // References settled after the first reading have needs that its plan does not know.
        let covered = needs(&references, size).iter().all(|(a, layout)| plan_knows(plan, *a, layout));
        let by_part = if placed.is_empty() || !covered { None } else { self.plan_of_parts(&first, plan) };
        let (plan, chosen) = if let Some(plan) = by_part {
            let ranges = placed.iter().map(|range| plan.ranges_touching(*range)).collect();
            (plan, Some(ranges))
        } else {
            let note =
                format!("the bytes do not match: reading all {} once more to rule out a bad read", ByteSize(size));
            self.announce(note);
            let again = if covered {
                Arc::clone(plan)
            } else {
                Arc::new(ReadPlan::new(size, &needs(&references, size), self.request.budget))
            };
            (again, None)
        };
        if let Err(error) = plan.fits(self.request.budget) {
            let reason = Reason::Unconfirmed { detail: error.to_string() };
            return first.into_iter().map(|m| unknown(m.reference.check, reason.clone())).collect();
        }
        let partial = chosen.is_some();
        self.read_again = true;
        let second = self.read(&self.session.fresh(), &plan, chosen, "second read", Reader::default()).await;
        if let Some(stop) = second.stopped.clone() {
            let reason = match why_stopped(&stop, second.coverage()) {
                Reason::ReadFailed { detail } => Reason::RereadFailed { detail },
                // Whatever ended it, the mismatch was seen.
                ended => Reason::Unconfirmed { detail: ended.to_string() },
            };
            self.stopped = Some(stop);
            return first.into_iter().map(|m| unknown(m.reference.check, reason.clone())).collect();
        }
        let (second_digests, differing) = match &mut self.reading {
            Some(reading) if reading.is_of(&plan) => {
                let differing = reading.replace_by(second);
                (reading.digests(), differing)
            }
            _ if partial => lay_over(digests, second.digests()),
            _ => (second.digests(), Vec::new()),
        };
        let findings = first
            .into_iter()
            .map(|mismatch| {
                let check = mismatch.reference.check;
                match judge(&mismatch.reference, &second_digests, size) {
                    Judgement::Mismatch { evidence, damage }
                        if evidence.observed == mismatch.evidence.observed
                            && same_damage(&damage, &mismatch.damage)
                            && (differing.is_empty() || !partial) =>
                    {
                        // Where only the damaged parts were read again, a value over everything was not.
                        let once = partial && mismatch.damage.is_empty();
                        mismatch.fail(if once { Reads::One } else { Reads::Reproduced })
                    }
                    _ => unknown(check, Reason::UnstableRead { detail: describe(&mismatch, &differing) }),
                }
            })
            .collect();
        for (algorithm, layout, list) in second_digests.iter() {
            digests.insert(algorithm, layout.clone(), list.to_vec());
        }
        findings
    }

    /// A plan by which single parts can be read again, if there is one: what goes in order cannot begin at a part.
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

fn plan_knows(plan: &ReadPlan, algorithm: Algorithm, layout: &PartLayout) -> bool {
    plan.needs().any(|need| need.algorithm == algorithm && plan.layout(need) == Some(layout))
}

/// Whether a reference goes over as many parts as the proved layout has.
fn speaks_of(reference: &Reference, proved: &KnownLayout) -> bool {
    use crate::plan::Claim;
    let count = proved.parts_count.map(|count| count as usize);
    match &reference.claim {
        Claim::Composite { candidates, .. } => candidates.iter().any(|c| Some(c.layout.count()) == count),
        Claim::WholeOrComposite { .. } => true,
        Claim::Whole(_) | Claim::Parts { .. } => false,
    }
}
