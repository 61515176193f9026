//! Over random histories of one object, no output reports a state as proved whose last full read did not match.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use stored_ami::audit::{Acceptance, Entry, History, Level, ValidityWindow};
use stored_ami::checksum::{Algorithm, Hasher, multipart_etag};
use stored_ami::clock::SystemClock;
use stored_ami::commands::audit::{AuditRequest, AuditServices, Scope, audit};
use stored_ami::facts::{
    BucketEncryption, BucketFacts, BucketLock, LifecycleRule, ListedObject, ListedPage, PartFacts, RawEntry, RawPage,
    UploadFacts, Versioning, Walk,
};
use stored_ami::ident::{ETag, ObjectIdentity, ObjectUri};
use stored_ami::ledger::{Ledger, SharedLedger};
use stored_ami::plan::Sample;
use stored_ami::progress::{Call, Counting, Monitor, Silent};
use stored_ami::render::{Detail, Human, Renderer as _, Style, page, prometheus, table};
use stored_ami::report::{AuditedReport, Exit, Report, SummaryReport};
use stored_ami::source::memory::{Action, Fault, MemoryObject, MemorySource};
use stored_ami::source::{BucketResolver, BucketService, Context, ErrorKind, ObjectSource, SourceError};
use stored_ami::units::PartNumber;
use stored_ami::verdict::{Doubt, Verdict};
use tokio_util::sync::CancellationToken;

use crate::common::data;

const TARGET: &str = "s3://archive/ami-1a2b3c4d.bin";
const PART: usize = 700;

/// An event of the object, its ledger or its server.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// An audit; `anew` ignores earlier proofs.
    Look {
        level: Level,
        anew: bool,
    },
    /// A byte is flipped, or flipped back.
    Rot,
    /// The next read differs from the one after it.
    Flicker,
    /// The object is written again, with these bytes.
    Write(u64),
    Delete,
    Accept,
    /// All parts can be asked for their sizes, or only the first.
    Parts(bool),
    /// The ledger loses the proved layout of the ETag, like one of an older version.
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    let level = prop_oneof![Just(Level::Facts), Just(Level::Sample), Just(Level::Bytes), Just(Level::Bytes)];
    prop_oneof![
        6 => (level, any::<bool>()).prop_map(|(level, anew)| Step::Look { level, anew }),
        2 => Just(Step::Rot),
        2 => Just(Step::Flicker),
        1 => (0..2_u64).prop_map(Step::Write),
        1 => Just(Step::Delete),
        1 => Just(Step::Accept),
        1 => any::<bool>().prop_map(Step::Parts),
        1 => Just(Step::Forget),
    ]
}

/// A bucket with one object, which may be deleted.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(crate) source: MemorySource,
    pub(crate) there: bool,
}

impl BucketResolver for Shelf {
    fn object(&self, _: &ObjectUri) -> Arc<dyn ObjectSource> {
        Arc::new(self.source.clone())
    }

    fn bucket(&self, _: &str, _: Context) -> Arc<dyn BucketService> {
        Arc::new(self.clone())
    }

    fn region(&self, _: &str) -> Option<String> {
        None
    }
}

fn unasked<T>() -> Result<T, SourceError> {
    Err(SourceError::new(ErrorKind::Unsupported, "archive", "no test asks it"))
}

#[async_trait]
impl BucketService for Shelf {
    fn name(&self) -> &str {
        "archive"
    }

    async fn facts(&self) -> Result<BucketFacts, SourceError> {
        unasked()
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, SourceError> {
        unasked()
    }

    async fn versioning(&self) -> Result<Versioning, SourceError> {
        unasked()
    }

    async fn encryption(&self) -> Result<BucketEncryption, SourceError> {
        unasked()
    }

    async fn public_access_blocked(&self) -> Result<bool, SourceError> {
        unasked()
    }

    async fn policy_is_public(&self) -> Result<bool, SourceError> {
        unasked()
    }

    async fn public_grants(&self) -> Result<Vec<String>, SourceError> {
        unasked()
    }

    async fn object_lock(&self) -> Result<BucketLock, SourceError> {
        unasked()
    }

    async fn list(&self, walk: &mut Walk) -> Result<ListedPage, SourceError> {
        let facts = self.source.object().facts.clone();
        let listed = RawEntry {
            key: Some("ami-1a2b3c4d.bin".into()),
            size: Some(facts.size.to_string()),
            modified: facts.last_modified.map(|time| time.to_string()),
            etag: facts.id.etag.map(|etag| format!("\"{etag}\"")),
            storage_class: facts.storage_class,
            contradiction: None,
        };
        let entries = self.there.then_some(listed).into_iter().collect();
        let page = RawPage { entries, truncated: Some("false".into()), ..RawPage::default() };
        walk.take(page).map_err(|problem| SourceError::new(ErrorKind::Protocol, "archive", problem))
    }

    async fn uploads(&self, _: &str) -> Result<Vec<UploadFacts>, SourceError> {
        Ok(Vec::new())
    }

    async fn objects_named(&self, _: &str) -> Result<Vec<ListedObject>, SourceError> {
        unasked()
    }

    async fn versions_of(&self, _: &str) -> Result<Vec<ListedObject>, SourceError> {
        unasked()
    }

    async fn uploads_named(&self, _: &str) -> Result<Vec<UploadFacts>, SourceError> {
        unasked()
    }
}

/// The object, its ledger, and its actual state.
struct World {
    shelf: Shelf,
    ledger: PathBuf,
    /// Number of writes; each creates a new state.
    writes: i64,
    rotten: bool,
    flickers: bool,
    /// Whether the last full read of the present state matched; `None` if there was none.
    matched: Option<bool>,
}

impl World {
    fn new(folder: &Path) -> Self {
        let object = MemoryObject::plain(TARGET.parse().unwrap(), data(0, 2_000));
        let shelf = Shelf { source: MemorySource::new(object), there: true };
        let ledger = folder.join("l.db");
        let mut world = World { shelf, ledger, writes: 0, rotten: false, flickers: false, matched: None };
        world.write(0);
        world
    }

    fn write(&mut self, seed: u64) {
        let bytes = data(seed, 2_000);
        let md5s: Vec<_> = bytes.chunks(PART).map(|part| Hasher::digest(Algorithm::Md5, part)).collect();
        self.writes += 1;
        let mut object = self.shelf.source.object();
        object.facts.id.etag = Some(ETag::new(&multipart_etag(&md5s).to_string()));
        object.facts.last_modified = Timestamp::from_second(1_700_000_000 + 60 * self.writes).ok();
        object.data = bytes.into();
        drop(object);
        (self.shelf.there, self.rotten, self.matched) = (true, false, None);
        self.parts(true);
    }

    fn parts(&self, all: bool) {
        let of = |number: usize| PartFacts {
            number: PartNumber::from_index(number).unwrap(),
            size: [PART, PART, 2_000 - 2 * PART][number] as u64,
            checksums: Vec::new(),
            of: Some(3),
        };
        self.shelf.source.object().parts = Ok((0..if all { 3 } else { 1 }).map(of).collect());
    }

    fn rot(&mut self) {
        let mut object = self.shelf.source.object();
        let mut bytes = object.data.to_vec();
        bytes[1_000] ^= 1;
        object.data = bytes.into();
        self.rotten = !self.rotten;
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        if self.ledger.exists() {
            Ledger::open_existing(&self.ledger).unwrap().each(None, |kept| entries.push(kept.entry)).unwrap();
        }
        entries
    }

    fn history(&self) -> History {
        let mut history = History::default();
        self.entries().into_iter().for_each(|entry| history.add(entry));
        history
    }

    fn forget(&self) {
        let mut entries = self.entries();
        for entry in &mut entries {
            if let Entry::Proof(look) = entry {
                look.etag_parts.clear();
            }
        }
        drop(std::fs::remove_file(&self.ledger));
        Ledger::open(&self.ledger).unwrap().append(&entries).unwrap();
    }

    fn accept(&self) {
        let acceptance = Acceptance {
            at: Timestamp::now().to_string(),
            tool: "test".into(),
            target: TARGET.into(),
            object: self.history().state().cloned(),
            reason: "meant so".into(),
        };
        Ledger::open(&self.ledger).unwrap().append(&[Entry::Acceptance(acceptance)]).unwrap();
    }

    /// Audits, and compares every output with the actual state.
    async fn look(&mut self, level: Level, anew: bool) {
        let flip =
            Fault { call: Call::Read, at: Some(1_500), skip: 0, times: 1, action: Action::Flip { offset: 1_500 } };
        // A deleted object is neither listed nor found by HEAD or GET.
        let gone = |call| Fault { call, at: None, skip: 0, times: u32::MAX, action: Action::Fail(ErrorKind::NotFound) };
        let absent = [Call::Head, Call::Find, Call::Read].map(gone).into_iter().filter(|_| !self.shelf.there);
        self.shelf.source.object().faults = self.flickers.then_some(flip).into_iter().chain(absent).collect();
        let archive = Arc::new(self.shelf.clone());
        let context = Context::default();
        let services = AuditServices::new(archive, context.counted());
        let mut reports = Vec::new();
        let ledger = Ledger::open(&self.ledger).unwrap();
        let cancel = CancellationToken::new();
        let emit = |report| reports.push(report);
        let end =
            audit(&services, &request(level, anew), Some(SharedLedger::new(ledger)), &cancel, emit).await.unwrap();
        reports.push(Report::Audit(Box::new(end)));
        let read = |report: &Report| match report {
            Report::Audited(one) => one.examined == Some(Level::Bytes) && one.received_bytes > 0,
            _ => false,
        };
        if self.shelf.there && reports.iter().any(read) {
            self.matched = Some(!self.rotten && !self.flickers);
        }
        self.flickers = false;
        let says = says_proved(&reports, &self.history(), self.seen());
        if self.matched != Some(true) {
            assert_eq!(says, Vec::<String>::new(), "rotten {}, matched {:?}", self.rotten, self.matched);
        } else if !self.shelf.there {
            let outputs = says.iter().filter(|output| !output.starts_with("history"));
            assert_eq!(outputs.count(), 0, "it is gone: {says:?}");
        } else if level == Level::Bytes {
            assert!(says.len() >= 7, "what is proved is told by every output: {says:?}");
        }
    }

    fn seen(&self) -> ObjectIdentity {
        let facts = self.shelf.source.object().facts.clone();
        facts.listed_identity()
    }
}

/// Cancels when this many reads have started.
struct CancelsAt {
    reads: Mutex<usize>,
    at: usize,
    cancel: CancellationToken,
}

impl Monitor for CancelsAt {
    fn request(&self, call: Call) {
        let mut reads = self.reads.lock().unwrap();
        *reads += usize::from(call == Call::Read);
        if *reads == self.at {
            self.cancel.cancel();
        }
    }
}

/// The signal arrives after a mismatch and before the second read.
#[tokio::test]
async fn a_signal_between_two_readings_loses_no_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path());
    world.look(Level::Bytes, false).await;
    world.rot();
    let reads = |world: &World| {
        let counting = Arc::new(Counting::new(Arc::new(Silent), Arc::new(SystemClock)));
        let context = Context { monitor: counting.clone(), ..Context::default() };
        (counting, AuditServices::new(Arc::new(world.shelf.clone()), context.counted()))
    };
    // The number of GETs of one read, counted by an audit without a ledger.
    let (counting, services) = reads(&world);
    let never = CancellationToken::new();
    audit(&services, &request(Level::Bytes, true), None, &never, drop).await.unwrap();
    let once = usize::try_from(counting.counts().reads / 2).unwrap();
    let cancel = CancellationToken::new();
    let monitor = Arc::new(CancelsAt { reads: Mutex::new(0), at: once + 1, cancel: cancel.clone() });
    let context = Context { monitor, ..services.context.clone() };
    let services = AuditServices::new(services.archive, context.counted());
    let ledger = Ledger::open(&world.ledger).unwrap();
    let end =
        audit(&services, &request(Level::Bytes, true), Some(SharedLedger::new(ledger)), &cancel, drop).await.unwrap();
    assert_eq!(end.exit_code, Exit::Interrupted);
    let Some(Entry::Proof(last)) = world.entries().pop() else { panic!("no look was kept") };
    assert_eq!(last.doubt, Some(Doubt::Mismatch));
    assert!(world.history().proof_of(&world.seen()).is_none());
}

pub(crate) fn request(level: Level, anew: bool) -> AuditRequest {
    AuditRequest {
        sample: Sample::Percent(40.0),
        max_age: anew.then_some(SignedDuration::ZERO),
        ..AuditRequest::new(Scope::Listed(vec!["s3://archive".parse().unwrap()]), level)
    }
}

/// Outputs that report every byte of the object as proved.
pub(crate) fn says_proved(reports: &[Report], history: &History, seen: ObjectIdentity) -> Vec<String> {
    let mut all = reports.to_vec();
    all.push(Report::Summary(SummaryReport::default()));
    let mut text = Human::new(Vec::new(), Style { width: 200, detail: Detail::Full, ..Style::PLAIN });
    let mut said = Vec::new();
    let mut says = |output: &str, proved: bool| said.extend(proved.then(|| output.to_owned()));
    for report in reports {
        text.render(report).unwrap();
        match report {
            Report::Audited(one) => {
                says("json proof", one.proof.is_some());
                says("json verdict", one.verdict == Verdict::Pass);
                says("text header", one.examined.is_some() && header(one).contains_proof());
            }
            Report::Audit(end) => says("json proved", end.proved > 0),
            _ => {}
        }
    }
    let rows = table(reports).unwrap();
    let mut rows = csv::Reader::from_reader(rows.as_slice());
    says("csv", rows.records().any(|row| row.is_ok_and(|row| !row[10].is_empty() || !row[11].is_empty())));
    says("prometheus", prometheus(reports, Timestamp::now()).contains("object_proof_age_seconds{"));
    let html = page(&all, &Timestamp::now().to_string()).unwrap();
    says("html proofs", html.contains("1 of 1 object"));
    says("html row", html.contains("<td>etag</td>"));
    says("history proof", history.proof_of(&seen).is_some());
    let always = ValidityWindow { since: None, until: Timestamp::MAX };
    says("history still good", history.still_good(&seen, Level::Bytes, always).is_some());
    said
}

/// The text line of an object.
struct Header(String);

fn header(one: &AuditedReport) -> Header {
    let mut out = Vec::new();
    let mut human = Human::new(&mut out, Style { width: 200, detail: Detail::Full, ..Style::PLAIN });
    human.render(&Report::Audited(Box::new(one.clone()))).unwrap();
    human.render(&Report::Summary(SummaryReport::default())).unwrap();
    Header(String::from_utf8(out).unwrap().lines().next().unwrap_or_default().to_owned())
}

impl Header {
    fn contains_proof(&self) -> bool {
        self.0.contains("  etag") || self.0.contains("  proved")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_called_proved_whose_last_full_reading_did_not_match(
        steps in proptest::collection::vec(step(), 4..14),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(folder.path());
        runtime.block_on(async {
            world.look(Level::Bytes, false).await;
            for step in steps {
                match step {
                    Step::Look { level, anew } => world.look(level, anew).await,
                    Step::Rot => world.rot(),
                    Step::Flicker => world.flickers = true,
                    Step::Write(seed) => world.write(seed),
                    Step::Delete => world.shelf.there = false,
                    Step::Accept => world.accept(),
                    Step::Parts(all) => world.parts(all),
                    Step::Forget => world.forget(),
                }
            }
            world.look(Level::Facts, true).await;
            world.look(Level::Bytes, false).await;
        });
    }
}
