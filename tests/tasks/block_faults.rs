//! `fingerprint` and `prove` where EBS throttles, lets tokens expire, refuses, or answers with wrong bytes.

use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{Action, Deny, Fault, FaultRule, LabOptions, Operation, TaskPace};

use crate::blocks::{calls, fingerprint, proof, prove, reasons, snapshots, twin, verdicts};
use crate::rig::{AMI, REGION, Rig};

const GET: Operation = Operation::Service(Action::GetSnapshotBlock);
const LIST: Operation = Operation::Service(Action::ListSnapshotBlocks);

fn status(code: &'static str) -> Fault {
    Fault::Status { status: 400, code }
}

/// A lab with a record of its AMI, and an AMI that should have the same content.
async fn recorded(options: LabOptions) -> (Rig, String) {
    let rig = Rig::with(options, TaskPace::Polls(0)).await;
    fingerprint(&rig, AMI, "golden.json", &[]).await.assert_exit(0);
    let image = twin(&rig, AMI);
    rig.lab.clear_calls();
    (rig, image)
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_is_waited_out() {
    let (rig, restored) = recorded(LabOptions::default()).await;
    for code in [
        "RequestThrottledException:ACCOUNT_THROTTLED",
        "RequestThrottledException:DEPENDENCY_REQUEST_THROTTLED",
        "RequestThrottledException:RESOURCE_LEVEL_THROTTLE",
        "ThrottlingException",
    ] {
        rig.lab.script(FaultRule::new(GET, status(code)).times(2));
    }
    rig.lab.script(FaultRule::new(LIST, status("RequestThrottledException:ACCOUNT_THROTTLED")));
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(0);
    let report = proof(&run);
    assert_eq!((&report["stats"]["retries"], calls(&rig, Action::GetSnapshotBlock)), (&9.into(), 48 + 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_lower_limit_is_read_at_its_pace() {
    let (rig, restored) = recorded(LabOptions { block_reads_per_second: Some(20), ..LabOptions::default() }).await;
    let run = prove(&rig, &restored, &["--block-rate", "1000"]).await;
    run.assert_exit(0);
    assert!(proof(&run)["stats"]["retries"].as_u64().unwrap() > 0, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_expire_are_renewed() {
    let (rig, _) = recorded(LabOptions { block_token_reads: Some(60), ..LabOptions::default() }).await;
    let volumes = vec![VolumeSpec { sparse: Some(4), ..VolumeSpec::new("/dev/xvda", 1) }];
    let image = rig.lab.create_image(REGION, ImageSpec { volumes, ..ImageSpec::new("sparse") });
    rig.lab.clear_calls();
    fingerprint(&rig, &image, "sparse.json", &["--block-rate", "1000"]).await.assert_exit(0);
    let expired = rig.lab.calls().iter().filter(|call| call.operation == GET && call.status == 400).count();
    let read = rig.lab.calls().iter().filter(|call| call.operation == GET && call.status == 200).count();
    let lists = calls(&rig, Action::ListSnapshotBlocks);
    assert_eq!(read, 512);
    assert!((8..=48 * 9).contains(&expired), "{expired}");
    assert!((9..=30).contains(&lists), "the tokens of a page are renewed together: {lists}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_that_does_not_fit_is_never_a_pass() {
    let (rig, restored) = recorded(LabOptions::default()).await;
    let other = || Fault::OtherHeader {
        name: "x-amz-checksum",
        value: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(),
    };
    rig.lab.script(FaultRule::new(GET, other()));
    rig.lab.script(FaultRule::new(GET, Fault::FlipOnWire { offset: 99, mask: 1 }));
    prove(&rig, &restored, &[]).await.assert_exit(0);
    assert_eq!(calls(&rig, Action::GetSnapshotBlock), 50, "each was read again");
    for fault in [
        other(),
        Fault::FlipOnWire { offset: 99, mask: 1 },
        Fault::HeaderAbsent("x-amz-checksum"),
        Fault::OtherHeader { name: "x-amz-checksum-algorithm", value: "CRC32".to_owned() },
        Fault::OtherHeader { name: "x-amz-data-length", value: "4096".to_owned() },
    ] {
        rig.lab.clear_script();
        rig.lab.script(FaultRule::new(GET, fault.clone()).always());
        let run = prove(&rig, &restored, &[]).await;
        run.assert_exit(3);
        assert_eq!(reasons(&run), ["protocol"], "{fault}");
        let run = fingerprint(&rig, AMI, "other.json", &["--force"]).await;
        run.assert_exit(4);
        assert!(!std::path::Path::new(&rig.path("other.json")).exists(), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_answers_are_read_again() {
    let (rig, restored) = recorded(LabOptions::default()).await;
    for fault in [
        Fault::ResetAfter(100_000),
        Fault::CloseAfter(1),
        Fault::TooShort(7),
        Fault::Dropped,
        Fault::Status { status: 500, code: "InternalServerException" },
        Fault::Status { status: 503, code: "ServiceUnavailable" },
    ] {
        rig.lab.script(FaultRule::new(GET, fault));
    }
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(0);
    assert_eq!(proof(&run)["stats"]["retries"], 6);
    // So are listings.
    for fault in [Fault::ResetAfter(1_000), Fault::CloseAfter(1), Fault::Dropped] {
        rig.lab.script(FaultRule::new(LIST, fault));
    }
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(0);
    assert_eq!(proof(&run)["stats"]["retries"], 3);
    rig.lab.script(FaultRule::new(GET, Fault::TooLong(1)).always());
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["protocol"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_unknown_for_its_reason() {
    let (rig, restored) = recorded(LabOptions::default()).await;
    let root = snapshots(&rig, &restored).remove(0);
    for (action, expected) in [("ebs:ListSnapshotBlocks", "not_permitted"), ("ebs:GetSnapshotBlock", "not_permitted")] {
        rig.lab.deny(Deny::action(action).under(&root));
        let run = prove(&rig, &restored, &[]).await;
        run.assert_exit(3);
        assert_eq!(reasons(&run), [expected], "{action}");
        assert!(run.stdout.contains(&format!("needs {action}")), "{run:?}");
        assert_eq!(verdicts(&run)[1].1, "pass", "the other volumes are proved");
        rig.lab.allow_all();
    }
    let change = |change: &dyn Fn(&mut stored_ami_lab::ec2::SnapshotRecord)| {
        rig.ec2(|state| change(state.snapshots.get_mut(&root).unwrap()));
    };
    change(&|snapshot| snapshot.encrypted = true);
    prove(&rig, &restored, &[]).await.assert_exit(0);
    rig.deny("kms:Decrypt");
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["key_denied"]);
    rig.lab.allow_all();
    change(&|snapshot| snapshot.state = "pending".to_owned());
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["snapshot_not_ready"]);
    let run = fingerprint(&rig, &restored, "other.json", &[]).await;
    run.assert_exit(4);
    assert!(run.stdout.contains("is pending"), "{run:?}");
    change(&|snapshot| snapshot.state = "completed".to_owned());
    change(&|snapshot| snapshot.tier = "archive".to_owned());
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["snapshot_not_ready"]);
    change(&|snapshot| snapshot.tier = "standard".to_owned());
    // It disappears between the description and the reading.
    rig.lab.script(
        FaultRule::new(GET, Fault::Status { status: 404, code: "ResourceNotFoundException:SNAPSHOT_NOT_FOUND" })
            .key_contains(&root)
            .always(),
    );
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["snapshot_gone"]);
    rig.lab.clear_script();
    rig.ec2(|state| state.snapshots.remove(&root));
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["snapshot_gone"]);
    rig.ec2(|state| state.images.remove(&restored));
    prove(&rig, &restored, &[]).await.assert_exit(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_that_cannot_be_read_again_is_no_fail() {
    let (rig, restored) = recorded(LabOptions::default()).await;
    let root = snapshots(&rig, &restored).remove(0);
    rig.lab.flip_in_snapshot(REGION, &root, 3 * 524_288, 1).unwrap();
    // The first listing of each volume, and then no more of the root's.
    let rule = FaultRule::new(LIST, status("ValidationException:INVALID_PARAMETER_VALUE"));
    rig.lab.script(rule.key_contains(&root).skip(1).always());
    let run = prove(&rig, &restored, &[]).await;
    run.assert_exit(3);
    assert_eq!(reasons(&run), ["unconfirmed"]);
    assert!(run.stdout.contains("block 3 differs, and could not be read a second time"), "{run:?}");
    rig.lab.clear_script();
    prove(&rig, &restored, &[]).await.assert_exit(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_keeps_what_was_read() {
    let rig = Rig::new().await;
    let rule = FaultRule::new(GET, status("ValidationException:INVALID_PARAMETER_VALUE"));
    let last = snapshots(&rig, AMI).remove(2);
    rig.lab.script(rule.key_contains(&format!("{last}/blocks/8")).always());
    let run = fingerprint(&rig, AMI, "golden.json", &[]).await;
    run.assert_exit(4);
    assert!(
        run.stderr.contains("golden.json.blocks: every block that was read; go on with: stored-ami fingerprint "),
        "{run:?}"
    );
    rig.lab.clear_script();
    rig.lab.clear_calls();
    let run = fingerprint(&rig, AMI, "golden.json", &[]).await;
    run.assert_exit(0);
    assert_eq!(calls(&rig, Action::GetSnapshotBlock), 8, "from the block that failed on: {run:?}");
    prove(&rig, &twin(&rig, AMI), &[]).await.assert_exit(0);
}
