//! Manifests of other objects.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami::manifest::Manifest;

use super::rig::{BUCKET, KEY, PART, Rig, image, offline};
use crate::common::{data, write};

fn crc64() -> Option<(ChecksumAlgorithm, ChecksumType)> {
    Some((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_another_size_or_layout_is_refused_and_says_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("m.json");
    let manifest = manifest.to_str().unwrap();
    let rig = Rig::new().await;
    rig.multipart(KEY, &image(), PART, crc64()).await;
    rig.verify(&["--write-manifest", manifest]).await.assert_exit(0);
    let size = image().len();
    rig.multipart("longer", &data(1, size + 1), PART, crc64()).await;
    rig.multipart("more-parts", &data(1, size), PART / 2, crc64()).await;
    // The same number of parts, with other sizes.
    rig.multipart("other-parts", &data(1, size), PART + 7, crc64()).await;
    rig.server.put(BUCKET, "one-piece", &data(1, size), None).await;
    for (key, said) in [
        ("longer", "bytes, this one has"),
        ("more-parts", "it was written in 3 parts, this one in 6"),
        ("other-parts", "the parts of the two end elsewhere"),
        ("one-piece", "it was written in 3 parts, this one in 1"),
    ] {
        let run = rig.verify_key(key, &["--manifest", manifest]).await;
        let message = run.assert_exit(2).lines()[0]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(said) && message.contains(&format!("s3://{BUCKET}/{KEY}")), "{key}: {message}");
        assert_eq!(rig.reads(), 0, "{key}: nothing is read for it");
    }
    write(folder.path(), "short.bin", &image()[1..]);
    let run = offline(folder.path(), &["short.bin", "--manifest", "m.json"]).await;
    assert!(run.assert_exit(2).lines()[0]["message"].as_str().unwrap().contains(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_another_place_alone_is_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("m.json");
    let manifest = manifest.to_str().unwrap();
    let rig = Rig::new().await;
    rig.multipart(KEY, &image(), PART, crc64()).await;
    rig.verify(&["--write-manifest", manifest]).await.assert_exit(0);
    rig.multipart("copy", &image(), PART, crc64()).await;
    let run = rig.verify_key("copy", &["--manifest", manifest]).await;
    assert_eq!(run.assert_exit(0).verdict("manifest-parts-sha256"), "pass");
    assert!(run.report()["notes"].to_string().contains("the manifest was written for"));
    // Other bytes in the same parts: the value of the manifest does not match, without damage.
    rig.multipart("another", &data(1, image().len()), PART, crc64()).await;
    let run = rig.verify_key("another", &["--manifest", manifest]).await;
    assert_eq!(run.assert_exit(1).verdict("contradiction"), "fail");
    let mut command = rig.server.command();
    command.args(["verify", &format!("s3://{BUCKET}/another"), "--manifest", manifest]);
    let shown = crate::common::Run::of(command).await.stdout;
    assert!(!shown.contains("damaged") && !shown.contains("--write-manifest"), "{shown}");
    // The manifest is of this location, so a truncated object must fail.
    rig.put(&image()[..PART], Some(ChecksumAlgorithm::Crc64Nvme)).await;
    assert_eq!(rig.verify(&["--manifest", manifest]).await.assert_exit(1).verdict("manifest-size"), "fail");
    // A local copy has no part layout.
    write(folder.path(), "copy.bin", &image());
    offline(folder.path(), &["copy.bin", "--manifest", "m.json"]).await.assert_exit(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_without_a_value_says_so() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "x.bin", &image());
    offline(folder.path(), &["x.bin", "--write-manifest", "m.json", "--digest", "sha256"]).await;
    let path = folder.path().join("m.json");
    let mut manifest = Manifest::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
    (manifest.whole, manifest.parts) = Default::default();
    std::fs::write(&path, manifest.to_json().unwrap()).unwrap();
    let run = offline(folder.path(), &["x.bin", "--manifest", "m.json"]).await;
    let said = format!("{}{}", run.assert_exit(2).stdout, run.stderr);
    assert!(said.contains("--manifest: it contains no value") && !said.contains("--using"), "{said}");
}
