//! A record is never replaced by that of another AMI, and a damaged object is named with its copies.

use stored_ami::record::Record;
use stored_ami_lab::{Action, Fault, FaultRule, Operation};

use crate::between::Between;
use crate::common::Run;
use crate::rig::{AMI, BUCKET, KEY, OBJECT, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_another_ami_is_not_replaced() {
    let rig = Rig::new().await;
    let other = rig.create(None, "other", &[("/dev/sda1", 8)]);
    let record = rig.path("record.json");
    let store = |image: String, more: &'static [&'static str]| {
        let mut all: Vec<String> =
            ["store", &image, "--bucket", BUCKET, "--yes", "--record", &record].map(str::to_owned).into();
        all.extend(more.iter().map(|word| (*word).to_owned()));
        let server = rig.server.clone();
        async move { server.run(&all.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    store(AMI.to_owned(), &[]).await.assert_exit(0);
    let before = std::fs::read(&record).unwrap();
    rig.lab.clear_calls();
    let run = store(other.clone(), &[]).await;
    let says = format!("record.json: holds the record of {AMI}; name another file, or give --force to replace it");
    assert!(run.assert_exit(2).stderr.contains(&says), "{run:?}");
    assert_eq!(std::fs::read(&record).unwrap(), before);
    assert!(rig.lab.calls().is_empty());
    store(other, &["--force"]).await.assert_exit(0);
    assert_ne!(std::fs::read(&record).unwrap(), before);
}

/// The ETag of an existing copy may be kept nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_a_completed_store_is_not_replaced_by_one_elsewhere() {
    let rig = Rig::new().await;
    rig.server.bucket("second").await;
    let (record, list) = (rig.path("record.json"), rig.path("list"));
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes", "--record", &record]).await.assert_exit(0);
    let before = std::fs::read(&record).unwrap();
    std::fs::write(&list, format!("{AMI}\tsecond\t{record}\n")).unwrap();
    let elsewhere = ["store", AMI, "--bucket", "second", "--yes", "--record", &record];
    let path = ["store", AMI, "--bucket", &format!("{BUCKET}/old"), "--yes", "--record", &record];
    rig.lab.clear_calls();
    for args in [&elsewhere[..], &path, &["store", "--from", &list, "--yes"]] {
        let run = rig.server.run(args).await;
        let says = format!(
            "record.json: holds the record of the completed store in {OBJECT}; name another file, or give --force to \
             replace it"
        );
        assert!(run.assert_exit(2).stderr.contains(&says), "{run:?}");
        assert_eq!((std::fs::read(&record).unwrap() == before, rig.lab.calls().len()), (true, 0), "{args:?}");
    }
    rig.run(&[&elsewhere[..], &["--force"]].concat()).await.assert_exit(0);
    assert_ne!(std::fs::read(&record).unwrap(), before);
}

/// Two runs at once may name one file. Each checks it at the beginning, when the other one has not yet written there.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_another_run_wrote_meanwhile_is_not_replaced() {
    for (is_before_the_call, is_list) in [(true, false), (true, true), (false, false), (false, true)] {
        let rig = Rig::new().await;
        let other = rig.create(None, "other", &[("/dev/sda1", 8)]);
        let (record, theirs, list) = (rig.path("record.json"), rig.path("theirs.json"), rig.path("list"));
        rig.run(&["store", &other, "--bucket", BUCKET, "--yes", "--record", &theirs]).await.assert_exit(0);
        let theirs = std::fs::read_to_string(&theirs).unwrap();
        std::fs::write(&list, format!("{AMI}\t{BUCKET}\t{record}\n")).unwrap();
        rig.lab.clear_calls();
        let (path, text) = (record.clone(), theirs.clone());
        // The preflight makes the call as a dry run.
        let between = Between::answers(&rig.lab.endpoint(), "Action=CreateStoreImageTask", move |body, _, answer| {
            if body.contains("DryRun=true") == is_before_the_call {
                std::fs::write(&path, &text).unwrap();
            }
            answer
        });
        let mut command = rig.command();
        command.env("AWS_ENDPOINT_URL", &between.endpoint).args(["store", "--yes", "--json"]);
        match is_list {
            true => command.args(["--from", &list]),
            false => command.args([AMI, "--bucket", BUCKET, "--record", &record]),
        };
        let run = Run::of(command).await;
        run.assert_exit(4);
        let told = format!("{}{}", run.stdout, run.stderr);
        assert!(told.contains(&format!("the file holds the record of {other}")), "{run:?}");
        assert_eq!(std::fs::read_to_string(&record).unwrap(), theirs);
        if is_before_the_call {
            assert!(run.stdout.contains("the store was not started"), "{run:?}");
            assert!(rig.starts().is_empty());
        } else {
            // Nothing else keeps what only the object states.
            assert!(told.contains(&format!("it does not hold {OBJECT}, ETag ")), "{run:?}");
            assert_eq!(rig.starts().len(), 1);
        }
    }
}

/// The manifest of a proof may be the only value of an object that S3 stores none of.
#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_is_not_replaced_by_one_that_is_worth_less() {
    let rig = Rig::new().await;
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes"]).await.assert_exit(0);
    let (proper, kept) = (rig.path("proper.json"), rig.path("kept.json"));
    rig.run(&["verify", OBJECT, "--write-manifest", &proper]).await.assert_exit(0);
    let hide = |object: &mut stored_ami_lab::ObjectRecord| {
        object.checksum = None;
        object.encryption = stored_ami_lab::Encryption::Kms { key_id: "k".into(), bucket_key: false };
    };
    rig.lab.with_object(BUCKET, KEY, hide).unwrap();
    let write = ["verify", OBJECT, "--write-manifest", &kept];
    rig.run(&write).await.assert_exit(3);
    rig.lab.damage(BUCKET, KEY, 100, 1).unwrap();
    let other = rig.run(&write).await;
    assert!(other.assert_exit(4).stderr.contains("other digests for the same ETag and size"), "{other:?}");
    rig.lab.damage(BUCKET, KEY, 100, 1).unwrap();
    // A baseline takes the place of a baseline of the same bytes, and a proof that of a baseline.
    rig.run(&write).await.assert_exit(3);
    rig.run(&[&write[..], &["--manifest", &proper]].concat()).await.assert_exit(0);
    let before = std::fs::read(&kept).unwrap();
    let weaker = rig.run(&write).await;
    assert!(weaker.assert_exit(4).stderr.contains("a run that proved the bytes, and this run did not"), "{weaker:?}");
    assert_eq!(std::fs::read(&kept).unwrap(), before);
    // Also if the object was written again: what is there is the only value of what it was.
    rig.lab.with_object(BUCKET, KEY, |object| object.etag = "other".to_owned()).unwrap();
    let (again, state) = (rig.run(&[&write[..], &["--resume", &rig.path("state")]].concat()).await, rig.path("state"));
    assert!(again.assert_exit(4).stderr.contains("a run that proved the bytes, and this run did not"), "{again:?}");
    assert!(std::path::Path::new(&state).exists(), "what was read is not read again for the manifest");
    assert_eq!(std::fs::read(&kept).unwrap(), before);
    rig.run(&[&write[..], &["--force"]].concat()).await.assert_exit(3);
    assert_ne!(std::fs::read(&kept).unwrap(), before);
}

/// A call that EC2 certainly refused made no store, and so leaves no record of one.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_store_leaves_the_record_as_it_was() {
    let rig = Rig::new().await;
    rig.server.bucket("second").await;
    let (record, fresh) = (rig.path("record.json"), rig.path("fresh.json"));
    let again = ["store", AMI, "--bucket", BUCKET, "--yes", "--record", &record];
    rig.run(&again).await.assert_exit(0);
    let before = std::fs::read(&record).unwrap();
    // The object is gone, so that the same store is possible again.
    rig.server.client.delete_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    rig.ec2(|state| state.tasks.clear());
    let refused = Fault::Status { status: 400, code: "InvalidRequest" };
    let call = Operation::Service(Action::CreateStoreImageTask);
    // The preflight asks without tags.
    rig.lab.script(FaultRule::new(call, refused).key_contains("S3ObjectTag").always());
    let list = rig.path("list");
    std::fs::write(&list, format!("{AMI}\t{BUCKET}\t{record}\n")).unwrap();
    let elsewhere = ["store", AMI, "--bucket", "second", "--yes", "--force", "--record", &record];
    let anew = ["store", AMI, "--bucket", "second", "--yes", "--record", &fresh];
    for args in [&again[..], &elsewhere, &anew, &["store", "--from", &list, "--yes"]] {
        let called = rig.starts().len();
        let run = rig.run(args).await;
        assert!(run.exit != Some(0) && rig.starts().len() == called + 1, "{run:?}");
        assert!(std::fs::read(&record).unwrap() == before, "{args:?}");
        assert!(!std::path::Path::new(&fresh).exists(), "{args:?}");
        assert_eq!(crate::rig::line(&run, "summary")["files_written"], serde_json::json!([]), "{run:?}");
    }
    rig.lab.clear_script();
    rig.run(&["store", "--from", &list, "--yes"]).await.assert_exit(0);
    let kept = Record::from_json(&std::fs::read_to_string(&record).unwrap()).unwrap();
    let etag = rig.lab.with_object(BUCKET, KEY, |object| object.etag.clone()).unwrap();
    assert_eq!((kept.bucket.as_str(), kept.etag), (BUCKET, Some(etag)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_a_damaged_object_says_what_verify_says() {
    let rig = Rig::new().await;
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes"]).await.assert_exit(0);
    rig.lab.damage(BUCKET, KEY, 100, 1).unwrap();
    let told = |args: &'static [&'static str]| {
        let mut command = rig.server.command();
        command.args(args);
        Run::of(command)
    };
    let verify = told(&["verify", OBJECT]).await;
    let restore = told(&["preflight", "restore", OBJECT, "--name", "golden-2", "--verify"]).await;
    let damage = verify.assert_exit(1).stdout.lines().find_map(|line| line.strip_prefix("DAMAGED ")).unwrap();
    let text = &restore.assert_exit(1).stdout;
    assert!(text.contains(&format!("the restore cannot start: the object is damaged: {}", damage.trim())), "{text}");
    for label in ["  other copy  ", "  if AMI exists ", "  restore from", "do not restore from this object"] {
        assert!(verify.stdout.contains(label) && text.contains(label), "{label}: {text}");
    }
    assert!(!text.contains("prove the bytes first"), "{text}");
}

/// The cure comes before the way around it, and `preflight` starts nothing that could be called not started.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_condition_names_the_next_step_before_accept() {
    let rig = Rig::new().await;
    rig.lab.deny(stored_ami_lab::Deny::action("ec2:DescribeImages"));
    for args in [&["preflight", "store"][..], &["store", "--yes"]] {
        let mut command = rig.server.command();
        command.args(args).args([AMI, "--bucket", BUCKET]);
        let run = Run::of(command).await;
        let words = run.assert_exit(3).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("UNKNOWN whether the store can start is not known; not answered: image, "), "{words}");
        let at = |text: &str| words.find(text).unwrap_or_else(|| panic!("{text}: {words}"));
        assert!(at(" next ask for the permission") < at(" or --accept image,"), "{words}");
        assert!(!words.contains("not started"), "{words}");
    }
}
