use super::*;
use crate::units::GIB;

const AMI: &str = "ami-0123456789abcdef0";
const ACCOUNT: &str = "123456789012";
const ETAG: &str = "0123456789abcdef0123456789abcdef-2";

struct Known {
    image: ImageFacts,
    account: Option<&'static str>,
    size: LogicalSize,
    bytes: u64,
    etag: &'static str,
    modified: Option<Timestamp>,
    tags: Fact<BTreeMap<String, String>>,
    tasks: Fact<Vec<StoreTask>>,
    record: Option<(String, Record)>,
}

impl Known {
    fn new() -> Self {
        Known {
            image: ImageFacts {
                id: AMI.into(),
                owner: ACCOUNT.into(),
                state: "available".into(),
                root_device_type: Some("ebs".into()),
                virtualization: Some("hvm".into()),
                ..ImageFacts::default()
            },
            account: Some(ACCOUNT),
            size: LogicalSize { volumes: Some(29 * GIB), written: Some(8 * GIB), ..LogicalSize::default() },
            bytes: 1 << 30,
            etag: ETAG,
            modified: Some("2026-01-02T00:00:00Z".parse().unwrap()),
            tags: tags(&[("source-ami", AMI), ("source-account", ACCOUNT)]),
            tasks: Fact::Known { value: Vec::new(), source: "test" },
            record: None,
        }
    }

    fn judged(&self) -> Origin {
        judge_origin(&OriginSurvey {
            image: &self.image,
            account: self.account,
            size: &self.size,
            region: "us-east-1",
            bucket: "b",
            key: "p/ami-0123456789abcdef0.bin",
            object_bytes: self.bytes,
            etag: Some(self.etag),
            modified: self.modified,
            tags: &self.tags,
            tasks: &self.tasks,
            record: self.record.as_ref(),
        })
    }
}

fn tags(all: &[(&str, &str)]) -> Fact<BTreeMap<String, String>> {
    let value = all.iter().map(|(name, value)| (format!("stored-ami:{name}"), (*value).to_owned())).collect();
    Fact::Known { value, source: "test" }
}

fn task() -> StoreTask {
    StoreTask {
        image: AMI.into(),
        bucket: "b/p".into(),
        key: "p/ami-0123456789abcdef0.bin".into(),
        state: "Completed".into(),
        started: Some("2026-01-01T23:59:00Z".parse().unwrap()),
        ..StoreTask::default()
    }
}

fn record() -> Record {
    let caller = crate::facts::Caller { account: ACCOUNT.into(), arn: "arn:aws:iam::1:user/x".into() };
    let known = Known::new();
    let mut record = Record::of(&known.image, &[], &known.size, &caller, "us-east-1");
    (record.bucket, record.key) = ("b".into(), "p/ami-0123456789abcdef0.bin".into());
    (record.etag, record.object_bytes) = (Some(ETAG.into()), Some(1 << 30));
    record.written_at = "2026-01-01T23:59:00Z".into();
    record
}

/// Whatever else shows that the AMI was stored there: the object may have been written again since.
#[test]
fn the_record_of_another_object_in_this_place_speaks_against_it() {
    let task = Fact::Known { value: vec![task()], source: "test" };
    let by = |record| Known { tasks: task.clone(), record: Some(("r.json".into(), record)), ..Known::new() }.judged();
    for record in [
        Record { etag: Some("0cc175b9c0f1b6a831c399e269772661-2".into()), ..record() },
        Record { object_bytes: Some(1), ..record() },
        Record { etag: None, object_bytes: Some(1), ..record() },
    ] {
        let origin = by(record.clone());
        assert!(origin.refuted.is_empty() && origin.open.len() == 1, "{record:?} {origin:?}");
        assert!(origin.open[0].starts_with("the record r.json is of another object in its place"), "{origin:?}");
    }
    for record in [
        record(),
        Record { etag: None, object_bytes: None, ..record() },
        Record { bucket: "c".into(), object_bytes: Some(1), ..record() },
        Record { image: "ami-1".into(), object_bytes: Some(1), ..record() },
    ] {
        assert_eq!(by(record.clone()), Origin::default(), "{record:?}");
    }
}

#[test]
fn what_a_store_leaves_behind_shows_it() {
    assert_eq!(Known::new().judged(), Origin::default(), "tags");
    let bare = || Known { tags: tags(&[]), ..Known::new() };
    let of_task = |task| Known { tasks: Fact::Known { value: vec![task], source: "test" }, ..bare() }.judged();
    assert_eq!(of_task(task()), Origin::default());
    let of_record = |record| Known { record: Some(("r.json".into(), record)), ..bare() }.judged();
    assert_eq!(of_record(record()), Origin::default());
    assert_eq!(of_record(Record { etag: None, ..record() }), Origin::default(), "place, size and time");
    let elsewhere = Record { bucket: "c".into(), ..record() };
    assert_eq!(of_record(elsewhere), Origin::default(), "the same content in another place");

    let none = [
        ("nothing", bare().judged()),
        ("a failed task", of_task(StoreTask { state: "Failed".into(), ..task() })),
        ("a task in a state that is not known", of_task(StoreTask { state: "completed".into(), ..task() })),
        ("of another AMI", of_task(StoreTask { image: "ami-1".into(), ..task() })),
        ("into another bucket", of_task(StoreTask { bucket: "bb".into(), ..task() })),
        ("under another key", of_task(StoreTask { key: "ami-0123456789abcdef0.bin".into(), ..task() })),
        ("of a later task", of_task(StoreTask { started: "2026-01-03T00:00:00Z".parse().ok(), ..task() })),
        ("of a much earlier task", of_task(StoreTask { started: "2026-01-01T23:44:00Z".parse().ok(), ..task() })),
        ("of a task at an unknown time", of_task(StoreTask { started: None, ..task() })),
        ("of a task with a reason of failure", of_task(StoreTask { failure: Some("no".into()), ..task() })),
        ("a record of another AMI", of_record(Record { image: "ami-1".into(), ..record() })),
        ("of another account", of_record(Record { account: "9".into(), ..record() })),
        ("of another owner", of_record(Record { owner: "9".into(), ..record() })),
        ("of another place", of_record(Record { bucket: "c".into(), etag: None, ..record() })),
        ("of no known content", of_record(Record { etag: None, object_bytes: None, ..record() })),
        ("of another time", of_record(Record { etag: None, written_at: "2026-01-01T23:44:00Z".into(), ..record() })),
        ("of no known time", of_record(Record { etag: None, written_at: "then".into(), ..record() })),
        ("of other content", of_record(Record { bucket: "c".into(), etag: Some("x".into()), ..record() })),
        ("of another size", of_record(Record { bucket: "c".into(), object_bytes: Some(1), ..record() })),
    ];
    for (name, origin) in none {
        assert_eq!((origin.refuted.len(), origin.open.len()), (0, 1), "{name}: {origin:?}");
        assert!(origin.open[0].contains("no store task, store tags or record shows"), "{name}: {origin:?}");
    }
}

#[test]
fn tags_that_name_another_source_refute_it_whatever_else_shows() {
    for (all, refuted, open) in [
        (&[("source-ami", "ami-1"), ("source-account", ACCOUNT)][..], 1, 0),
        (&[("source-ami", AMI), ("source-account", "999999999999")], 1, 0),
        (&[("source-ami", "ami-1"), ("source-account", "999999999999")], 2, 0),
        // Tags that only disagree, and tags that cannot be read.
        (&[("source-ami", AMI), ("source-account", ACCOUNT), ("source-region", "eu-west-1")], 0, 1),
        (&[("source-ami", AMI), ("source-account", ACCOUNT), ("volume-bytes", "1")], 0, 1),
        (&[("source-ami", AMI), ("source-account", ACCOUNT), ("volume-bytes", "much")], 0, 1),
        (&[("source-ami", AMI)], 0, 1),
        (&[("source-account", ACCOUNT)], 0, 1),
        (&[("source-ami", "=ZZ"), ("source-account", ACCOUNT)], 0, 1),
    ] {
        let tasks = Fact::Known { value: vec![task()], source: "test" };
        let origin = Known { tags: tags(all), tasks, ..Known::new() }.judged();
        assert_eq!((origin.refuted.len(), origin.open.len()), (refuted, open), "{all:?}: {origin:?}");
    }
    let denied = Fact::NotPermitted { needs: "s3:GetObjectTagging" };
    let tasks = Fact::Known { value: vec![task()], source: "test" };
    let origin = Known { tags: denied, tasks, ..Known::new() }.judged();
    assert!(origin.open[0].contains("whether its tags name another AMI is not known"), "{origin:?}");
}

#[test]
fn sizes_that_cannot_be() {
    for (written, volumes, bytes, possible) in [
        (Some(8 * GIB), Some(29 * GIB), 0, false),
        (Some(8 * GIB), Some(29 * GIB), 1, false),
        (Some(8 * GIB), Some(29 * GIB), 262_143, false),
        (Some(8 * GIB), Some(29 * GIB), 262_144, true),
        (None, Some(29 * GIB), 950_271, false),
        (None, Some(29 * GIB), 950_272, true),
        (Some(0), Some(29 * GIB), 63, false),
        (Some(0), Some(29 * GIB), 64, true),
        (Some(u64::MAX), None, 1 << 40, false),
        (None, None, 1 << 40, false),
    ] {
        let size = LogicalSize { volumes, written, source: "no snapshots".into(), tagged: false };
        let origin = Known { size, bytes, ..Known::new() }.judged();
        assert_eq!(origin.open.is_empty(), possible, "{written:?} {volumes:?} {bytes}: {origin:?}");
        assert!(origin.refuted.is_empty());
    }
}

#[test]
fn an_ami_that_cannot_have_been_stored_has_no_copy() {
    let changes: [fn(&mut ImageFacts); 6] = [
        |image| image.state = "pending".into(),
        |image| image.state = "failed".into(),
        |image| image.state = String::new(),
        |image| image.state = "splendid".into(),
        |image| image.root_device_type = Some("instance-store".into()),
        |image| image.virtualization = Some("paravirtual".into()),
    ];
    for change in changes {
        let mut known = Known::new();
        change(&mut known.image);
        assert_eq!(known.judged().open.len(), 1, "{:?}", known.image);
    }
}

/// A task is no evidence for bytes that were written after the store.
#[test]
fn a_task_vouches_for_what_it_can_have_written_alone() {
    let judged = |modified: &str, etag: &'static str| {
        let tasks = Fact::Known { value: vec![task()], source: "test" };
        let modified = modified.parse().ok();
        Known { tags: tags(&[]), tasks, modified, etag, ..Known::new() }.judged().open.is_empty()
    };
    for (modified, shown) in [
        ("2026-01-01T23:53:59Z", false),
        ("2026-01-01T23:54:00Z", true),
        ("2026-01-01T23:59:00Z", true),
        ("2026-01-02T00:14:00Z", true),
        ("2026-01-02T00:14:01Z", false),
        ("2026-02-01T00:00:00Z", false),
        ("never", false),
    ] {
        assert_eq!(judged(modified, ETAG), shown, "{modified}");
    }
    for etag in ["0123456789abcdef0123456789abcdef", "x", ""] {
        assert!(!judged("2026-01-01T23:59:00Z", etag), "{etag}: no store writes in one piece");
    }
}

#[test]
fn an_ami_that_is_shared_is_stored_by_another_account_than_its_owner() {
    let owner = "999999999999";
    let judged = |account: Option<&'static str>, tagged: &str| {
        let image = ImageFacts { owner: owner.into(), ..Known::new().image };
        let tags = tags(&[("source-ami", AMI), ("source-account", tagged)]);
        let origin = Known { image, account, tags, ..Known::new() }.judged();
        (origin.refuted.len(), origin.open.len())
    };
    assert_eq!(judged(Some(ACCOUNT), ACCOUNT), (0, 0));
    assert_eq!(judged(Some(ACCOUNT), owner), (0, 0));
    assert_eq!(judged(Some(ACCOUNT), "111111111111"), (1, 0));
    assert_eq!(judged(None, owner), (0, 0));
    assert_eq!(judged(None, ACCOUNT).0, 0);
    assert_ne!(judged(None, ACCOUNT).1, 0);
    let image = ImageFacts { owner: owner.into(), ..Known::new().image };
    let shared = Record { owner: owner.into(), ..record() };
    let known = Known { image, tags: tags(&[]), record: Some(("r.json".into(), shared)), ..Known::new() };
    assert_eq!(known.judged(), Origin::default());
}
