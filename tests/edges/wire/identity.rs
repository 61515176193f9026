//! Servers whose ETags and conditions differ from those of S3.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::object::{TARGET, bytes, etag, honest};
use super::server::{Answer, Asked, Scripted};
use crate::common::Run;

/// A reference that needs no ETag, so that only the identity decides.
fn expect() -> String {
    use stored_ami::checksum::{Algorithm, Hasher};
    format!("sha256:{}", Hasher::digest(Algorithm::Sha256, &bytes()).hex())
}

async fn verify(server: &Scripted) -> Run {
    server.run(&["verify", TARGET, "--expect", &expect(), "--range-size", "64KiB"]).await
}

fn is_read(asked: &Asked) -> bool {
    asked.method == "GET" && asked.range().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_412_without_a_change_does_not_end_the_reading() {
    // One server compares the quotes literally, one always rejects the condition.
    let literal: fn(&Asked) -> bool = |asked| asked.header("if-match").is_some_and(|text| text.starts_with('"'));
    let always: fn(&Asked) -> bool = |asked| asked.header("if-match").is_some();
    for refuses in [literal, always] {
        let server = Scripted::new(move |asked| match is_read(asked) && refuses(asked) {
            true => Answer::error(412, "PreconditionFailed", "no"),
            false => honest(asked, &bytes()),
        });
        let run = verify(&server).await;
        let report = run.assert_exit(0).report();
        let notes = report["notes"].as_array().unwrap();
        let told = notes.iter().filter(|note| note.as_str().unwrap().contains("If-Match")).count();
        assert_eq!(told, 1, "{notes:?}");
        assert_eq!(run.verdict("identity"), "pass");
        // Two HEADs of the object, and one to check whether anything changed.
        assert_eq!(server.count(Asked::is_head), 3);
        assert_eq!(report["stats"]["requests"].as_u64().unwrap(), server.asked().len() as u64, "each is counted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_a_server_does_not_know_is_left_out() {
    for (status, code) in [(400, "InvalidArgument"), (406, "NotAcceptable"), (501, "NotImplemented")] {
        let server = Scripted::new(move |asked| match is_read(asked) && asked.header("if-match").is_some() {
            true => Answer::error(status, code, "no"),
            false => honest(asked, &bytes()),
        });
        let run = verify(&server).await;
        let notes = run.assert_exit(0).report()["notes"].to_string();
        assert!(notes.contains(&format!("refused If-Match ({status})")), "{notes}");
        // A request that is also rejected without the condition is not rejected because of it.
        let server = Scripted::new(move |asked| match is_read(asked) {
            true => Answer::error(status, code, "no"),
            false => honest(asked, &bytes()),
        });
        let run = verify(&server).await;
        assert!(!run.assert_exit(4).stdout.contains("refused If-Match"), "{}", run.stdout);
    }
    let server = Scripted::new(|asked| match is_read(asked) {
        true => Answer { lengthless: true, ..Answer::new(304) },
        false => honest(asked, &bytes()),
    });
    let run = verify(&server).await;
    let findings = run.assert_exit(3).report()["findings"].to_string();
    assert!(findings.contains("nothing changed (status 304)") && !findings.contains("elsewhere"), "{findings}");
}

/// HEAD states an empty stored AMI, and the response to the read contains bytes.
#[tokio::test(flavor = "multi_thread")]
async fn a_size_that_the_server_contradicts_is_no_fail() {
    for sends in [true, false] {
        let server = Scripted::new(move |asked| match asked.is_head() {
            true => honest(asked, b""),
            false => honest(asked, if sends { b"bytes" } else { b"" }).without("ETag"),
        });
        let run = server.run(&["verify", TARGET]).await;
        let (exit, size) = if sends { (3, "unknown: protocol") } else { (1, "fail") };
        assert_eq!(run.assert_exit(exit).verdict("size"), size);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_412_behind_a_change_is_a_change() {
    type Bend = fn(Answer) -> Answer;
    let bends: [Bend; 3] = [
        |answer| answer.without("ETag").header("ETag", "\"other\""),
        |answer| answer.without("Last-Modified").header("Last-Modified", "Fri, 02 Jan 2026 03:04:06 GMT"),
        |answer| answer.without("ETag"),
    ];
    for bend in bends {
        let heads = AtomicUsize::new(0);
        let server = Scripted::new(move |asked| {
            if is_read(asked) {
                return Answer::error(412, "PreconditionFailed", "no");
            }
            let nth = if asked.is_head() { heads.fetch_add(1, Ordering::Relaxed) } else { 0 };
            let answer = honest(asked, &bytes());
            if nth == 1 { bend(answer) } else { answer }
        });
        let run = verify(&server).await;
        assert_eq!(run.assert_exit(3).verdict("identity"), "unknown: unreadable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_condition_every_answer_must_carry_the_etag() {
    for other in [None, Some("\"another\"")] {
        let reads = AtomicUsize::new(0);
        let server = Scripted::new(move |asked| {
            if is_read(asked) && asked.header("if-match").is_some() {
                return Answer::error(412, "PreconditionFailed", "no");
            }
            let answer = honest(asked, &bytes());
            // The second read that is answered.
            if !is_read(asked) || reads.fetch_add(1, Ordering::Relaxed) != 1 {
                return answer;
            }
            other.map_or(answer.clone().without("ETag"), |etag| answer.without("ETag").header("ETag", etag))
        });
        let run = verify(&server).await;
        assert_eq!(run.assert_exit(3).verdict("identity"), "unknown: unreadable", "{other:?}");
    }
}

/// The object may have been replaced by another of the same size within the second that its time states.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_not_resumed_where_only_the_times_agree() {
    for (strong, resumed) in [(true, true), (false, false)] {
        let server = Scripted::new(move |asked| {
            let answer = honest(asked, &bytes());
            if strong { answer } else { weak(answer) }
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.json");
        let expect = expect();
        let args = ["verify", TARGET, "--expect", &expect, "--range-size", "64KiB", "--resume", file.to_str().unwrap()];
        server.run(&[&args[..], &["--max-bytes", "128KiB"]].concat()).await.assert_exit(3);
        assert!(file.exists());
        let run = server.run(&args).await;
        let report = run.assert_exit(0).report();
        let notes = report["notes"].to_string();
        assert_eq!(notes.contains("were read by an earlier run"), resumed, "{notes}");
        assert_eq!(notes.contains("is not resumed from, and everything is read again"), !resumed, "{notes}");
        let received = report["stats"]["received_bytes"].as_u64().unwrap();
        assert_eq!(received < bytes().len() as u64, resumed, "{received}");
    }
}

fn weak(answer: Answer) -> Answer {
    answer.without("ETag").header("ETag", format!("W/\"{}\"", etag()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_etag_is_no_condition_and_no_reference() {
    let server = Scripted::new(|asked| weak(honest(asked, &bytes())));
    let run = server.run(&["verify", TARGET]).await;
    let report = run.assert_exit(3).report();
    assert_eq!(report["identity"]["etag"], format!("W/\"{}\"", etag()));
    assert_eq!(run.verdict("etag"), "unknown: etag_not_md5");
    let run = verify(&server).await;
    let report = run.assert_exit(0).report();
    assert!(report["notes"].to_string().contains("is weak and identifies nothing"), "{}", report["notes"]);
    assert_eq!(server.count(|asked| asked.header("if-match").is_some()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_weak_or_empty_etag_time_and_size_are_held_on_every_answer() {
    type Bend = fn(Answer) -> Answer;
    let none: Bend = |answer| answer.without("ETag");
    let empty: Bend = |answer| answer.without("ETag").header("ETag", "\"\"");
    for mark in [weak as Bend, none, empty] {
        let moves: [Bend; 3] = [
            |answer| answer.without("Last-Modified").header("Last-Modified", "Fri, 02 Jan 2026 03:04:06 GMT"),
            |answer| answer.without("Last-Modified"),
            |answer| answer,
        ];
        for (index, bend) in moves.into_iter().enumerate() {
            let reads = AtomicUsize::new(0);
            let server = Scripted::new(move |asked| {
                let answer = mark(honest(asked, &bytes()));
                let later = is_read(asked) && reads.fetch_add(1, Ordering::Relaxed) == 2;
                if later { bend(answer) } else { answer }
            });
            let run = verify(&server).await;
            let expected = if index == 2 { "pass" } else { "unknown: unreadable" };
            assert_eq!(run.verdict("identity"), expected, "{index}: {run:?}");
            assert_eq!(server.count(|asked| asked.header("if-match").is_some()), 0);
        }
    }
}

/// An object that was written again with the same bytes has the same ETag, and is another version.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_strong_etag_a_version_is_not_contradicted() {
    for (version, expected) in [(Some("v1"), "pass"), (Some("v2"), "unknown: unreadable"), (None, "pass")] {
        let server = Scripted::new(move |asked| {
            let version = if is_read(asked) { version } else { Some("v1") };
            let answer = honest(asked, &bytes());
            version.map_or(answer.clone(), |version| answer.header("x-amz-version-id", version))
        });
        let run = verify(&server).await;
        assert_eq!(run.verdict("identity"), expected, "{version:?}: {run:?}");
    }
}

/// With versioning, the version id identifies the object, whatever its time.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_weak_etag_a_version_is_held() {
    for (version, expected) in
        [(Some("v1"), "pass"), (Some("v2"), "unknown: unreadable"), (None, "unknown: unreadable")]
    {
        let server = Scripted::new(move |asked| {
            let answer = weak(honest(asked, &bytes())).without("Last-Modified");
            let version = if is_read(asked) { version } else { Some("v1") };
            version.map_or(answer.clone(), |version| answer.header("x-amz-version-id", version))
        });
        let run = verify(&server).await;
        assert_eq!(run.verdict("identity"), expected, "{version:?}: {run:?}");
        assert!(server.asked().iter().filter(|a| is_read(a)).all(|a| a.path.contains("versionId=v1")));
    }
}
