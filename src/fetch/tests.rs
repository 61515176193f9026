use std::sync::Mutex;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::*;
use crate::checksum::{Algorithm, Hasher};
use crate::clock::TestClock;
use crate::plan::{Budget, Limits as ReadLimits, PartLayout};
use crate::progress::{Call, Counting, Silent};
use crate::source::memory::{Action, Fault, MemoryObject, MemorySource};
use crate::source::{Context, RetryPolicy};
use crate::units::{KIB, MIB};

struct Setup {
    source: MemorySource,
    counting: Arc<Counting>,
    session: Session,
}

fn data(size: usize) -> Vec<u8> {
    (0..size as u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

fn setup(size: usize, faults: Vec<Fault>) -> Setup {
    let mut object = MemoryObject::plain("s3://b/k".parse().unwrap(), data(size));
    object.faults = faults;
    let source = MemorySource::new(object);
    let counting = Arc::new(Counting::new(Arc::new(Silent), Arc::new(TestClock::default())));
    let context = Context {
        clock: Arc::new(TestClock::new(1.0)),
        monitor: counting.clone(),
        retry: RetryPolicy { stall: Duration::from_millis(20), ..RetryPolicy::default() },
        pace: None,
    };
    Setup { session: Session::new(Arc::new(source.clone()), context), source, counting }
}

fn job(setup: &Setup, wanted: &[(Algorithm, PartLayout)]) -> Job {
    let object = setup.source.object();
    let budget = Budget {
        concurrency: 4,
        grow_to: 4,
        range_bytes: Some(64 * KIB),
        waiting_room: 5 * MIB / 8,
        lanes_room: 10 * MIB,
        limits: ReadLimits::default(),
    };
    let plan = Arc::new(ReadPlan::new(object.facts.size, wanted, budget));
    Job::new(object.facts.id.clone(), plan, budget, CancellationToken::new())
}

/// Every requested digest is the one of the bytes.
fn assert_direct(reading: &Reading, size: usize, wanted: &[(Algorithm, PartLayout)]) {
    let bytes = data(size);
    for (algorithm, layout) in wanted {
        let direct: Vec<_> = layout
            .parts()
            .map(|part| Hasher::digest(*algorithm, &bytes[part.start() as usize..part.end() as usize]))
            .collect();
        assert_eq!(reading.digests().all_parts(*algorithm, layout), Some(direct), "{algorithm} {layout:?}");
    }
}

fn read_fault(at: u64, times: u32, action: Action) -> Fault {
    Fault { call: Call::Read, at: Some(at), skip: 0, times, action }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_digest_in_one_pass() {
    const SIZE: usize = 3_000_017;
    let setup = setup(SIZE, vec![]);
    let layouts = [
        PartLayout::whole(SIZE as u64),
        PartLayout::uniform(SIZE as u64, 100_003),
        PartLayout::from_sizes(SIZE as u64, [7, 0, 1_000_000, 2_000_000, 10, 0]).unwrap(),
    ];
    let wanted: Vec<_> = Algorithm::ALL
        .into_iter()
        .flat_map(|algorithm| layouts.iter().map(move |layout| (algorithm, layout.clone())))
        .collect();
    let reading = fetch(&setup.session, job(&setup, &wanted)).await;
    assert_eq!(reading.stopped, None);
    assert!(reading.coverage().complete());
    assert_direct(&reading, SIZE, &wanted);
    assert_eq!(setup.counting.counts().received, SIZE as u64, "every byte once");
}

#[tokio::test]
async fn a_broken_body_is_taken_up_where_it_stopped() {
    let faults =
        vec![read_fault(0, 2, Action::Break { after: 1000 }), read_fault(100_000, 1, Action::End { after: 5 })];
    let setup = setup(200_000, faults);
    let whole = PartLayout::whole(200_000);
    let wanted = [(Algorithm::Sha256, whole.clone()), (Algorithm::Crc32c, whole)];
    let reading = fetch(&setup.session, job(&setup, &wanted)).await;
    assert_eq!(reading.stopped, None);
    for algorithm in [Algorithm::Sha256, Algorithm::Crc32c] {
        assert_eq!(reading.digests().whole(algorithm, 200_000), Some(Hasher::digest(algorithm, &data(200_000))));
    }
    let counts = setup.counting.counts();
    // Four ranges: the first body broke once (its rest does not contain byte 0), the second ended early once.
    assert_eq!((counts.requests, counts.retries, counts.received), (6, 2, 200_000));
}

#[tokio::test]
async fn retries_are_bounded_and_the_trouble_is_named() {
    let setup = setup(200_000, vec![read_fault(70_000, 99, Action::Fail(ErrorKind::Throttled))]);
    let wanted = [(Algorithm::Crc32, PartLayout::whole(200_000))];
    let reading = fetch(&setup.session, job(&setup, &wanted)).await;
    let Some(Stop::Failed(error)) = &reading.stopped else { panic!("{:?}", reading.stopped) };
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert_eq!(setup.counting.counts().retries, 7, "eight attempts");
    assert_eq!(reading.digests().whole(Algorithm::Crc32, 200_000), None);
    assert!(!reading.coverage().complete());
}

#[tokio::test]
async fn too_many_bytes_are_a_protocol_error_and_not_retried() {
    let setup = setup(200_000, vec![read_fault(0, 1, Action::Extend { by: 1 })]);
    let wanted = [(Algorithm::Crc32, PartLayout::whole(200_000))];
    let reading = fetch(&setup.session, job(&setup, &wanted)).await;
    assert!(matches!(reading.stopped, Some(Stop::Failed(SourceError { kind: ErrorKind::Protocol, .. }))));
    assert_eq!(setup.counting.counts().retries, 0);
}

#[tokio::test]
async fn a_replaced_object_stops_the_reading() {
    let setup = setup(200_000, vec![]);
    let wanted = [(Algorithm::Crc32, PartLayout::whole(200_000))];
    let job = job(&setup, &wanted);
    setup.source.object().facts.id.etag = Some(crate::ident::ETag::new("another"));
    let reading = fetch(&setup.session, job).await;
    assert!(matches!(reading.stopped, Some(Stop::Failed(SourceError { kind: ErrorKind::Changed, .. }))));
    assert_eq!(reading.coverage().bytes, 0);
}

#[tokio::test]
async fn cancelling_keeps_what_has_come() {
    let setup = setup(200_000, vec![]);
    let wanted = [(Algorithm::Crc32, PartLayout::whole(200_000))];
    let job = job(&setup, &wanted);
    job.cancel.cancel();
    let reading = fetch(&setup.session, job).await;
    assert_eq!(reading.stopped, Some(Stop::Cancelled));
    assert_eq!(reading.digests().whole(Algorithm::Crc32, 200_000), None);
}

#[tokio::test]
async fn only_chosen_ranges_are_read() {
    let setup = setup(200_000, vec![]);
    let layout = PartLayout::uniform(200_000, 50_000);
    let mut job = job(&setup, &[(Algorithm::Sha1, layout.clone())]);
    job.chosen = Some([1_usize, 3].into_iter().collect());
    let reading = fetch(&setup.session, job).await;
    assert_eq!(reading.coverage(), Coverage { bytes: 100_000, of: 200_000 });
    let digests = reading.digests();
    let parts = digests.parts(Algorithm::Sha1, &layout).unwrap();
    assert_eq!(parts.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, true]);
    assert_eq!(setup.counting.counts().reads, 2);
}

#[tokio::test]
async fn an_empty_body_that_does_not_end_is_given_up() {
    let setup = setup(0, vec![read_fault(0, 99, Action::Stall { after: 0 })]);
    setup.source.object().faults[0].at = None;
    let reading = fetch(&setup.session, job(&setup, &[(Algorithm::Md5, PartLayout::whole(0))])).await;
    assert!(matches!(reading.stopped, Some(Stop::Failed(SourceError { kind: ErrorKind::Transient, .. }))));
    assert_eq!(setup.counting.counts().reads, 8);
}

#[tokio::test]
async fn an_empty_object_is_read_once() {
    let setup = setup(0, vec![]);
    let whole = PartLayout::whole(0);
    let reading = fetch(&setup.session, job(&setup, &[(Algorithm::Md5, whole)])).await;
    assert_eq!(reading.digests().whole(Algorithm::Md5, 0), Some(Hasher::digest(Algorithm::Md5, b"")));
    assert_eq!(setup.counting.counts().reads, 1);
}

#[tokio::test]
async fn an_empty_part_is_not_asked_for() {
    let setup = setup(200_000, vec![]);
    let layout = PartLayout::from_sizes(200_000, [150_000, 0, 50_000, 0]).unwrap();
    let reading = fetch(&setup.session, job(&setup, &[(Algorithm::Sha1, layout.clone())])).await;
    let digests = reading.digests().all_parts(Algorithm::Sha1, &layout).unwrap();
    let empty = Hasher::digest(Algorithm::Sha1, b"");
    assert_eq!((digests[1], digests[3]), (empty, empty));
    assert_eq!(setup.counting.counts().reads, 2);
}

#[tokio::test]
async fn a_stalled_body_is_given_up_and_taken_up_again() {
    let setup = setup(200_000, vec![read_fault(0, 1, Action::Stall { after: 2000 })]);
    let whole = PartLayout::whole(200_000);
    let reading = fetch(&setup.session, job(&setup, &[(Algorithm::Sha256, whole)])).await;
    assert_eq!(reading.stopped, None);
    let direct = Hasher::digest(Algorithm::Sha256, &data(200_000));
    assert_eq!(reading.digests().whole(Algorithm::Sha256, 200_000), Some(direct));
    assert_eq!(setup.counting.counts().retries, 1);
    assert_eq!(setup.counting.counts().received, 200_000, "nothing is read twice");
}

#[tokio::test]
async fn a_reader_that_panics_costs_its_own_range_only() {
    let setup = setup(1_000_000, vec![read_fault(500_000, 1, Action::Panic { after: 3_000 })]);
    let layout = PartLayout::uniform(1_000_000, 100_000);
    let mut job = job(&setup, &[(Algorithm::Sha1, layout.clone())]);
    job.budget.concurrency = 1;
    let reading = fetch(&setup.session, job).await;
    let Some(Stop::Failed(error)) = &reading.stopped else { panic!("{:?}", reading.stopped) };
    assert!(error.explain().contains("a reader failed"), "{}", error.explain());
    let digests = reading.digests();
    let parts = digests.parts(Algorithm::Sha1, &layout).unwrap();
    assert_eq!(
        parts.iter().enumerate().filter(|(_, digest)| digest.is_none()).map(|(at, _)| at).collect::<Vec<_>>(),
        [5]
    );
    assert_eq!(reading.coverage().bytes, 900_000);
}

#[tokio::test]
async fn dropped_at_any_point_it_leaves_no_task() {
    let mut finished = 0;
    for polls in (0..200).chain([usize::MAX]) {
        let setup = setup(300_000, vec![read_fault(70_000, 1, Action::Break { after: 1_000 })]);
        let source: Arc<dyn crate::source::ObjectSource> = Arc::new(setup.source.clone());
        let session = Session::new(Arc::clone(&source), setup.session.context().clone());
        let whole = PartLayout::whole(300_000);
        let wanted = [(Algorithm::Sha256, whole.clone()), (Algorithm::Md5, whole)];
        let mut reading = Box::pin(fetch(&session, job(&setup, &wanted)));
        for _ in 0..polls {
            let done = std::future::poll_fn(|context| Poll::Ready(reading.as_mut().poll(context).is_ready())).await;
            if done {
                finished += 1;
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(reading);
        // A cancelled task is dropped when the runtime reaches it.
        let mut yields = 0;
        while Arc::strong_count(&source) > 2 {
            tokio::task::yield_now().await;
            yields += 1;
            assert!(yields < 10_000, "a task lives on after {polls} polls");
        }
    }
    assert!((1..200).contains(&finished), "some were cut short, some were not: {finished}");
}

/// Keeps the last state.
#[derive(Default)]
struct Kept(Mutex<Option<ReadProgress>>);

impl ProgressSink for Kept {
    fn keep(&self, midway: &ReadProgress) -> std::io::Result<u64> {
        *self.0.lock().unwrap() = Some(midway.clone());
        Ok(0)
    }
}

/// Counts its calls, and claims to write this many bytes.
struct Costly(AtomicU64, u64);

impl ProgressSink for Costly {
    fn keep(&self, _: &ReadProgress) -> std::io::Result<u64> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(self.1)
    }
}

/// The clock does not wait, so only the bytes read and written delay the next state.
#[tokio::test(flavor = "multi_thread")]
async fn keeping_writes_little_beside_what_is_read() {
    const SIZE: u64 = 3_000_000;
    let setup = setup(SIZE as usize, vec![]);
    for (written, most) in [(SIZE, 2), (SIZE / 100, 7), (0, 47)] {
        let costly = Arc::new(Costly(AtomicU64::new(0), written));
        let wanted = [(Algorithm::Crc32, PartLayout::whole(SIZE))];
        let reading = fetch(&setup.session, Job { keep: Some(costly.clone()), ..job(&setup, &wanted) }).await;
        assert!(reading.coverage().complete());
        let told = costly.0.load(Ordering::Relaxed);
        assert!((1..=most).contains(&told), "{told} of {most} for {written} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sittings_equal_one() {
    const SIZE: usize = 2_000_017;
    let layouts = [PartLayout::whole(SIZE as u64), PartLayout::uniform(SIZE as u64, 100_003)];
    let can_be_saved = |algorithm: &Algorithm| Hasher::new(*algorithm).save().is_some();
    for (algorithms, in_order) in [
        (vec![Algorithm::Crc32c, Algorithm::Md5], false),
        (Algorithm::ALL.into_iter().filter(can_be_saved).collect(), true),
    ] {
        let wanted: Vec<(Algorithm, PartLayout)> = algorithms
            .iter()
            .flat_map(|algorithm| layouts.iter().map(move |layout| (*algorithm, layout.clone())))
            .filter(|(algorithm, layout)| in_order || algorithm.folds() || layout.count() > 1)
            .collect();
        let setup = setup(SIZE, vec![]);
        let kept = Arc::new(Kept::default());
        let mut sittings = 0;
        let reading = loop {
            sittings += 1;
            let mut job = job(&setup, &wanted);
            assert_eq!(job.plan.ordered().is_empty(), !in_order);
            job.from = kept.0.lock().unwrap().take();
            job.keep = Some(kept.clone());
            job.quota = Quota::new(None, Some(300_000));
            let reading = fetch(&setup.session, job).await;
            match &reading.stopped {
                None => break reading,
                stopped => assert_eq!(*stopped, Some(Stop::Spent(Spent::Bytes))),
            }
            assert!(sittings < 50);
        };
        assert!(sittings > 5, "{sittings}");
        assert!(reading.coverage().complete());
        assert_direct(&reading, SIZE, &wanted);
        assert_eq!(setup.counting.counts().received, SIZE as u64, "every byte once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_saved_is_read_again() {
    const SIZE: usize = 1_000_000;
    let setup = setup(SIZE, vec![]);
    let wanted = [(Algorithm::Xxh3, PartLayout::whole(SIZE as u64))];
    let kept = Arc::new(Kept::default());
    let first = Job { keep: Some(kept.clone()), quota: Quota::new(None, Some(500_000)), ..job(&setup, &wanted) };
    assert_eq!(fetch(&setup.session, first).await.stopped, Some(Stop::Spent(Spent::Bytes)));
    let second = Job { from: kept.0.lock().unwrap().take(), ..job(&setup, &wanted) };
    let reading = fetch(&setup.session, second).await;
    assert_eq!(
        reading.digests().whole(Algorithm::Xxh3, SIZE as u64),
        Some(Hasher::digest(Algorithm::Xxh3, &data(SIZE)))
    );
    assert!(setup.counting.counts().received > SIZE as u64);
}

/// The deadline is followed by 2 s in which ranges may end; these pass here.
#[tokio::test(flavor = "multi_thread")]
async fn ranges_in_flight_at_the_end_of_the_time_are_not_counted() {
    const SIZE: usize = 1 << 20;
    const RANGE: u64 = 64 * KIB;
    // One body stops after half of its range.
    let half = usize::try_from(RANGE / 2).unwrap();
    let setup = setup(SIZE, vec![read_fault(5 * RANGE, 1, Action::Stall { after: half })]);
    let retry = RetryPolicy { stall: Duration::from_secs(600), ..RetryPolicy::default() };
    let session = Session::new(Arc::new(setup.source.clone()), Context { retry, ..setup.session.context().clone() });
    let by_range = PartLayout::uniform(SIZE as u64, RANGE);
    let wanted = [(Algorithm::Sha256, by_range.clone()), (Algorithm::Md5, PartLayout::whole(SIZE as u64))];
    let kept = Arc::new(Kept::default());
    let until = Instant::now() + Duration::from_millis(500);
    let first = Job { keep: Some(kept.clone()), quota: Quota::new(Some(until), None), ..job(&setup, &wanted) };
    let reading = fetch(&session, first).await;
    assert!(until.elapsed() < Duration::from_secs(3), "{:?}", until.elapsed());
    assert_eq!(reading.stopped, Some(Stop::Spent(Spent::Time)));
    let not_read = ByteRange::new(5 * RANGE, 6 * RANGE).unwrap();
    assert!(reading.ranges().all(|range| range.end() <= not_read.start() || not_read.end() <= range.start()));
    assert_eq!(reading.digests().whole(Algorithm::Md5, SIZE as u64), None);
    assert_eq!(reading.digests().all_parts(Algorithm::Sha256, &by_range), None);

    let (before, read) = (setup.counting.counts().received, reading.coverage().bytes);
    let from = kept.0.lock().unwrap().take();
    let reading = fetch(&session, Job { from, ..job(&setup, &wanted) }).await;
    assert_direct(&reading, SIZE, &wanted);
    let again = setup.counting.counts().received - before;
    // MD5 over all bytes goes on after the last range in order.
    assert!((SIZE as u64 - read..SIZE as u64).contains(&again), "{again} bytes, after {read}");
}

/// Admits two ranges at a time, and keeps how many were open at once and the digests that came with each.
#[derive(Default)]
struct TwoAtOnce {
    open: Mutex<(usize, usize)>,
    digests: Mutex<Vec<(ByteRange, Vec<Digest>)>>,
}

#[async_trait::async_trait]
impl RangeSink for TwoAtOnce {
    async fn admit(&self, _: ByteRange) -> Result<(), SourceError> {
        let mut open = self.open.lock().unwrap();
        open.0 += 1;
        open.1 = open.0.max(open.1);
        Ok(())
    }

    async fn take(&self, _: u64, _: bytes::Bytes) -> Result<(), SourceError> {
        // The first reader waits for a second one.
        while self.open.lock().unwrap().1 < 2 {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn end(&self, range: ByteRange, digests: &[Digest]) -> Result<(), SourceError> {
        self.open.lock().unwrap().0 -= 1;
        self.digests.lock().unwrap().push((range, digests.to_vec()));
        Ok(())
    }

    fn at_once(&self, _: u64) -> usize {
        2
    }
}

#[tokio::test]
async fn a_sink_gets_the_digests_and_no_more_readers_than_it_admits() {
    const SIZE: usize = 1_000_000;
    let setup = setup(SIZE, vec![]);
    let wanted = [(Algorithm::Crc32c, PartLayout::whole(SIZE as u64))];
    let sink = Arc::new(TwoAtOnce::default());
    let job = Job { forward: Some(Arc::clone(&sink) as Arc<_>), ..job(&setup, &wanted) };
    let reading = fetch(&setup.session, job).await;
    assert_direct(&reading, SIZE, &wanted);
    assert_eq!(sink.open.lock().unwrap().1, 2, "of four readers");
    let (bytes, digests) = (data(SIZE), sink.digests.lock().unwrap());
    assert_eq!(digests.len(), SIZE.div_ceil(64 << 10));
    for (range, digests) in digests.iter() {
        let direct = Hasher::digest(Algorithm::Crc32c, &bytes[range.start() as usize..range.end() as usize]);
        assert_eq!(digests, &[direct], "{range:?}");
    }
}
