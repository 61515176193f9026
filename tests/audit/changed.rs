//! Objects that were replaced or deleted: what shows them, and what can be done.

use stored_ami_lab::LabOptions;

use crate::common::data;
use crate::rig::{BUCKET, Rig, key, target};

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_object_is_shown_with_the_command_that_accepts_it() {
    let rig = Rig::with(3).await;
    let ledger = rig.text("l.db");
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    rig.put(&key(1), 77, 2_000).await;
    rig.delete(&key(2)).await;
    let page = rig.text("audit.html");
    let args = ["audit", "s3://archive", "--level", "bytes", "--ledger", &ledger, "--report", &page];
    let text = rig.told(&args, 1).await;
    let page = std::fs::read_to_string(page).unwrap();
    let accept = |number: u64| format!("stored-ami ledger accept {ledger} {} --reason REASON", target(&key(number)));
    for number in [1, 2] {
        assert_eq!(text.matches(&accept(number)).count(), 1, "{text}");
    }
    let of_page = format!("<span>accept</span> <span>{ledger}</span>");
    assert_eq!(page.matches(&of_page).count(), 2, "the page names the same ledger: {page}");
    let list = rig.told(&["ledger", "list", &ledger], 0).await;
    assert!(list.contains("REPLACED") && list.contains("replaced by other content: "), "{list}");
    assert!(list.contains("MISSING") && list.matches("PASS").count() == 1, "{list}");
    let lines = rig.server.run(&["ledger", "list", &ledger]).await.lines();
    let line = lines.iter().find(|line| line["entry"]["target"] == target(&key(1))).unwrap();
    assert_eq!(line["changed"]["change"], "replaced", "{line}");
    // The first entry was in order.
    let shown = rig.server.run(&["ledger", "show", &ledger, &target(&key(1))]).await.lines();
    assert_eq!((shown[0].get("changed"), &shown[1]["changed"]["change"]), (None, &"replaced".into()), "{shown:?}");
    assert!(rig.told(&["ledger", "show", &ledger, &target(&key(1))], 0).await.contains("REPLACED"));
    for number in [1, 2] {
        rig.told(&["ledger", "accept", &ledger, &target(&key(number)), "--reason", "meant"], 0).await;
    }
    let list = rig.told(&["ledger", "list", &ledger], 0).await;
    assert!(!list.contains("REPLACED") && list.matches("ACCEPTED").count() == 2, "{list}");
    let text = rig.told(&["audit", "s3://archive", "--level", "bytes", "--ledger", &ledger], 0).await;
    assert!(!text.contains("ledger accept"), "{text}");
}

/// Without a checksum of the whole object, equal parts under which both ETags matched show that the bytes differ.
#[tokio::test(flavor = "multi_thread")]
async fn a_multipart_object_that_was_replaced_is_so_once_it_is_read() {
    let rig = Rig::on(LabOptions { default_checksum: false, ..LabOptions::default() }).await;
    let put = async |seed: u64, part: usize| {
        let bytes = data(seed, 120_000);
        let parts: Vec<&[u8]> = bytes.chunks(part).collect();
        rig.server.multipart(BUCKET, &key(1), &parts, None).await;
    };
    put(1, 50_000).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    put(2, 50_000).await;
    let change = async |level: &str, exit: i32| {
        let run = rig.audit(&["--level", level]).await;
        run.assert_exit(exit).object(&key(1))["change"].as_str().unwrap().to_owned()
    };
    assert_eq!(change("facts", 3).await, "replaced_unclear", "nothing was read");
    assert_eq!(change("bytes", 1).await, "replaced");
    assert_eq!(change("facts", 1).await, "replaced", "the ledger has the parts");
    let list = rig.told(&["ledger", "list", &rig.text("l.db")], 0).await;
    assert!(list.contains("REPLACED") && list.contains("in the same parts"), "{list}");
    // The same bytes in other parts have another ETag, too.
    put(1, 40_000).await;
    assert_eq!(change("bytes", 3).await, "replaced_unclear");
}
