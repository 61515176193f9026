//! `lock` in a policy: unknown words of a server make the check unknown.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use jiff::Timestamp;
use stored_ami_lab::{Fault, FaultRule, Operation, Retention};

use crate::rig::{BUCKET, Rig, key, target};

#[tokio::test(flavor = "multi_thread")]
async fn only_modes_and_holds_that_are_known_count() {
    let rig = Rig::with(1).await;
    let policy = rig.text("p.toml");
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(24 * 400);
    for (wish, mode, hold, exit) in [
        ("any", Some("GOVERNANCE"), None, 0),
        ("any", Some("COMPLIANCE"), None, 0),
        ("any", Some("NONE"), None, 3),
        ("any", Some(""), None, 3),
        ("any", Some("BOGUS"), None, 3),
        ("any", Some("governance"), None, 3),
        ("any", None, Some("ON"), 0),
        ("any", None, Some("OFF"), 1),
        ("any", None, Some("MAYBE"), 3),
        ("any", None, None, 1),
        ("compliance", Some("GOVERNANCE"), Some("ON"), 1),
        ("compliance", Some("STRONGEST"), None, 3),
        ("compliance", Some("COMPLIANCE"), None, 0),
    ] {
        std::fs::write(&policy, format!("[object]\nlock = \"{wish}\"\nlock-days = 30\n")).unwrap();
        rig.lab
            .with_object(BUCKET, &key(0), |object| {
                object.retention = mode.map(|mode| Retention { mode: mode.to_owned(), retain_until: later });
                object.legal_hold = hold.map(str::to_owned);
            })
            .unwrap();
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{wish} {mode:?} {hold:?}: {:?}", run.named());
    }
}

/// Contradictory headers are neither a lock nor the absence of one.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_comes_twice_is_not_known() {
    let rig = Rig::with(1).await;
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nlock = \"any\"\nlock-days = 30\n").unwrap();
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(24 * 400);
    let retention = Retention { mode: "GOVERNANCE".to_owned(), retain_until: later };
    for (operation, from, to) in [
        (Operation::GetObjectRetention, "<Mode>", "<Mode>NONE</Mode><Mode>"),
        (Operation::GetObjectRetention, "</Mode>", "</Mode><RetainUntilDate>2020-01-01T00:00:00Z</RetainUntilDate>"),
        (Operation::GetObjectRetention, "</Mode>", "</Mode><Cancelled>true</Cancelled>"),
        (Operation::GetObjectLegalHold, "<Status>", "<Status>OFF</Status><Status>"),
    ] {
        let held = operation == Operation::GetObjectLegalHold;
        rig.lab
            .with_object(BUCKET, &key(0), |object| {
                object.legal_hold = held.then(|| "ON".to_owned());
                object.retention = (!held).then(|| retention.clone());
            })
            .unwrap();
        rig.lab.clear_script();
        let hidden = if held { "x-amz-object-lock-legal-hold" } else { "x-amz-object-lock-mode" };
        rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::HeaderAbsent(hidden)).always());
        let words = vec![(from.to_owned(), to.to_owned())];
        rig.lab.script(FaultRule::new(operation, Fault::TextReplaced(words)).always());
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.assert_exit(3).named(), [format!("{}: lock unanswered", target(&key(0)))], "{to}");
    }
    rig.lab
        .with_object(BUCKET, &key(0), |object| {
            object.legal_hold = None;
            object.retention = Some(retention);
        })
        .unwrap();
    for code in ["NoSuchKey", "NotFound"] {
        rig.lab.clear_script();
        rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::HeaderAbsent("x-amz-object-lock-mode")).always());
        rig.lab.script(FaultRule::new(Operation::GetObjectRetention, Fault::Status { status: 404, code }).always());
        rig.audit(&["--policy", &policy]).await.assert_exit(3);
    }
}

/// A lock until a date beyond the supported range of dates counts as lasting.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_until_the_end_of_9999_counts() {
    let rig = Rig::with(1).await;
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nlock = \"compliance\"\nlock-days = 3650\n").unwrap();
    let retention = Retention { mode: "COMPLIANCE".to_owned(), retain_until: Timestamp::MAX };
    rig.lab.with_object(BUCKET, &key(0), |object| object.retention = Some(retention)).unwrap();
    rig.audit(&["--policy", &policy]).await.assert_exit(0);
    // By the subresource, if HEAD shows no lock, with the last second of the year.
    let hidden = Fault::HeaderAbsent("x-amz-object-lock-mode");
    rig.lab.script(FaultRule::new(Operation::HeadObject, hidden).always());
    let last = vec![("9999-12-30".to_owned(), "9999-12-31".to_owned())];
    rig.lab.script(FaultRule::new(Operation::GetObjectRetention, Fault::TextReplaced(last)).always());
    rig.lab.clear_calls();
    let run = rig.audit(&["--policy", &policy]).await;
    run.assert_exit(0);
    assert_eq!(rig.calls(Operation::GetObjectRetention), 1);
}

/// Unknown words in a policy, and lists that require nothing, are rejected before any request.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_has_known_words_only() {
    let rig = Rig::with(0).await;
    let policy = rig.text("p.toml");
    rig.lab.clear_calls();
    for (text, says) in [
        ("[object]\ntags = [\"\"]\n", "not a tag name"),
        ("[object]\ntags = [\"Owner\", \" \"]\n", "not a tag name"),
        ("[object]\ntags = []\n", "the list is empty"),
        ("[object]\nencryption = [\"kms\"]\n", "aws:kms"),
        ("[object]\nencryption = [\"\"]\n", "AES256"),
        ("[object]\nencryption = [\"AES256\", \"aes256\"]\n", "AES256"),
        ("[bucket]\nencryption = [\"AWS:KMS\"]\n", "aws:kms"),
        ("[bucket]\nencryption = []\n", "the list is empty"),
        ("[object]\nstorage-classes = [\"standard\"]\n", "STANDARD"),
        ("[object]\nstorage-classes = []\n", "the list is empty"),
    ] {
        std::fs::write(&policy, text).unwrap();
        let run = rig.audit(&["--policy", &policy]).await;
        let stderr = &run.run.stderr;
        assert_eq!(run.run.exit, Some(2), "{text}: {stderr}");
        assert!(stderr.contains(says) && stderr.contains("line 2"), "{text}: {stderr}");
    }
    assert_eq!(rig.lab.calls().len(), 0);
}

/// Storage class and encryption: values allowed by the policy pass, known values that are not allowed fail, and unknown
/// words are unknown.
#[tokio::test(flavor = "multi_thread")]
async fn classes_and_encryptions() {
    let rig = Rig::with(1).await;
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nstorage-classes = [\"STANDARD\", \"ONEZONE_IA\"]\n").unwrap();
    for (class, exit) in [("STANDARD", 0), ("ONEZONE_IA", 0), ("GLACIER_IR", 1), ("NEW_CLASS", 3), ("standard", 3)] {
        rig.lab.with_object(BUCKET, &key(0), |object| object.storage_class = class.to_owned()).unwrap();
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{class}: {:?}", run.named());
    }
    std::fs::write(&policy, "[object]\nencryption = [\"aws:kms\"]\n").unwrap();
    let run = rig.audit(&["--policy", &policy]).await;
    assert_eq!(run.assert_exit(1).named(), [format!("{}: encryption fail", target(&key(0)))]);
    // The encryption of the bucket.
    std::fs::write(&policy, "[bucket]\nversioning = true\nencryption = [\"AES256\"]\n").unwrap();
    let said = |operation, from: &str, to: &str| {
        let words = vec![(from.to_owned(), to.to_owned())];
        rig.lab.clear_script();
        rig.lab.script(FaultRule::new(operation, Fault::TextReplaced(words)).always());
    };
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let put = rig.server.client.put_bucket_versioning().bucket(BUCKET).versioning_configuration(enabled);
    put.send().await.unwrap();
    for (word, exit) in [("Enabled", 0), ("Suspended", 1), ("enabled", 3), ("On", 3)] {
        said(Operation::GetBucketVersioning, "Enabled", word);
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{word}: {:?}", run.named());
    }
    // Of the codes with status 404, one means that there is no configuration.
    std::fs::write(&policy, "[bucket]\npublic-access-blocked = true\n").unwrap();
    for (code, exit) in [("NoSuchPublicAccessBlockConfiguration", 1), ("NoSuchKey", 3), ("NoSuchBucket", 3)] {
        rig.lab.clear_script();
        let fault = Fault::Status { status: 404, code };
        rig.lab.script(FaultRule::new(Operation::GetPublicAccessBlock, fault).always());
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{code}: {:?}", run.named());
    }
    std::fs::write(&policy, "[bucket]\nencryption = [\"aws:kms\"]\n").unwrap();
    for (word, exit) in [("aws:kms", 0), ("aws:kms:dsse", 1), ("AES256", 1), ("aws:kms-next", 3)] {
        said(Operation::GetBucketEncryption, "AES256", word);
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{word}: {:?}", run.named());
    }
}
