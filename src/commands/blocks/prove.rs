use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use tokio_util::sync::CancellationToken;

use super::CONCURRENCY;
use super::doubt::doubt;
use super::expected::Expected;
use super::fingerprint::{empty_volumes, other_mappings, stats};
use super::listing::Listing;
use super::pairs::{Outcome, Pair, PairReader, Pairs};
use super::plan::{Planned, VolumePlan};
use super::reader::Reader;
use super::request::{ExpectedContent, ProveRequest};
use super::survey::{BlockServices, Survey};
use super::task::Task;
use crate::blocks::{
    BLOCK_BYTES, BlockIndex, BlockSampler, Comparison, ReadBudget, Unproved, UnprovedCode, detectable,
};
use crate::ident::AmiId;
use crate::progress::{Purpose, Work};
use crate::report::{BlockEstimateReport, Exit, Note, ProofSource, ProveReport, ProvedVolumeReport};
use crate::source::SourceError;
use crate::verdict::Verdict;

/// Blocks of a volume that may differ before the reading of it ends.
const MOST_DIFFERING: u64 = 1_000;

/// Why blocks were left out that nobody agreed to read.
const MORE_THAN_STATED: &str = ": the snapshots list more than EC2 states, and no more than that was agreed to; `prove` with \
                                --max-cost DOLLARS reads what that pays for";

/// An AMI whose content is about to be compared.
pub struct Prove {
    services: BlockServices,
    request: ProveRequest,
    survey: Survey,
    expected_image: String,
    planned: Planned,
    reader: Arc<Reader>,
    started: Instant,
    notes: Vec<Note>,
}

/// Which blocks are read; for all volumes of a run.
struct Choice {
    sampler: BlockSampler,
    budget: ReadBudget,
    /// Whether the budget left a block out.
    is_spent: bool,
}

/// How the blocks of a volume are compared.
struct Comparing<'a> {
    choice: &'a mut Choice,
    cancel: &'a CancellationToken,
}

impl Prove {
    /// Describes both sides, and pairs their volumes by device name.
    ///
    /// # Errors
    ///
    /// An AMI does not exist or cannot be described.
    pub async fn prepare(services: BlockServices, image: &AmiId, request: ProveRequest) -> Result<Self, SourceError> {
        let started = services.region.context().clock.monotonic();
        let survey = services.survey(image).await?;
        let (volumes, expected_image, expected_mappings) = match &request.expected {
            ExpectedContent::Record { record, .. } => {
                (VolumePlan::of_record(&survey, record), record.image.clone(), record.other_mappings)
            }
            ExpectedContent::Image(source) => {
                let source = services.survey(source).await?;
                (VolumePlan::of_image(&survey, &source), source.image.to_string(), source.other_mappings)
            }
        };
        let mut notes: Vec<Note> = empty_volumes(&survey.empty).map(Note::Source).into_iter().collect();
        if survey.other_mappings > 0 {
            notes.push(Note::Source(other_mappings(survey.other_mappings)));
        }
        if survey.other_mappings != expected_mappings {
            let text =
                format!("{expected_image} has {expected_mappings} such mappings; they have no content to compare");
            notes.push(Note::Source(text));
        }
        let planned = Planned::new(volumes, &request, services.rate);
        if let Some(agreed) = request.agreed_blocks.filter(|agreed| planned.is_beyond(Some(*agreed))) {
            let most = planned.estimate.blocks.most;
            let text =
                format!("at most {most} blocks are to be read; before the restore, at most {agreed} were expected");
            notes.push(Note::Source(text));
        }
        let reader = services.reader();
        Ok(Prove { services, request, survey, expected_image, planned, reader, started, notes })
    }

    /// Whether more may be read than the user agreed to.
    pub fn needs_consent(&self) -> bool {
        self.planned.is_beyond(self.request.agreed_blocks)
    }

    /// The AMI that is compared.
    pub fn image(&self) -> &AmiId {
        &self.survey.image
    }

    /// The plan, as a report.
    pub fn report(&self) -> ProveReport {
        ProveReport {
            image: self.survey.image.to_string(),
            region: self.services.region.images.region().to_owned(),
            against: match self.request.expected {
                ExpectedContent::Record { .. } => ProofSource::Record,
                ExpectedContent::Image(_) => ProofSource::Image,
            },
            expected_image: self.expected_image.clone(),
            started: false,
            verdict: Verdict::Unknown,
            volumes: Vec::new(),
            sample: self.request.sample.map(|sample| sample.to_string()),
            detectable_blocks: None,
            estimate: BlockEstimateReport::new(&self.planned.estimate, self.services.rate),
            recorded_with: None,
            ledger_head: None,
            notes: self.notes.clone(),
            stats: stats(&self.services, self.started),
            exit_code: Exit::Passed,
            goes_on: false,
        }
    }

    /// Reads and compares the blocks. Ends early if it is cancelled.
    pub async fn carry_out(mut self, cancel: &CancellationToken) -> ProveReport {
        let bytes = self.planned.estimate.blocks.most.saturating_mul(BLOCK_BYTES);
        let context = self.services.region.context().clone();
        context.monitor.begin(Work::Read { purpose: Purpose::Prove, bytes });
        let seed = (context.clock.random() * u64::MAX as f64) as u64;
        let sampler = match self.planned.sample {
            Some(sample) => BlockSampler::of(sample, seed),
            None => BlockSampler::all(),
        };
        let mut choice = Choice { sampler, budget: self.planned.budget(self.request.agreed_blocks), is_spent: false };
        let mut volumes = Vec::new();
        for plan in std::mem::take(&mut self.planned.volumes) {
            let mut comparing = Comparing { choice: &mut choice, cancel };
            volumes.push(self.volume(&plan, &mut comparing).await);
        }
        let mut report = self.report();
        let sum = |of: fn(&ProvedVolumeReport) -> u64| volumes.iter().map(of).sum::<u64>();
        let compared = sum(|volume| volume.same_blocks + volume.differing_blocks);
        report.detectable_blocks = detectable(compared, compared + sum(|volume| volume.skipped_blocks));
        (report.started, report.verdict) = (true, ProveReport::verdict_of(&volumes));
        report.volumes = volumes;
        report.exit_code = match report.verdict {
            _ if cancel.is_cancelled() => Exit::Interrupted,
            verdict => verdict.into(),
        };
        report
    }

    async fn volume(&mut self, plan: &VolumePlan, comparing: &mut Comparing<'_>) -> ProvedVolumeReport {
        let none = Unproved::new(UnprovedCode::Interrupted, "a signal ended the run before this volume");
        let mut report = ProvedVolumeReport {
            snapshot_id: plan.snapshot.clone(),
            expected_snapshot_id: plan.expected_snapshot.clone(),
            expected_gib: plan.expected_gib,
            ..ProvedVolumeReport::unread(&plan.device, Verdict::Unknown, &none)
        };
        if let Some((verdict, reason)) = &plan.settled {
            (report.verdict, report.reasons) = (*verdict, vec![reason.into()]);
            return report;
        }
        let (Some(snapshot), false) = (&plan.snapshot, comparing.cancel.is_cancelled()) else { return report };
        let mut comparison = Comparison::default();
        let compared = tokio::select! {
            biased;
            () = comparing.cancel.cancelled() => {
                Err(Unproved::new(UnprovedCode::Interrupted, "a signal ended the run in this volume"))
            }
            compared = self.compare(plan, snapshot, (&mut report, comparing.choice), &mut comparison) => compared,
        };
        if let Err(doubt) = compared {
            comparison.doubt(doubt);
        }
        let (read, left_out) = (comparison.compared(), comparison.skipped_blocks());
        if left_out > 0 {
            let is_spent = comparing.choice.is_spent;
            let limited = is_spent || self.request.sample.is_none();
            let code = if limited { UnprovedCode::Limited } else { UnprovedCode::Sampled };
            let all = read + left_out;
            // Without a limit of the cost, the estimate is what was agreed to.
            let why = match is_spent && self.request.max_cost.is_none() {
                true => MORE_THAN_STATED,
                false => "",
            };
            comparison.doubt(Unproved::new(code, format!("{read} of {all} blocks were compared{why}")));
        }
        report.with(&comparison.conclude(plan.expected_content))
    }

    /// Compares the blocks of a volume, and notes the sizes that the listings state.
    async fn compare(
        &mut self,
        plan: &VolumePlan,
        snapshot: &str,
        (report, choice): (&mut ProvedVolumeReport, &mut Choice),
        comparison: &mut Comparison,
    ) -> Result<(), Unproved> {
        let reader = Arc::clone(&self.reader);
        let first = BlockIndex(0);
        let listing = Listing::open(&reader, snapshot, first).await.map_err(|error| doubt(&error))?;
        self.notes.extend(listing.remark().map(Note::Source));
        report.volume_gib = Some(listing.gib());
        let (expected, gib, expected_snapshot) = match &self.request.expected {
            ExpectedContent::Record { record, sidecar } => {
                let gib = plan.expected_gib.unwrap_or_default();
                (Expected::of_record(record, plan.number, sidecar), gib, None)
            }
            ExpectedContent::Image(_) => {
                let id = plan.expected_snapshot.clone().unwrap_or_default();
                let expected = Listing::open(&reader, &id, first).await.map_err(|error| doubt(&error))?;
                let gib = expected.gib();
                (Expected::Image(Box::new(expected)), gib, Some(id))
            }
        };
        report.expected_gib = Some(gib);
        let observed_gib = listing.gib();
        let pairs = Pairs::open(listing, expected).await?;
        let pair_reader = PairReader { reader, snapshot: snapshot.to_owned(), expected: expected_snapshot, gib };
        compare_all(pairs, &pair_reader, choice, comparison).await?;
        if observed_gib != gib {
            let detail = format!("the volume has {observed_gib} GiB, and {gib} GiB are expected");
            comparison.doubt(Unproved::new(UnprovedCode::SizeDiffers, detail));
        }
        plan.mapping_differs().into_iter().for_each(|differs| comparison.doubt(differs));
        Ok(())
    }
}

/// Compares the chosen blocks, several at the same time, and adds them in order. After an error, those that are being
/// compared still count: one that differs outweighs every doubt.
async fn compare_all(
    mut pairs: Pairs,
    reader: &PairReader,
    choice: &mut Choice,
    comparison: &mut Comparison,
) -> Result<(), Unproved> {
    let mut running = FuturesOrdered::new();
    // A pair that waits until the second reads of others are given back.
    let mut waiting = None;
    let (mut is_over, mut failed) = (false, None);
    loop {
        while !is_over && running.len() < CONCURRENCY {
            let next = match waiting.take() {
                Some(pair) => Ok(Some(pair)),
                None => next_chosen(&mut pairs, choice, comparison).await,
            };
            let pair = match next {
                Ok(Some(pair)) => pair,
                ended => {
                    (is_over, failed) = (true, ended.err());
                    break;
                }
            };
            let reads = pair.reads();
            if !choice.budget.take(reads) {
                if running.is_empty() {
                    choice.is_spent = true;
                    comparison.skipped();
                    continue;
                }
                waiting = Some(pair);
                break;
            }
            let (index, reader) = (pair.index, reader.clone());
            running.push_back(Task::start(async move { (index, reads, reader.compare(pair).await) }));
        }
        let Some(done) = running.next().await else { return failed.map_or(Ok(()), Err) };
        let (index, reads, outcome) = done.unwrap_or_else(|| {
            let panicked = Unproved::new(UnprovedCode::ReadFailed, "a task of this program panicked");
            (BlockIndex(0), 0, Outcome::Doubt(panicked))
        });
        if matches!(outcome, Outcome::Same(_) | Outcome::BeyondEnd) {
            choice.budget.give_back(reads);
        }
        match outcome {
            Outcome::Same(content) => comparison.same(index, content),
            Outcome::BeyondEnd => comparison.beyond_end(index),
            Outcome::Differs(difference) => comparison.differs(difference),
            Outcome::Doubt(doubt) if is_local(doubt.code) => comparison.doubt(doubt),
            Outcome::Doubt(doubt) => {
                is_over = true;
                failed.get_or_insert(doubt);
            }
        }
        if comparison.differing() >= MOST_DIFFERING {
            let detail = format!("the reading of the volume ended after {MOST_DIFFERING} blocks that differ");
            return Err(Unproved::new(UnprovedCode::Stopped, detail));
        }
    }
}

/// The next pair that is compared. Those that the sample leaves out are counted.
async fn next_chosen(
    pairs: &mut Pairs,
    choice: &mut Choice,
    comparison: &mut Comparison,
) -> Result<Option<Pair>, Unproved> {
    while let Some(pair) = pairs.next().await? {
        // That a block is not listed is known without reading it.
        if pair.reads() == 0 || choice.sampler.takes(pair.index) {
            return Ok(Some(pair));
        }
        comparison.skipped();
    }
    Ok(None)
}

/// Whether a doubt is about one block only, so that the others are worth reading.
fn is_local(code: UnprovedCode) -> bool {
    matches!(code, UnprovedCode::UnstableRead | UnprovedCode::Unconfirmed)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::blocks::BlockDigest;
    use crate::snapshot::{BlockPage, ListedBlock, PageFrom, SnapshotService};
    use crate::source::{Context, ErrorKind};

    /// A snapshot whose first page lists ten blocks, each with the byte of its index. No other page can be listed.
    #[derive(Default)]
    struct Fake {
        /// The block that cannot be read.
        denied: Option<u32>,
    }

    fn digest(byte: u32) -> BlockDigest {
        BlockDigest::new([byte as u8; 32])
    }

    #[async_trait]
    impl SnapshotService for Fake {
        async fn list(&self, snapshot: &str, from: &PageFrom, _: u16) -> Result<BlockPage, SourceError> {
            match from {
                PageFrom::Block(BlockIndex(start @ 0..10)) => {
                    let block = |index| ListedBlock { index: BlockIndex(index), token: "t".to_owned() };
                    let blocks = (*start..10).map(block).collect();
                    Ok(BlockPage { blocks, next: Some("more".to_owned()), gib: Some(1), ..BlockPage::default() })
                }
                _ => Err(SourceError::new(ErrorKind::Denied, snapshot, "no second page")),
            }
        }

        async fn digest(&self, snapshot: &str, block: &ListedBlock) -> Result<BlockDigest, SourceError> {
            match self.denied == Some(block.index.0) {
                true => Err(SourceError::new(ErrorKind::Denied, snapshot, "this block")),
                false => Ok(digest(block.index.0)),
            }
        }
    }

    /// Compares the snapshot with a record in which these blocks have another content.
    async fn compared(fake: Fake, differing: &[u32]) -> (Result<(), Unproved>, Comparison) {
        let reader = Arc::new(Reader::new(Arc::new(fake), Context::default(), 1_000));
        let listing = Listing::open(&reader, "snap-1", BlockIndex(0)).await.unwrap();
        let recorded = (0..20).map(|index| match differing.contains(&index) {
            true => (BlockIndex(index), digest(99)),
            false => (BlockIndex(index), digest(index)),
        });
        let (_, chunks) = tokio::sync::mpsc::channel(1);
        let expected = Expected::Record { chunks, chunk: recorded.collect::<Vec<_>>().into_iter() };
        let pairs = Pairs::open(listing, expected).await.unwrap();
        let pairs_of = PairReader { reader, snapshot: "snap-1".to_owned(), expected: None, gib: 1 };
        let budget = ReadBudget::new(100, 200);
        let mut choice = Choice { sampler: BlockSampler::all(), budget, is_spent: false };
        let mut comparison = Comparison::default();
        let ended = compare_all(pairs, &pairs_of, &mut choice, &mut comparison).await;
        (ended, comparison)
    }

    #[tokio::test]
    async fn an_error_loses_no_difference_that_is_being_read() {
        // The next page cannot be listed; the last block of the first page is compared, too.
        let (ended, comparison) = compared(Fake::default(), &[3, 9]).await;
        assert!(ended.unwrap_err().detail.contains("no second page"));
        assert_eq!((comparison.compared(), comparison.differing()), (10, 2));
        // A block before it cannot be read.
        let (ended, comparison) = compared(Fake { denied: Some(5) }, &[7]).await;
        assert_eq!((comparison.compared(), comparison.differing()), (9, 1));
        assert_eq!(concluded(ended, comparison), Verdict::Fail);
        let (ended, comparison) = compared(Fake::default(), &[]).await;
        assert_eq!((ended.is_err(), comparison.compared(), comparison.differing()), (true, 10, 0));
    }

    fn concluded(ended: Result<(), Unproved>, mut comparison: Comparison) -> Verdict {
        comparison.doubt(ended.unwrap_err());
        comparison.conclude(None).verdict
    }
}
