//! `safe-to-delete`: objects that are not a copy of the AMI, whatever else they are.

use stored_ami_lab::{Action, BucketOptions, Fault, FaultRule, LabOptions, Operation, TaskPace};

use crate::between::Between;
use crate::common::{Run, data};
use crate::rig::{AMI, BUCKET, KEY, OTHER, REGION, Rig};

const IN: &str = "s3://archive";
const ACCOUNT: &str = "123456789012";

async fn safe(rig: &Rig, more: &[&str]) -> Run {
    let ledger = rig.path("l.db");
    rig.run(&[&["safe-to-delete", AMI, "--in", IN, "--ledger", &ledger], more].concat()).await
}

async fn prove(rig: &Rig) {
    let ledger = rig.path("l.db");
    rig.run(&["audit", IN, "--level", "bytes", "--max-age", "0d", "--ledger", &ledger]).await.assert_exit(0);
}

/// An object of this many bytes, proved by its own checksum.
async fn with_object(bytes: usize) -> Rig {
    let rig = Rig::new().await;
    rig.server.put(BUCKET, KEY, &data(1, bytes), None).await;
    prove(&rig).await;
    rig
}

fn assert_answer(run: &Run, answer: &str, exit: i32, because: &str) {
    assert_eq!(run.assert_exit(exit).report()["answer"], answer, "{run:?}");
    let told = run.report()["because"].to_string();
    assert!(told.contains(because), "{because}: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_another_ami_or_account_refute_it() {
    let rig = with_object(300_000).await;
    for (image, account, exit, answer, because) in [
        (AMI, ACCOUNT, 0, "may_go", ""),
        ("ami-00000000000000001", ACCOUNT, 1, "must_stay", "its tags name another AMI: ami-00000000000000001"),
        (AMI, OTHER, 1, "must_stay", "its tags name another account: 999999999999"),
        ("=ZZ", ACCOUNT, 3, "cannot_tell", "whether its tags name another AMI is not known"),
    ] {
        rig.tag_source(image, account);
        assert_answer(&safe(&rig, &[]).await, answer, exit, because);
    }
    // A completed store of the same key does not outweigh them.
    rig.tag_source(AMI, ACCOUNT);
    rig.deny("s3:GetObjectTagging");
    assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "needs s3:GetObjectTagging");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_that_cannot_be_leaves_it_open() {
    for bytes in [1, 100, 200_000] {
        let rig = with_object(bytes).await;
        rig.tag_source(AMI, ACCOUNT);
        assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, &format!("{bytes} bytes cannot hold the 7.25 GiB"));
        // Without the size of written blocks, that of the volumes counts.
        rig.snapshots(|snapshot| snapshot.full_bytes = None);
        assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "bytes cannot hold the 29 GiB of volumes");
    }
    let rig = with_object(64).await;
    rig.tag_source(AMI, ACCOUNT);
    rig.snapshots(|snapshot| snapshot.full_bytes = Some(0));
    assert_answer(&safe(&rig, &[]).await, "may_go", 0, "");
    let rig = with_object(300_000).await;
    rig.tag_source(AMI, ACCOUNT);
    rig.image(|image| image.mappings.clear());
    assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "whether it can hold the AMI is not known");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_store_leaves_it_open_and_each_trace_of_one_shows_it() {
    let rig = with_object(300_000).await;
    assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "record shows that ami-0123456789abcdef0");

    // A store task, and a record.
    let rig = Rig::new().await;
    let record = rig.path("record.json");
    rig.run(&["store", AMI, "--bucket", BUCKET, "--yes", "--record", &record]).await.assert_exit(0);
    prove(&rig).await;
    rig.lab.with_object(BUCKET, KEY, |object| object.tags.clear()).unwrap();
    assert_answer(&safe(&rig, &[]).await, "may_go", 0, "");
    rig.ec2(|state| state.tasks.clear());
    assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "no store task, store tags or record shows");
    assert_answer(&safe(&rig, &["--record", &record]).await, "may_go", 0, "");
    // A denied request proves nothing, and it is not known whether a store is in progress.
    rig.deny("ec2:DescribeStoreImageTasks");
    assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "store tasks: not permitted");
    rig.lab.allow_all();

    // Another object replaced it since.
    rig.server.put(BUCKET, KEY, &data(9, 300_000), None).await;
    let ledger = rig.path("l.db");
    let accept = ["ledger", "accept", &ledger, "s3://archive/ami-0123456789abcdef0.bin", "--reason", "meant"];
    rig.run(&["audit", IN, "--level", "bytes", "--ledger", &ledger]).await.assert_exit(1);
    rig.run(&accept).await.assert_exit(0);
    assert_answer(
        &safe(&rig, &["--record", &record]).await,
        "cannot_tell",
        3,
        "no store task, store tags or record shows",
    );

    // The record of another AMI does not apply.
    let other = rig.create(None, "another", &[("/dev/sda1", 1)]);
    let args = ["safe-to-delete", &other, "--in", IN, "--ledger", &ledger, "--record", &record];
    rig.run(&args).await.assert_exit(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ami_that_is_not_there_is_not_answered_with_yes() {
    let rig = with_object(300_000).await;
    rig.tag_source(AMI, ACCOUNT);
    rig.deny("ec2:DescribeImages");
    assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "the AMI could not be described");
    rig.lab.allow_all();
    for state in ["pending", "failed", "deregistered", "splendid"] {
        rig.image(|image| image.state = state.to_owned());
        assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, &format!("is `{state}`"));
    }
    rig.deregister();
    rig.lab.clear_calls();
    assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "there is no AMI ami-0123456789abcdef0");
    let reads = rig.lab.calls().into_iter().filter(|call| call.operation == Operation::HeadObject);
    assert_eq!(reads.count(), 0, "the AMI is described first");
}

/// The single byte is read from the examined state, never from another object.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_replaced_on_the_way_is_not_read_for_the_other() {
    let rig = with_object(300_000).await;
    rig.tag_source(AMI, ACCOUNT);
    // The first HEAD is that of the examination, the second one precedes the byte.
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::OtherETag("0123".into())).skip(1));
    rig.lab.clear_calls();
    assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "it was replaced during this check");
    let calls = rig.lab.calls();
    let read = |call: &&stored_ami_lab::CallRecord| call.operation == Operation::GetObject;
    assert_eq!(calls.iter().filter(read).count(), 0);
    // If nothing is replaced, the byte is read with the ETag of the examination.
    rig.lab.clear_script();
    rig.lab.clear_calls();
    assert_answer(&safe(&rig, &[]).await, "may_go", 0, "");
    let etag = rig.lab.with_object(BUCKET, KEY, |object| object.etag.clone()).unwrap();
    let calls = rig.lab.calls();
    let reads: Vec<_> = calls.iter().filter(read).collect();
    assert_eq!(reads.len(), 1);
    assert_eq!(reads[0].if_match.as_deref(), Some(format!("\"{etag}\"").as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_remove_the_copy_or_are_not_known_keep_the_ami() {
    let options = LabOptions { expiration_header: false, ..LabOptions::default() };
    let rig = Rig::with(options, TaskPace::Polls(0)).await;
    rig.server.put(BUCKET, KEY, &data(1, 300_000), None).await;
    rig.tag_source(AMI, ACCOUNT);
    prove(&rig).await;
    assert_answer(&safe(&rig, &[]).await, "may_go", 0, "");
    let rule = |days: u32| {
        format!(
            "<LifecycleConfiguration><Rule><ID>old</ID><Filter/><Status>Enabled</Status><Expiration><Days>{days}</Days>\
             </Expiration></Rule></LifecycleConfiguration>"
        )
    };
    for (days, exit, answer) in [(3, 1, "must_stay"), (89, 1, "must_stay"), (92, 0, "may_go")] {
        rig.lab.lifecycle(BUCKET, Some(&rule(days))).unwrap();
        assert_answer(&safe(&rig, &[]).await, answer, exit, if exit == 0 { "" } else { "lifecycle rule `old`" });
    }
    rig.deny("s3:GetLifecycleConfiguration");
    assert_answer(&safe(&rig, &[]).await, "cannot_tell", 3, "needs s3:GetLifecycleConfiguration");
}

/// Objects of the ledger are requested even if the listing lacks them.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_hides_the_copy_is_not_believed() {
    let rig = with_object(300_000).await;
    rig.tag_source(AMI, ACCOUNT);
    let hidden = [("Contents>", "Ignored>"), ("<KeyCount>1", "<KeyCount>0")];
    let lie = Fault::TextReplaced(hidden.map(|(from, to)| (from.to_owned(), to.to_owned())).into());
    rig.lab.script(FaultRule::new(Operation::ListObjectsV2, lie).always());
    assert_answer(&safe(&rig, &[]).await, "may_go", 0, "");
    rig.server.client.delete_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    assert_answer(&safe(&rig, &[]).await, "must_stay", 1, "there is no such object any more");
}

/// Rules of a policy that are not checked here are not ignored.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_demanded_and_not_judged_leaves_it_open() {
    let rig = with_object(300_000).await;
    rig.tag_source(AMI, ACCOUNT);
    let far = BucketOptions { region: Some("eu-west-1".into()), ..BucketOptions::default() };
    rig.lab.create_bucket("far", far).unwrap();
    let policy = rig.path("p.toml");
    std::fs::write(&policy, "[object]\nother-region = true\n").unwrap();
    let run = safe(&rig, &["--policy", &policy, "--in", "s3://far"]).await;
    assert_answer(&run, "cannot_tell", 3, "other-region is judged by `audit`");
    assert!(
        rig.lab.calls().iter().any(|call| call.operation == Operation::Service(Action::DescribeImages)),
        "{REGION}"
    );
}

/// The missing end of a truncated response might have changed the answer.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_end_early_leave_it_open() {
    let rig = with_object(300_000).await;
    rig.tag_source(AMI, ACCOUNT);
    assert_answer(&safe(&rig, &[]).await, "may_go", 0, "");
    for (action, end) in [
        ("Action=DescribeStoreImageTasks", "<storeImageTaskResultSet"),
        ("Action=DescribeImages", "<imagesSet>"),
        ("?tagging", "<TagSet>"),
        ("?tagging", "</Tag>"),
    ] {
        let between = Between::answers(&rig.lab.endpoint(), action, move |_, _, answer| {
            let at = answer.find(end).unwrap();
            let at = at + answer[at..].find('>').unwrap() + 1;
            answer[..at].replace("/>", ">")
        });
        let mut command = rig.command();
        command.args(["safe-to-delete", AMI, "--in", IN, "--ledger", &rig.path("l.db"), "--json"]);
        command.env("AWS_ENDPOINT_URL", &between.endpoint);
        let run = Run::of(command).await;
        assert!(between.seen() > 0 && run.exit == Some(3), "{action} {end}: {run:?}");
        assert_answer(&run, "cannot_tell", 3, "cut off");
    }
}
