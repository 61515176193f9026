use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use tokio_util::sync::CancellationToken;

use super::CONCURRENCY;
use super::file::DigestFile;
use super::listing::Listing;
use super::reader::Reader;
use super::survey::{BlockServices, Survey};
use super::task::Task;
use crate::blocks::{
    BLOCK_BYTES, BlockContent, BlockEstimate, BlockIndex, BlockRange, BlockRecord, EmptyVolume, RecordedBlocks,
    volumes_key,
};
use crate::ident::AmiId;
use crate::price::PriceTable;
use crate::progress::{Purpose, Work};
use crate::report::{
    BlockEstimateReport, BlockStatsReport, Exit, FingerprintOutcome, FingerprintReport, FingerprintedVolumeReport,
    Note, TOOL,
};
use crate::source::{ErrorKind, SourceError};

/// Number of blocks between two marks of the sidecar. A run that was killed reads at most this many again.
const MARKED: u64 = 256;

/// The content of an AMI that is about to be read.
pub struct Fingerprint {
    services: BlockServices,
    survey: Survey,
    /// Device, snapshot and size of each volume.
    volumes: Vec<FingerprintedVolume>,
    started: Instant,
    estimate: BlockEstimate,
    notes: Vec<Note>,
}

/// A volume that is read.
struct FingerprintedVolume {
    device: String,
    snapshot: String,
    /// Size in GiB of the volume that an instance gets, if the AMI states it.
    mapping_gib: Option<u64>,
}

/// Result of a run.
pub struct Fingerprinted {
    /// What was done.
    pub report: FingerprintReport,
    /// The record to write; `None` if the run ended before every block was read.
    pub record: Option<BlockRecord>,
}

/// How the reading of a volume ended.
#[derive(PartialEq, Eq)]
enum End {
    Complete,
    Interrupted,
    /// As many blocks were read as the estimate says, and the snapshots list more.
    Limited,
}

impl Fingerprint {
    /// Describes the AMI and its snapshots.
    ///
    /// # Errors
    ///
    /// The AMI or one of its snapshots does not exist or cannot be read.
    pub async fn prepare(services: BlockServices, image: &AmiId) -> Result<Self, SourceError> {
        let started = services.region.context().clock.monotonic();
        let survey = services.survey(image).await?;
        let volumes = survey.volumes.iter().map(|volume| {
            let refused = |doubt: crate::blocks::Unproved| SourceError::new(ErrorKind::Invalid, image, doubt.detail);
            let snapshot = volume.readable().map_err(refused)?.to_owned();
            Ok(FingerprintedVolume { device: volume.device.clone(), snapshot, mapping_gib: volume.mapping_gib })
        });
        let volumes: Vec<FingerprintedVolume> = volumes.collect::<Result<_, SourceError>>()?;
        let listed = survey.volumes.iter().fold(BlockRange::default(), |sum, volume| sum.plus(volume.listed()));
        let table = PriceTable::built_in();
        let estimate = BlockEstimate::new(listed, listed, volumes.len() as u64, services.rate, &table);
        let mut notes = Vec::new();
        if survey.volumes.iter().any(super::survey::SurveyedVolume::is_guessed) {
            let text = "EC2 does not state how much was written; the estimate is for all blocks of the volumes";
            notes.push(Note::Source(text.to_owned()));
        }
        notes.extend(empty_volumes(&survey.empty).map(Note::Source));
        if survey.other_mappings > 0 {
            notes.push(Note::Source(other_mappings(survey.other_mappings)));
        }
        Ok(Fingerprint { services, survey, volumes, started, estimate, notes })
    }

    /// What identifies the volumes in the sidecar.
    pub fn key(&self) -> [u8; 32] {
        let volumes = self.volumes.iter().map(|volume| (volume.device.as_str(), volume.snapshot.as_str()));
        volumes_key(self.survey.image.as_str(), volumes)
    }

    /// The plan, as a report.
    pub fn report(&self) -> FingerprintReport {
        FingerprintReport {
            image: self.survey.image.to_string(),
            region: self.services.region.images.region().to_owned(),
            outcome: FingerprintOutcome::Planned,
            resumed_blocks: 0,
            read_blocks: 0,
            volumes: Vec::new(),
            estimate: BlockEstimateReport::new(&self.estimate, self.services.rate),
            notes: self.notes.clone(),
            stats: stats(&self.services, self.started),
            exit_code: Exit::Passed,
            goes_on: false,
        }
    }

    /// Reads every block that an earlier run has not read, and ends early if it is cancelled, or if it has read as many as
    /// the estimate says.
    ///
    /// # Errors
    ///
    /// A block cannot be read, or the sidecar cannot be written. What was read is kept in the sidecar.
    pub async fn carry_out(
        mut self,
        mut file: DigestFile,
        cancel: &CancellationToken,
    ) -> Result<Fingerprinted, SourceError> {
        let reader = self.services.reader();
        let resumed = file.resumed_blocks();
        let bytes = self.estimate.blocks.most.saturating_sub(resumed).saturating_mul(BLOCK_BYTES);
        reader.context().monitor.begin(Work::Read { purpose: Purpose::Fingerprint, bytes });
        let mut left = self.estimate.blocks.most;
        let mut sizes = Vec::new();
        let mut end = End::Complete;
        for (number, FingerprintedVolume { snapshot, .. }) in self.volumes.iter().enumerate() {
            // The size of a finished volume is asked for again: the sidecar does not hold it.
            let start = if number < file.progress.finished.len() { BlockIndex(0) } else { file.progress.next() };
            let listing = Listing::open(&reader, snapshot, start).await?;
            sizes.push(listing.gib());
            self.notes.extend(listing.remark().map(Note::Source));
            if number < file.progress.finished.len() {
                continue;
            }
            let volume = VolumeRead { reader: &reader, number: number as u32, cancel };
            let beyond;
            (end, beyond) = volume.read(listing, &mut file, &mut left).await?;
            if beyond > 0 {
                let text = format!("{snapshot}: {beyond} listed blocks are behind the end of the volume; left out");
                self.notes.push(Note::Source(text));
            }
            if end != End::Complete {
                break;
            }
        }
        self.conclude(file, &sizes, end, resumed).await
    }

    async fn conclude(
        self,
        file: DigestFile,
        sizes: &[u64],
        end: End,
        resumed: u64,
    ) -> Result<Fingerprinted, SourceError> {
        let finished = self.volumes.iter().zip(sizes).zip(&file.progress.finished);
        let volumes: Vec<RecordedBlocks> = finished
            .map(|((read, gib), volume)| RecordedBlocks {
                device: read.device.clone(),
                snapshot: read.snapshot.clone(),
                gib: *gib,
                mapping_gib: read.mapping_gib,
                listed_blocks: volume.listed,
                blocks: volume.blocks,
                content_sha256: volume.content,
            })
            .collect();
        let mut report = self.report();
        report.volumes = volumes.iter().map(FingerprintedVolumeReport::from).collect();
        report.resumed_blocks = resumed;
        report.read_blocks = file.progress.listed().saturating_sub(resumed);
        let unfinished = match end {
            End::Complete => None,
            End::Interrupted => Some((FingerprintOutcome::Interrupted, Exit::Interrupted)),
            End::Limited => Some((FingerprintOutcome::Limited, Exit::Unknown)),
        };
        if let Some(unfinished) = unfinished {
            (report.outcome, report.exit_code) = unfinished;
            return Ok(Fingerprinted { report, record: None });
        }
        // Where an earlier run read everything, it also wrote the last digest.
        let read_at = file.written().filter(|_| report.read_blocks == 0);
        let sidecar = tokio::task::spawn_blocking(move || file.finish()).await;
        let sidecar = sidecar.map_err(|error| internal(self.survey.image.as_str(), error.to_string()))?;
        let sidecar = sidecar.map_err(|error| not_written(self.survey.image.as_str(), &error))?;
        report.outcome = FingerprintOutcome::Written;
        let record = BlockRecord {
            tool: TOOL.to_owned(),
            written_at: read_at.unwrap_or_else(|| self.services.region.context().clock.now()).to_string(),
            image: report.image.clone(),
            region: report.region.clone(),
            volumes,
            other_mappings: self.survey.other_mappings,
            empty_volumes: self.survey.empty,
            sidecar_sha256: sidecar.sha256,
            sidecar_bytes: sidecar.bytes,
        };
        Ok(Fingerprinted { report, record: Some(record) })
    }
}

/// A remark on mappings without content.
pub(super) fn other_mappings(count: u64) -> String {
    match count {
        1 => "1 block device mapping is no EBS volume, and so has no content".to_owned(),
        _ => format!("{count} block device mappings are no EBS volumes, and so have no content"),
    }
}

/// A remark on volumes that are empty.
pub(super) fn empty_volumes(empty: &[EmptyVolume]) -> Option<String> {
    let named: Vec<String> = empty.iter().map(EmptyVolume::to_string).collect();
    match named.len() {
        0 => None,
        1 => Some(format!("{} has no snapshot: an instance gets an empty volume", named.join(", "))),
        _ => Some(format!("{} have no snapshots: an instance gets empty volumes", named.join(", "))),
    }
}

/// Requests since the services were opened, and the time since `started`.
pub(super) fn stats(services: &BlockServices, started: Instant) -> BlockStatsReport {
    let counts = services.region.counts();
    BlockStatsReport {
        requests: counts.requests,
        block_reads: counts.reads,
        retries: counts.retries,
        elapsed_seconds: services.region.context().clock.monotonic().duration_since(started).as_secs_f64(),
    }
}

fn internal(subject: &str, detail: String) -> SourceError {
    SourceError::new(ErrorKind::Internal, subject, detail)
}

fn not_written(subject: &str, error: &std::io::Error) -> SourceError {
    SourceError::new(ErrorKind::Io, subject, format!("the digests could not be written: {error}"))
}

type ReadBlock = Result<(BlockIndex, BlockContent), SourceError>;

/// The reading of one volume.
struct VolumeRead<'a> {
    reader: &'a Arc<Reader>,
    number: u32,
    cancel: &'a CancellationToken,
}

impl VolumeRead<'_> {
    /// Reads the volume to its end, but at most `left` blocks. Also returns the number of listed blocks behind the end of
    /// the volume.
    async fn read(
        &self,
        mut listing: Listing,
        file: &mut DigestFile,
        left: &mut u64,
    ) -> Result<(End, u64), SourceError> {
        let read = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            read = self.read_all(&mut listing, file, left) => Some(read),
        };
        let next = match read {
            Some(Ok((End::Complete, _))) => None,
            _ => Some(file.progress.next()),
        };
        let marked = file.writer.mark(self.number, next, file.progress.listed_of_volume());
        let (end, beyond) = match read {
            None => return Ok((End::Interrupted, 0)),
            Some(read) => read?,
        };
        marked.map_err(|error| not_written("the sidecar", &error))?;
        if end == End::Complete {
            file.progress.finish();
        }
        Ok((end, beyond))
    }

    async fn read_all(
        &self,
        listing: &mut Listing,
        file: &mut DigestFile,
        left: &mut u64,
    ) -> Result<(End, u64), SourceError> {
        let mut running: FuturesOrdered<Task<ReadBlock>> = FuturesOrdered::new();
        let (mut listed_all, mut beyond, mut end) = (false, 0, End::Complete);
        loop {
            while !listed_all && running.len() < CONCURRENCY {
                let Some(place) = listing.next().await? else {
                    listed_all = true;
                    break;
                };
                let is_inside = place.index.is_inside(listing.gib());
                if is_inside && *left == 0 {
                    (listed_all, end) = (true, End::Limited);
                    break;
                }
                *left -= u64::from(is_inside);
                beyond += u64::from(!is_inside);
                let reader = Arc::clone(self.reader);
                running.push_back(Task::start(async move {
                    // No instance can read a block behind the end.
                    let content = match is_inside {
                        true => reader.digest(&place).await?.content(),
                        false => BlockContent::Zeros,
                    };
                    Ok((place.index, content))
                }));
            }
            let Some(done) = running.next().await else { return Ok((end, beyond)) };
            let (index, content) = done.ok_or_else(|| internal("a block", "a task panicked".to_owned()))??;
            self.keep(index, content, file).map_err(|error| not_written("the sidecar", &error))?;
        }
    }

    fn keep(&self, index: BlockIndex, content: BlockContent, file: &mut DigestFile) -> std::io::Result<()> {
        file.progress.add(index, content);
        if let BlockContent::Written(digest) = content {
            file.writer.block(self.number, index, digest)?;
        }
        let listed = file.progress.listed_of_volume();
        match listed % MARKED {
            0 => file.writer.mark(self.number, Some(file.progress.next()), listed),
            _ => Ok(()),
        }
    }
}
