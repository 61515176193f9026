//! Damage that an earlier run found stays visible, and a run that reaches nothing writes nothing.

use aws_sdk_s3::types::ChecksumAlgorithm;
use stored_ami_lab::Deny;

use crate::common::data;
use crate::rig::{BUCKET, Rig, target};

const KEY: &str = "ami-0123456789abcdef0.bin";
const PART: usize = 100_000;
const PLACE: &str = "bytes 100,000–199,999 (part 2 of 4)";

/// An object of four parts whose second one is damaged, which an audit has found.
async fn rig() -> Rig {
    let rig = Rig::new().await;
    let bytes = data(1, 4 * PART);
    let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
    let checksum = (ChecksumAlgorithm::Sha256, aws_sdk_s3::types::ChecksumType::Composite);
    rig.server.multipart(BUCKET, KEY, &parts, Some(checksum)).await;
    rig.lab.damage(BUCKET, KEY, PART as u64 + 7, 1).unwrap();
    rig.audit(&["--level", "bytes"]).await.assert_exit(1);
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_look_at_the_facts_hides_no_damage() {
    let rig = rig().await;
    let ledger = rig.text("l.db");
    let facts = rig.told(&["audit", "s3://archive", "--ledger", &ledger], 1).await;
    assert!(facts.contains(&format!("DAMAGED  {}  {PLACE}; ", target(KEY))), "{facts}");
    let list = rig.told(&["ledger", "list", &ledger], 0).await;
    assert!(list.contains(&format!("DAMAGED  {}  facts  {PLACE}: ", target(KEY))), "{list}");
    assert!(list.contains("and no read has proved these bytes since"), "{list}");
    let accepted = rig.told(&["ledger", "accept", &ledger, &target(KEY), "--reason", "meant"], 0).await;
    assert!(accepted.contains("DAMAGED") && accepted.contains("  accepted  400000 bytes"), "{accepted}");
    assert!(accepted.contains(PLACE), "{accepted}");
    let list = rig.told(&["ledger", "list", &ledger], 0).await;
    assert!(list.contains("DAMAGED") && !list.contains("ACCEPTED"), "{list}");
    let line = rig.server.run(&["ledger", "list", &ledger]).await.report();
    assert_eq!(line["trouble"]["verdict"], "fail");
    assert_eq!(line["trouble"]["damage"]["runs"][0]["first_byte"], 100_000);
    assert_eq!(line["entry"]["kind"], "acceptance");
    // A read that proves every byte ends it.
    rig.lab.damage(BUCKET, KEY, PART as u64 + 7, 1).unwrap();
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let line = rig.server.run(&["ledger", "list", &ledger]).await.report();
    assert!(line.get("trouble").is_none(), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_is_created_when_a_target_answers() {
    let rig = Rig::with(1).await;
    let ledger = rig.text("new.db");
    let audit = |target: &'static str| {
        let all = ["audit", target, "--ledger", &ledger].map(str::to_owned);
        let server = rig.server.clone();
        async move { server.run(&all.each_ref().map(String::as_str)).await }
    };
    audit("s3://no-such-bucket").await.assert_exit(4);
    assert!(!rig.path("new.db").exists());
    rig.lab.deny(Deny::action("s3:ListBucket"));
    audit("s3://archive").await.assert_exit(4);
    assert!(!rig.path("new.db").exists());
    rig.lab.allow_all();
    // An empty prefix is an answer, too.
    audit("s3://archive/none/").await.assert_exit(3);
    assert!(rig.path("new.db").exists());
    audit("s3://archive").await.assert_exit(0);
    assert_eq!(rig.server.run(&["ledger", "list", &ledger]).await.lines().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_was_read_twice_is_repaired_and_not_read_again() {
    let rig = rig().await;
    let told = rig.told(&["audit", "s3://archive", "--level", "bytes"], 1).await;
    assert!(told.contains("read twice") && !told.contains("read again"), "{told}");
    let head = rig.server.client.head_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    let etag = head.e_tag().unwrap().trim_matches('"').to_owned();
    assert!(told.contains(&format!("--replace-if {etag} --verify-destination")), "{told}");
}
