//! Impossible statements about an object to restore, and incomplete responses.

use stored_ami::record::Record;
use stored_ami_lab::Operation;

use crate::between::Between;
use crate::common::Run;
use crate::rig::{BUCKET, KEY, OBJECT, Rig};

const GIB: u64 = 1 << 30;

async fn preflight(rig: &Rig, more: &[&str]) -> Run {
    rig.run(&[&["preflight", "restore", OBJECT, "--name", "gold"], more].concat()).await
}

fn retag(rig: &Rig, bytes: Option<&str>) {
    rig.lab
        .with_object(BUCKET, KEY, |object| {
            object.tags.retain(|(name, _)| bytes.is_some() || !name.starts_with("stored-ami:"));
            for (_, value) in object.tags.iter_mut().filter(|(name, _)| name == "stored-ami:volume-bytes") {
                *value = bytes.unwrap().to_owned();
            }
        })
        .unwrap();
}

/// Volumes have whole GiB, so any other size is ignored, whatever its source.
#[tokio::test(flavor = "multi_thread")]
async fn a_size_that_volumes_cannot_have_is_unknown() {
    let rig = Rig::new().await;
    let record = rig.path("record.json");
    rig.run(&["store", crate::rig::AMI, "--bucket", BUCKET, "--yes", "--record", &record]).await.assert_exit(0);
    rig.deregister();
    let assert = |run: &Run, verdict: &str, text: &str| {
        assert_eq!(run.verdict("image-size"), verdict, "{run:?}");
        let finding = run.finding("image-size");
        let said = format!("{}{}", finding["source"], finding["reason"]["detail"]);
        assert!(said.contains(text), "{text}: {said}");
    };
    let weakest = "tags of the object, the weakest basis: whoever may tag the object can change them";
    assert(&preflight(&rig, &[]).await, "pass", weakest);
    let impossible = "can be no size of volumes, which come in whole GiB";
    for (stated, text) in [
        ("1", impossible),
        ("0", impossible),
        ("1073741823", impossible),
        ("1073741825", impossible),
        ("31138512895", impossible),
        ("-1073741824", "`-1073741824` is no number of bytes"),
        ("29 GiB", "`29 GiB` is no number of bytes"),
        ("", "`` is no number of bytes"),
    ] {
        retag(&rig, Some(stated));
        let run = preflight(&rig, &[]).await;
        run.assert_exit(3);
        assert(&run, "unknown: not_stated", text);
        assert(&run, "unknown: not_stated", "the weakest basis");
    }
    // A better source counts, whatever the weaker one states.
    assert(&preflight(&rig, &["--record", &record]).await, "pass", "record.json");
    assert(&preflight(&rig, &["--logical-size", "29GiB"]).await, "pass", "--logical-size");
    for size in ["1", "0", "10GB", "29GB"] {
        let run = preflight(&rig, &["--logical-size", size]).await;
        run.assert_exit(3);
        assert(&run, "unknown: not_stated", "--logical-size: ");
    }
    // Tags have the lowest precedence.
    retag(&rig, Some(&(6_000 * GIB).to_string()));
    let run = preflight(&rig, &[]).await;
    assert(&run, "unknown: ambiguous", weakest);
    assert(&run, "unknown: ambiguous", "lies between");
    assert(&preflight(&rig, &["--logical-size", "29GiB"]).await, "pass", "--logical-size");

    let text = std::fs::read_to_string(&record).unwrap();
    for bytes in [0, 1, 29 * GIB + 1] {
        let known = Record { volume_bytes: Some(bytes), ..Record::from_json(&text).unwrap() };
        std::fs::write(&record, known.to_json().unwrap()).unwrap();
        retag(&rig, None);
        let run = preflight(&rig, &["--record", &record]).await;
        run.assert_exit(3);
        assert(&run, "unknown: not_stated", impossible);
        // The next source is used, and the record is mentioned in a note.
        assert(&preflight(&rig, &["--record", &record, "--logical-size", "29GiB"]).await, "pass", impossible);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_object_fails_by_its_size() {
    for key in [KEY, "dr/ami-0123456789abcdef0.bin", "dr/golden.img"] {
        let rig = Rig::new().await;
        rig.server.put(BUCKET, key, b"", None).await;
        rig.lab.clear_calls();
        let target = format!("s3://{BUCKET}/{key}");
        for command in
            [&["preflight", "restore", &target, "--name", "gold"][..], &["restore", &target, "--name", "gold", "--yes"]]
        {
            let run = rig.run(command).await;
            run.assert_exit(1);
            assert_eq!((run.verdict("size"), run.verdict("readable")), ("fail".into(), "unknown: not_stated".into()));
            assert!(!run.stdout.contains("one byte was read"), "{run:?}");
        }
        assert!(rig.starts().is_empty());
        assert!(rig.lab.calls().iter().all(|call| call.operation != Operation::GetObject));
    }
}

/// A server may ignore the expected owner. Then the owner of the bucket is not known, and a note states that.
#[tokio::test(flavor = "multi_thread")]
async fn an_expected_owner_that_is_ignored_is_said() {
    let rig = Rig::new().await;
    rig.store().await;
    let between = Between::without_header(&rig.lab.endpoint(), "x-amz-expected-bucket-owner:");
    let listing = format!("s3://{BUCKET}");
    for (command, exit) in [
        (&["preflight", "restore", OBJECT, "--name", "gold"][..], 0),
        (&["verify", OBJECT], 0),
        (&["inspect", OBJECT], 0),
        (&["audit", &listing], 0),
    ] {
        for owner in ["123456789012", "999999999999"] {
            let args = [command, &["--expected-bucket-owner", owner]].concat();
            let mut ignoring = rig.command();
            ignoring.args(&args).arg("--json").env("AWS_ENDPOINT_URL", &between.endpoint);
            let run = Run::of(ignoring).await;
            assert_eq!(run.exit, Some(exit), "{args:?}: {run:?}");
            let said = format!("nothing shows that the bucket belongs to {owner}");
            assert!(run.stdout.contains("ignores the expected bucket owner") && run.stdout.contains(&said), "{run:?}");
        }
        // The lab checks it, like S3.
        let run = rig.run(&[command, &["--expected-bucket-owner", "123456789012"]].concat()).await;
        assert_eq!(run.exit, Some(exit), "{run:?}");
        assert!(!run.stdout.contains("expected bucket owner"), "{run:?}");
        let run = rig.run(&[command, &["--expected-bucket-owner", "999999999999"]].concat()).await;
        assert!(run.exit != Some(0), "{command:?}: {run:?}");
    }
    // One additional request if an owner is expected.
    let heads = async |more: &[&str]| {
        rig.lab.clear_calls();
        rig.run(&[&["inspect", OBJECT], more].concat()).await;
        rig.lab.calls().iter().filter(|call| call.operation == Operation::HeadObject).count()
    };
    assert_eq!(heads(&["--expected-bucket-owner", "123456789012"]).await, heads(&[]).await + 1);
}
