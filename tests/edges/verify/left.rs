//! `--using tags,metadata`: digests that other programs left with an object.

use aws_sdk_s3::types::ChecksumAlgorithm;
use stored_ami::checksum::Algorithm;
use stored_ami_lab::{Deny, Encryption, Operation};

use super::rig::{BUCKET, KEY, Rig, hex, offline};
use crate::common::{Run, data};

const SIZE: usize = 200_000;

/// An object that nothing proves: its ETag is no MD5.
async fn bare(tags: &[(&str, &str)], metadata: &[(&str, &str)]) -> Rig {
    let rig = Rig::new().await;
    rig.put(&data(1, SIZE), None).await;
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let (tags, metadata) = (pairs(tags), pairs(metadata));
    rig.lab
        .with_object(BUCKET, KEY, |object| {
            object.encryption = Encryption::Kms { key_id: "k".into(), bucket_key: false };
            object.tags = tags;
            object.metadata = metadata.into_iter().collect();
        })
        .unwrap();
    rig
}

fn right(algorithm: Algorithm) -> String {
    hex(algorithm, &data(1, SIZE))
}

fn asked_for_tags(rig: &Rig) -> usize {
    rig.lab.calls().iter().filter(|call| call.operation == Operation::GetObjectTagging).count()
}

fn has(run: &Run, check: &str) -> bool {
    run.report()["findings"].as_array().unwrap().iter().any(|finding| finding["check"] == check)
}

fn notes(run: &Run) -> String {
    run.report()["notes"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn they_count_only_when_asked_for_and_their_weakness_is_said() {
    let (md5, sha) = (right(Algorithm::Md5), right(Algorithm::Sha256));
    let rig = bare(&[("computed-md5", &md5), ("Owner", "me")], &[("sha256", &sha), ("owner", "me")]).await;
    let run = rig.verify(&[]).await;
    run.assert_exit(3);
    assert_eq!((has(&run, "tags-md5"), rig.reads(), asked_for_tags(&rig)), (false, 0, 0));
    let run = rig.verify(&["--using", "tags"]).await;
    assert_eq!(run.assert_exit(0).report()["proved_by"], serde_json::json!(["tags-md5"]));
    assert_eq!(asked_for_tags(&rig), 1);
    assert_eq!(run.finding("tags-md5")["source"], "tag `computed-md5`, left by another program");
    assert!(notes(&run).contains("whoever may tag the object can change it"), "{run:?}");
    let run = rig.verify(&["--using", "metadata"]).await;
    assert_eq!(run.assert_exit(0).report()["proved_by"], serde_json::json!(["metadata-sha256"]));
    assert_eq!(asked_for_tags(&rig), 0, "metadata comes with HEAD");
    assert!(notes(&run).contains("the writer of the object stated it"), "{run:?}");
    let run = rig.verify(&["--using", "tags,metadata"]).await;
    assert_eq!(run.assert_exit(0).report()["proved_by"], serde_json::json!(["metadata-sha256", "tags-md5"]));
    // One check by name is used alone.
    let run = rig.verify(&["--using", "metadata-sha256"]).await;
    assert_eq!((has(run.assert_exit(0), "tags-md5"), asked_for_tags(&rig)), (false, 0));
    let run = rig.verify(&["--require", "tags-md5"]).await;
    assert_eq!((run.assert_exit(0).verdict("tags-md5"), asked_for_tags(&rig)), ("pass".into(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_other_references_stay_in_use() {
    let rig = Rig::new().await;
    rig.put(&data(1, SIZE), Some(ChecksumAlgorithm::Crc64Nvme)).await;
    rig.server.tag(BUCKET, KEY, "computed-md5", &right(Algorithm::Md5)).await;
    let run = rig.verify(&["--using", "tags"]).await;
    assert_eq!(run.assert_exit(0).report()["proved_by"], serde_json::json!(["crc64nvme", "etag", "tags-md5"]));
    let run = rig.verify(&["--using", "tags,etag"]).await;
    assert_eq!(run.assert_exit(0).report()["proved_by"], serde_json::json!(["etag", "tags-md5"]));
    assert_eq!(run.finding("crc64nvme")["reason"]["code"], "not_used");
    // A tag of older bytes contradicts what S3 stores.
    rig.server.tag(BUCKET, KEY, "computed-md5", &hex(Algorithm::Md5, b"older")).await;
    let run = rig.verify(&["--using", "tags"]).await;
    assert_eq!(run.assert_exit(1).verdict("contradiction"), "fail");
    let source = run.finding("contradiction")["source"].to_string();
    assert!(source.contains("a value that another program left disagrees"), "{source}");
    let shown = rig.shown(&["--using", "tags"]).await;
    assert!(shown.contains("a value that another program left disagrees"), "{shown}");
    assert!(!shown.contains("is damaged"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_fail_and_damage_is_read_twice() {
    let rig = bare(&[], &[("md5chksum", "AAAAAAAAAAAAAAAAAAAAAA==")]).await;
    let run = rig.verify(&["--using", "metadata"]).await;
    assert_eq!(run.assert_exit(1).finding("metadata-md5")["reads"], 2);
    let shown = rig.shown(&["--using", "metadata"]).await;
    assert!(shown.contains("the bytes do not match the value that another program left with the object"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_value_is_said() {
    let md5 = right(Algorithm::Md5);
    let rig = bare(&[("computed-md5", "soon"), ("computed-sha256", &md5)], &[("md5", &md5)]).await;
    let run = rig.verify(&["--using", "tags,metadata"]).await;
    assert_eq!(run.assert_exit(0).report()["proved_by"], serde_json::json!(["metadata-md5"]));
    for (check, says) in [
        ("tags-md5", "the tag `computed-md5`: `soon` is not a md5 value"),
        ("tags-sha256", "the tag `computed-sha256`: `"),
    ] {
        assert_eq!(run.verdict(check), "unknown: not_stated");
        let detail = run.finding(check)["reason"]["detail"].to_string();
        assert!(detail.contains(says), "{detail}");
    }
    let shown = rig.shown(&["--using", "tags,metadata"]).await;
    assert!(shown.contains("`soon` is not a md5 value"), "{shown}");
    // None at all.
    let rig = bare(&[("Owner", "me")], &[]).await;
    let run = rig.verify(&["--using", "tags,metadata"]).await;
    run.assert_exit(3);
    for place in ["tags", "metadata"] {
        assert!(notes(&run).contains(&format!("no value that another program left is in the {place}")), "{run:?}");
    }
    rig.lab.deny(Deny::action("s3:GetObjectTagging"));
    let run = rig.verify(&["--using", "tags"]).await;
    run.assert_exit(3);
    assert_eq!(run.finding("tags-value")["reason"]["code"], "not_permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_neither_tags_nor_metadata() {
    let folder = tempfile::tempdir().unwrap();
    crate::common::write(folder.path(), "x.bin", &data(1, SIZE));
    let run = offline(folder.path(), &["x.bin", "--using", "tags,metadata"]).await;
    assert!(notes(run.assert_exit(3)).contains("no value that another program left is in the tags"), "{run:?}");
}
