//! Parts that do not fit into the memory are sent as they arrive.

use stored_ami_lab::checksum::{Algorithm, ChecksumType};
use stored_ami_lab::{ChecksumChoice, Fault, FaultRule, Lab, LabOptions, Operation, PartSizes, SyntheticSpec};

use crate::rig::{KEY, Rig, report, verdict};

const MIB: u64 = 1 << 20;

async fn rig(size: u64, part: u64, checksum: ChecksumChoice) -> Rig {
    let rig = Rig::new().await;
    let spec = SyntheticSpec { size, parts: PartSizes::Uniform(part), seed: 7, checksum };
    rig.from.synthesize("archive", KEY, spec).await.unwrap();
    rig
}

async fn etags(rig: &Rig) -> [Option<String>; 2] {
    let etag = async |server: &crate::common::Server, bucket: &str| {
        server.client.head_object().bucket(bucket).key(KEY).send().await.unwrap().e_tag().map(str::to_owned)
    };
    [etag(&rig.source, "archive").await, etag(&rig.destination, "gov-archive").await]
}

#[tokio::test(flavor = "multi_thread")]
async fn large_parts_are_sent_as_they_arrive() {
    use Algorithm::{Crc32c, Crc64Nvme, Sha256};
    let checksums = [
        ChecksumChoice::Default(Crc64Nvme),
        ChecksumChoice::Typed(Crc32c, ChecksumType::Composite),
        ChecksumChoice::Typed(Sha256, ChecksumType::Composite),
    ];
    for checksum in checksums {
        for rule in [
            None,
            Some(FaultRule::new(Operation::UploadPart, Fault::Dropped)),
            Some(FaultRule::new(Operation::UploadPart, Fault::Status { status: 503, code: "SlowDown" }).skip(1)),
        ] {
            let rig = rig(50 * MIB, 20 * MIB, checksum).await;
            rule.clone().into_iter().for_each(|rule| rig.to.script(rule));
            let run = rig.copy(&["--yes", "--max-memory", "64MiB"]).await;
            assert_eq!(run.exit, Some(0), "{rule:?}: {run:?}");
            assert!(run.stdout.contains("sent as they arrive"), "{run:?}");
            let [from, to] = etags(&rig).await;
            assert_eq!(from, to);
            assert_eq!((verdict(&run, "parts"), verdict(&run, "checksum")), ("pass".into(), "pass".into()), "{run:?}");
            assert_eq!(rig.uploads().await, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_parts_are_taken_up_again_too() {
    let rig = rig(50 * MIB, 20 * MIB, ChecksumChoice::Default(Algorithm::Crc64Nvme)).await;
    let state = rig.home.path().join("state").to_str().unwrap().to_owned();
    rig.to.script(
        FaultRule::new(Operation::UploadPart, Fault::Status { status: 400, code: "ExpiredToken" }).skip(1).times(100),
    );
    let args = ["--yes", "--max-memory", "64MiB", "--concurrency", "1", "--resume", &state];
    rig.copy(&args).await.assert_exit(2);
    rig.to.clear_script();
    let run = rig.copy(&args).await;
    run.assert_exit(0);
    assert_eq!(report(&run)["sent_bytes"], 30 * MIB, "the first part is not sent again: {run:?}");
    let [from, to] = etags(&rig).await;
    assert_eq!(from, to);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_parts() {
    let rig = rig(10_000 * 1000, 1000, ChecksumChoice::Default(Algorithm::Crc64Nvme)).await;
    let run = rig.copy(&["--yes"]).await;
    run.assert_exit(0);
    assert_eq!(report(&run)["parts"], 10_000);
    let [from, to] = etags(&rig).await;
    assert_eq!(from, to);
}

/// `--timeout` limits the wait for an answer. The time of a part depends on its size and on the network.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_may_take_longer_than_an_answer() {
    let rig = rig(50 * MIB, 20 * MIB, ChecksumChoice::Default(Algorithm::Crc64Nvme)).await;
    let args = ["--yes", "--max-memory", "64MiB", "--max-rate", "4MB", "--timeout", "4s", "--retries", "0"];
    let run = rig.copy(&args).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_eq!(rig.calls(Operation::UploadPart).len(), 3, "each part once: {run:?}");
}

/// S3's largest part, and a small one behind it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "copies 5 GiB: takes minutes, and 11 GiB of disk"]
async fn a_part_of_exactly_five_gibibytes() {
    const PART: u64 = 5 << 30;
    let mut rig = Rig::new().await;
    let folder = tempfile::tempdir().unwrap();
    let data = Some(folder.path().to_owned());
    let region = crate::rig::GOV_REGION.to_owned();
    let options = LabOptions { region, account: crate::rig::GOV_ACCOUNT.to_owned(), data, ..LabOptions::default() };
    rig.to = Lab::start(options).await.unwrap();
    rig.destination = crate::common::Server::new(&rig.to.endpoint(), crate::rig::GOV_REGION, "seed", "seed");
    rig.destination.bucket("gov-archive").await;
    rig.config(&rig.profiles());
    let checksum = ChecksumChoice::Default(Algorithm::Crc64Nvme);
    let spec = SyntheticSpec { size: PART + 7, parts: PartSizes::Each(vec![PART, 7]), seed: 7, checksum };
    rig.from.synthesize("archive", KEY, spec).await.unwrap();
    let run = rig.copy(&["--yes", "--verify-destination"]).await;
    run.assert_exit(0);
    assert_eq!((&report(&run)["parts"], &report(&run)["sent_bytes"]), (&2.into(), &(PART + 7).into()), "{run:?}");
    for check in ["source", "parts", "etag", "checksum", "read-back"] {
        assert_eq!(verdict(&run, check), "pass", "{check}: {run:?}");
    }
    let [from, to] = etags(&rig).await;
    assert_eq!(from, to);
}

/// Servers that do not know the encoding with a checksum behind the bytes.
#[tokio::test(flavor = "multi_thread")]
async fn parts_are_sent_without_a_trailer_where_the_server_takes_none() {
    for (fault, why) in
        [(Fault::TrailersRefused, "NotImplemented"), (Fault::TrailersStored, "was not the MD5 of its bytes")]
    {
        let rig = rig(50 * MIB, 20 * MIB, ChecksumChoice::Default(Algorithm::Crc64Nvme)).await;
        rig.to.script(FaultRule::new(Operation::UploadPart, fault.clone()).times(1000));
        let run = rig.copy(&["--yes", "--max-memory", "64MiB", "--verify-destination"]).await;
        assert_eq!(run.exit, Some(0), "{fault}: {run:?}");
        assert!(run.stdout.contains("accepts no trailing checksum") && run.stdout.contains(why), "{run:?}");
        let [from, to] = etags(&rig).await;
        assert_eq!(from, to, "{fault}");
        assert_eq!((verdict(&run, "parts"), verdict(&run, "read-back")), ("pass".into(), "pass".into()), "{run:?}");
        assert_eq!(rig.uploads().await, 0);
        // At most one attempt of each part is lost.
        assert!(rig.calls(Operation::UploadPart).len() <= 6, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_nothing_confirms_make_no_object() {
    let of = |accept| async move {
        let rig = rig(50 * MIB, 20 * MIB, ChecksumChoice::Default(Algorithm::Crc64Nvme)).await;
        rig.to.script(FaultRule::new(Operation::UploadPart, Fault::TrailersRefused).times(3));
        rig.to.script(FaultRule::new(Operation::UploadPart, Fault::OtherETag("opaque".into())).times(1000));
        let run = rig.copy(&["--yes", "--max-memory", "64MiB", "--accept", accept]).await;
        (rig, run)
    };
    let (rig, run) = of("public").await;
    run.assert_exit(3);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "parts")), (&"not_made".into(), "unknown".into()), "{run:?}");
    assert!(run.stdout.contains("--accept parts"), "{run:?}");
    assert!(!rig.has(KEY).await);
    assert_eq!(rig.uploads().await, 0);
}
