use super::request::{ExpectedContent, ProveRequest};
use super::survey::{BlockServices, Survey, SurveyedVolume};
use crate::blocks::{
    BlockDigest, BlockEstimate, BlockRange, BlockRecord, EmptyVolume, ReadBudget, RecordedBlocks, Unproved,
    UnprovedCode,
};
use crate::plan::Sample;
use crate::price::PriceTable;
use crate::report::BlockEstimateReport;
use crate::source::SourceError;
use crate::verdict::Verdict;

/// A volume of the expected content, and the volume of the AMI with its device name.
pub(super) struct VolumePlan {
    pub device: String,
    /// Number of the volume in the record.
    pub number: u32,
    pub snapshot: Option<String>,
    pub expected_snapshot: Option<String>,
    /// Size of the expected snapshot.
    pub expected_gib: Option<u64>,
    /// Size in GiB of the volume that an instance gets, if the AMI states it.
    pub mapping_gib: Option<u64>,
    /// The same of the expected volume.
    pub expected_mapping_gib: Option<u64>,
    /// The digest over all of the volume, if a record holds it.
    pub expected_content: Option<BlockDigest>,
    /// The result, if it is known without reading.
    pub settled: Option<(Verdict, Unproved)>,
    /// Blocks to compare, if all are.
    blocks: BlockRange,
    /// Blocks that both snapshots list.
    listed: BlockRange,
    /// Number of blocks of the larger volume.
    of_volume: u64,
}

impl VolumePlan {
    fn new(device: &str) -> Self {
        VolumePlan {
            device: device.to_owned(),
            number: 0,
            snapshot: None,
            expected_snapshot: None,
            expected_gib: None,
            mapping_gib: None,
            expected_mapping_gib: None,
            expected_content: None,
            settled: None,
            blocks: BlockRange::default(),
            listed: BlockRange::default(),
            of_volume: 0,
        }
    }

    /// Adds the volume of the AMI.
    fn with(mut self, survey: &Survey, expected: Option<BlockRange>) -> Self {
        let Some(volume) = survey.volumes.iter().find(|volume| volume.device == self.device) else {
            let detail = format!("{} has no volume {} with a snapshot", survey.image, self.device);
            self.settled = Some((Verdict::Fail, Unproved::new(UnprovedCode::VolumeMissing, detail)));
            return self;
        };
        self.snapshot = Some(volume.snapshot.clone());
        self.mapping_gib = volume.mapping_gib;
        if let Err(doubt) = self.comparable(volume) {
            self.settled.get_or_insert((Verdict::Unknown, doubt));
        }
        let listed = volume.listed();
        self.listed = self.listed.plus(listed);
        self.of_volume = self.of_volume.max(volume.of_volume());
        if let Some(expected) = expected {
            self.blocks = BlockRange { least: expected.least, most: expected.most.max(listed.most) };
        }
        self
    }

    /// Whether the volume can be compared. A restore makes new snapshots, so the expected one shows nothing of a restore.
    fn comparable(&self, volume: &SurveyedVolume) -> Result<(), Unproved> {
        let snapshot = volume.readable()?;
        if self.expected_snapshot.as_deref() == Some(snapshot) {
            let detail = format!("{snapshot} is the snapshot with the expected content itself, not a restored one");
            return Err(Unproved::new(UnprovedCode::SameSnapshot, detail));
        }
        Ok(())
    }

    /// A doubt if an instance would get a volume of another size. Where one of them is not stated, there is none.
    pub(super) fn mapping_differs(&self) -> Option<Unproved> {
        let (found, expected) = (self.mapping_gib?, self.expected_mapping_gib?);
        let detail = || format!("an instance gets a volume of {found} GiB, and {expected} GiB are expected");
        (found != expected).then(|| Unproved::new(UnprovedCode::SizeDiffers, detail()))
    }

    pub(super) fn of_record(survey: &Survey, record: &BlockRecord) -> Vec<VolumePlan> {
        let plans = record.volumes.iter().zip(0..).map(|(volume, number)| {
            let plan = VolumePlan {
                number,
                expected_snapshot: Some(volume.snapshot.clone()),
                expected_gib: Some(volume.gib),
                expected_mapping_gib: volume.mapping_gib,
                expected_content: Some(volume.content_sha256),
                ..VolumePlan::new(&volume.device)
            };
            plan.with(survey, Some(BlockRange { least: volume.blocks, most: volume.blocks }))
        });
        added(plans.collect(), survey, &record.empty_volumes)
    }

    pub(super) fn of_image(survey: &Survey, source: &Survey) -> Vec<VolumePlan> {
        let plan = |volume: &SurveyedVolume| {
            let settled = volume.readable().err().map(|doubt| (Verdict::Unknown, doubt));
            let plan = VolumePlan {
                expected_snapshot: Some(volume.snapshot.clone()),
                expected_mapping_gib: volume.mapping_gib,
                settled,
                listed: volume.listed(),
                of_volume: volume.of_volume(),
                ..VolumePlan::new(&volume.device)
            };
            plan.with(survey, Some(volume.listed()))
        };
        added(source.volumes.iter().map(plan).collect(), survey, &source.empty)
    }
}

/// Adds the expected volumes without a snapshot that the AMI does not have in the same way, and the volumes that only
/// the AMI has.
fn added(mut plans: Vec<VolumePlan>, survey: &Survey, empty: &[EmptyVolume]) -> Vec<VolumePlan> {
    plans.extend(empty.iter().filter_map(|volume| {
        let (snapshot, verdict, reason) = not_empty_as_expected(survey, volume)?;
        let settled = Some((verdict, reason));
        Some(VolumePlan { snapshot, settled, expected_gib: volume.gib, ..VolumePlan::new(&volume.device) })
    }));
    let with_snapshots = survey.volumes.iter().map(|volume| (&volume.device, Some(volume.snapshot.clone())));
    let all = with_snapshots.chain(survey.empty.iter().map(|volume| (&volume.device, None)));
    for (device, snapshot) in all {
        let is_expected = empty.iter().any(|volume| volume.device == *device);
        if !is_expected && plans.iter().all(|plan| plan.device != *device) {
            let reason = Unproved::new(UnprovedCode::VolumeAdded, format!("a volume {device} is not expected"));
            let settled = Some((Verdict::Fail, reason));
            plans.push(VolumePlan { snapshot, settled, ..VolumePlan::new(device) });
        }
    }
    plans
}

/// How an AMI differs in a volume that should be empty; `None` if it has such a volume.
fn not_empty_as_expected(survey: &Survey, expected: &EmptyVolume) -> Option<(Option<String>, Verdict, Unproved)> {
    let device = &expected.device;
    if let Some(found) = survey.empty.iter().find(|volume| volume.device == *device) {
        let detail = || format!("it is empty as {found}, and {expected} is expected");
        return (found.gib != expected.gib)
            .then(|| (None, Verdict::Unknown, Unproved::new(UnprovedCode::SizeDiffers, detail())));
    }
    if let Some(found) = survey.volumes.iter().find(|volume| volume.device == *device) {
        let detail = format!("it had no snapshot and has {}, whose blocks are not compared", found.snapshot);
        let reason = Unproved::new(UnprovedCode::SnapshotAdded, detail);
        return Some((Some(found.snapshot.clone()), Verdict::Unknown, reason));
    }
    let detail = format!("{} has no volume {device}, which should be empty", survey.image);
    Some((None, Verdict::Fail, Unproved::new(UnprovedCode::VolumeMissing, detail)))
}

/// What a run compares.
pub(super) struct Planned {
    pub volumes: Vec<VolumePlan>,
    pub estimate: BlockEstimate,
    /// The blocks to choose, if not all.
    pub sample: Option<Sample>,
    /// The most blocks to read, also for the second time, if a cost limits them.
    most_reads: Option<u64>,
}

impl Planned {
    pub(super) fn new(volumes: Vec<VolumePlan>, request: &ProveRequest, rate: u32) -> Self {
        let table = PriceTable::built_in();
        let sum = |of: fn(&VolumePlan) -> BlockRange| {
            let read = volumes.iter().filter(|volume| volume.settled.is_none());
            read.fold(BlockRange::default(), |sum, volume| sum.plus(of(volume)))
        };
        let (stated, mut listed) = (sum(|volume| volume.blocks), sum(|volume| volume.listed));
        // Blocks of a record are not read.
        let sides = if matches!(request.expected, ExpectedContent::Image(_)) { 2 } else { 1 };
        let mut all = stated;
        if request.max_cost.is_some() {
            // The cost is the limit that was agreed to, and what the snapshots state can be too low. So more may be read.
            let surely = sum(|volume| BlockRange { least: 0, most: volume.of_volume });
            all.most = all.most.max(surely.most);
            listed.most = listed.most.max(surely.most.saturating_mul(sides));
        }
        let affordable = |dollars| BlockEstimate::affordable(dollars, listed.most, &table).unwrap_or(0);
        let most_reads = request.max_cost.map(affordable);
        let most_blocks = most_reads.map_or(u64::MAX, |reads| reads / sides);
        let spread = |most: u64| {
            let of = if stated.least > 0 { stated.least } else { stated.most };
            (most < of).then(|| Sample::Percent((most as f64 * 100.0 / of as f64).max(f64::MIN_POSITIVE)))
        };
        let sample = request.sample.or_else(|| spread(most_blocks));
        let share = match sample {
            None => 1.0,
            Some(Sample::Percent(percent)) => percent / 100.0,
            Some(Sample::Slice { of, .. }) => 1.0 / f64::from(of.max(1)),
        };
        let mut blocks = all.share(share).at_most(most_blocks);
        if let Some(Sample::Slice { of, .. }) = sample {
            // The written blocks of a volume may all be in one slice of its indexes.
            let of = u64::from(of.max(1));
            let read = volumes.iter().filter(|volume| volume.settled.is_none());
            let in_slice = read.map(|volume| match (volume.of_volume, request.max_cost) {
                (0, _) => volume.blocks.most,
                (indexes, None) => volume.blocks.most.min(indexes.div_ceil(of)),
                (indexes, Some(_)) => indexes.div_ceil(of),
            });
            blocks.most = in_slice.fold(0, u64::saturating_add).min(most_blocks);
        }
        let read = BlockRange { least: blocks.least, most: blocks.most.saturating_mul(sides) };
        let count = volumes.iter().filter(|volume| volume.settled.is_none()).count() as u64;
        let estimate = BlockEstimate::new(read, listed, count * sides, rate, &table);
        Planned { volumes, estimate, sample, most_reads }
    }

    /// What may be read if no fewer blocks than these were agreed to before: no more than the estimate says, whatever the
    /// snapshots list. Without a limit of the cost, each of the blocks may be read a second time.
    pub(super) fn budget(&self, agreed_blocks: Option<u64>) -> ReadBudget {
        let first = self.estimate.blocks.most.max(agreed_blocks.unwrap_or(0));
        ReadBudget::new(first, self.most_reads.unwrap_or_else(|| first.saturating_mul(2)))
    }

    /// Whether more may be read than the user agreed to. A run without requests needs no consent.
    pub(super) fn is_beyond(&self, agreed_blocks: Option<u64>) -> bool {
        match agreed_blocks {
            Some(agreed) => self.estimate.blocks.most > agreed,
            None => self.estimate.requests.most > 0,
        }
    }
}

/// What the comparison with a record takes, before the AMI is known. Snapshots may list blocks of zeros, too, so more may
/// be read.
pub fn estimate_of_record(record: &BlockRecord, rate: u32) -> BlockEstimateReport {
    let sum = |of: fn(&RecordedBlocks) -> u64| record.volumes.iter().map(of).fold(0, u64::saturating_add);
    let range = BlockRange { least: sum(|volume| volume.blocks), most: sum(|volume| volume.listed_blocks) };
    let table = PriceTable::built_in();
    BlockEstimateReport::new(&BlockEstimate::new(range, range, record.volumes.len() as u64, rate, &table), rate)
}

impl BlockServices {
    /// What a comparison takes, before the AMI is restored, as far as the expected content shows it. The AMI may list
    /// more blocks; see [`ProveRequest::agreed_blocks`].
    ///
    /// # Errors
    ///
    /// The AMI with the expected content does not exist or cannot be described.
    pub async fn estimate_before(&self, expected: &ExpectedContent) -> Result<BlockEstimateReport, SourceError> {
        let source = match expected {
            ExpectedContent::Record { record, .. } => return Ok(estimate_of_record(record, self.rate)),
            ExpectedContent::Image(source) => self.survey(source).await?,
        };
        // Both sides are read, and list the same blocks if the restore is right.
        let read = source.volumes.iter().filter(|volume| volume.readable().is_ok()).map(SurveyedVolume::listed);
        let snapshots = 2 * read.clone().count() as u64;
        let both = read.fold(BlockRange::default(), |sum, listed| sum.plus(listed).plus(listed));
        let estimate = BlockEstimate::new(both, both, snapshots, self.rate, &PriceTable::built_in());
        Ok(BlockEstimateReport::new(&estimate, self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::SnapshotFacts;

    fn survey(devices: &[&str]) -> Survey {
        let volume = |device: &&str| {
            let id = format!("snap-{device}");
            let found = SnapshotFacts {
                id: id.clone(),
                state: "completed".to_owned(),
                gib: Some(1),
                ..SnapshotFacts::default()
            };
            SurveyedVolume { device: (*device).to_owned(), snapshot: id, mapping_gib: Some(1), found: Some(found) }
        };
        Survey {
            image: "ami-2a2b3c4d".parse().unwrap(),
            volumes: devices.iter().map(volume).collect(),
            empty: Vec::new(),
            other_mappings: 0,
        }
    }

    fn record(devices: &[&str], blocks: u64) -> BlockRecord {
        let volume = |device: &&str| RecordedBlocks {
            device: (*device).to_owned(),
            snapshot: "snap-0".to_owned(),
            gib: 1,
            mapping_gib: None,
            listed_blocks: blocks,
            blocks,
            content_sha256: BlockDigest::ZEROS,
        };
        BlockRecord {
            tool: String::new(),
            written_at: String::new(),
            image: "ami-1".to_owned(),
            region: "us-east-1".to_owned(),
            volumes: devices.iter().map(volume).collect(),
            empty_volumes: Vec::new(),
            other_mappings: 0,
            sidecar_sha256: BlockDigest::ZEROS,
            sidecar_bytes: 0,
        }
    }

    fn request(sample: Option<Sample>, max_cost: Option<f64>) -> ProveRequest {
        let record = Box::new(record(&[], 0));
        ProveRequest {
            expected: ExpectedContent::Record { record, sidecar: "x".into() },
            sample,
            max_cost,
            agreed_blocks: None,
        }
    }

    #[test]
    fn volumes_are_paired_by_their_device() {
        let plans = VolumePlan::of_record(&survey(&["b", "c"]), &record(&["a", "b"], 10));
        let found: Vec<_> = plans
            .iter()
            .map(|plan| {
                (plan.device.as_str(), plan.number, plan.settled.as_ref().map(|settled| (settled.0, settled.1.code)))
            })
            .collect();
        assert_eq!(
            found,
            [
                ("a", 0, Some((Verdict::Fail, UnprovedCode::VolumeMissing))),
                ("b", 1, None),
                ("c", 0, Some((Verdict::Fail, UnprovedCode::VolumeAdded))),
            ]
        );
    }

    #[test]
    fn a_snapshot_is_no_evidence_of_its_own_restore() {
        let mut itself = record(&["a", "b"], 10);
        itself.volumes[0].snapshot = "snap-a".to_owned();
        let found = survey(&["a", "b"]);
        let codes = |plans: Vec<VolumePlan>| {
            let settled = plans.into_iter().map(|plan| plan.settled.map(|(verdict, reason)| (verdict, reason.code)));
            settled.collect::<Vec<_>>()
        };
        let same = Some((Verdict::Unknown, UnprovedCode::SameSnapshot));
        assert_eq!(codes(VolumePlan::of_record(&found, &itself)), [same, None]);
        assert_eq!(codes(VolumePlan::of_image(&found, &survey(&["a", "b"]))), [same, same]);
        let planned = Planned::new(VolumePlan::of_image(&found, &survey(&["a", "b"])), &request(None, None), 500);
        assert!(planned.estimate.requests == BlockRange::default() && !planned.is_beyond(None), "nothing is read");
    }

    #[test]
    fn a_volume_without_a_snapshot_is_a_volume() {
        let empty = |device: &str, gib| EmptyVolume { device: device.to_owned(), gib: Some(gib) };
        let of = |expected: &[EmptyVolume], found: &[EmptyVolume]| {
            let record = BlockRecord { empty_volumes: expected.to_vec(), ..record(&["a"], 10) };
            let survey = Survey { empty: found.to_vec(), ..survey(&["a"]) };
            let plans = VolumePlan::of_record(&survey, &record);
            let settled = plans.into_iter().filter_map(|plan| Some((plan.device, plan.settled?)));
            settled.map(|(device, (verdict, reason))| (device, verdict, reason.code)).collect::<Vec<_>>()
        };
        use UnprovedCode::{SizeDiffers, SnapshotAdded, VolumeAdded, VolumeMissing};
        assert_eq!(of(&[empty("e", 5)], &[empty("e", 5)]), []);
        assert_eq!(of(&[empty("e", 5)], &[]), [("e".to_owned(), Verdict::Fail, VolumeMissing)]);
        assert_eq!(of(&[empty("e", 5)], &[empty("e", 6)]), [("e".to_owned(), Verdict::Unknown, SizeDiffers)]);
        assert_eq!(of(&[], &[empty("e", 5)]), [("e".to_owned(), Verdict::Fail, VolumeAdded)]);
        let record = BlockRecord { empty_volumes: vec![empty("b", 1)], ..record(&["a"], 10) };
        let plans = VolumePlan::of_record(&survey(&["a", "b"]), &record);
        let (verdict, reason) = plans[1].settled.as_ref().unwrap();
        assert_eq!((plans.len(), *verdict, reason.code), (2, Verdict::Unknown, SnapshotAdded));
    }

    #[test]
    fn a_limit_of_the_cost_is_a_sample_that_is_spread() {
        let plans = || VolumePlan::of_record(&survey(&["a"]), &record(&["a"], 1_000));
        let all = Planned::new(plans(), &request(None, Some(10.0)), 500);
        assert_eq!((all.sample, all.most_reads), (None, Some(3_333_333)), "a limit also where it pays for all");
        assert_eq!(all.estimate.blocks, BlockRange { least: 1_000, most: 2_048 });
        assert!(all.is_beyond(None) && all.is_beyond(Some(2_047)) && !all.is_beyond(Some(2_048)));
        // 100 blocks, and a page of the listing.
        let limited = Planned::new(plans(), &request(None, Some(0.000_300_6)), 500);
        assert_eq!((limited.sample, limited.most_reads), (Some(Sample::Percent(10.0)), Some(100)));
        assert_eq!(limited.estimate.blocks, BlockRange { least: 100, most: 100 });
        let sampled = Planned::new(plans(), &request(Some(Sample::Slice { slice: 1, of: 4 }), None), 500);
        assert_eq!(sampled.estimate.blocks, BlockRange { least: 250, most: 512 });
        // Of 300 written blocks, all may be in one slice.
        let mut stated = survey(&["a"]);
        stated.volumes[0].found.as_mut().unwrap().full_bytes = Some(300 * crate::blocks::BLOCK_BYTES);
        let plans = VolumePlan::of_record(&stated, &record(&["a"], 300));
        let sampled = Planned::new(plans, &request(Some(Sample::Slice { slice: 1, of: 4 }), None), 500);
        assert_eq!(sampled.estimate.blocks, BlockRange { least: 75, most: 300 });
    }
}
