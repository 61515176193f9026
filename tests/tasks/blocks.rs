//! `fingerprint` and `prove`: what is read, what is proved, and what each difference is called.

use serde_json::Value;
use stored_ami::units::MIB;
use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{Action, LabOptions, Operation, TaskPace};

use crate::common::Run;
use crate::common::peak::{limit, peak};
use crate::rig::{AMI, OBJECT, REGION, Rig, line};

/// A copy of the AMI, restored from the object that it was stored in.
pub async fn restored(rig: &Rig) -> String {
    rig.store().await;
    rig.run(&["restore", OBJECT, "--name", "restored", "--yes"]).await.assert_exit(0);
    let image = rig.restored().pop().unwrap();
    assert_eq!(image.state, "available");
    image.id
}

/// An AMI with the content of another one in snapshots of its own, like a restore. It takes no store and no restore.
pub fn twin(rig: &Rig, image: &str) -> String {
    rig.ec2(|state| {
        let mut twin = state.images[image].clone();
        twin.id = format!("ami-0feed{:012x}", state.images.len());
        twin.name = twin.id.clone();
        for mapping in twin.mappings.iter_mut().filter(|mapping| !mapping.snapshot.is_empty()) {
            let mut snapshot = state.snapshots[&mapping.snapshot].clone();
            snapshot.id = format!("snap-0feed{:012x}", state.snapshots.len());
            mapping.snapshot = snapshot.id.clone();
            state.snapshots.insert(snapshot.id.clone(), snapshot);
        }
        let id = twin.id.clone();
        state.images.insert(id.clone(), twin);
        id
    })
}

/// Snapshots of an AMI, in the order of its mappings.
pub fn snapshots(rig: &Rig, image: &str) -> Vec<String> {
    rig.ec2(|state| state.images[image].mappings.iter().map(|mapping| mapping.snapshot.clone()).collect())
}

pub fn calls(rig: &Rig, action: Action) -> usize {
    rig.lab.calls().iter().filter(|call| call.operation == Operation::Service(action)).count()
}

pub async fn fingerprint(rig: &Rig, image: &str, name: &str, more: &[&str]) -> Run {
    let record = rig.path(name);
    let args = ["fingerprint", image, "--record", &record, "--yes"];
    rig.run(&[&args, more].concat()).await
}

pub async fn prove(rig: &Rig, image: &str, more: &[&str]) -> Run {
    let record = rig.path("golden.json");
    let against = ["--record", record.as_str()];
    let against = if more.contains(&"--source") { &[][..] } else { &against };
    rig.run(&[&["prove", image, "--yes"], against, more].concat()).await
}

/// The report that counts: the last one before the summary.
pub fn proof(run: &Run) -> Value {
    let lines = run.lines();
    let report = lines[lines.len() - 2].clone();
    assert_eq!(report["type"], "prove", "{run:?}");
    report
}

/// Verdict and reasons of each volume.
pub fn verdicts(run: &Run) -> Vec<(String, String, Vec<String>)> {
    let of = |volume: &Value| {
        let text = |name: &str| volume[name].as_str().unwrap().to_owned();
        let reasons = volume["reasons"].as_array().unwrap().iter();
        (text("device"), text("verdict"), reasons.map(|reason| reason["code"].as_str().unwrap().to_owned()).collect())
    };
    proof(run)["volumes"].as_array().unwrap().iter().map(of).collect()
}

/// The reasons of the first volume, which is unknown.
pub fn reasons(run: &Run) -> Vec<String> {
    let (_, verdict, reasons) = verdicts(run).remove(0);
    assert_eq!(verdict, "unknown", "{run:?}");
    reasons
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_has_what_was_stored_and_one_changed_byte_is_named() {
    let rig = Rig::new().await;
    rig.lab.clear_calls();
    let run = fingerprint(&rig, AMI, "golden.json", &[]).await;
    run.assert_exit(0);
    let written = run.lines().into_iter().rfind(|line| line["type"] == "fingerprint").unwrap();
    assert_eq!(written["outcome"], "written");
    let volumes = written["volumes"].as_array().unwrap();
    assert_eq!(volumes.len(), 3);
    // The lab lists every block of its disk images, and the block behind the boot record is zeros.
    assert_eq!((&volumes[0]["listed_blocks"], &volumes[0]["blocks"]), (&16.into(), &15.into()));
    let listed: u64 = volumes.iter().map(|volume| volume["listed_blocks"].as_u64().unwrap()).sum();
    assert_eq!(calls(&rig, Action::GetSnapshotBlock) as u64, listed, "one request for each block");
    assert_eq!(calls(&rig, Action::ListSnapshotBlocks), 3, "and one for each listing");
    let stats = &written["stats"];
    assert_eq!((stats["block_reads"].as_u64(), stats["retries"].as_u64()), (Some(listed), Some(0)));
    assert_eq!(stats["requests"].as_u64(), Some(rig.lab.calls().len() as u64));

    let image = restored(&rig).await;
    rig.lab.clear_calls();
    let run = prove(&rig, &image, &[]).await;
    run.assert_exit(0);
    let report = proof(&run);
    assert_eq!((&report["verdict"], &report["against"]), (&"pass".into(), &"record".into()));
    assert_eq!(report["expected_image"], AMI);
    let proved = report["volumes"].as_array().unwrap();
    for (volume, recorded) in proved.iter().zip(volumes) {
        assert_eq!(volume["content_sha256"], recorded["content_sha256"]);
        assert_eq!(volume["same_blocks"], recorded["blocks"], "blocks of zeros were not restored");
        assert_eq!((&volume["reasons"], &volume["differences"]), (&Value::from([(); 0]), &Value::from([(); 0])));
    }
    let read: u64 = volumes.iter().map(|volume| volume["blocks"].as_u64().unwrap()).sum();
    assert_eq!((calls(&rig, Action::GetSnapshotBlock) as u64, calls(&rig, Action::ListSnapshotBlocks)), (read, 3));

    // One byte of one block of the second volume.
    let changed = snapshots(&rig, &image)[1].clone();
    rig.lab.flip_in_snapshot(REGION, &changed, 7 * 524_288 + 12_345, 0x40).unwrap();
    rig.lab.clear_calls();
    let run = prove(&rig, &image, &[]).await;
    run.assert_exit(1);
    let report = proof(&run);
    let volumes = report["volumes"].as_array().unwrap();
    assert_eq!((&volumes[0]["verdict"], &volumes[2]["verdict"]), (&"pass".into(), &"pass".into()));
    assert_eq!((&volumes[1]["device"], &volumes[1]["verdict"]), (&"/dev/sdb".into(), &"fail".into()));
    assert_eq!(volumes[1]["differing_blocks"], 1);
    let differences = volumes[1]["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1);
    assert_eq!((&differences[0]["block"], &differences[0]["offset_bytes"]), (&7.into(), &(7 * 524_288).into()));
    assert_ne!(differences[0]["expected_sha256"], differences[0]["observed_sha256"]);
    let again = (calls(&rig, Action::GetSnapshotBlock) as u64, calls(&rig, Action::ListSnapshotBlocks));
    assert_eq!(again, (read + 1, 4), "the block was listed and read a second time");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_itself_is_another_reference() {
    let rig = Rig::new().await;
    let image = restored(&rig).await;
    rig.lab.clear_calls();
    let run = prove(&rig, &image, &["--source", AMI]).await;
    run.assert_exit(0);
    let report = proof(&run);
    assert_eq!((&report["against"], &report["volumes"][0]["expected_gib"]), (&"image".into(), &8.into()));
    assert_eq!(calls(&rig, Action::ListSnapshotBlocks), 6);
    rig.lab.flip_in_snapshot(REGION, &snapshots(&rig, AMI)[2], 0, 1).unwrap();
    let run = prove(&rig, &image, &["--source", AMI]).await;
    run.assert_exit(1);
    assert_eq!(verdicts(&run)[2].1, "fail");
    assert_eq!(proof(&run)["volumes"][2]["differences"][0]["offset_bytes"], 0);
    let itself = prove(&rig, AMI, &["--source", AMI]).await;
    itself.assert_exit(2);
    assert!(itself.stderr.contains("is the AMI that is to be proved"), "{itself:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshots_that_were_recorded_prove_no_restore() {
    let rig = Rig::new().await;
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    // Another AMI over the same snapshots, of which one was made anew.
    let mixed = twin(&rig, AMI);
    let own = snapshots(&rig, &mixed).remove(1);
    rig.ec2(|state| {
        let mut mappings = state.images[AMI].mappings.clone();
        mappings[1].snapshot = own;
        state.images.get_mut(&mixed).unwrap().mappings = mappings;
    });
    rig.lab.clear_calls();
    let read = || (calls(&rig, Action::ListSnapshotBlocks), calls(&rig, Action::GetSnapshotBlock));
    let same = ("unknown".to_owned(), vec!["same_snapshot".to_owned()]);
    let pass = ("pass".to_owned(), vec![]);
    let found =
        |run: &Run| verdicts(run).into_iter().map(|(_, verdict, reasons)| (verdict, reasons)).collect::<Vec<_>>();
    let run = prove(&rig, AMI, &[]).await;
    run.assert_exit(3);
    assert_eq!((found(&run), read()), (vec![same.clone(); 3], (0, 0)));
    for source in [&[][..], &["--source", AMI]] {
        let run = prove(&rig, &mixed, source).await;
        run.assert_exit(3);
        assert_eq!(found(&run), [same.clone(), pass.clone(), same.clone()], "{run:?}");
    }
    assert_eq!(read(), (1 + 2, 16 + 2 * 16), "only the snapshot of its own is read");
}

#[tokio::test(flavor = "multi_thread")]
async fn zeros_and_unwritten_blocks_are_the_same() {
    let rig = Rig::new().await;
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    let image = restored(&rig).await;
    let root = snapshots(&rig, &image)[0].clone();
    // A byte is flipped twice: the block is written, and zeros.
    rig.lab.flip_in_snapshot(REGION, &root, 524_288 + 5, 1).unwrap();
    let run = prove(&rig, &image, &[]).await;
    run.assert_exit(1);
    assert_eq!(proof(&run)["volumes"][0]["differences"][0]["block"], 1, "a block that should be zeros");
    rig.lab.flip_in_snapshot(REGION, &root, 524_288 + 5, 1).unwrap();
    prove(&rig, &image, &[]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_and_volumes_that_differ_have_their_names() {
    let rig = Rig::new().await;
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    let image = restored(&rig).await;
    let root = snapshots(&rig, &image)[0].clone();
    let resize = |gib| rig.ec2(|state| state.snapshots.get_mut(&root).unwrap().size = Some(gib));
    resize(9);
    let run = prove(&rig, &image, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["size_differs"]);
    assert!(run.stdout.contains("the volume has 9 GiB, and 8 GiB are expected"), "{run:?}");
    // A byte behind the end of the recorded volume.
    rig.lab.flip_in_snapshot(REGION, &root, (8 << 30) + 1, 1).unwrap();
    let run = prove(&rig, &image, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["size_differs", "beyond_end"]);
    assert!(run.stdout.contains("block 16384, which is behind the end"), "{run:?}");
    resize(8);
    let run = prove(&rig, &image, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["beyond_end"], "also if the snapshot lists a block behind its own end");
    rig.lab.flip_in_snapshot(REGION, &root, (8 << 30) + 1, 1).unwrap();
    resize(1);
    let run = prove(&rig, &image, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["size_differs"], "smaller, and all content is inside");

    resize(8);
    // The same snapshot, of which an instance gets a larger volume.
    let map = |gib| rig.ec2(|state| state.images.get_mut(&image).unwrap().mappings[0].size = Some(gib));
    map(30);
    for source in [&[][..], &["--source", AMI]] {
        let run = prove(&rig, &image, source).await;
        run.assert_exit(3);
        assert_eq!(reasons(&run), ["size_differs"], "{source:?}");
        assert!(run.stdout.contains("an instance gets a volume of 30 GiB, and 8 GiB are expected"), "{run:?}");
    }
    map(8);
    prove(&rig, &image, &[]).await.assert_exit(0);
    let rename = |from: &str, to: &str| {
        rig.ec2(|state| {
            let mappings = &mut state.images.get_mut(&image).unwrap().mappings;
            mappings.iter_mut().find(|mapping| mapping.device == from).unwrap().device = to.to_owned();
        });
    };
    rename("/dev/sdb", "/dev/sdx");
    let run = prove(&rig, &image, &[]).await;
    run.assert_exit(1);
    let of = |device: &str, verdict: &str, reasons: &[&str]| {
        (device.to_owned(), verdict.to_owned(), reasons.iter().map(|reason| (*reason).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(
        verdicts(&run),
        [
            of("/dev/sda1", "pass", &[]),
            of("/dev/sdb", "fail", &["volume_missing"]),
            of("/dev/sdc", "pass", &[]),
            of("/dev/sdx", "fail", &["volume_added"]),
        ]
    );
    rename("/dev/sdx", "/dev/sdb");
    rig.ec2(|state| state.images.get_mut(&image).unwrap().ephemeral = 2);
    let run = prove(&rig, &image, &[]).await;
    run.assert_exit(0);
    assert!(run.stdout.contains("2 block device mappings are no EBS volumes"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_finds_differences_and_proves_nothing() {
    let rig = Rig::new().await;
    let volumes = vec![VolumeSpec { sparse: Some(8), full_bytes: Some(1 << 27), ..VolumeSpec::new("/dev/xvda", 1) }];
    let image = rig.lab.create_image(REGION, ImageSpec { volumes, ..ImageSpec::new("sparse") });
    fingerprint(&rig, &image, "golden.json", &["--block-rate", "1000"]).await.assert_exit(0);
    let image = twin(&rig, &image);
    rig.lab.clear_calls();
    let run = prove(&rig, &image, &["--sample", "25%", "--block-rate", "1000"]).await;
    run.assert_exit(3);
    assert_eq!((reasons(&run), calls(&rig, Action::GetSnapshotBlock)), (vec!["sampled".to_owned()], 64));
    let report = proof(&run);
    let volume = &report["volumes"][0];
    assert_eq!((&volume["same_blocks"], &volume["skipped_blocks"]), (&64.into(), &192.into()));
    assert_eq!((&report["detectable_blocks"], &report["sample"]), (&11.into(), &"25%".into()));
    assert_eq!(volume["content_sha256"], Value::Null);
    rig.lab.clear_calls();
    // $0.0003 for 100 blocks, and less for the listing.
    let run = prove(&rig, &image, &["--max-cost", "0.000301", "--block-rate", "1000"]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["limited"]);
    let read = calls(&rig, Action::GetSnapshotBlock);
    assert!((95..=100).contains(&read), "{read}");
    assert!(run.stdout.contains(&format!("{read} of 256 blocks were compared")), "{run:?}");
    prove(&rig, &image, &["--max-cost", "1", "--block-rate", "1000"]).await.assert_exit(0);
    // Every block differs in the same byte, so that any sample finds one.
    let snapshot = snapshots(&rig, &image).remove(0);
    for block in 0..2_048 {
        rig.lab.flip_in_snapshot(REGION, &snapshot, block * 524_288, 1).unwrap();
    }
    let run = prove(&rig, &image, &["--sample", "2/100"]).await;
    run.assert_exit(1);
    assert!(proof(&run)["volumes"][0]["differing_blocks"].as_u64().unwrap() > 10, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn very_many_differences_end_the_reading() {
    let rig = Rig::new().await;
    let make = |name: &str, sparse| {
        let full_bytes = Some(1 << 30);
        let volumes = vec![VolumeSpec { sparse: Some(sparse), full_bytes, ..VolumeSpec::new("/dev/xvda", 1) }];
        rig.lab.create_image(REGION, ImageSpec { volumes, ..ImageSpec::new(name) })
    };
    let (one, other) = (make("one", 1_000), make("other", 1));
    fingerprint(&rig, &one, "golden.json", &[]).await.assert_exit(0);
    let run = prove(&rig, &other, &["--block-rate", "1000"]).await;
    run.assert_exit(1);
    let volume = proof(&run)["volumes"][0].clone();
    assert_eq!((&volume["differing_blocks"], &volume["reasons"][0]["code"]), (&1_000.into(), &"stopped".into()));
    assert_eq!(volume["differences"].as_array().unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reads_no_block_and_says_what_it_takes() {
    let rig = Rig::new().await;
    let run = rig.run(&["fingerprint", AMI, "--record", &rig.path("golden.json"), "--dry-run"]).await;
    run.assert_exit(0);
    let plan = line(&run, "fingerprint");
    // The lab's snapshots state that a quarter of their 29 GiB is written.
    let estimate = &plan["estimate"];
    assert_eq!((&plan["outcome"], &estimate["blocks_most"]), (&"planned".into(), &14_848.into()));
    assert_eq!((&estimate["seconds_most"], &estimate["block_rate"]), (&30.into(), &500.into()));
    let dollars = estimate["dollars_most"].as_f64().unwrap();
    assert!((dollars - 14_848.0 * 0.000_003).abs() < 0.0001, "{dollars}");
    assert_eq!(calls(&rig, Action::GetSnapshotBlock) + calls(&rig, Action::ListSnapshotBlocks), 0);
    assert!(!std::path::Path::new(&rig.path("golden.json.blocks")).exists());
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    let image = twin(&rig, AMI);
    rig.lab.clear_calls();
    let run = rig.run(&["prove", &image, "--record", &rig.path("golden.json"), "--dry-run"]).await;
    run.assert_exit(0);
    assert_eq!((&line(&run, "prove")["started"], rig.lab.calls().len()), (&false.into(), 2));
    // Without a terminal, nothing is read unless that was agreed to.
    let run = rig.run(&["prove", &image, "--record", &rig.path("golden.json")]).await;
    run.assert_exit(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_and_sidecars_that_do_not_fit_are_refused() {
    let rig = Rig::new().await;
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    let (record, sidecar) = (rig.path("golden.json"), rig.path("golden.json.blocks"));
    let (text, digests) = (std::fs::read_to_string(&record).unwrap(), std::fs::read(&sidecar).unwrap());
    rig.lab.clear_calls();
    let refused = async |problem: &str| {
        let run = prove(&rig, AMI, &[]).await;
        run.assert_exit(2);
        assert!(run.stderr.contains(problem), "{problem}: {run:?}");
    };
    std::fs::write(&record, text.replace("\"gib\":8", "\"gib\":7")).unwrap();
    refused("is damaged or was edited").await;
    std::fs::write(&record, &text).unwrap();
    for (at, problem) in [(0, "not the one"), (100, "not the one"), (digests.len() - 1, "not the one")] {
        let mut changed = digests.clone();
        changed[at] ^= 1;
        std::fs::write(&sidecar, &changed).unwrap();
        refused(problem).await;
    }
    std::fs::write(&sidecar, &digests[..digests.len() - 24]).unwrap();
    refused("not the one").await;
    std::fs::remove_file(&sidecar).unwrap();
    refused("there is no such file").await;
    std::fs::write(&sidecar, &digests).unwrap();
    assert_eq!(rig.lab.calls().len(), 0);
    prove(&rig, &twin(&rig, AMI), &[]).await.assert_exit(0);
    // The record of a store is another document.
    let stored = rig.path("stored.json");
    rig.run(&["store", AMI, "--bucket", "archive", "--yes", "--record", &stored]).await.assert_exit(0);
    let run = rig.run(&["prove", AMI, "--record", &stored, "--yes"]).await;
    run.assert_exit(2);
    assert!(run.stderr.contains("is the record of a store, which holds no blocks"), "{run:?}");
    assert!(run.stderr.contains(&format!("`--source {AMI}` reads them at once")), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fingerprint_goes_on_where_it_ended() {
    let rig = Rig::with(LabOptions::default(), TaskPace::Polls(0)).await;
    let volumes = vec![VolumeSpec { sparse: Some(2), full_bytes: Some(1 << 30), ..VolumeSpec::new("/dev/xvda", 2) }];
    let image = rig.lab.create_image(REGION, ImageSpec { volumes, ..ImageSpec::new("sparse") });
    fingerprint(&rig, &image, "whole.json", &["--block-rate", "1000"]).await.assert_exit(0);
    // Killed three times, each as soon as some more blocks were kept.
    let sidecar = rig.path("golden.json.blocks");
    let length = || std::fs::metadata(&sidecar).map_or(0, |file| file.len());
    rig.lab.clear_calls();
    for _ in 0..3 {
        let before = length();
        let mut command = rig.command();
        command.args(["fingerprint", &image, "--record", &rig.path("golden.json"), "--yes"]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        while length() < before + 10_000 {
            tokio::task::yield_now().await;
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!std::path::Path::new(&rig.path("golden.json")).exists());
    }
    let run = fingerprint(&rig, &image, "golden.json", &["--block-rate", "1000"]).await;
    run.assert_exit(0);
    let written = run.lines().into_iter().rfind(|line| line["type"] == "fingerprint").unwrap();
    assert!(written["resumed_blocks"].as_u64().unwrap() >= 512, "{written}");
    let reads = calls(&rig, Action::GetSnapshotBlock);
    // After each kill, at most the blocks since the last mark and those in flight are read again.
    assert!((2_048..=2_048 + 3 * (256 + 48)).contains(&reads), "{reads}");
    let content = |name: &str| {
        let text = std::fs::read_to_string(rig.path(name)).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        record["fingerprint"]["volumes"].clone()
    };
    assert_eq!(content("golden.json"), content("whole.json"));
    let copy = twin(&rig, &image);
    prove(&rig, &copy, &["--block-rate", "1000"]).await.assert_exit(0);
    // Nothing is left to read.
    rig.lab.clear_calls();
    fingerprint(&rig, &image, "golden.json", &[]).await.assert_exit(0);
    let written_at = |name: &str| {
        let record: Value = serde_json::from_str(&std::fs::read_to_string(rig.path(name)).unwrap()).unwrap();
        record["fingerprint"]["written_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    let last_digest = std::fs::metadata(&sidecar).unwrap().modified().unwrap();
    let mut command = rig.command();
    command.args(["fingerprint", &image, "--record", &rig.path("golden.json"), "--yes"]);
    let told = Run::of(command).await;
    assert!(told.stdout.contains("nothing was read: an earlier run had read every block"), "{told:?}");
    assert_eq!((calls(&rig, Action::GetSnapshotBlock), calls(&rig, Action::ListSnapshotBlocks)), (0, 2));
    assert_eq!(written_at("golden.json"), jiff::Timestamp::try_from(last_digest).unwrap(), "not the time of this run");
    // Another AMI under the same name.
    let run = fingerprint(&rig, AMI, "golden.json", &[]).await;
    run.assert_exit(2);
    assert!(run.stderr.contains(&format!("golden.json: holds the record of {image}; name another file")), "{run:?}");
    let digests_of = rig.path("other.json.blocks");
    std::fs::copy(&sidecar, &digests_of).unwrap();
    let run = fingerprint(&rig, AMI, "other.json", &[]).await;
    run.assert_exit(2);
    assert!(run.stderr.contains("holds the digests of other snapshots; --force starts anew"), "{run:?}");
    // Refused at once, a new one leaves record and digests as they are.
    let before = (std::fs::read(rig.path("golden.json")).unwrap(), std::fs::read(&sidecar).unwrap());
    rig.deny("ebs:ListSnapshotBlocks");
    fingerprint(&rig, AMI, "golden.json", &["--force"]).await.assert_exit(4);
    rig.lab.allow_all();
    assert!(before == (std::fs::read(rig.path("golden.json")).unwrap(), std::fs::read(&sidecar).unwrap()));
    prove(&rig, &copy, &["--block-rate", "1000"]).await.assert_exit(0);
    fingerprint(&rig, AMI, "golden.json", &["--force"]).await.assert_exit(0);
    prove(&rig, &twin(&rig, AMI), &[]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_is_missing_is_a_fail_also_if_it_was_empty() {
    let rig = Rig::new().await;
    let empty = |state: &mut stored_ami_lab::ec2::Ec2State, id: &str| {
        let mappings = &mut state.images.get_mut(id).unwrap().mappings;
        mappings.push(stored_ami_lab::ec2::Mapping {
            device: "/dev/sdf".into(),
            snapshot: String::new(),
            size: Some(5),
        });
    };
    rig.ec2(|state| empty(state, AMI));
    let run = fingerprint(&rig, AMI, "golden.json", &[]).await;
    run.assert_exit(0);
    assert!(run.stdout.contains("/dev/sdf (5 GiB) has no snapshot"), "{run:?}");
    let image = twin(&rig, AMI);
    prove(&rig, &image, &[]).await.assert_exit(0);
    rig.ec2(|state| state.images.get_mut(&image).unwrap().mappings.truncate(3));
    for source in [&[][..], &["--source", AMI]] {
        let run = prove(&rig, &image, source).await;
        run.assert_exit(1);
        let missing = ("/dev/sdf".to_owned(), "fail".to_owned(), vec!["volume_missing".to_owned()]);
        assert_eq!(verdicts(&run)[3], missing, "{run:?}");
    }
    rig.ec2(|state| empty(state, &image));
    prove(&rig, &image, &[]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_volume() {
    let rig = Rig::new().await;
    let volumes = vec![VolumeSpec { sparse: Some(100), full_bytes: None, ..VolumeSpec::new("/dev/xvda", 16_384) }];
    let image = rig.lab.create_image(REGION, ImageSpec { volumes, ..ImageSpec::new("16 TiB") });
    let plan = rig.run(&["fingerprint", &image, "--record", &rig.path("golden.json"), "--dry-run"]).await;
    assert_eq!(line(&plan, "fingerprint")["estimate"]["blocks_most"], 33_554_432);
    let mut command = rig.command();
    command.args(["fingerprint", &image, "--record", &rig.path("golden.json"), "--yes", "--block-rate", "1000"]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let digests = std::path::PathBuf::from(rig.path("golden.json.blocks"));
    let mut peaks = Vec::new();
    // Each block has a run of its own: 48 bytes.
    for blocks in [512, 4_096] {
        while std::fs::metadata(&digests).map_or(0, |file| file.len()) < blocks * 48 {
            tokio::task::yield_now().await;
            assert!(child.try_wait().unwrap().is_none());
        }
        peaks.push(peak(&child).unwrap());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(peaks[1] < limit(64 * MIB) && peaks[1] < peaks[0] + 8 * MIB, "{peaks:?} bytes");
}
