//! Values given by the user are judged, rejected or left unknown, but never ignored.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami::checksum::Algorithm;

use super::rig::{BUCKET, PART, Rig, hex, image, offline};
use crate::common::write;

#[tokio::test(flavor = "multi_thread")]
async fn a_given_value_that_cannot_be_judged_keeps_the_whole_from_passing() {
    let rig = Rig::new().await;
    rig.put(&image(), Some(ChecksumAlgorithm::Crc64Nvme)).await;
    for given in [
        ["--etag", "00000000000000000000000000000000-5"],
        ["--etag", "00000000000000000000000000000000-9999"],
        ["--expect", "crc32:AAAAAA==-5"],
        ["--expect", "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=-2"],
    ] {
        let run = rig.verify(&given).await;
        assert_eq!(run.assert_exit(3).verdict("proof"), "pass", "{given:?}: the bytes are proved");
        let report = run.report();
        assert_eq!(report["verdict"], "unknown");
        let findings = report["findings"].as_array().unwrap();
        let open = findings.iter().find(|finding| finding["check"].as_str().unwrap().starts_with("expect-")).unwrap();
        assert_eq!((&open["verdict"], &open["required"]), (&"unknown".into(), &true.into()), "{given:?}");
    }
    let accepted = ["--etag", "00000000000000000000000000000000-5", "--accept", "expect-etag"];
    rig.verify(&accepted).await.assert_exit(0);
    // A value that matches does not replace one that is unknown.
    let right = format!("sha256:{}", hex(Algorithm::Sha256, &image()));
    rig.verify(&["--expect", &right, "--expect", "crc32:AAAAAA==-5"]).await.assert_exit(3);
    rig.verify(&["--expect", &right, "--etag", &hex(Algorithm::Md5, &image())]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_value_that_is_none_is_refused_before_anything_is_asked() {
    let rig = Rig::new().await;
    rig.put(&image(), Some(ChecksumAlgorithm::Crc64Nvme)).await;
    for (given, said) in [
        (["--etag", "wrong"], "--etag wrong: is neither an MD5"),
        (["--etag", ""], "is neither an MD5"),
        (["--etag", "00000000000000000000000000000000-0"], "is neither an MD5"),
        (["--etag", "00000000000000000000000000000000-10001"], "is neither an MD5"),
        (["--expect", "crc32:AAAAAA==-0"], "does not end in a number of parts"),
        (["--expect", "crc32:AAAAAA==-10001"], "10000 parts at the most"),
        (["--expect", "crc64nvme:AAAAAAAAAAA=-5"], "never over parts"),
        (["--expect", "sha256:AAAA"], "is not a sha256 value"),
    ] {
        let run = rig.verify(&given).await;
        assert!(run.assert_exit(2).stderr.contains(said), "{given:?}: {run:?}");
        assert!(rig.lab.calls().is_empty(), "{given:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn using_leaves_out_nothing_that_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::new().await;
    rig.put(&image(), Some(ChecksumAlgorithm::Crc64Nvme)).await;
    let sha256 = hex(Algorithm::Sha256, &image());
    let manifest = folder.path().join("m.json");
    let manifest = manifest.to_str().unwrap();
    rig.verify(&["--write-manifest", manifest]).await.assert_exit(0);
    let sums = write(folder.path(), "SHA256SUMS", format!("{sha256}  -\n").as_bytes());
    let (md5, expect) = (hex(Algorithm::Md5, &image()), format!("sha256:{sha256}"));
    let like = format!("s3://{BUCKET}/{}", super::rig::KEY);
    for (flag, value, used) in [
        ("--etag", &md5[..], "expect"),
        ("--expect", &expect, "expect-sha256"),
        ("--sums", &sums, "sums"),
        ("--manifest", manifest, "manifest-crc64nvme"),
        ("--like", &like, "like"),
    ] {
        let run = rig.verify(&[flag, value, "--using", "crc64nvme"]).await;
        let said = format!("--using leaves out what {flag} gives");
        assert!(run.assert_exit(2).stderr.contains(&said), "{run:?}");
        assert!(rig.lab.calls().is_empty());
        rig.verify(&[flag, value, "--using", used]).await.assert_exit(0);
        rig.verify(&[flag, value, "--using", &format!("crc64nvme,{used}")]).await.assert_exit(0);
    }
    let both = ["--etag", &md5, "--expect", &expect, "--using", "expect-sha256"];
    assert!(rig.verify(&both).await.assert_exit(2).stderr.contains("--etag"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_value_of_another_object_is_enough_and_none_is_not() {
    let rig = Rig::new().await;
    let full = Some((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject));
    rig.multipart("other", &image(), PART, full).await;
    rig.put(&image(), Some(ChecksumAlgorithm::Sha256)).await;
    let like = format!("s3://{BUCKET}/other");
    let run = rig.verify(&["--like", &like]).await;
    assert_eq!(run.assert_exit(0).verdict("like-crc64nvme"), "pass");
    // Its ETag is over parts that this object does not have, and there is no other value.
    rig.lab.with_object(BUCKET, "other", |object| object.checksum = None).unwrap();
    rig.lab.with_object(BUCKET, "other", |object| object.etag = "opaque".to_owned()).unwrap();
    let run = rig.verify(&["--like", &like]).await;
    assert_eq!(run.assert_exit(3).verdict("like-etag"), "unknown: etag_not_md5");
    assert_eq!(run.verdict("proof"), "pass");
}

/// EC2 never stores an empty object, so it fails even if all values match.
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_ami_without_bytes_fails() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::new().await;
    rig.put(b"", Some(ChecksumAlgorithm::Crc64Nvme)).await;
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(1).verdict("size"), "fail");
    assert_eq!(run.report()["verdict"], "fail");
    assert!(rig.shown(&[]).await.contains("the object is empty, and a stored AMI object never is"));
    rig.server.put(BUCKET, "empty.bin", b"", Some(ChecksumAlgorithm::Crc64Nvme)).await;
    rig.verify_key("empty.bin", &[]).await.assert_exit(0);

    write(folder.path(), "ami-0123456789abcdef0.bin", b"");
    let empty = format!("sha256:{}", hex(Algorithm::Sha256, b""));
    let run = offline(folder.path(), &["ami-0123456789abcdef0.bin", "--expect", &empty]).await;
    assert_eq!(run.assert_exit(1).verdict("size"), "fail");
    // Also without any reference.
    assert_eq!(offline(folder.path(), &["ami-0123456789abcdef0.bin"]).await.assert_exit(1).verdict("size"), "fail");
}
