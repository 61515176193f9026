//! Wrong listings. A listing that contradicts itself is rejected, and HEAD confirms every missing object.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use stored_ami_lab::{BucketOptions, Deny, Fault, FaultRule, Operation, Versioning};

use crate::common::Server;
use crate::http::{answer, listen, request};
use crate::rig::{Audited, BUCKET, Rig, key, target};

fn lie(rig: &Rig, pairs: &[(&str, &str)]) {
    rig.lab.clear_script();
    let pairs = pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    rig.lab.script(FaultRule::new(Operation::ListObjectsV2, Fault::TextReplaced(pairs)).always());
}

const HIDDEN: [(&str, &str); 2] = [("Contents>", "Ignored>"), ("<KeyCount>3", "<KeyCount>0")];
const LAST: &str = "<IsTruncated>false</IsTruncated>";

#[tokio::test(flavor = "multi_thread")]
async fn contradictions_are_no_listing_and_make_nothing_gone() {
    let rig = Rig::with(3).await;
    rig.audit(&[]).await.assert_exit(0);
    let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>70302f</NextContinuationToken>";
    let table: [(&[(&str, &str)], &str); 12] = [
        (&[("<KeyCount>3", "<KeyCount>5")], "says that it has 5 keys, and has 3"),
        (&[("<KeyCount>3", "<KeyCount>2")], "says that it has 2 keys, and has 3"),
        (&[("<KeyCount>3", "<KeyCount>x")], "says that it has x keys, and has 3"),
        (&[("Contents>", "Ignored>")], "says that it has 3 keys, and has 0"),
        (
            &[(LAST, &format!("{LAST}<NextContinuationToken>x</NextContinuationToken>"))],
            "that it is the last, and where",
        ),
        (&[(LAST, "<NextContinuationToken>x</NextContinuationToken>")], "does not say whether more follow"),
        (&[(LAST, "")], "does not say whether more follow"),
        (&[(LAST, "<IsTruncated>true</IsTruncated>")], "that more follow, and not where"),
        (&[("<Name>archive<", "<Name>other<")], "of another bucket: other"),
        (&[("<Prefix/>", "<Prefix>p/</Prefix>")], "of another prefix: `p/`"),
        (&[(LAST, more)], "goes back to the key"),
        (&[("ListBucketResult", "ListVersionsResult")], "is no ListBucketResult document"),
    ];
    for (pairs, problem) in table {
        lie(&rig, pairs);
        rig.lab.clear_calls();
        let run = rig.audit(&[]).await;
        let end = run.assert_exit(4).end();
        assert!(end["problems"][0].as_str().unwrap().contains("could not be listed"), "{end}");
        assert!(end["problems"][0].as_str().unwrap().contains(problem), "{problem}: {end}");
        assert_eq!((end["missing"].as_u64(), rig.calls(Operation::HeadObject)), (Some(0), 0), "{problem}");
        assert!(rig.calls(Operation::ListObjectsV2) <= 2, "{problem}");
    }
    // No results of it were written to the ledger.
    rig.lab.clear_script();
    assert_eq!(rig.audit(&[]).await.assert_exit(0).end()["still_good"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_listing_lacks_is_asked_for_by_head() {
    let rig = Rig::with(3).await;
    rig.audit(&[]).await.assert_exit(0);
    lie(&rig, &HIDDEN);
    rig.lab.clear_calls();
    let run = rig.audit(&[]).await;
    let end = run.assert_exit(4).end();
    assert_eq!(end["missing"], 0);
    let problem = end["problems"][0].as_str().unwrap();
    assert!(problem.contains("the listing cannot be relied on: 3 objects that it lacks are there"), "{problem}");
    assert_eq!(run.of_type("audited").count(), 3);
    // If HEAD is denied, the state of the object is unknown, not missing.
    rig.lab.deny(Deny::action("s3:GetObject"));
    let run = rig.audit(&[]).await;
    let named: Vec<String> = (0..3).map(|number| format!("{}: identity not_permitted", target(&key(number)))).collect();
    assert_eq!(run.assert_exit(4).named(), named);
    assert_eq!(run.end()["missing"], 0);
    rig.lab.allow_all();
    rig.lab.clear_script();
    assert_eq!(rig.audit(&[]).await.assert_exit(0).end()["still_good"], 3, "nothing is gone in the ledger");

    // HEAD is sent once for the deleted object, which is reported as missing.
    rig.delete(&key(1)).await;
    rig.lab.clear_calls();
    let run = rig.audit(&[]).await;
    assert_eq!(run.assert_exit(1).named(), [format!("{}: present fail", target(&key(1)))]);
    assert_eq!((run.end()["missing"].as_u64(), rig.calls(Operation::HeadObject)), (Some(1), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_entry_spoils_itself_alone_and_head_counts() {
    let rig = Rig::with(2).await;
    rig.put(&key(2), 2, 2_001).await;
    for (from, to, said) in [
        ("<Size>2001</Size>", "<Size>-1</Size>", "its size in the listing is `-1`"),
        ("<Size>2001</Size>", "<Size>lots</Size>", "its size in the listing is `lots`"),
        ("<Size>2001</Size>", "", "the listing states no size of it"),
        ("<Size>2001</Size>", "<Size>2001</Size><Size>7</Size>", "its Size in the listing comes several times"),
        ("<Size>2001</Size>", "<Size>5</Size>", "the listing says that it has 5 bytes, and HEAD 2001"),
        ("<Size>2001</Size>", "<Size>0</Size>", "the listing says that it has 0 bytes, and HEAD 2001"),
    ] {
        lie(&rig, &[(from, to)]);
        for (level, ledger) in [("facts", "f.db"), ("bytes", "b.db")] {
            let ledger = rig.text(ledger);
            let run =
                Audited::of(rig.server.run(&["audit", "s3://archive", "--level", level, "--ledger", &ledger]).await);
            assert_eq!(run.assert_exit(0).end()["listed"], 3, "{said}");
            let object = run.object(&key(2));
            assert_eq!(object["identity"]["object_bytes"], 2_001);
            assert!(object["notes"].to_string().contains(said), "{level} {said}: {object}");
            assert_eq!(run.object(&key(1))["notes"].as_array().map_or(0, Vec::len), 0);
            std::fs::remove_file(&ledger).unwrap();
        }
    }
    // An invalid date in all entries of objects.
    lie(&rig, &[("<LastModified>20", "<LastModified>on 20")]);
    let run = rig.audit(&["--level", "bytes"]).await;
    assert_eq!(run.assert_exit(0).end()["proved"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_not_asked_for_are_left_out_and_said() {
    let rig = Rig::with(3).await;
    lie(&rig, &[("<Key>p1/", "<Key>other/")]);
    let run = Audited::of(rig.server.run(&["audit", "s3://archive/p1/"]).await);
    let end = run.assert_exit(3).end();
    assert_eq!(end["listed"], 0);
    let left = "the listing of s3://archive/p1/ has 1 keys that are not under it, left out: such as `other/";
    assert!(end["notes"].to_string().contains(left), "{end}");
}

/// An endless listing, with a new key and a new token on each page.
fn endless(pages: Arc<AtomicUsize>) -> u16 {
    listen(move |mut stream| {
        while let Some(asked) = request(&mut stream) {
            if asked.method == "HEAD" {
                answer(&mut stream, &asked, 200, &[("x-amz-bucket-region", "us-east-1")], "");
                continue;
            }
            let page = pages.fetch_add(1, Ordering::SeqCst);
            let body = format!(
                "<ListBucketResult><Name>{BUCKET}</Name><Prefix/><KeyCount>1</KeyCount><IsTruncated>true</IsTruncated>\
                 <NextContinuationToken>{page}</NextContinuationToken><Contents><Key>k{page:09}</Key><Size>1</Size>\
                 <ETag>a</ETag></Contents></ListBucketResult>"
            );
            answer(&mut stream, &asked, 200, &[("content-type", "application/xml")], &body);
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_without_an_end_ends_with_the_time_or_by_a_signal() {
    let pages = Arc::new(AtomicUsize::new(0));
    let port = endless(Arc::clone(&pages));
    let server = Server::new(&format!("http://127.0.0.1:{port}"), "us-east-1", "test", "test");
    let run = Audited::of(server.run(&["audit", "s3://archive", "--max-time", "1s"]).await);
    let problems = run.assert_exit(4).end()["problems"].to_string();
    assert!(problems.contains("--max-time ended the listing before it was complete"), "{problems}");

    pages.store(0, Ordering::SeqCst);
    let mut command = server.command();
    command.args(["audit", "s3://archive", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    while pages.load(Ordering::SeqCst) < 50 {
        assert!(child.try_wait().unwrap().is_none());
        tokio::task::yield_now().await;
    }
    std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let done = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(done.status.code(), Some(130), "{}", String::from_utf8_lossy(&done.stdout));
}

/// Tokens A, B, A, B, with new keys each time.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_come_again_end_it() {
    let pages = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pages);
    let port = listen(move |mut stream| {
        while let Some(asked) = request(&mut stream) {
            let page = count.fetch_add(usize::from(asked.method != "HEAD"), Ordering::SeqCst);
            let token = ["A", "B"][page % 2];
            let body = format!(
                "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>\
                 <Contents><Key>k{page:09}</Key><Size>1</Size></Contents></ListBucketResult>"
            );
            answer(&mut stream, &asked, 200, &[("content-type", "application/xml")], &body);
        }
    });
    let server = Server::new(&format!("http://127.0.0.1:{port}"), "us-east-1", "test", "test");
    let run = Audited::of(server.run(&["audit", "s3://archive"]).await);
    let problems = run.assert_exit(4).end()["problems"].to_string();
    assert!(problems.contains("repeats a continuation token"), "{problems}");
    // Nothing else is asked of a bucket whose listing failed.
    assert_eq!(pages.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_breaks_off_is_requested_again() {
    let rig = Rig::with(3).await;
    for fault in [Fault::ResetAfter(100), Fault::CloseAfter(300)] {
        rig.lab.script(FaultRule::new(Operation::ListObjectsV2, fault));
    }
    rig.lab.clear_calls();
    rig.audit(&[]).await.assert_exit(0);
    assert_eq!(rig.calls(Operation::ListObjectsV2), 3);
}

/// A version that `--list` named is in the ledger under its own name, and no listing of current objects contains it.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_of_the_ledger_is_not_expected_in_a_listing() {
    let rig = Rig::new().await;
    let versioned = BucketOptions { versioning: Versioning::Enabled, ..BucketOptions::default() };
    rig.lab.create_bucket(BUCKET, versioned).unwrap();
    rig.put(&key(0), 0, 2_000).await;
    let client = &rig.server.client;
    let head = client.head_object().bucket(BUCKET).key(key(0)).send().await.unwrap();
    let version = head.version_id().unwrap();
    rig.put(&key(0), 1, 2_000).await;
    std::fs::write(rig.path("list"), format!("{}?versionId={version}\n", target(&key(0)))).unwrap();
    let (list, ledger) = (rig.text("list"), rig.text("l.db"));
    let named = ["audit", "--list", &list, "--level", "bytes", "--ledger", &ledger];
    rig.server.run(&named).await.assert_exit(0);
    for is_expired in [false, true] {
        if is_expired {
            client.delete_object().bucket(BUCKET).key(key(0)).version_id(version).send().await.unwrap();
        }
        let audited = rig.audit(&[]).await;
        let end = audited.assert_exit(0).end();
        assert_eq!((&end["problems"], &end["objects"]), (&Value::Null, &1.into()), "{is_expired}: {end:#}");
    }
    // By its name it is still found missing.
    rig.server.run(&named).await.assert_exit(1);
}
