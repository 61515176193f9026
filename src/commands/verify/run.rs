use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::checkpoint_writer::CheckpointWriter;
use super::matched::etag_parts;
use super::mismatch::{Judged, Mismatch};
use super::references::needs;
use super::stopped::why_stopped;
use super::{VerifyError, VerifyOptions, undocumented, unknown};
use crate::checks::{Digests, Judgement, held_by_part, judge};
use crate::checksum::Algorithm;
use crate::commands::Discovery;
use crate::content::{Decoded, ProbePlan, Probed};
use crate::fetch::{Job, ProgressSink, Reading, Stop, fetch};
use crate::plan::{AlgorithmCertainty, PartLayout, ReadPlan, ReadProgress, Reference, Spans};
use crate::progress::{Purpose, Work};
use crate::report::{Note, VerifyNote};
use crate::source::Session;
use crate::units::ByteRange;
use crate::verdict::{Coverage, Finding, Outcome, Reason};

/// The reads of one verification, and the state of its references.
pub(super) struct VerifyRun<'a> {
    pub(super) session: &'a Session,
    pub(super) request: &'a VerifyOptions,
    cancel: &'a CancellationToken,
    pub(super) found: &'a mut Discovery,
    pub(super) reading: Option<Reading>,
    /// The digests of all reads.
    pub digests: Option<Digests>,
    /// Why a read stopped early.
    pub stopped: Option<Stop>,
    /// Result of decoding the object as a compressed stream.
    pub decoded: Option<Decoded>,
    /// The layout under which the stored ETag matched.
    pub etag_parts: Option<PartLayout>,
    /// Bytes were read after the first read.
    pub(super) read_again: bool,
    /// GetObjectAttributes and HEAD of the parts state different part sizes.
    pub(super) disputed: bool,
}

/// What a reading does besides digests.
#[derive(Default)]
pub(super) struct Reader {
    /// The progress to resume from.
    pub from: Option<ReadProgress>,
    /// Receives the progress, to write checkpoints.
    pub keep: Option<Arc<dyn ProgressSink>>,
    /// Decode the bytes as a compressed stream.
    pub decode: bool,
}

/// The digests that every manifest contains, whatever the references need, so that it can prove a copy on any storage.
pub(super) const MANIFEST_PARTS: Algorithm = Algorithm::Sha256;
pub(super) const MANIFEST_WHOLE: Algorithm = Algorithm::Crc64Nvme;

impl<'a> VerifyRun<'a> {
    /// Prepares a verification of the discovered object. Reads nothing yet.
    pub(super) fn new(
        session: &'a Session,
        request: &'a VerifyOptions,
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

    /// Ranges read completely in the first read, in order of offset.
    pub(super) fn read_ranges(&self) -> Vec<ByteRange> {
        self.reading.as_ref().map(|reading| reading.ranges().collect()).unwrap_or_default()
    }

    /// Whether the object was read once, as one range.
    pub(super) fn was_one_range(&self) -> bool {
        !self.read_again && self.reading.as_ref().is_some_and(Reading::is_one_range)
    }

    /// Takes the statistics of the first read's sampled windows.
    pub(super) fn take_probed(&mut self) -> Option<Probed> {
        self.reading.as_mut()?.probed.take()
    }

    /// Bytes read completely in the first read; `None` if there was none.
    pub(super) fn coverage(&self) -> Option<Coverage> {
        self.reading.as_ref().map(Reading::coverage)
    }

    /// Reads the object once and judges every reference. On a mismatch, asks for the actual part sizes and reads the
    /// bytes a second time before it reports damage.
    ///
    /// # Errors
    ///
    /// The plan does not fit into the memory, or the checkpoint file cannot be used.
    pub(super) async fn run(&mut self, references: Vec<Reference>) -> Result<Vec<Finding>, VerifyError> {
        let no_md5 = undocumented::undocumented(&references);
        let plan = self.plan(&references)?;
        let mut digests = self.read_first(&plan).await?;

        let mut judged = Judged::default();
        for reference in references {
            self.judge(reference, &digests, &mut judged);
        }
        self.question_list(&mut judged).await;
        self.settle_layout(&mut judged, &mut digests).await;
        undocumented::set_aside(&mut judged);
        let mut findings = judged.findings;
        if !judged.mismatches.is_empty() {
            findings.extend(self.confirm(judged.mismatches, &plan, &mut digests).await);
        }
        self.digests = Some(digests);
        self.found.notes.extend(undocumented::looks_the_same(&no_md5, &findings).map(Note::from));
        if self.request.decode.is_some() {
            let finding = self.judge_stream(&plan, &findings).await;
            findings.push(finding);
        }
        Ok(findings)
    }

    /// The plan for the digests that the references, `--digest` and a manifest need.
    fn plan(&self, references: &[Reference]) -> Result<Arc<ReadPlan>, VerifyError> {
        let size = self.found.facts.size;
        let mut wanted = needs(references, size);
        wanted.extend(self.results());
        let budget = self.request.budget;
        let plan = match &self.request.forward {
            _ if self.request.sample.is_some() => ReadPlan::of_sample(size, &wanted, budget),
            Some(forward) => ReadPlan::along(size, &wanted, &forward.layout, budget),
            None if self.request.decode.is_some() => ReadPlan::in_order(size, &wanted, budget),
            None => ReadPlan::new(size, &wanted, budget),
        };
        plan.fits(self.request.budget).map_err(|error| VerifyError::Request(error.to_string()))?;
        let (ranges, references) = (plan.ranges().len(), references.len());
        tracing::debug!(target: "stored_ami::plan", ranges, bytes = size, references, "read plan");
        Ok(Arc::new(plan))
    }

    /// Digests that are results: those of `--digest`, of a manifest, and of bytes that a sink takes.
    pub(super) fn results(&self) -> Vec<(Algorithm, PartLayout)> {
        let size = self.found.facts.size;
        let mut results: Vec<_> = self.request.digest.iter().map(|of| (*of, PartLayout::whole(size))).collect();
        if self.request.manifest_wanted {
            // A manifest locates damage by the parts of the object.
            results.push((MANIFEST_PARTS, self.found.layout.for_manifest(size)));
            results.push((MANIFEST_WHOLE, PartLayout::whole(size)));
        }
        if let Some(forward) = &self.request.forward {
            results.extend(forward.digests.iter().map(|of| (*of, forward.layout.clone())));
        }
        results
    }

    /// The first read: of everything, of a sample, or of what an earlier run left unread.
    async fn read_first(&mut self, plan: &Arc<ReadPlan>) -> Result<Digests, VerifyError> {
        let clock = &self.session.context().clock;
        let sample = self.request.sample;
        let mut chosen =
            sample.map(|sample| sample.choose(plan.ranges().len(), || clock.random()).into_iter().collect());
        let checkpoint = CheckpointWriter::of(self.session, self.request, &self.found.facts, plan).map(Arc::new);
        let mut from = None;
        if let Some(checkpoint) = &checkpoint {
            let (progress, note) = checkpoint.take_up()?;
            note.into_iter().for_each(|note| self.announce(note));
            match progress {
                Some(progress) => {
                    chosen = Some(progress.missing(plan));
                    from = Some(progress);
                }
                None => checkpoint.begin(&ReadProgress::beginning(plan))?,
            }
        }
        let keep = checkpoint.map(|checkpoint| checkpoint as Arc<dyn ProgressSink>);
        let reader = Reader { from, keep, decode: self.request.decode.is_some() };
        let purpose = if self.request.forward.is_some() { Purpose::Copy } else { Purpose::Verify };
        let reading = self.read(self.session, plan, chosen, purpose, reader).await;
        let digests = reading.digests();
        self.stopped.clone_from(&reading.stopped);
        self.reading = Some(reading);
        Ok(digests)
    }

    pub(super) fn take_decoded(&mut self) -> Option<Decoded> {
        self.reading.as_mut()?.decoded.take()
    }

    /// Says that bytes are read again, before they are.
    pub(super) fn announce(&mut self, note: VerifyNote) {
        self.session.context().monitor.note(&note.to_string());
        self.found.notes.push(note.into());
    }

    /// A session with new connections.
    pub(super) fn fresh(&self) -> Session {
        self.session.fresh()
    }

    pub(super) async fn read(
        &self,
        session: &Session,
        plan: &Arc<ReadPlan>,
        chosen: Option<Spans>,
        purpose: Purpose,
        reader: Reader,
    ) -> Reading {
        let bytes = match &chosen {
            Some(chosen) => chosen.iter().map(|span| plan.bytes_of(span)).sum(),
            None => plan.size(),
        };
        session.context().monitor.begin(Work::Read { purpose, bytes });
        // The windows are sampled in the first read only.
        let probe = (self.request.probe && self.reading.is_none())
            .then(|| ProbePlan::usual(plan.size(), &|| session.context().clock.random()));
        let job = Job {
            id: self.found.facts.id.clone(),
            plan: Arc::clone(plan),
            chosen,
            budget: self.request.budget,
            quota: self.request.quota.clone(),
            probe: probe.map(Arc::new),
            forward: self.request.forward.as_ref().filter(|_| self.reading.is_none()).map(|to| Arc::clone(&to.sink)),
            decode: self.request.decode.filter(|_| reader.decode),
            from: reader.from,
            keep: reader.keep,
            cancel: self.cancel.clone(),
        };
        fetch(session, job).await
    }

    /// Judges one reference by these digests.
    pub(super) fn judge(&mut self, reference: Reference, digests: &Digests, judged: &mut Judged) {
        let check = reference.check;
        match judge(&reference, digests, self.found.facts.size) {
            Judgement::Match(evidence) => {
                self.etag_parts = etag_parts(&reference, digests).or(self.etag_parts.take());
                judged.findings.push(Finding { check, required: false, outcome: Outcome::Pass(evidence) });
            }
            Judgement::Mismatch { evidence, damage } => match reference.standing {
                AlgorithmCertainty::Guessed { may_be } => {
                    let tried = reference.claim.algorithm();
                    let reason = tried.map(|tried| Reason::AlgorithmGuessed { tried, may_be });
                    judged.findings.push(unknown(check, reason.unwrap_or(Reason::NotRead)));
                }
                AlgorithmCertainty::Stated | AlgorithmCertainty::UndocumentedETag => {
                    judged.mismatches.push(Mismatch { reference, evidence, damage });
                }
            },
            Judgement::NoLayoutMatches { .. } => judged.unproved.push(reference),
            Judgement::NoLayout => {
                let because = self.found.layout.why_none.clone().unwrap_or_default();
                judged.findings.push(unknown(check, Reason::LayoutUnknown { because }));
            }
            Judgement::Incomplete => {
                let reason = match self.why_incomplete() {
                    Reason::Sampled { coverage } if held_by_part(&reference, digests) == 0 => {
                        Reason::SampleUnheld { coverage }
                    }
                    reason => reason,
                };
                judged.findings.push(unknown(check, reason));
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
}
