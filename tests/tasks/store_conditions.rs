//! `preflight store`: each condition if it is met, violated, and unknown.

use stored_ami_lab::{Action, BucketOptions};

use crate::common::Run;
use crate::rig::{AMI, BUCKET, OTHER, Rig, Row, line};

async fn preflight(rig: &Rig) -> Run {
    rig.run(&["preflight", "store", AMI, "--bucket", BUCKET]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_ami_passes_every_check() {
    let rig = Rig::new().await;
    let run = preflight(&rig).await;
    run.assert_exit(0);
    let report = run.report();
    let checks: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    let all = [
        "image",
        "ebs-backed",
        "virtualization",
        "sharing",
        "snapshots",
        "snapshot-tier",
        "snapshot-keys",
        "image-size",
        "in-progress",
        "one-store",
        "bucket",
        "bucket-region",
        "not-stored",
        "permission",
    ];
    assert_eq!(checks, all);
    for check in all {
        assert_eq!(run.verdict(check), "pass", "{check}");
        assert_eq!(run.finding(check)["required"], true, "{check}");
    }
    assert_eq!(report["verdict"], "pass");
    assert_eq!(report["size"]["volume_bytes"], 29_u64 << 30);
    assert_eq!(report["size"]["written_bytes"], 29_u64 << 28);
    assert_eq!(report["stored"]["answer"], "not_stored");
    assert_eq!(report["requests"], rig.lab.calls().len() - 1, "all but the creation of the bucket");
    assert!(rig.starts().is_empty());
    let untested = report["untested"].to_string();
    assert!(untested.contains("s3:PutObject"), "{untested}");
}

type Change = Box<dyn Fn(&Rig)>;

fn change(change: impl Fn(&Rig) + 'static) -> Change {
    Box::new(change)
}

fn row<'a>(check: &'a str, verdict: &'a str, text: &'a str, exit: i32) -> Row<'a> {
    Row { name: check, check, verdict, text, exit }
}

/// Makes the AMI and its snapshots those of another account.
fn foreign(rig: &Rig, shared: bool, snapshots_shared: bool) {
    rig.image(|image| (image.owner, image.shared, image.public) = (OTHER.into(), shared, !shared));
    rig.snapshots(|snapshot| (snapshot.owner, snapshot.shared) = (OTHER.into(), snapshots_shared));
}

const CUSTOM_KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/0a0b0c0d";

fn encrypted(rig: &Rig, key: &'static str, state: Option<&str>) {
    rig.snapshots(|snapshot| (snapshot.encrypted, snapshot.key) = (true, Some(key.to_owned())));
    if let Some(state) = state {
        rig.lab.account(|account| account.keys.insert(key.into(), state.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_of_the_ami() {
    let none = "unknown: not_permitted";
    let (denied, no_snapshots) = ("ec2:DescribeImages", "ec2:DescribeSnapshots");
    let table: Vec<(Row<'_>, Change)> = vec![
        (row("image", "fail", "there is no such AMI", 1), change(Rig::deregister)),
        (row("image", "fail", "its state is disabled", 1), change(|rig| rig.image(|i| i.state = "disabled".into()))),
        (row("image", none, denied, 3), change(move |rig| rig.deny(denied))),
        (
            row("ebs-backed", "fail", "instance-store", 1),
            change(|rig| rig.image(|i| i.root_device_type = "instance-store".into())),
        ),
        (row("ebs-backed", none, denied, 3), change(move |rig| rig.deny(denied))),
        (
            row("virtualization", "fail", "paravirtual", 1),
            change(|rig| rig.image(|i| i.virtualization = "paravirtual".into())),
        ),
        (row("virtualization", none, denied, 3), change(move |rig| rig.deny(denied))),
        (
            row("sharing", "pass", "shared by 999999999999, with its snapshots", 0),
            change(|rig| foreign(rig, true, true)),
        ),
        (
            row("sharing", "fail", "public, and not shared with 123456789012", 1),
            change(|rig| foreign(rig, false, true)),
        ),
        (
            row("sharing", "fail", "not shared with 123456789012 by name: snap-", 1),
            change(|rig| foreign(rig, true, false)),
        ),
        (
            row("sharing", "unknown: unanswered", "Odd.Code", 3),
            change(|rig| {
                foreign(rig, true, true);
                rig.answer(Action::DescribeImages, "ExecutableBy", 400, "Odd.Code");
            }),
        ),
        (
            row("snapshots", "fail", "is pending", 1),
            change(|rig| rig.snapshots(|snapshot| snapshot.state = "pending".into())),
        ),
        (
            row("snapshots", "fail", "not there, or not visible", 1),
            change(|rig| rig.ec2(|state| state.snapshots.clear())),
        ),
        (row("snapshots", none, no_snapshots, 3), change(move |rig| rig.deny(no_snapshots))),
        (
            row("snapshot-tier", "fail", "archived: snap-", 1),
            change(|rig| rig.snapshots(|snapshot| snapshot.tier = "archive".into())),
        ),
        (row("snapshot-tier", none, no_snapshots, 3), change(move |rig| rig.deny(no_snapshots))),
        (
            row("snapshot-keys", "pass", "enabled: arn:aws:kms", 0),
            change(|rig| encrypted(rig, CUSTOM_KEY, Some("Enabled"))),
        ),
        (
            row("snapshot-keys", "fail", "is PendingDeletion", 1),
            change(|rig| encrypted(rig, CUSTOM_KEY, Some("PendingDeletion"))),
        ),
        (row("snapshot-keys", "fail", "there is no key", 1), change(|rig| encrypted(rig, CUSTOM_KEY, None))),
        (
            row("snapshot-keys", none, "kms:DescribeKey", 3),
            change(|rig| {
                encrypted(rig, CUSTOM_KEY, Some("Enabled"));
                rig.deny("kms:DescribeKey");
            }),
        ),
    ];
    for (row, change) in table {
        let rig = Rig::new().await;
        change(&rig);
        row.assert(&preflight(&rig).await);
        assert!(rig.starts().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_snapshots_give_an_object_that_is_not_encrypted_by_their_keys() {
    let rig = Rig::new().await;
    encrypted(&rig, CUSTOM_KEY, Some("Enabled"));
    let notes = preflight(&rig).await.report()["notes"].to_string();
    assert!(notes.contains("the object will not be encrypted by their keys"), "{notes}");
}

/// Volumes in GiB, written blocks in GiB. 5,000 × 10⁹ bytes are 4,656.6 GiB.
#[tokio::test(flavor = "multi_thread")]
async fn the_size_before_compression() {
    let (both, between) = ("within 5,000 GB if that means GiB", "AWS does not say which of them counts");
    for (gib, written, verdict, text, exit) in [
        (4_656, None, "pass", "4.55 TiB (4999.3 GB)", 0),
        (4_657, None, "unknown: ambiguous", both, 3),
        (5_000, Some(5_000), "unknown: ambiguous", both, 3),
        (5_001, Some(4_000), "unknown: ambiguous", between, 3),
        (5_001, Some(5_001), "fail", "GB", 1),
        (5_001, None, "fail", "GB", 1),
    ] {
        let rig = Rig::new().await;
        rig.resize(gib, written);
        Row { name: &format!("{gib} {written:?}"), check: "image-size", verdict, text, exit }
            .assert(&preflight(&rig).await);
    }
    let rig = Rig::new().await;
    rig.image(|image| image.mappings[0].size = None);
    rig.snapshots(|snapshot| (snapshot.size, snapshot.full_bytes) = (None, None));
    row("image-size", "unknown: not_stated", "not known", 3).assert(&preflight(&rig).await);
}

/// AMIs whose stores are in progress, in GiB; 1,200 × 10⁹ bytes are 1,117.6 GiB. The rule counts only stores in
/// progress, not the new one.
#[tokio::test(flavor = "multi_thread")]
async fn stores_in_progress() {
    let unit = "depends on GB or GiB";
    let basis = "whether volumes or written blocks count decides it";
    type Sizes<'a> = (&'a [u64], Option<u64>, &'a str, &'a str, i32);
    let table: &[Sizes<'_>] = &[
        (&[], None, "pass", "none", 0),
        // At the limit in GB, and in GiB.
        (&[1_117], None, "pass", "1.09 TiB (1199.4 GB)", 0),
        (&[1_118], None, "unknown: ambiguous", unit, 3),
        (&[1_199], None, "unknown: ambiguous", unit, 3),
        (&[1_200], None, "fail", "1.17 TiB (1288.5 GB)", 1),
        (&[1_201], None, "fail", "GB", 1),
        // The two examples of the user guide: 600 of 1,200, and one that uses all of it.
        (&[200, 400], None, "pass", "600 GiB (644.2 GB)", 0),
        (&[600, 600], None, "fail", "GB", 1),
        // A store above the limit was admitted because nothing else was in progress.
        (&[4_900], None, "fail", "4.79 TiB", 1),
        // There is room by the smaller size, but not by the larger one.
        (&[1_300], Some(100), "unknown: ambiguous", basis, 3),
    ];
    for (sizes, written, verdict, text, exit) in table {
        let rig = Rig::busy().await;
        for (number, size) in sizes.iter().enumerate() {
            let other = rig.create(None, &format!("other-{number}"), &[("/dev/sda1", *size)]);
            rig.ec2(|state| {
                let mapping = &state.images[&other].mappings[0];
                state.snapshots.get_mut(&mapping.snapshot).unwrap().full_bytes = written.map(|gib| gib << 30);
            });
            rig.start_store(&other, BUCKET).await;
        }
        Row { name: &format!("{sizes:?}"), check: "in-progress", verdict, text, exit: *exit }
            .assert(&preflight(&rig).await);
    }
    // The size of a store whose AMI was deregistered is not known.
    let rig = Rig::busy().await;
    let other = rig.create(None, "other", &[("/dev/sda1", 8)]);
    rig.start_store(&other, BUCKET).await;
    rig.ec2(|state| state.images.remove(&other));
    row("in-progress", "unknown: not_stated", &other, 3).assert(&preflight(&rig).await);

    let rig = Rig::new().await;
    rig.deny("ec2:DescribeStoreImageTasks");
    row("in-progress", "unknown: not_permitted", "ec2:DescribeStoreImageTasks", 3).assert(&preflight(&rig).await);
}

/// AWS may change the limits.
#[tokio::test(flavor = "multi_thread")]
async fn other_limits_can_be_given() {
    let rig = Rig::busy().await;
    let other = rig.create(None, "other", &[("/dev/sda1", 700)]);
    rig.start_store(&other, BUCKET).await;
    let run =
        rig.run(&["preflight", "store", AMI, "--bucket", BUCKET, "--store-limit", "600", "--image-limit", "1"]).await;
    assert_eq!((run.verdict("in-progress"), run.verdict("image-size")), ("unknown: ambiguous".into(), "fail".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_store_of_an_ami_at_a_time() {
    let rig = Rig::busy().await;
    rig.lab.create_bucket("elsewhere", BucketOptions::default()).unwrap();
    rig.start_store(AMI, "elsewhere").await;
    row("one-store", "fail", "one into elsewhere", 1).assert(&preflight(&rig).await);
    rig.deny("ec2:DescribeStoreImageTasks");
    row("one-store", "unknown: not_permitted", "ec2:DescribeStoreImageTasks", 3).assert(&preflight(&rig).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket() {
    let rig = Rig::new().await;
    let into = async |bucket| rig.run(&["preflight", "store", AMI, "--bucket", bucket]).await;
    row("bucket", "fail", "there is no such bucket", 1).assert(&into("no-such-bucket").await);
    let far = BucketOptions { region: Some("eu-west-1".into()), ..BucketOptions::default() };
    rig.lab.create_bucket("far-away", far).unwrap();
    row("bucket-region", "fail", "it is in eu-west-1", 1).assert(&into("far-away").await);
    rig.deny("s3:ListBucket");
    let run = preflight(&rig).await;
    row("bucket", "unknown: not_permitted", "s3:ListBucket", 3).assert(&run);
    row("bucket-region", "unknown: not_permitted", "s3:ListBucket", 3).assert(&run);
}

#[tokio::test(flavor = "multi_thread")]
async fn not_stored() {
    let rig = Rig::new().await;
    rig.store().await;
    row("not-stored", "fail", "ami-0123456789abcdef0.bin is there", 1).assert(&preflight(&rig).await);
    // The message of EC2 is about the bucket, and it is not documented whether it considers other paths.
    let run = rig.run(&["preflight", "store", AMI, "--bucket", "archive/2026"]).await;
    row("not-stored", "unknown: undocumented", "under another path", 3).assert(&run);
    let rig = Rig::new().await;
    rig.deny("s3:ListBucketMultipartUploads");
    row("not-stored", "unknown: not_permitted", "s3:ListBucketMultipartUploads", 3).assert(&preflight(&rig).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_by_a_dry_run() {
    let rig = Rig::new().await;
    rig.deny("ec2:CreateStoreImageTask");
    let denied = "an explicit deny (ec2:CreateStoreImageTask on arn:aws:ec2:us-east-1::image/*)";
    row("permission", "fail", denied, 1).assert(&preflight(&rig).await);
    rig.deny("sts:DecodeAuthorizationMessage");
    row("permission", "fail", "the cause is encoded", 1).assert(&preflight(&rig).await);
    let rig = Rig::new().await;
    rig.answer(Action::CreateStoreImageTask, "DryRun", 400, "InvalidRequest");
    row("permission", "unknown: undocumented", "says nothing about the permission", 3).assert(&preflight(&rig).await);
}

/// All findings are reported however many fail, and those that prevent a pass come first.
#[tokio::test(flavor = "multi_thread")]
async fn no_check_stops_another() {
    let rig = Rig::new().await;
    rig.image(|image| (image.virtualization, image.root_device_type) = ("paravirtual".into(), "instance-store".into()));
    rig.deny("ec2:DescribeSnapshots");
    rig.deny("ec2:CreateStoreImageTask");
    let report = preflight(&rig).await.report();
    let verdicts: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts[..3], ["fail"; 3]);
    assert_eq!(verdicts.len(), 14);
    assert!(verdicts.is_sorted_by_key(|verdict| match *verdict {
        "fail" => 0,
        "unknown" => 1,
        _ => 2,
    }));
}

/// Accepting an unknown check changes the exit code, not the verdict; a failed check cannot be accepted.
#[tokio::test(flavor = "multi_thread")]
async fn unknowns_can_be_accepted_one_by_one() {
    let rig = Rig::new().await;
    rig.deny("ec2:DescribeSnapshots");
    let with = async |accept: &str| rig.run(&["preflight", "store", AMI, "--bucket", BUCKET, "--accept", accept]).await;
    let run = with("snapshots").await;
    run.assert_exit(3);
    // The lab states volume sizes without snapshots, so that the size is known.
    let run = with("snapshots,snapshot-tier,snapshot-keys,sharing").await;
    run.assert_exit(0);
    assert_eq!(line(&run, "preflight")["verdict"], "unknown");
    rig.image(|image| image.virtualization = "paravirtual".into());
    with("snapshots,snapshot-tier,snapshot-keys,sharing,virtualization").await.assert_exit(1);
}
