use std::process::Stdio;
use std::time::Duration;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::checksum::StoredChecksum;
use stored_ami_lab::ec2::ImageSpec;
use stored_ami_lab::{Deny, Encryption};

use crate::common::data;
use crate::rig::{Audited, BUCKET, Rig, key, target};

const OBJECTS: u64 = 200;
const POLICY: &str = "
[bucket]
versioning = true

[object]
encryption = [\"AES256\", \"aws:kms\"]
storage-classes = [\"STANDARD\"]
tags = [\"Owner\"]
";

/// 200 objects with earlier results, and 17 problems with objects or their surroundings.
async fn planted() -> (Rig, Vec<String>) {
    let rig = Rig::new().await;
    for number in 0..OBJECTS {
        let (key, size) = (key(number), 4_000 + number as usize);
        match number % 4 {
            0 => {
                let bytes = data(number + 1, 5 << 20);
                let (kind, algorithm) = (ChecksumType::Composite, ChecksumAlgorithm::Sha256);
                if number < 12 {
                    rig.server.multipart(BUCKET, &key, &[&bytes, b"tail"], Some((algorithm, kind))).await;
                } else {
                    rig.server.put(BUCKET, &key, &data(number + 1, size), Some(algorithm)).await;
                }
            }
            1 => rig.server.put(BUCKET, &key, &data(number + 1, size), None).await,
            _ => rig.put(&key, number, size).await,
        }
        rig.server.tag(BUCKET, &key, "Owner", "me").await;
        let id = Some(format!("ami-{number:017x}"));
        rig.lab.create_image("us-east-1", ImageSpec { id, ..ImageSpec::new(&format!("image {number}")) });
    }
    let mut wrong = Vec::new();
    // Three objects that were damaged before the first audit.
    for (number, checks) in [
        (4, "etag fail, proof fail, sha256 fail"),
        (17, "crc64nvme fail, etag fail, proof fail"),
        (22, "crc64nvme fail, etag fail, proof fail"),
    ] {
        rig.lab.damage(BUCKET, &key(number), 3_000, 0x40).unwrap();
        wrong.push(format!("{}: {checks}", target(&key(number))));
    }
    // A stored value of older bytes, and an object without a usable value.
    rig.lab
        .with_object(BUCKET, &key(26), |record| {
            record.checksum = Some(StoredChecksum::full(stored_ami_lab::checksum::Algorithm::Crc64Nvme, &[7; 8]));
        })
        .unwrap();
    wrong.push(format!("{}: contradiction fail, crc64nvme fail, proof fail", target(&key(26))));
    rig.lab
        .with_object(BUCKET, &key(29), |record| {
            record.checksum = None;
            record.encryption = Encryption::Kms { key_id: "k".into(), bucket_key: false };
        })
        .unwrap();
    wrong.push(format!("{}: identity not_read, proof etag_not_md5, size not_read", target(&key(29))));
    rig.audit(&["--level", "bytes"]).await.assert_exit(1);

    // Since the first audit: two replaced, one deleted,
    for number in [30, 31] {
        rig.put(&key(number), 1_000 + number, 4_000 + number as usize).await;
        rig.server.tag(BUCKET, &key(number), "Owner", "me").await;
        wrong.push(format!("{}: unchanged fail", target(&key(number))));
    }
    rig.delete(&key(34)).await;
    wrong.push(format!("{}: present fail", target(&key(34))));
    wrong.push(format!("image_without_copy: ami-{:017x}", 34));
    // one stored twice, a new one that is archived, one encrypted with a customer-provided key, one without its tag,
    // and one with denied access,
    let twice = "copies/ami-00000000000000023.bin";
    rig.put(twice, 35, 4_000 + 35).await;
    rig.server.tag(BUCKET, twice, "Owner", "me").await;
    wrong.push(format!("duplicate: {}", target(twice)));
    let cold = "cold/ami-00000000000000026.bin";
    rig.put(cold, 38, 4_001).await;
    rig.server.tag(BUCKET, cold, "Owner", "me").await;
    rig.lab.with_object(BUCKET, cold, |record| record.storage_class = "GLACIER".into()).unwrap();
    wrong.push(format!("{}: identity archived, proof archived, size archived, storage-class fail", target(cold)));
    rig.lab
        .with_object(BUCKET, &key(42), |record| {
            record.encryption = Encryption::Dsse { key_id: "k".into() };
        })
        .unwrap();
    wrong.push(format!("{}: encryption fail", target(&key(42))));
    rig.server.client.delete_object_tagging().bucket(BUCKET).key(key(45)).send().await.unwrap();
    wrong.push(format!("{}: tags fail", target(&key(45))));
    rig.put("denied/ami-00000000000000030.bin", 48, 4_000).await;
    rig.lab.deny(Deny::action("s3:GetObject").under("denied/"));
    wrong.push(format!("{}: identity not_permitted", target("denied/ami-00000000000000030.bin")));
    // an AMI that was deregistered, an incomplete upload, and a bucket without versioning.
    rig.lab.ec2("us-east-1", |state| state.images.remove("ami-00000000000000030"));
    wrong.push(format!("copy_without_image: {}", target(&key(48))));
    rig.server.client.create_multipart_upload().bucket(BUCKET).key("x/ami-00000000000000050.bin").send().await.unwrap();
    wrong.push(format!("upload_left: {}", target("x/ami-00000000000000050.bin")));
    wrong.push(format!("bucket {BUCKET}: versioning fail"));
    wrong.sort();
    std::fs::write(rig.path("p.toml"), POLICY).unwrap();
    (rig, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planted_is_named_and_nothing_else_and_kills_change_nothing() {
    let (rig, wrong) = planted().await;
    let policy = rig.text("p.toml");
    let before = rig.text("before.db");
    std::fs::copy(rig.path("l.db"), &before).unwrap();
    let args = ["--level", "bytes", "--images", "--policy", &policy];
    let undisturbed = rig.audit(&args).await;
    assert_eq!(undisturbed.assert_exit(1).named(), wrong);
    println!("{} things planted around {OBJECTS} objects, and named", wrong.len());

    // The same audit from the same start, killed ten times.
    std::fs::copy(&before, rig.path("l.db")).unwrap();
    let ledger = rig.text("l.db");
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..10 {
        rig.lab.clear_calls();
        let mut command = rig.server.command();
        command.args(["audit", "s3://archive", "--ledger", &ledger, "--json"]).args(args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let at = random.usize(0..60);
        while rig.lab.calls().len() < at && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let after: Audited = rig.audit(&args).await;
    assert_eq!(after.assert_exit(1).named(), wrong);
    let verdicts = |audited: &Audited| {
        let mut all: Vec<_> = audited
            .of_type("audited")
            .map(|line| (line["target"].to_string(), line["verdict"].to_string(), line["change"].to_string()))
            .collect();
        all.sort();
        all
    };
    let changed = |audited: &Audited| -> Vec<_> {
        // New objects are known after a run that was killed.
        verdicts(audited)
            .into_iter()
            .map(|(target, verdict, change)| (target, verdict, change.replace("new", "same")))
            .collect()
    };
    assert_eq!(changed(&after), changed(&undisturbed));
    rig.server.run(&["ledger", "verify", &ledger]).await.assert_exit(0);
}
