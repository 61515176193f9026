//! `lock` of a policy: words of the server that are not known decide nothing.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use jiff::Timestamp;
use stored_ami::lab::{Fault, FaultRule, Operation, Retention};

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

/// A lock whose date is beyond the calendar of this tool is one that lasts.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_until_the_end_of_9999_counts() {
    let rig = Rig::with(1).await;
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nlock = \"compliance\"\nlock-days = 3650\n").unwrap();
    let retention = Retention { mode: "COMPLIANCE".to_owned(), retain_until: Timestamp::MAX };
    rig.lab.with_object(BUCKET, &key(0), |object| object.retention = Some(retention)).unwrap();
    rig.audit(&["--policy", &policy]).await.assert_exit(0);
    // By the sub-resource, where HEAD shows none, with the last second of the year.
    let hidden = Fault::HeaderAbsent("x-amz-object-lock-mode");
    rig.lab.script(FaultRule::new(Operation::HeadObject, hidden).always());
    let last = vec![("9999-12-30".to_owned(), "9999-12-31".to_owned())];
    rig.lab.script(FaultRule::new(Operation::GetObjectRetention, Fault::TextReplaced(last)).always());
    rig.lab.clear_calls();
    let run = rig.audit(&["--policy", &policy]).await;
    run.assert_exit(0);
    assert_eq!(rig.calls(Operation::GetObjectRetention), 1);
}

/// Storage class and encryption: what a person allows by name passes, what is known and not allowed fails, and a word
/// that is not known does neither.
#[tokio::test(flavor = "multi_thread")]
async fn classes_and_encryptions() {
    let rig = Rig::with(1).await;
    let policy = rig.text("p.toml");
    std::fs::write(&policy, "[object]\nstorage-classes = [\"STANDARD\", \"MINE\"]\n").unwrap();
    for (class, exit) in [("STANDARD", 0), ("MINE", 0), ("GLACIER_IR", 1), ("NEW_CLASS", 3), ("standard", 3)] {
        rig.lab.with_object(BUCKET, &key(0), |object| object.storage_class = class.to_owned()).unwrap();
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{class}: {:?}", run.named());
    }
    std::fs::write(&policy, "[object]\nencryption = [\"aws:kms\"]\n").unwrap();
    let run = rig.audit(&["--policy", &policy]).await;
    assert_eq!(run.assert_exit(1).named(), [format!("{}: encryption fail", target(&key(0)))]);
    // Of the bucket.
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
    std::fs::write(&policy, "[bucket]\nencryption = [\"aws:kms\"]\n").unwrap();
    for (word, exit) in [("aws:kms", 0), ("aws:kms:dsse", 1), ("AES256", 1), ("aws:kms-next", 3)] {
        said(Operation::GetBucketEncryption, "AES256", word);
        let run = rig.audit(&["--policy", &policy]).await;
        assert_eq!(run.run.exit, Some(exit), "{word}: {:?}", run.named());
    }
}
