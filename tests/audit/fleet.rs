use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};
use serde_json::{Value, json};
use stored_ami_lab::{BucketOptions, Deny, Fault, FaultRule, ObjectRecord, Operation};

use crate::common::{Server, data};
use crate::rig::{Audited, BUCKET, Rig, key, target};

#[tokio::test(flavor = "multi_thread")]
async fn facts_take_one_request_an_object_and_then_none() {
    let rig = Rig::with(40).await;
    rig.server.put(BUCKET, "notes.txt", b"x", None).await;
    rig.lab.clear_calls();
    let first = rig.audit(&[]).await;
    let end = first.assert_exit(0).end();
    let counted = |name: &str| end[name].as_u64().unwrap();
    assert_eq!((counted("listed"), counted("examined"), counted("other_objects")), (40, 40, 1));
    assert_eq!((counted("proved"), counted("received_bytes")), (0, 0));
    assert_eq!((rig.calls(Operation::HeadObject), rig.calls(Operation::ListObjectsV2)), (40, 1));
    assert_eq!(rig.calls(Operation::GetObject), 0);
    // A verdict is about the bytes, and none was read.
    assert!(first.of_type("audited").all(|line| line["verdict"] == "unknown" && line["change"] == "new"));

    rig.lab.clear_calls();
    let second = rig.audit(&[]).await;
    assert_eq!(second.assert_exit(0).end()["still_good"], 40);
    assert_eq!(rig.calls(Operation::HeadObject), 0, "nothing is asked that is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_proved_once_and_again_when_the_proof_is_old() {
    let rig = Rig::with(6).await;
    let first = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(first.assert_exit(0).end()["proved"], 6);
    let line = first.object(&key(0));
    assert_eq!((line["verdict"].as_str(), line["examined"].as_str()), (Some("pass"), Some("bytes")));
    assert_eq!(line["proof"]["by"][0], "crc64nvme");
    rig.lab.clear_calls();
    let facts = rig.audit(&[]).await;
    let bytes = rig.audit(&["--level", "bytes"]).await;
    for again in [&facts, &bytes] {
        assert_eq!((again.end()["still_good"].as_u64(), again.end()["proved"].as_u64()), (Some(6), Some(6)));
        assert!(again.of_type("audited").all(|line| line["verdict"] == "pass" && line["examined"] == Value::Null));
    }
    assert_eq!(rig.calls(Operation::GetObject), 0);
    // Without the ledger, there are no earlier results.
    let bare = Audited::of(rig.server.run(&["audit", "s3://archive", "--level", "bytes"]).await);
    assert_eq!(bare.end()["examined"], 6);
    assert_eq!(bare.end()["ledger_head"], Value::Null);
}

/// A lab with one object of three parts, 12 MiB in total.
async fn with_parts(algorithm: ChecksumAlgorithm, kind: ChecksumType) -> Rig {
    let rig = Rig::new().await;
    let bytes = data(3, 12 << 20);
    let parts: Vec<&[u8]> = bytes.chunks(5 << 20).collect();
    rig.server.multipart(BUCKET, &key(1), &parts, Some((algorithm, kind))).await;
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_no_proof_and_enough_where_it_was_asked_for() {
    let rig = with_parts(ChecksumAlgorithm::Sha256, ChecksumType::Composite).await;
    let run = rig.audit(&["--level", "sample", "--sample", "1/3"]).await;
    let line = run.assert_exit(0).object(&key(1)).clone();
    assert_eq!((line["verdict"].as_str(), line["proof"].clone()), (Some("unknown"), Value::Null));
    assert!(line["received_bytes"].as_u64().unwrap() < 12 << 20);
    // Damage in a part that the first sample does not contain.
    let told = async |slice: &str| rig.audit(&["--level", "sample", "--sample", slice]).await.run.exit;
    rig.lab.damage(BUCKET, &key(1), 11 << 20, 1).unwrap();
    let exits = [told("1/3").await, told("2/3").await, told("3/3").await];
    assert!(exits.contains(&Some(1)) && exits.contains(&Some(0)), "each is read anew: {exits:?}");
    rig.lab.damage(BUCKET, &key(1), 11 << 20, 1).unwrap();
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    assert_eq!(rig.audit(&["--level", "sample"]).await.end()["still_good"], 1, "every byte is more than a sample");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_that_nothing_can_be_held_against_is_open() {
    let rig = with_parts(ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject).await;
    let run = rig.audit(&["--level", "sample", "--sample", "1/3"]).await;
    assert_eq!(run.assert_exit(3).named(), [format!("{}: proof sample_unheld", target(&key(1)))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_replaced_or_lost_stays_wrong_until_a_person_accepts_it() {
    let rig = Rig::with(4).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    rig.put(&key(0), 77, 2_000).await;
    rig.put(&key(1), 1, 2_000).await;
    rig.delete(&key(2)).await;
    for again in [false, true] {
        let run = rig.audit(&["--level", "bytes"]).await;
        let read = run.end()["examined"].as_u64().unwrap();
        assert!(read == 0 || !again, "what is proved as it is now is not read again for what it was");
        let named = run.assert_exit(1).named();
        assert_eq!(
            named,
            [format!("{}: unchanged fail", target(&key(0))), format!("{}: present fail", target(&key(2)))],
            "the same in every run; the same bytes written again are in order"
        );
        assert_eq!(run.object(&key(0))["change"], "replaced");
        assert_eq!(run.object(&key(2))["change"], "missing");
    }
    let ledger = rig.text("l.db");
    for key in [key(0), key(2)] {
        let accept = ["ledger", "accept", &ledger, &target(&key), "--reason", "meant so"];
        rig.server.run(&accept).await.assert_exit(0);
    }
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(run.assert_exit(0).named(), Vec::<String>::new());
    assert_eq!((run.object(&key(0))["change"].as_str(), run.end()["missing"].as_u64()), (Some("same"), Some(0)));
    assert_eq!(run.end()["examined"], 0, "nor after that");
}

/// A listing does not show damaged bytes; only a read finds them, once the proof is too old.
#[tokio::test(flavor = "multi_thread")]
async fn damage_keeps_an_object_due() {
    let rig = Rig::with(3).await;
    rig.lab.damage(BUCKET, &key(1), 1_000, 1).unwrap();
    for _ in 0..2 {
        let run = rig.audit(&["--level", "bytes"]).await;
        assert_eq!(run.assert_exit(1).named(), [format!("{}: crc64nvme fail, etag fail, proof fail", target(&key(1)))]);
    }
    assert_eq!(rig.audit(&["--level", "bytes"]).await.end()["examined"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_was_found_is_not_passed_over_for_an_earlier_proof() {
    let rig = Rig::with(3).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    rig.lab.damage(BUCKET, &key(1), 1_000, 1).unwrap();
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    rig.audit(&["--level", "bytes", "--max-age", "0h"]).await.assert_exit(1);
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(run.assert_exit(1).named(), [format!("{}: crc64nvme fail, etag fail, proof fail", target(&key(1)))]);
    // An audit at level facts does not see the damage, but still reports it.
    for _ in 0..2 {
        assert_eq!(rig.audit(&[]).await.assert_exit(1).named(), [format!("{}: sound fail", target(&key(1)))]);
    }
    // Also if the object cannot be examined.
    rig.lab.deny(Deny::action("s3:GetObject").under(&key(1)));
    let denied = [format!("{}: identity not_permitted, sound fail", target(&key(1)))];
    assert_eq!(rig.audit(&["--max-age", "0d"]).await.assert_exit(1).named(), denied);
    rig.lab.allow_all();
    let ledger = rig.text("l.db");
    rig.source(1);
    let safe = ["safe-to-delete", "ami-00000000000000001", "--in", "s3://archive", "--ledger", &ledger];
    assert_eq!(rig.server.run(&safe).await.assert_exit(1).report()["answer"], "must_stay");
    rig.lab.damage(BUCKET, &key(1), 1_000, 1).unwrap();
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    rig.audit(&[]).await.assert_exit(0);
}

/// Objects that never passed are also reported as missing, and compared with their earlier state.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_is_not_forgotten() {
    let rig = Rig::with(3).await;
    for number in [0, 1] {
        rig.lab.with_object(BUCKET, &key(number), |object| object.storage_class = "GLACIER".into()).unwrap();
    }
    rig.lab.deny(Deny::action("s3:GetObject").under(&key(2)));
    rig.audit(&["--level", "bytes"]).await.assert_exit(4);
    rig.lab.allow_all();
    rig.put(&key(0), 50, 3_000).await;
    rig.delete(&key(1)).await;
    rig.delete(&key(2)).await;
    for _ in 0..2 {
        let run = rig.audit(&[]).await;
        let named = [(0, "unchanged fail"), (1, "present fail"), (2, "present fail")];
        let mut named = named.map(|(number, what)| format!("{}: {what}", target(&key(number))));
        named.sort();
        assert_eq!(run.assert_exit(1).named(), named);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_repaired_with_the_right_bytes_is_in_order_again() {
    let rig = Rig::with(2).await;
    rig.lab.damage(BUCKET, &key(0), 1, 1).unwrap();
    rig.lab.deny(Deny::action("s3:GetObject").under(&key(1)));
    rig.audit(&["--level", "bytes"]).await.assert_exit(1);
    rig.lab.allow_all();
    rig.audit(&["--level", "bytes"]).await.assert_exit(1);
    rig.lab.damage(BUCKET, &key(1), 1, 1).unwrap();
    rig.audit(&["--level", "bytes", "--max-age", "0d"]).await.assert_exit(1);
    for number in [0, 1] {
        rig.lab
            .with_object(BUCKET, &key(number), |object| {
                object.last_modified = jiff::Timestamp::UNIX_EPOCH;
            })
            .unwrap();
        rig.lab.damage(BUCKET, &key(number), 1, 1).unwrap();
    }
    let run = rig.audit(&["--level", "bytes"]).await;
    for number in [0, 1] {
        assert_eq!(run.object(&key(number))["change"], "replaced_same_content", "{:?}", run.named());
    }
    assert_eq!(rig.audit(&["--level", "bytes"]).await.assert_exit(0).end()["examined"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_is_of_what_was_seen() {
    let rig = Rig::with(2).await;
    let ledger = rig.text("l.db");
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let accept =
        async |key: &str| rig.server.run(&["ledger", "accept", &ledger, &target(key), "--reason", "meant"]).await.exit;
    assert_eq!(accept("misspelt").await, Some(2));
    rig.put(&key(0), 50, 3_000).await;
    assert_eq!(accept(&key(0)).await, Some(0), "of the state that the ledger knows");
    rig.audit(&["--level", "bytes"]).await.assert_exit(1);
    assert_eq!(accept(&key(0)).await, Some(0));
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    rig.put(&key(0), 51, 4_000).await;
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(run.assert_exit(1).named(), [format!("{}: unchanged fail", target(&key(0)))], "what came later");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stays_damaged_keeps_no_other_from_its_turn() {
    let rig = Rig::with(5).await;
    rig.lab.damage(BUCKET, &key(0), 1, 1).unwrap();
    rig.lab.with_object(BUCKET, &key(3), |object| object.storage_class = "GLACIER".into()).unwrap();
    for _ in 0..5 {
        rig.audit(&["--level", "bytes", "--max-bytes", "1"]).await;
    }
    let run = rig.audit(&["--level", "bytes", "--max-bytes", "1"]).await;
    assert_eq!(run.end()["proved"], 3, "{:?}", run.named());
    // Changes shown by the listing are reported for objects that are not reached.
    rig.put(&key(1), 60, 3_000).await;
    rig.put(&key(2), 61, 3_000).await;
    let run = rig.audit(&["--level", "bytes", "--max-bytes", "1"]).await;
    let replaced = run.named().iter().filter(|named| named.contains("unchanged fail")).count();
    assert_eq!(replaced, 2, "{:?}", run.named());
    // The size of named objects is requested too.
    let list = rig.text("list.txt");
    let names: Vec<String> = (0..5).map(|number| target(&key(number))).collect();
    std::fs::write(&list, names.join("\n")).unwrap();
    for end in [["--max-bytes", "2500"], ["--max-cost", "0.000000001"]] {
        let args = [&["audit", "--list", &list, "--level", "bytes"], &end[..]].concat();
        let run = Audited::of(rig.server.run(&args).await);
        let examined = run.end()["examined"].as_u64().unwrap();
        assert!((1..4).contains(&examined), "{end:?}: {:?}", run.end());
    }
}

/// What cannot be read takes nothing of what the others may.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_read_uses_up_no_limit() {
    let rig = Rig::with(8).await;
    for number in [0, 1, 3, 6] {
        let cold = |object: &mut ObjectRecord| {
            object.storage_class = "DEEP_ARCHIVE".into();
            object.size = 1 << 40;
        };
        rig.lab.with_object(BUCKET, &key(number), cold).unwrap();
    }
    let audit = ["audit", "s3://archive", "--level", "bytes", "--objects", "1"];
    for limit in [["--max-bytes", "8000"], ["--max-cost", "0.01"]] {
        let run = Audited::of(rig.server.run(&[&audit[..], &limit[..]].concat()).await);
        let end = run.end();
        assert_eq!((&end["proved"], &end["examined"]), (&json!(4), &json!(8)), "{limit:?}: {end}");
    }
    // What is read at last still counts.
    let run = Audited::of(rig.server.run(&[&audit[..], &["--max-bytes", "5000"][..]].concat()).await);
    assert_eq!(run.end()["proved"], 2, "{}", run.end());

    // HEAD of an object that looks readable fails: what was reserved for it is given back.
    let warm = |object: &mut ObjectRecord| object.storage_class = "STANDARD".into();
    rig.lab.with_object(BUCKET, &key(0), warm).unwrap();
    rig.lab.deny(Deny::action("s3:GetObject").under(&key(0)));
    for limit in [["--max-bytes", "8000"], ["--max-cost", "0.01"]] {
        let run = Audited::of(rig.server.run(&[&audit[..], &limit[..]].concat()).await);
        assert_eq!(run.end()["proved"], 4, "{limit:?}: {}", run.end());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_judges_the_object_that_was_proved() {
    let rig = Rig::with(1).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nencryption = [\"AES256\"]\n").unwrap();
    let other = Fault::OtherETag("ffffffffffffffffffffffffffffffff".into());
    rig.lab.script(FaultRule::new(Operation::HeadObject, other).always());
    let run = rig.audit(&["--policy", &policy]).await;
    assert_ne!(run.object(&key(0))["verdict"], "pass", "{:?}", run.lines);
    assert_ne!(run.run.exit, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_another_region_is_one_that_is_in_order() {
    let rig = Rig::with(2).await;
    let there = BucketOptions { region: Some("eu-west-1".into()), ..BucketOptions::default() };
    rig.lab.create_bucket("archive-eu", there).unwrap();
    let eu = Server::new(&rig.lab.endpoint(), "eu-west-1", "test", "test");
    eu.put("archive-eu", &key(0), &data(1, 2_000), Some(ChecksumAlgorithm::Crc64Nvme)).await;
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nother-region = true\n").unwrap();
    let audit = ["audit", "s3://archive", "s3://archive-eu", "--level", "bytes", "--policy", &policy];
    let lone = format!("{}: other-region fail", target(&key(1)));
    let duplicate = format!("duplicate: s3://archive-eu/{}", key(0));
    let run = Audited::of(rig.server.run(&audit).await);
    assert_eq!(run.assert_exit(1).named(), [duplicate, lone.clone()]);
    // A damaged object is not a copy.
    rig.lab.damage("archive-eu", &key(0), 1, 1).unwrap();
    let run = Audited::of(rig.server.run(&audit).await);
    let named = run.assert_exit(1).named();
    assert!(named.contains(&format!("{}: other-region fail", target(&key(0)))) && named.contains(&lone), "{named:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_judged_for_what_still_holds_too() {
    let rig = Rig::with(3).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let policy = rig.text("p.toml");
    let text = "[object]\nencryption = [\"AES256\"]\ntags = [\"Owner\"]\nlock = \"any\"\nproof-age = \"1d\"\n";
    std::fs::write(&policy, text).unwrap();
    rig.server.tag(BUCKET, &key(0), "Owner", "me").await;
    let run = rig.audit(&["--level", "bytes", "--policy", &policy]).await;
    run.assert_exit(1);
    let named = run.named();
    assert_eq!(named[0], format!("{}: lock fail", target(&key(0))), "{named:?}");
    assert_eq!(named[1], format!("{}: lock fail, tags fail", target(&key(1))));
    assert_eq!(run.end()["examined"], 0, "no byte is read again for a policy");
    // A denied request makes the check unknown.
    rig.lab.deny(Deny::action("s3:GetObjectTagging"));
    std::fs::write(&policy, "[object]\ntags = [\"Owner\"]\n").unwrap();
    let run = rig.audit(&["--policy", &policy]).await;
    assert_eq!(run.assert_exit(3).named()[0], format!("{}: tags not_permitted", target(&key(0))));
    // Without a listing, the storage class is requested.
    let list = rig.text("list.txt");
    std::fs::write(&list, target(&key(0))).unwrap();
    for (class, exit) in [("STANDARD", 0), ("GLACIER_IR", 1)] {
        std::fs::write(&policy, format!("[object]\nstorage-classes = [\"{class}\"]\n")).unwrap();
        let args = ["audit", "--list", &list, "--ledger", &rig.text("l.db"), "--policy", &policy];
        let run = Audited::of(rig.server.run(&args).await);
        assert_eq!(run.assert_exit(exit).end()["still_good"], 1, "{class}");
    }
    // A policy with an unknown field is rejected.
    std::fs::write(&policy, "[object]\nencription = [\"AES256\"]\n").unwrap();
    assert!(rig.audit(&["--policy", &policy]).await.assert_exit(2).run.stderr.contains("unknown field `encription`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lifecycle_rule_removes_soon_does_not_stand_in() {
    let rig = Rig::with(2).await;
    rig.source(1);
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let (policy, ledger) = (rig.text("p.toml"), rig.text("l.db"));
    std::fs::write(&policy, "[object]\nstays = \"90d\"\n").unwrap();
    let on = |days: i64| {
        let day = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        let day = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&day).unwrap();
        format!("expiry-date=\"{day}\", rule-id=\"old\"")
    };
    for (expiration, exit, answer, named) in [
        (None, 0, "may_go", None),
        (Some(on(100)), 0, "may_go", None),
        (Some(on(80)), 1, "must_stay", Some("stays fail")),
        (Some("soon".to_owned()), 3, "cannot_tell", Some("stays not_stated")),
    ] {
        rig.lab.with_object(BUCKET, &key(1), |object| object.expiration = expiration.clone()).unwrap();
        let run = rig.audit(&["--policy", &policy]).await;
        let named: Vec<String> = named.map(|named| format!("{}: {named}", target(&key(1)))).into_iter().collect();
        assert_eq!(run.assert_exit(exit).named(), named, "{expiration:?}");
        let safe = ["safe-to-delete", "ami-00000000000000001", "--in", "s3://archive", "--ledger", &ledger];
        let run = rig.server.run(&safe).await;
        assert_eq!(run.assert_exit(exit).report()["answer"], answer, "{expiration:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_proof_comes_first_where_not_all_can_be_reached() {
    let rig = Rig::with(3).await;
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    for number in 3..8 {
        rig.put(&key(number), number, 10_000).await;
    }
    let run = rig.audit(&["--level", "bytes", "--max-bytes", "25000"]).await;
    let end = run.assert_exit(3).end();
    assert_eq!((end["examined"].as_u64(), end["left"].as_u64()), (Some(2), Some(3)));
    let run = rig.audit(&["--level", "bytes", "--max-bytes", "1"]).await;
    assert_eq!(run.end()["examined"], 1, "the first one always");
    let run = rig.audit(&["--level", "bytes", "--max-cost", "0.5"]).await;
    assert_eq!(run.assert_exit(0).end()["examined"], 2);
    assert!(run.end()["estimated_dollars"].as_f64().unwrap() < 0.01);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_objects_trouble_stops_nothing() {
    let rig = Rig::with(9).await;
    rig.lab.deny(Deny::action("s3:GetObject").under("p1/"));
    let run = rig.audit(&["--level", "bytes"]).await;
    let end = run.assert_exit(4).end();
    assert_eq!((end["examined"].as_u64(), end["proved"].as_u64()), (Some(9), Some(6)));
    assert_eq!(run.named().len(), 3);
    assert!(run.named()[0].ends_with("identity not_permitted"), "{:?}", run.named());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ami_may_go_when_a_proved_copy_stands_in_for_it() {
    let rig = Rig::with(2).await;
    let (ledger, ami) = (rig.text("l.db"), "ami-00000000000000001");
    rig.source(1);
    rig.audit(&[]).await.assert_exit(0);
    let safe = |args: Vec<&'static str>| {
        let (server, ledger) = (rig.server.clone(), ledger.clone());
        async move {
            let all = [&["safe-to-delete", ami, "--in", "s3://archive", "--ledger", &ledger], &args[..]].concat();
            server.run(&all).await
        }
    };
    let answer = |run: &crate::common::Run| run.report()["answer"].as_str().unwrap().to_owned();
    let run = safe(vec![]).await;
    assert_eq!(answer(run.assert_exit(1)), "must_stay");
    assert!(run.stdout.contains("its present content was never proved"));
    rig.audit(&["--level", "bytes"]).await.assert_exit(0);
    let run = safe(vec![]).await;
    assert_eq!(
        (answer(run.assert_exit(0)), run.report()["copy"].as_str()),
        ("may_go".into(), Some(target(&key(1)).as_str()))
    );
    // Written again since the proof, with bytes that are not proved.
    rig.put(&key(1), 99, 2_000).await;
    assert_eq!(answer(safe(vec![]).await.assert_exit(1)), "must_stay");
    rig.delete(&key(1)).await;
    let run = safe(vec![]).await;
    assert_eq!(answer(run.assert_exit(1)), "must_stay");
    rig.lab.deny(Deny::action("s3:ListBucket"));
    assert_eq!(answer(safe(vec![]).await.assert_exit(4)), "cannot_tell");
    assert_eq!(safe(vec!["--max-age", "soon"]).await.exit, Some(2));
}
