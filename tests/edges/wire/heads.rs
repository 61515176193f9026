//! HEAD responses with headers that no SDK parses.

use super::object::{TARGET, TIME, bytes, etag, honest};
use super::server::{Answer, Asked, Scripted};

type Bend = fn(Answer) -> Answer;

/// Each with a word that the note must contain.
const ODD: [(&str, Bend); 14] = [
    ("Last-Modified", |answer| answer.without("Last-Modified").header("Last-Modified", "2026-01-02T03:04:05Z")),
    ("Last-Modified", |answer| answer.header("Last-Modified", "Fri, 02 Jan 2026 03:04:09 GMT")),
    ("Last-Modified", |answer| answer.without("Last-Modified").header("Last-Modified", "yesterday")),
    ("x-amz-object-lock-retain-until-date", |answer| answer.header("x-amz-object-lock-retain-until-date", TIME)),
    ("x-amz-object-lock-retain-until-date", |answer| answer.header("x-amz-object-lock-retain-until-date", "soon")),
    ("x-amz-meta-note", |answer| answer.header("x-amz-meta-note", b"caf\xe9")),
    ("x-amz-missing-meta", |answer| answer.header("x-amz-missing-meta", "many")),
    ("x-amz-tagging-count", |answer| answer.header("x-amz-tagging-count", "1.5")),
    ("", |answer| answer.header("x-amz-mp-parts-count", "three")),
    ("", |answer| answer.header("x-amz-storage-class", "COLD_AND_DARK")),
    ("", |answer| answer.header("x-amz-delete-marker", "maybe")),
    ("", |answer| answer.header("x-amz-server-side-encryption-bucket-key-enabled", "perhaps")),
    ("x-amz-replication-status", |answer| {
        answer.header("x-amz-replication-status", "A").header("x-amz-replication-status", "B")
    }),
    ("", |answer| answer.header("Expires", "0").header("x-amz-restore", "whatever")),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_header_does_not_make_an_object_unreadable() {
    for (index, (name, bend)) in ODD.into_iter().enumerate() {
        let server = Scripted::new(move |asked| bend(honest(asked, &bytes())));
        let run = server.run(&["inspect", TARGET]).await;
        let report = run.assert_exit(0).report();
        assert_eq!(report["identity"]["etag"], etag(), "{index}");
        assert_eq!(report["identity"]["object_bytes"], bytes().len());
        if !name.is_empty() {
            let notes = report["notes"].to_string();
            assert!(notes.to_lowercase().contains(&name.to_lowercase()), "{index} {name}: {notes}");
        }
        let run = server.run(&["verify", TARGET]).await;
        assert_eq!(run.assert_exit(0).report()["proved_by"], serde_json::json!(["etag"]), "{index}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_that_comes_twice_is_one_where_it_agrees() {
    let twice: Bend = |answer| {
        let length = answer.headers.iter().find(|(name, _)| name == "Content-Length").cloned();
        length.map_or(answer.clone(), |(_, length)| answer.header("Content-Length", length))
    };
    let server = Scripted::new(move |asked| twice(honest(asked, &bytes())));
    server.run(&["verify", TARGET]).await.assert_exit(0);
    let server = Scripted::new(|asked: &Asked| {
        let mut answer = honest(asked, &bytes());
        if asked.is_head() {
            answer = answer.without("Content-Length");
            answer.lengthless = true;
        }
        answer
    });
    let run = server.run(&["inspect", TARGET]).await;
    let message = run.assert_exit(4).report()["message"].to_string();
    assert!(message.contains("states no size") && !message.contains("None"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_in_encoded_words_is_shown_as_it_was_meant() {
    let server = Scripted::new(|asked| {
        honest(asked, &bytes())
            .header("x-amz-meta-ami-name", "=?UTF-8?B?d2ViIHNlcnZlcg==?=")
            .header("x-amz-meta-who", "=?UTF-8?Q?J=C3=BCrgen?=")
    });
    let report = server.run(&["inspect", TARGET]).await.assert_exit(0).report();
    let all = report["metadata"].as_array().unwrap();
    let shown: Vec<_> = all.iter().map(|entry| (entry["value"].as_str(), entry["recognised"].as_str())).collect();
    assert_eq!(shown, [(Some("web server"), Some("ami_name")), (Some("Jürgen"), None)]);
}

const EXPIRATION: &str = "x-amz-expiration";
const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const HOLD: &str = "x-amz-object-lock-legal-hold";

/// A bucket with one object, without lifecycle rules and locks except those of the HEAD response.
fn bucket_of_one(headers: &'static [(&'static str, &'static str)]) -> Scripted {
    Scripted::new(move |asked| {
        let object = asked.path.contains(".bin");
        if asked.asks("lifecycle") {
            return Answer::error(404, "NoSuchLifecycleConfiguration", "none");
        }
        if asked.asks("retention") || asked.asks("legal-hold") {
            return Answer::error(404, "NoSuchObjectLockConfiguration", "none");
        }
        if object {
            let bare = honest(asked, &bytes());
            return headers.iter().fold(bare, |answer, (name, value)| answer.header(name, value));
        }
        if asked.is_head() {
            return Answer::new(200).header("x-amz-bucket-region", "us-east-1");
        }
        Answer::xml(&format!(
            "<ListBucketResult><Name>bucket</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents>\
             <Key>ami-0123456789abcdef0.bin</Key><Size>{}</Size><ETag>\"{}\"</ETag></Contents></ListBucketResult>",
            bytes().len(),
            etag()
        ))
    })
}

/// Duplicate expiration and lock headers: it is not known which one applies, nor that there is none.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_asks_for_must_come_once() {
    const SOON: &str = "expiry-date=\"Tue, 01 Dec 2026 00:00:00 GMT\", rule-id=\"x\"";
    const LATE: &str = "expiry-date=\"Fri, 31 Dec 2100 00:00:00 GMT\", rule-id=\"y\"";
    const FAR: &str = "2100-12-01T00:00:00Z";
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let stays = "stays = \"90d\"";
    let lock = "lock = \"any\"\nlock-days = 30";
    type Case = (&'static str, &'static [(&'static str, &'static str)], i32);
    let table: [Case; 14] = [
        (stays, &[], 0),
        (stays, &[(EXPIRATION, LATE)], 0),
        (stays, &[(EXPIRATION, LATE), (EXPIRATION, LATE)], 0),
        (stays, &[(EXPIRATION, LATE), (EXPIRATION, SOON)], 3),
        (stays, &[(EXPIRATION, SOON), (EXPIRATION, LATE)], 3),
        (lock, &[], 1),
        (lock, &[(MODE, "GOVERNANCE"), (UNTIL, FAR)], 0),
        (lock, &[(MODE, "GOVERNANCE"), (UNTIL, "9999-12-31T23:59:59Z")], 0),
        (lock, &[(MODE, "GOVERNANCE"), (MODE, "NONE"), (UNTIL, FAR)], 3),
        (lock, &[(MODE, "GOVERNANCE"), (UNTIL, FAR), (UNTIL, "2020-01-01T00:00:00Z")], 3),
        (lock, &[(MODE, "GOVERNANCE"), (UNTIL, "2020-01-01T00:00:00Z"), (UNTIL, FAR)], 3),
        (lock, &[(UNTIL, "2020-01-01T00:00:00Z"), (UNTIL, FAR)], 3),
        (lock, &[(HOLD, "ON"), (HOLD, "OFF")], 3),
        (lock, &[(HOLD, "OFF"), (HOLD, "ON")], 3),
    ];
    for (index, (policy, headers, exit)) in table.into_iter().enumerate() {
        std::fs::write(path("p.toml"), format!("[object]\n{policy}\n")).unwrap();
        let ledger = path(&format!("{index}.db"));
        let server = bucket_of_one(headers);
        let run = server.run(&["audit", "s3://bucket/", "--policy", &path("p.toml"), "--ledger", &ledger]).await;
        assert_eq!(run.exit, Some(exit), "{policy} {headers:?}: {} {}", run.stdout, run.stderr);
        assert!(!run.stdout.contains("9999-12-30"), "{}", run.stdout);
    }
}

/// If HEAD is denied, a listing describes the object, if it is of this bucket and does not contradict itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_stands_in_for_a_head_only_where_it_can_be_believed() {
    for (name, prefix, count, exit) in [
        ("bucket", "ami-0123456789abcdef0.bin", 1, 3),
        ("other", "ami-0123456789abcdef0.bin", 1, 4),
        ("bucket", "ami-0", 1, 4),
        ("bucket", "ami-0123456789abcdef0.bin", 2, 4),
    ] {
        let server = Scripted::new(move |asked| match asked.path.contains("list-type") {
            true => Answer::xml(&format!(
                "<ListBucketResult><Name>{name}</Name><Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount>\
                 <IsTruncated>false</IsTruncated><Contents><Key>ami-0123456789abcdef0.bin</Key><Size>7</Size>\
                 </Contents></ListBucketResult>"
            )),
            false => Answer::error(403, "AccessDenied", "no"),
        });
        let run = server.run(&["inspect", TARGET]).await;
        assert_eq!(run.exit, Some(exit), "{name} {prefix} {count}: {}", run.stdout);
        assert_eq!(run.stdout.contains("does not show whether it is there"), exit == 4, "{}", run.stdout);
    }
}
