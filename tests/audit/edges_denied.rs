//! The ledger keeps the results of earlier examinations: unreadable bytes, damage under weak ETags, failed values, and
//! values that changed under the same identity.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stored_ami::audit::{ChangeKind, Entry, History, Level, Policy};
use stored_ami::checksum::{Algorithm, ChecksumKind, Hasher, StoredChecksum};
use stored_ami::commands::audit::{AuditRequest, AuditServices, audit};
use stored_ami::facts::Fact;
use stored_ami::ident::ETag;
use stored_ami::ledger::{Ledger, SharedLedger};
use stored_ami::progress::Call;
use stored_ami::report::{AuditedReport, Exit, Report};
use stored_ami::source::memory::{Action, Fault, MemoryObject, MemorySource};
use stored_ami::source::{Context, ErrorKind, RetryPolicy};
use stored_ami::verdict::{Doubt, Verdict};
use tokio_util::sync::CancellationToken;

use crate::common::data;
use crate::edges_proved::{Shelf, request, says_proved};

struct World {
    shelf: Shelf,
    folder: tempfile::TempDir,
    policy: Policy,
}

impl World {
    /// An object with this ETag and a correct CRC64NVME.
    fn new(etag: Option<&str>) -> Self {
        let bytes = data(0, 2_000);
        let mut object = MemoryObject::plain("s3://archive/ami-1a2b3c4d.bin".parse().unwrap(), bytes);
        object.facts.id.etag = etag.map(ETag::new);
        object.facts.last_modified = Timestamp::from_second(1_700_000_000).ok();
        let shelf = Shelf { source: MemorySource::new(object), there: true };
        let world = World { shelf, folder: tempfile::tempdir().unwrap(), policy: Policy::default() };
        world.state_checksum();
        world
    }

    /// Stores the CRC64NVME of the current bytes.
    fn state_checksum(&self) {
        let mut object = self.shelf.source.object();
        let digest = Hasher::digest(Algorithm::Crc64Nvme, &object.data);
        let value = vec![StoredChecksum { digest, kind: ChecksumKind::FullObject }];
        object.facts.checksums = Fact::Known { value, source: "memory" };
    }

    /// Flips a byte, or flips it back.
    fn rot(&self) {
        let mut object = self.shelf.source.object();
        let mut bytes = object.data.to_vec();
        bytes[1_000] ^= 1;
        object.data = bytes.into();
    }

    fn reads(&self, action: Option<Action>) {
        let fault = action.map(|action| Fault { call: Call::Read, at: None, skip: 0, times: u32::MAX, action });
        self.shelf.source.object().faults = fault.into_iter().collect();
    }

    fn later(&self) {
        let mut object = self.shelf.source.object();
        object.facts.last_modified = object.facts.last_modified.map(|time| time + SignedDuration::from_secs(1));
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let path = self.folder.path().join("l.db");
        Ledger::open_existing(&path).unwrap().each(None, |kept| entries.push(kept.entry)).unwrap();
        entries
    }

    fn doubt(&self) -> Option<Doubt> {
        let Some(Entry::Proof(look)) = self.entries().pop() else { panic!("no look was kept") };
        look.doubt
    }

    /// All reports of an audit; `anew` ignores earlier proofs.
    async fn audit(&self, level: Level, anew: bool) -> Vec<Report> {
        let retry = RetryPolicy { attempts: 2, base: Duration::from_millis(1), ..RetryPolicy::default() };
        let context = Context { retry, ..Context::default() };
        let archive = Arc::new(self.shelf.clone());
        let services = AuditServices::new(archive, context.counted());
        let request = AuditRequest { policy: self.policy.clone(), ..request(level, anew) };
        let mut reports = Vec::new();
        let ledger = Ledger::open(&self.folder.path().join("l.db")).unwrap();
        let emit = |report| reports.push(report);
        let end =
            audit(&services, &request, Some(SharedLedger::new(ledger)), &CancellationToken::new(), emit).await.unwrap();
        reports.push(Report::Audit(Box::new(end)));
        reports
    }

    /// The report of the object.
    async fn look(&self, level: Level) -> AuditedReport {
        let reports = self.audit(level, true).await;
        let told = format!("{reports:?}");
        let one =
            reports.into_iter().find_map(|report| if let Report::Audited(one) = report { Some(*one) } else { None });
        one.unwrap_or_else(|| panic!("no report of the object: {told}"))
    }

    fn says_proved(&self, reports: &[Report]) -> Vec<String> {
        let mut history = History::default();
        self.entries().into_iter().for_each(|entry| history.add(entry));
        let seen = self.shelf.source.object().facts.listed_identity();
        says_proved(reports, &history, seen)
    }
}

/// The findings that prevent a pass: `check verdict`, or `check code` if unknown.
fn open(report: &AuditedReport) -> Vec<String> {
    let bears =
        report.findings.iter().filter(|f| f.verdict == Verdict::Fail || f.verdict == Verdict::Unknown && f.required);
    bears.map(|f| format!("{} {}", f.check, f.reason.as_ref().map_or("fail", |reason| reason.code.name()))).collect()
}

#[tokio::test]
async fn a_reading_that_denies_the_bytes_of_an_object_takes_back_its_proof_until_they_are_proved() {
    use ErrorKind::{Changed, NotFound, Protocol};
    let denies = [NotFound, Changed, Protocol].map(Action::Fail).into_iter().chain([Action::End { after: 500 }]);
    for (action, level) in denies.flat_map(|action| [(action.clone(), Level::Bytes), (action, Level::Sample)]) {
        let world = World::new(Some("opaque"));
        world.look(Level::Bytes).await;
        world.reads(Some(action.clone()));
        let reports = world.audit(level, true).await;
        let Some(Report::Audit(end)) = reports.last() else { panic!() };
        assert!([Exit::Unknown, Exit::CouldNot].contains(&end.exit_code), "{action:?} {level:?}: {:?}", end.exit_code);
        assert_eq!(world.says_proved(&reports), Vec::<String>::new(), "{action:?} {level:?}");
        assert_eq!(world.doubt(), Some(Doubt::Unreadable), "{action:?} {level:?}");
        if action == Action::Fail(NotFound) {
            let told = format!("{reports:?}");
            assert!(told.contains("HEAD still shows the object, and reading says it is gone"), "{told}");
        }
        world.reads(None);
        for level in [Level::Facts, Level::Facts] {
            let reports = world.audit(level, false).await;
            let Some(Report::Audit(end)) = reports.last() else { panic!() };
            assert_eq!((end.exit_code, end.proved), (Exit::Unknown, 0), "{action:?}");
        }
        assert_eq!(world.look(Level::Bytes).await.exit_code, Exit::Passed);
        assert_eq!(open(&world.look(Level::Facts).await), Vec::<String>::new(), "proved again");
    }
}

#[tokio::test]
async fn trouble_on_the_way_casts_no_doubt() {
    use ErrorKind::{Archived, Denied, Throttled, Transient};
    for kind in [Archived, Denied, Throttled, Transient] {
        let world = World::new(Some("opaque"));
        world.look(Level::Bytes).await;
        world.reads(Some(Action::Fail(kind.clone())));
        assert_ne!(world.look(Level::Bytes).await.exit_code, Exit::Passed);
        assert_eq!(world.doubt(), None, "{kind:?}");
        let reports = world.audit(Level::Facts, false).await;
        assert!(!world.says_proved(&reports).is_empty(), "{kind:?}: the proof stands");
    }
}

#[tokio::test]
async fn damage_is_found_again_under_an_etag_that_identifies_nothing() {
    for etag in [Some("W/\"a\""), None, Some("opaque")] {
        let world = World::new(etag);
        world.rot();
        assert_eq!(world.look(Level::Bytes).await.exit_code, Exit::Failed);
        for _ in 0..2 {
            let report = world.look(Level::Facts).await;
            assert!(open(&report).contains(&"sound fail".to_owned()), "{etag:?}: {:?}", open(&report));
            assert_ne!(report.change, Some(ChangeKind::ReplacedSameContent));
        }
        world.rot();
        assert_eq!(open(&world.look(Level::Bytes).await), Vec::<String>::new(), "{etag:?}: proved");
        assert_eq!(world.look(Level::Facts).await.exit_code, Exit::Passed, "{etag:?}");
    }
}

#[tokio::test]
async fn a_value_that_failed_makes_no_later_content_the_same() {
    for proved_first in [false, true] {
        let world = World::new(Some("opaque"));
        if proved_first {
            world.look(Level::Bytes).await;
        }
        world.rot();
        assert_eq!(world.look(Level::Bytes).await.exit_code, Exit::Failed);
        world.later();
        for _ in 0..2 {
            let report = world.look(Level::Facts).await;
            let told = (report.exit_code, report.change);
            assert_eq!(told, (Exit::Unknown, Some(ChangeKind::ReplacedUnclear)), "{proved_first}: {:?}", open(&report));
        }
        world.rot();
        let report = world.look(Level::Bytes).await;
        assert_eq!((report.exit_code, report.change), (Exit::Passed, Some(ChangeKind::ReplacedSameContent)));
        assert_eq!(world.look(Level::Facts).await.exit_code, Exit::Passed, "proved since");
    }
}

#[tokio::test]
async fn the_age_of_a_proof_of_what_nothing_identifies_is_not_known() {
    let mut world = World::new(Some("W/\"a\""));
    world.policy = Policy::from_toml("[object]\nproof-age = \"30d\"").unwrap();
    assert_eq!(open(&world.look(Level::Facts).await), ["proof-age not_stated"]);
    for _ in 0..2 {
        assert_eq!(open(&world.look(Level::Bytes).await), Vec::<String>::new(), "proved in this run");
        assert_eq!(open(&world.look(Level::Facts).await), ["proof-age not_stated"]);
    }
}

#[tokio::test]
async fn one_state_has_no_two_values() {
    let world = World::new(Some("opaque"));
    world.look(Level::Bytes).await;
    // Another value, under the same ETag, size and time.
    world.rot();
    world.state_checksum();
    world.rot();
    let report = world.look(Level::Facts).await;
    assert_eq!(
        (report.exit_code, open(&report)),
        (Exit::Unknown, vec!["unchanged contradiction".into(), "sound in_doubt".into()])
    );
    assert!(report.proof.is_none());
    world.state_checksum();
    assert_eq!(open(&world.look(Level::Facts).await), ["sound in_doubt"]);
    assert_eq!(world.look(Level::Bytes).await.exit_code, Exit::Passed);
    // The bytes change along with the value: the proved content is another one.
    world.rot();
    world.state_checksum();
    assert_eq!(open(&world.look(Level::Bytes).await), ["unchanged contradiction"]);
    assert_eq!(world.look(Level::Facts).await.exit_code, Exit::Unknown);
}
