//! An object that is at the destination already: it is no success where it is not what was asked for.

use aws_sdk_s3::types::{Tag, Tagging};

use crate::common::data;
use crate::rig::{FROM, KEY, Rig, TO, report, verdict};

/// Both ends hold the same object, as an earlier copy leaves it.
async fn copied(bytes: &[u8]) -> Rig {
    let rig = Rig::new().await;
    rig.source.multipart("archive", KEY, &bytes.chunks(300_000).collect::<Vec<_>>(), None).await;
    rig.copy(&["--yes"]).await.assert_exit(0);
    rig
}

fn crc64(bytes: &[u8]) -> String {
    let digest = stored_ami_core::checksum::Hasher::digest(stored_ami_core::checksum::Algorithm::Crc64Nvme, bytes);
    format!("crc64nvme:{}", digest.base64())
}

#[tokio::test(flavor = "multi_thread")]
async fn given_values_are_compared_with_what_is_stated() {
    let bytes = data(1, 400_000);
    let rig = copied(&bytes).await;
    let manifest = rig.home.path().join("m.json");
    let manifest = manifest.to_str().unwrap();
    let mut verify = crate::common::bare_command();
    verify.env("HOME", rig.home.path()).env("AWS_CONFIG_FILE", rig.home.path().join("config")).args([
        "verify",
        FROM,
        "--profile",
        "commercial",
        "--write-manifest",
        manifest,
    ]);
    crate::common::Run::of(verify).await.assert_exit(0);
    let sha256 = format!("sha256:{}", "0".repeat(64));
    let (same, other) = (crc64(&bytes), crc64(b"another object"));
    for (args, exit, expected) in [
        (vec!["--expect", &same], 0, "pass"),
        (vec!["--manifest", manifest], 0, "pass"),
        (vec!["--manifest", manifest, "--expect", &same], 0, "pass"),
        (vec!["--expect", &other], 1, "fail"),
        (vec!["--manifest", manifest, "--expect", &other], 1, "fail"),
        // Nobody states a SHA-256, and no byte is read.
        (vec!["--expect", &sha256], 3, "unknown"),
        (vec!["--expect", &same, "--expect", &sha256], 3, "unknown"),
        (vec!["--using", "metadata"], 3, "unknown"),
        (vec!["--expect", &sha256, "--accept", "source"], 0, "unknown"),
        // Nothing shows that the value is not another one.
        (vec!["--expect", &sha256, "--unproved"], 3, "unknown"),
    ] {
        for more in [&["--yes"][..], &["--dry-run"]] {
            let run = rig.copy(&[&args, more].concat()).await;
            assert_eq!(report(run.assert_exit(exit))["outcome"], "already_there", "{args:?} {run:?}");
            assert_eq!(verdict(&run, "source"), expected, "{args:?} {run:?}");
        }
    }
    assert_eq!(rig.bytes(KEY).await, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_that_were_asked_for_are_compared() {
    let bytes = data(1, 400_000);
    let rig = copied(&bytes).await;
    let until = "2099-01-01T00:00:00Z";
    let lock = ["--object-lock-mode", "COMPLIANCE", "--object-lock-retain-until", until];
    for (args, exit, check) in [
        (&["--storage-class", "STANDARD"][..], 0, "storage-class"),
        (&["--storage-class", "GLACIER_IR"][..], 1, "storage-class"),
        (&["--sse-kms-key", "arn:aws-us-gov:kms:us-gov-west-1:1:key/k"][..], 1, "encryption"),
        (&["--tags", "team=a"][..], 1, "tags"),
        (&["--tags", "none"][..], 0, "tags"),
        (&["--metadata", "none"][..], 0, "metadata"),
        // HEAD shows a lock only to those who may read it.
        (&lock[..], 3, "object-lock"),
    ] {
        let run = rig.copy(&[args, &["--yes"]].concat()).await;
        assert_eq!(report(run.assert_exit(exit))["outcome"], "already_there", "{args:?} {run:?}");
        let expected = ["pass", "fail", "", "unknown"][exit as usize];
        assert_eq!(verdict(&run, check), expected, "{args:?} {run:?}");
    }
    let tag = Tag::builder().key("team").value("a").build().unwrap();
    let tags = Tagging::builder().tag_set(tag).build().unwrap();
    rig.destination.client.put_object_tagging().bucket("gov-archive").key(KEY).tagging(tags).send().await.unwrap();
    rig.copy(&["--tags", "team=a", "--yes"]).await.assert_exit(0);
    let add = |object: &mut stored_ami_lab::ObjectRecord| object.metadata.insert("owner".to_owned(), "me".to_owned());
    rig.to.with_object("gov-archive", KEY, add).unwrap();
    for (args, check) in [(["--tags", "none"], "tags"), (["--metadata", "none"], "metadata")] {
        let run = rig.copy(&[&args[..], &["--yes"]].concat()).await;
        assert_eq!(verdict(run.assert_exit(1), check), "fail", "{run:?}");
    }
    for (key, asked, exit) in [
        ("arn:aws:kms:x:1:key/k", "k", 0),
        ("arn:aws:kms:x:1:key/k", "arn:aws:kms:x:1:key/k", 0),
        ("arn:aws:kms:x:1:key/k", "arn:aws:kms:x:2:key/k", 1),
        ("arn:aws:kms:x:1:key/k", "other", 1),
        ("arn:aws:kms:k", "k", 0),
        ("k", "arn:aws:kms:x:1:key/k", 0),
        ("arn:aws:kms:x:1:key/k", "alias/k", 3),
    ] {
        let encrypt = |object: &mut stored_ami_lab::ObjectRecord| {
            object.encryption = stored_ami_lab::Encryption::Kms { key_id: key.to_owned(), bucket_key: false };
        };
        rig.to.with_object("gov-archive", KEY, encrypt).unwrap();
        let run = rig.copy(&["--sse-kms-key", asked, "--yes"]).await;
        let findings = report(run.assert_exit(exit))["findings"].as_array().unwrap().clone();
        assert_eq!(findings.iter().filter(|finding| finding["check"] == "encryption").count(), 1, "{run:?}");
        assert_eq!(verdict(&run, "encryption"), ["pass", "fail", "", "unknown"][exit as usize], "{asked} {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_the_ledger_knows_is_no_success() {
    let bytes = data(1, 400_000);
    let rig = copied(&bytes).await;
    let ledger = rig.home.path().join("l.db").to_str().unwrap().to_owned();
    rig.to.damage("gov-archive", KEY, 350_000, 1).unwrap();
    let audit = ["audit", "s3://gov-archive", "--level", "bytes", "--ledger", &ledger];
    rig.destination.run(&audit).await.assert_exit(1);
    for more in ["--yes", "--dry-run"] {
        let run = rig.copy(&["--ledger", &ledger, more]).await;
        assert_eq!(report(run.assert_exit(1))["outcome"], "already_there", "{run:?}");
        assert_eq!(verdict(&run, "proof"), "fail", "{run:?}");
    }
    let mut text = crate::common::bare_command();
    text.env("HOME", rig.home.path())
        .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
        .args(["copy", FROM, TO, "--from-profile", "commercial", "--to-profile", "gov"])
        .args(["--ledger", &ledger, "--yes"]);
    let run = crate::common::Run::of(text).await;
    let etag = report(&rig.copy(&["--dry-run"]).await)["destination_identity"]["etag"].as_str().unwrap().to_owned();
    assert!(run.stdout.contains(&format!("--replace-if {}", etag.trim_matches('"'))), "{run:?}");
    let replaced = rig.copy(&["--ledger", &ledger, "--yes", "--replace-if", &etag]).await;
    assert_eq!(report(replaced.assert_exit(0))["outcome"], "copied", "{replaced:?}");
    assert_eq!(rig.bytes(KEY).await, bytes);
}
