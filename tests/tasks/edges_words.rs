//! Unknown words of EC2 and KMS make checks unknown.

use crate::rig::{AMI, BUCKET, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn of_an_ami_and_its_snapshots() {
    let rig = Rig::new().await;
    let run = rig.run(&["preflight", "store", AMI, "--bucket", BUCKET]).await;
    run.assert_exit(0);
    type Change = fn(&Rig, &str);
    let table: [(&str, &[&str], Change, &[&str]); 5] = [
        (
            "image",
            &["pending", "failed"],
            |rig, word| rig.image(|image| image.state = word.to_owned()),
            &["splendid", "AVAILABLE", ""],
        ),
        (
            "ebs-backed",
            &["instance-store"],
            |rig, word| rig.image(|image| image.root_device_type = word.to_owned()),
            &["nvme", "EBS"],
        ),
        (
            "virtualization",
            &["paravirtual"],
            |rig, word| rig.image(|image| image.virtualization = word.to_owned()),
            &["vm", "HVM"],
        ),
        (
            "snapshots",
            &["pending", "error", "recoverable"],
            |rig, word| rig.snapshots(|snapshot| snapshot.state = word.to_owned()),
            &["splendid", "Completed"],
        ),
        (
            "snapshot-tier",
            &["archive"],
            |rig, word| rig.snapshots(|snapshot| snapshot.tier = word.to_owned()),
            &["glacial", "STANDARD"],
        ),
    ];
    for (check, wrong, change, odd) in table {
        let rig = Rig::new().await;
        for (words, verdict) in [(wrong, "fail"), (odd, "unknown: not_stated")] {
            for word in words {
                change(&rig, word);
                let run = rig.run(&["preflight", "store", AMI, "--bucket", BUCKET]).await;
                assert_eq!(run.verdict(check), verdict, "{check} {word}: {run:?}");
            }
        }
    }
}
