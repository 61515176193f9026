//! `cost` of stored objects, and of AMIs that might be stored.

use aws_sdk_s3::types::StorageClass;
use serde_json::Value;

use crate::rig::{AMI, BUCKET, KEY, Rig};

fn line(report: &Value, item: &str, of: &str) -> Value {
    let mut lines = report["lines"].as_array().unwrap().iter();
    lines.find(|line| line["item"] == item && line["of"] == of).unwrap_or_else(|| panic!("{report:#}")).clone()
}

fn assert_dollars(value: &Value, dollars: f64) {
    assert!((value.as_f64().unwrap() - dollars).abs() < 1e-9, "{value} and {dollars}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_ami_before_its_store() {
    let rig = Rig::new().await;
    rig.resize(600, Some(100));
    let run = rig.run(&["cost", AMI]).await;
    run.assert_exit(0);
    let store = line(&run.report(), "store", "GetSnapshotBlock");
    assert_dollars(&store["dollars_least"], 0.6144 + 3.0 * 0.000_005);
    assert_dollars(&store["dollars_most"], 3.6864 + 10_002.0 * 0.000_005);
    assert!(rig.starts().is_empty());

    rig.resize(600, None);
    let run = rig.run(&["cost", AMI]).await;
    run.assert_exit(0);
    assert!(line(&run.report(), "restore", "PutSnapshotBlock").get("dollars_least").is_none());

    rig.deny("ec2:DescribeSnapshots");
    let run = rig.run(&["cost", AMI]).await;
    run.assert_exit(3);
    assert!(run.report()["notes"].to_string().contains("ec2:DescribeSnapshots"), "{run:?}");
    rig.run(&["cost", "ami-00000000"]).await.assert_exit(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_stored_object_by_its_tags() {
    let rig = Rig::new().await;
    rig.store().await;
    let target = format!("s3://{BUCKET}/{KEY}");
    let run = rig.run(&["cost", &target]).await;
    run.assert_exit(0);
    let report = run.report();
    assert_eq!(report["size"]["source"], "tags of the object");
    assert_eq!(line(&report, "keep", "STANDARD")["here"], true);
    assert_dollars(&line(&report, "restore", "PutSnapshotBlock")["dollars_most"], 29.0 * 2048.0 * 0.000_006);
    assert_eq!(rig.starts().len(), 1, "the store");

    rig.deny("s3:GetObjectTagging");
    let run = rig.run(&["cost", &target]).await;
    run.assert_exit(3);
    assert!(run.report()["notes"].to_string().contains("s3:GetObjectTagging"), "{run:?}");
    let run = rig.run(&["cost", &target, "--logical-size", "29GiB"]).await;
    run.assert_exit(0);
    assert_eq!(run.report()["size"]["source"], "--logical-size");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_object_that_is_archived() {
    let rig = Rig::new().await;
    let put = rig.server.client.put_object().bucket(BUCKET).key("ami-1a2b3c4d.bin").body(vec![7; 1_000_000].into());
    put.storage_class(StorageClass::DeepArchive).send().await.unwrap();
    let run = rig.run(&["cost", &format!("s3://{BUCKET}/ami-1a2b3c4d.bin"), "--logical-size", "1GiB"]).await;
    run.assert_exit(0);
    let report = run.report();
    assert_eq!(report["storage_class"], "DEEP_ARCHIVE");
    assert_eq!(line(&report, "bring_back", "DEEP_ARCHIVE, Standard")["here"], true);
    // The object is new, so the whole minimum of 180 days remains.
    let rest = line(&report, "early_deletion", "DEEP_ARCHIVE")["dollars_most"].as_f64().unwrap();
    assert!((rest - 6.0 * 0.001 * 0.00099).abs() < 1e-8, "{rest}");
    assert!(run.report()["notes"].to_string().contains("temporary copy"), "{run:?}");
}
