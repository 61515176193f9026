//! An object without bytes is not an AMI, at every audit level.

use crate::rig::{Audited, Rig, key, target};

#[tokio::test(flavor = "multi_thread")]
async fn at_every_level_with_a_ledger_and_without() {
    let rig = Rig::with(1).await;
    rig.put(&key(1), 1, 0).await;
    let list = rig.text("list.txt");
    std::fs::write(&list, target(&key(1))).unwrap();
    for level in ["facts", "sample", "bytes"] {
        for from in [&["s3://archive"][..], &["--list", &list]] {
            let ledger = rig.text(&format!("{level}{}.db", from.len()));
            let all = [&["audit", "--level", level], from].concat();
            // Twice with a ledger: the second run uses the entries of the first.
            for args in
                [all.clone(), [&all[..], &["--ledger", &ledger]].concat(), [&all[..], &["--ledger", &ledger]].concat()]
            {
                let run = Audited::of(rig.server.run(&args).await);
                let object = run.assert_exit(1).object(&key(1)).clone();
                assert_eq!(object["verdict"], "fail", "{args:?}");
                let size = object["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == "size");
                let size: Vec<_> = size.collect();
                assert_eq!((size.len(), &size[0]["verdict"]), (1, &serde_json::json!("fail")), "{args:?}: {object}");
            }
        }
    }
}
