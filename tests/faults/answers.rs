//! GetObjectAttributes states the parts, and no checksum protects the response: each of its bytes is changed in turn.

use std::sync::Arc;

use stored_ami_lab::checksum::{Algorithm, ChecksumType};
use stored_ami_lab::{ChecksumChoice, Operation, PartSizes, SyntheticSpec};

use crate::crew;
use crate::rig::{Ran, Rig};

/// Small, because it is read thousands of times.
fn spec() -> SyntheticSpec {
    let checksum = ChecksumChoice::Typed(Algorithm::Sha256, ChecksumType::Composite);
    SyntheticSpec { size: 4_500, parts: PartSizes::Uniform(1_000), seed: 5, checksum }
}

async fn verify(rig: &Rig, damaged: bool, rules: &str) -> Ran {
    rig.put(spec(), damaged.then_some(2_345)).await;
    rig.verify(rules, 4).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_changed_byte_in_the_list_of_parts_makes_a_verdict_wrong() {
    let clean = verify(&Rig::new().await, false, "[]").await;
    let attributes = clean.calls.iter().find(|call| call.operation == Operation::GetObjectAttributes).unwrap();
    let length = attributes.bytes_sent;
    assert!(length > 500, "five parts with their checksums: {length}");
    // A digit changes to its neighbour or to one further away, so that parts may swap places.
    let flips = (0..length).flat_map(|offset| [1, 4].map(|mask| (offset, mask)));
    let cases: Vec<(u64, u8, bool)> =
        flips.flat_map(|(offset, mask)| [false, true].map(|damaged| (offset, mask, damaged))).collect();
    let count = cases.len();
    let wrong = crew::play(cases, |rig: Arc<Rig>, (offset, mask, damaged): (u64, u8, bool)| async move {
        let rules = format!(
            r#"[{{"operation": "GetObjectAttributes", "fault": {{"flip_on_wire": {{"offset": {offset}, "mask": {mask}}}}}}}]"#
        );
        let ran = verify(&rig, damaged, &rules).await;
        let expected = if damaged { "fail" } else { "pass" };
        (ran.ending.verdict != expected)
            .then(|| format!("byte {offset} by {mask}, damaged {damaged}: {:?}\n", ran.ending))
    })
    .await;
    println!("{count} cases of a changed byte");
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.concat());
}
