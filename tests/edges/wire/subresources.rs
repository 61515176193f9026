//! Servers that answer requests for a subresource with the object itself.

use serde_json::Value;

use super::object::{TARGET, TIME, etag, honest};
use super::server::{Answer, Asked, Scripted};

const ATTRIBUTES: &str = "<GetObjectAttributesResponse xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Checksum><ChecksumCRC32>AAAAAA==</ChecksumCRC32><ChecksumType>FULL_OBJECT</ChecksumType></Checksum></GetObjectAttributesResponse>";
const TAGGING: &str = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";

fn is_subresource(asked: &Asked) -> bool {
    ["attributes", "tagging", "retention", "legal-hold"].iter().any(|name| asked.asks(name))
}

/// A server whose object is this document, with this response to every subresource.
fn serving(document: &'static str, answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Scripted {
    Scripted::new(move |asked| match is_subresource(asked) {
        true => answer(asked),
        false => honest(asked, document.as_bytes()),
    })
}

async fn inspected(server: &Scripted) -> Value {
    server.run(&["inspect", TARGET]).await.assert_exit(0).report()
}

/// One header of the object is enough to recognise it, whatever the body.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_the_head_of_an_object_is_none() {
    type Bend = fn(Answer) -> Answer;
    let own = || format!("\"{}\"", super::object::md5(ATTRIBUTES.as_bytes()));
    let signs: [(&str, Bend); 6] = [
        ("ETag", |answer| answer.header("ETag", format!("\"{}\"", super::object::md5(ATTRIBUTES.as_bytes())))),
        ("Accept-Ranges", |answer| answer.header("Accept-Ranges", "bytes").header("Content-Type", "application/xml")),
        ("Content-Range", |answer| answer.header("Content-Range", "bytes 0-9/10")),
        ("x-amz-meta-", |answer| answer.header("x-amz-meta-x", "y").header("Content-Type", "text/xml")),
        ("octet-stream", |answer| answer.header("Content-Type", "binary/octet-stream")),
        ("text/plain", |answer| answer.header("Content-Type", "text/plain")),
    ];
    assert!(own().len() > 2);
    for (sign, bend) in signs {
        let server = serving(ATTRIBUTES, move |_| bend(Answer::xml(ATTRIBUTES).header("Last-Modified", TIME)));
        let report = inspected(&server).await;
        let notes = report["notes"].to_string();
        assert!(notes.contains("does not know GetObjectAttributes"), "{sign}: {notes}");
        assert_eq!(report["checksums"], serde_json::json!([]), "{sign}");
        let why = report["tags"]["why"].to_string() + &report["tags"].to_string();
        assert!(why.contains(sign), "{sign}: {why}");
        // HEAD, attributes, tags and retention, once each; no legal hold, because the retention is already unknown.
        assert_eq!(report["requests"], 4, "{sign}: {:?}", server.asked());
        assert_eq!(server.asked().len(), 4);
        assert_eq!(report.get("received_bytes"), None, "{sign}: dropped unread");
        let verified = server.run(&["verify", TARGET]).await;
        assert_eq!(verified.assert_exit(0).report()["proved_by"], serde_json::json!(["etag"]), "{sign}");
    }
}

/// If no header states a length, the length of the body is compared.
#[tokio::test(flavor = "multi_thread")]
async fn the_object_is_known_by_the_length_that_came() {
    let chunked = |body: &str| {
        let body = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        Answer { lengthless: true, ..Answer::xml(&body).header("Transfer-Encoding", "chunked") }
    };
    for (object, fine) in [(ATTRIBUTES, false), ("some other bytes", true)] {
        let server = Scripted::new(move |asked| match asked.asks("attributes") {
            true => chunked(ATTRIBUTES),
            false => honest(asked, object.as_bytes()),
        });
        let report = inspected(&server).await;
        assert_eq!(report["checksums"].as_array().unwrap().len(), usize::from(fine), "{object}: {report}");
    }
    let server = Scripted::new(move |asked| match asked.asks("tagging") {
        true => chunked(TAGGING),
        false => honest(asked, TAGGING.as_bytes()),
    });
    let tags = inspected(&server).await["tags"].to_string();
    assert!(tags.contains("the object itself, by its length"), "{tags}");
}

/// A page that goes no further than the one before it would be asked for again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_parts_that_does_not_go_on_ends() {
    let parts = "<ObjectParts><PartsCount>9</PartsCount><IsTruncated>true</IsTruncated><NextPartNumberMarker>2\
                 </NextPartNumberMarker><Part><PartNumber>1</PartNumber><Size>1</Size></Part><Part><PartNumber>2\
                 </PartNumber><Size>1</Size></Part></ObjectParts></GetObjectAttributesResponse>";
    let body = ATTRIBUTES.replace("</GetObjectAttributesResponse>", parts);
    let server = serving("some bytes", move |asked| match asked.asks("attributes") {
        true => Answer::xml(&body),
        false => Answer::error(404, "NoSuchObjectLockConfiguration", "none"),
    });
    inspected(&server).await;
    assert_eq!(server.count(|asked| asked.asks("attributes")), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_that_contradict_head_are_not_believed() {
    let with = |more: &str| ATTRIBUTES.replace("<Checksum>", &format!("{more}<Checksum>"));
    let own = super::object::md5(b"x");
    for (more, fine) in [
        (format!("<ETag>{own}</ETag><ObjectSize>1</ObjectSize>"), true),
        (format!("<ETag>{own}-2</ETag>"), false),
        ("<ObjectSize>2</ObjectSize>".to_owned(), false),
        ("<ObjectSize>-1</ObjectSize>".to_owned(), false),
        ("<Padding>1</Padding>".to_owned(), false),
    ] {
        let body = with(&more);
        let server = serving("x", move |asked| match asked.asks("attributes") {
            true => Answer::xml(&body),
            false => Answer::error(404, "NoSuchObjectLockConfiguration", "none"),
        });
        let report = inspected(&server).await;
        assert_eq!(report["checksums"].as_array().unwrap().len(), usize::from(fine), "{more}: {}", report["notes"]);
    }
}

/// S3 itself sends no Content-Type here, so its absence proves nothing, and the document is parsed.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_sign_the_document_decides() {
    for (body, fine) in [
        (TAGGING.to_owned(), true),
        (TAGGING.replace(" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", ""), true),
        (format!("<?xml version=\"1.0\"?><!-- x -->{TAGGING}"), true),
        (TAGGING.replace("http://s3.amazonaws.com/doc/2006-03-01/", "urn:other"), false),
        (ATTRIBUTES.to_owned(), false),
        ("hello".to_owned(), false),
        (String::new(), false),
        (format!("{TAGGING}{}", " ".repeat(1 << 20)), false),
    ] {
        let length = body.len() as u64;
        let sent = body.clone();
        let server = serving("x", move |asked| match asked.asks("tagging") {
            true => Answer::xml(&sent).header("Last-Modified", TIME),
            false => Answer::error(404, "NoSuchObjectLockConfiguration", "none"),
        });
        let report = inspected(&server).await;
        let tags = report["tags"].to_string();
        assert_eq!(tags.contains("\"a\":\"b\""), fine, "{length} bytes: {tags}");
        if !fine {
            assert!(tags.contains("does not know this request"), "{tags}");
            let received = report.get("received_bytes").and_then(Value::as_u64).unwrap_or(0);
            assert!(received <= length && (received > 0 || length == 0), "{received} of {length}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_inside_a_success_is_asked_again() {
    let server = serving("x", {
        let left = std::sync::atomic::AtomicU32::new(1);
        move |asked| match asked.asks("tagging") {
            true if left.swap(0, std::sync::atomic::Ordering::Relaxed) == 1 => {
                Answer::xml("<Error><Code>SlowDown</Code></Error>")
            }
            true => Answer::xml(TAGGING),
            false => Answer::error(404, "NoSuchObjectLockConfiguration", "none"),
        }
    });
    let report = inspected(&server).await;
    assert!(report["tags"].to_string().contains("\"a\":\"b\""), "{}", report["tags"]);
    assert_eq!(server.count(|asked| asked.asks("tagging")), 2);
}

/// Ceph rejects the signature of a subresource that it does not know.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_a_server_does_not_know_is_asked_and_told_once() {
    for (status, code) in [(403, "SignatureDoesNotMatch"), (501, "NotImplemented"), (405, "MethodNotAllowed")] {
        let server = Scripted::new(move |asked| match asked.asks("attributes") {
            true => Answer::error(status, code, "no"),
            false => honest(asked, b"some bytes"),
        });
        let targets: Vec<String> = (1..=3).map(|n| format!("s3://bucket/ami-0123456789abcde{n}0.bin")).collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let run = server.run(&[&["verify"], &targets[..]].concat()).await;
        run.assert_exit(0);
        assert_eq!(server.count(|asked| asked.asks("attributes")), 1, "{code}");
        let told = run.lines().iter().filter(|line| line["notes"].to_string().contains("GetObjectAttributes")).count();
        assert_eq!(told, 1, "{code}: {}", run.stdout);
        assert!(run.stdout.contains("the server does not know GetObjectAttributes"), "{}", run.stdout);
        assert!(!run.stdout.contains("credentials"), "{}", run.stdout);
    }
}

/// A server that ignores part numbers answers for part 1 with the whole object; no other part is requested.
#[tokio::test(flavor = "multi_thread")]
async fn parts_are_not_asked_for_one_by_one_where_part_numbers_are_ignored() {
    // A composite ETag with uneven parts: the first part fits no layout, so all parts would be requested.
    let server = Scripted::new(|asked| {
        let multipart = format!("\"{}-40\"", etag());
        honest(asked, &super::object::bytes()).without("ETag").header("ETag", multipart)
    });
    let run = server.run(&["verify", TARGET]).await;
    run.assert_exit(3);
    let parts = server.count(|asked| asked.path.contains("partNumber="));
    assert!((1..=2).contains(&parts), "{parts} HEADs of parts");
}
