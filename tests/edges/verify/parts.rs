//! Lists of parts that contradict the parts themselves.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::{Fault, FaultRule, Operation};

use super::rig::{BUCKET, KEY, PART, Rig, image};

fn composite() -> Option<(ChecksumAlgorithm, ChecksumType)> {
    Some((ChecksumAlgorithm::Sha256, ChecksumType::Composite))
}

fn shift(by: u64) -> FaultRule {
    FaultRule::new(Operation::GetObjectAttributes, Fault::ListedSizesShifted(by)).always()
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_that_are_shifted_in_the_list_damage_nothing() {
    let rig = Rig::new().await;
    rig.multipart(KEY, &image(), PART, composite()).await;
    for by in [1, 1_000] {
        rig.lab.clear_script();
        rig.lab.script(shift(by));
        let run = rig.verify(&[]).await;
        assert_eq!(run.assert_exit(0).verdict("sha256"), "pass", "{by}");
        assert_eq!(run.report()["layout"]["source"], "HEAD of every part");
        assert!(run.report()["notes"].to_string().contains("elsewhere than GetObjectAttributes lists"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_along_a_disputed_list_is_not_named() {
    let rig = Rig::new().await;
    rig.multipart(KEY, &image(), PART, composite()).await;
    rig.lab.damage(BUCKET, KEY, 9, 1).unwrap();
    // Parts for which list and HEAD agree are named.
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(1).finding("sha256")["damage"][0]["part"], 1);
    rig.lab.script(shift(1_000));
    let run = rig.verify(&[]).await;
    assert_eq!(run.assert_exit(3).verdict("sha256"), "unknown: layout_not_proved");
    assert!(!run.stdout.contains("\"damage\""), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_parts_cannot_be_asked_the_list_stands() {
    let rig = Rig::new().await;
    rig.multipart(KEY, &image(), PART, composite()).await;
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::PartHeadLies).always());
    rig.verify(&[]).await.assert_exit(0);
    rig.lab.damage(BUCKET, KEY, PART as u64 + 9, 1).unwrap();
    assert_eq!(rig.verify(&[]).await.assert_exit(1).finding("sha256")["damage"][0]["part"], 2);
}
