use std::collections::BTreeMap;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use stored_ami_lab::{Encryption, Fault, FaultRule, Operation};

use crate::common::data;
use crate::rig::{Audited, BUCKET, Rig, key, target};

/// Requests per object since the calls were cleared.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    head: usize,
    head_of_part: usize,
    attributes: usize,
    reads: usize,
}

fn asked(rig: &Rig) -> BTreeMap<String, Asked> {
    let mut found: BTreeMap<String, Asked> = BTreeMap::new();
    for call in rig.lab.calls().into_iter().filter(|call| !call.key.is_empty()) {
        let of_part = call.query.contains("partNumber");
        let asked = found.entry(call.key).or_default();
        match call.operation {
            Operation::HeadObject if of_part => asked.head_of_part += 1,
            Operation::HeadObject => asked.head += 1,
            Operation::GetObjectAttributes => asked.attributes += 1,
            Operation::GetObject => asked.reads += 1,
            other => panic!("{other:?} of an object"),
        }
    }
    found
}

/// Three objects: one of a single PUT, one of three parts that the server lists, and one of three parts that it does
/// not list.
async fn rig() -> Rig {
    let rig = Rig::with(1).await;
    let bytes = data(3, 12 << 20);
    let parts: Vec<&[u8]> = bytes.chunks(5 << 20).collect();
    let sha256 = (ChecksumAlgorithm::Sha256, ChecksumType::Composite);
    rig.server.multipart(BUCKET, &key(1), &parts, Some(sha256)).await;
    rig.server.multipart(BUCKET, &key(2), &parts, None).await;
    rig.lab.clear_calls();
    rig
}

const WHOLE: Asked = Asked { head: 1, head_of_part: 0, attributes: 0, reads: 1 };
const LISTED: Asked = Asked { head: 2, head_of_part: 0, attributes: 1, reads: 3 };
const NOT_LISTED: Asked = Asked { head: 2, head_of_part: 1, attributes: 1, reads: 3 };

fn expected() -> BTreeMap<String, Asked> {
    [(key(0), WHOLE), (key(1), LISTED), (key(2), NOT_LISTED)].into()
}

/// HEAD before the read provides the identity that the reads are pinned to; HEAD after it shows whether the object
/// still exists. An object that one response contains needs no HEAD after it.
#[tokio::test(flavor = "multi_thread")]
async fn an_audit_of_bytes_asks_head_once_before_and_once_after_reading() {
    let rig = rig().await;
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(asked(&rig), expected());
    for (key, asked) in expected() {
        let all = asked.head + asked.head_of_part + asked.attributes + asked.reads;
        assert_eq!(run.object(&key)["requests"], all, "{key}");
    }
    run.assert_exit(0);
}

/// HEAD in checksum mode states whether a checksum is stored, so the attributes of an object of one part add nothing
/// where the ETag is an MD5. Under KMS it is none, and any reference counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_object_takes_two_requests() {
    let rig = Rig::with(3).await;
    rig.lab.with_object(BUCKET, &key(0), |object| object.checksum = None).unwrap();
    rig.lab
        .with_object(BUCKET, &key(2), |object| {
            object.checksum = None;
            object.encryption = Encryption::Dsse { key_id: "k".into() };
        })
        .unwrap();
    rig.lab.clear_calls();
    let run = rig.audit(&["--level", "bytes"]).await;
    let two = || Asked { head: 1, reads: 1, ..Asked::default() };
    // Without any reference nothing is read.
    let hidden = Asked { head: 1, attributes: 1, ..Asked::default() };
    assert_eq!(asked(&rig), [(key(0), two()), (key(1), two()), (key(2), hidden)].into());
    for (number, verdict) in [(0, "pass"), (1, "pass"), (2, "unknown")] {
        assert_eq!(run.object(&key(number))["verdict"], verdict);
    }
}

/// A server that ignores `If-Match` and names no state may have sent the bytes of another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_without_an_etag_is_followed_by_a_head() {
    let rig = Rig::with(1).await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::HeaderAbsent("etag")).always());
    rig.lab.clear_calls();
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    assert_eq!(asked(&rig), [(key(0), Asked { head: 2, ..WHOLE })].into());
}

/// Objects named by the user need a HEAD before it is known whether they are due; its response is reused.
#[tokio::test(flavor = "multi_thread")]
async fn an_audit_of_a_list_asks_no_head_more() {
    let rig = rig().await;
    let list = rig.text("list.txt");
    let names: Vec<String> = (0..3).map(|number| target(&key(number))).collect();
    std::fs::write(&list, names.join("\n")).unwrap();
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nencryption = [\"AES256\"]\n").unwrap();
    let ledger = rig.text("l.db");
    let args = ["audit", "--list", &list, "--level", "bytes", "--ledger", &ledger, "--policy", &policy];
    let args = [&args[..], &["--max-bytes", "1GiB"]].concat();
    Audited::of(rig.server.run(&args).await).assert_exit(0);
    assert_eq!(asked(&rig), expected());
    // The proofs hold, and the policy uses the same HEAD as the comparison with the ledger.
    rig.lab.clear_calls();
    let again = Audited::of(rig.server.run(&args).await);
    assert_eq!(again.assert_exit(0).end()["still_good"], 3);
    let once = || Asked { head: 1, ..Asked::default() };
    assert_eq!(asked(&rig), (0..3).map(|number| (key(number), once())).collect());
}

/// An object that the ledger knows and the listing lacks needs one HEAD; its response is reused.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_listing_lacks_is_asked_for_once() {
    let rig = Rig::with(2).await;
    rig.audit(&[]).await.assert_exit(0);
    rig.delete(&key(1)).await;
    rig.lab.clear_calls();
    rig.audit(&["--level", "bytes"]).await.assert_exit(1);
    // An answer to HEAD has no body: one small GET tells a missing object from a missing bucket.
    let gone = Asked { head: 1, reads: 1, ..Asked::default() };
    assert_eq!(asked(&rig), [(key(0), WHOLE), (key(1), gone)].into());
}

/// Questions to EC2 are requests like all others, in the sum of an audit and in the answer of `safe-to-delete`.
#[tokio::test(flavor = "multi_thread")]
async fn requests_to_ec2_count_too() {
    let rig = rig().await;
    let services =
        |rig: &Rig| rig.lab.calls().iter().filter(|call| matches!(call.operation, Operation::Service(_))).count();
    // The bucket is asked for its Region before the audit begins.
    for (args, asks_ec2) in [(&[][..], false), (&["--images"], true)] {
        rig.lab.clear_calls();
        let run = rig.audit(args).await;
        assert_eq!(services(&rig) > 0, asks_ec2);
        assert_eq!(run.end()["requests"], rig.lab.calls().len() - 1, "{args:?}");
    }

    rig.lab.clear_calls();
    let ledger = rig.text("l.db");
    let ami = "ami-00000000000000001";
    let answer = rig.server.run(&["safe-to-delete", ami, "--in", "s3://archive", "--ledger", &ledger]).await;
    assert!(services(&rig) > 0);
    assert_eq!(answer.report()["requests"], rig.lab.calls().len());
}
