//! Headers of the source, presigned URLs as a source, and refusals of the destination.

use jiff::Timestamp;
use stored_ami_lab::{BucketOptions, Deny, Operation};

use crate::common::{Run, data};
use crate::rig::{KEY, Rig, TO, report, verdict};

const SIGNATURE: &str = "5ecre7515ecre7515ecre7515ecre7515ecre7515ecre7515ecre7515ecre751";

/// A presigned URL of the source, signed this number of seconds ago and valid for ten minutes.
fn url(rig: &Rig, age: i64, more: &str) -> String {
    let date = (Timestamp::now() - jiff::SignedDuration::from_secs(age)).strftime("%Y%m%dT%H%M%SZ");
    let scope = "AKIDSECRET%2F20260101%2Fus-east-1%2Fs3%2Faws4_request";
    format!(
        "{}/archive/{KEY}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope}&X-Amz-Date={date}\
         &X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature={SIGNATURE}{more}",
        rig.from.endpoint()
    )
}

async fn from_url(rig: &Rig, url: &str, args: &[&str]) -> Run {
    rig.from.clear_calls();
    rig.to.clear_calls();
    let run = Run::of(rig.command(&[&[url, "s3://gov-archive/2026/", "--yes"], args].concat())).await;
    for secret in [SIGNATURE, "AKIDSECRET"] {
        assert!(!format!("{}{}", run.stdout, run.stderr).contains(secret), "{run:?}");
    }
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_the_source_go_with_the_copy() {
    let expires = aws_sdk_s3::primitives::DateTime::from_secs(4_070_908_800);
    for one_request in [true, false] {
        let rig = Rig::new().await;
        let client = &rig.source.client;
        match one_request {
            true => {
                let put = client.put_object().bucket("archive").key(KEY).body(data(1, 1000).into());
                let put = put.content_type("application/x-ami").content_encoding("zstd").content_language("en");
                let put = put.cache_control("no-store").content_disposition("attachment; filename=\"a b.bin\"");
                put.expires(expires).website_redirect_location("/elsewhere").send().await.unwrap();
            }
            false => {
                let with = |create: aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder| {
                    let create = create.content_type("application/x-ami").content_encoding("zstd");
                    let create = create.cache_control("no-store").content_language("en").expires(expires);
                    create.content_disposition("attachment; filename=\"a b.bin\"")
                };
                rig.source.multipart_with("archive", KEY, &[&[1; 300_000], &[2; 10]], None, with).await;
            }
        }
        let run = rig.copy(&["--yes"]).await;
        run.assert_exit(0);
        assert_eq!(verdict(&run, "metadata"), "pass", "{run:?}");
        let head = rig.destination.client.head_object().bucket("gov-archive").key(KEY).send().await.unwrap();
        assert_eq!(head.content_type(), Some("application/x-ami"));
        assert_eq!(head.content_encoding(), Some("zstd"));
        assert_eq!(head.content_language(), Some("en"));
        assert_eq!(head.cache_control(), Some("no-store"));
        assert_eq!(head.content_disposition(), Some("attachment; filename=\"a b.bin\""));
        assert_eq!(head.expires_string(), Some("Thu, 01 Jan 2099 00:00:00 GMT"));
        assert_eq!(head.website_redirect_location(), None);
        let shown = report(&run)["headers"].clone();
        assert_eq!(shown.as_object().unwrap().len(), 6, "{shown}");
        let rig = Rig::new().await;
        let put = rig.source.client.put_object().bucket("archive").key(KEY).body(data(1, 1000).into());
        put.content_encoding("zstd").cache_control("no-store").send().await.unwrap();
        rig.copy(&["--yes", "--metadata", "none"]).await.assert_exit(0);
        let head = rig.destination.client.head_object().bucket("gov-archive").key(KEY).send().await.unwrap();
        assert_eq!((head.content_encoding(), head.cache_control()), (None, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_url_is_a_source() {
    let rig = Rig::new().await;
    let bytes = data(1, 900_000);
    rig.source.put("archive", KEY, &bytes, None).await;
    let state = rig.home.path().join("state");
    let unknown = from_url(&rig, &url(&rig, 0, ""), &[]).await;
    unknown.assert_exit(3);
    assert!(report(&unknown)["findings"].to_string().contains("--tags none copies none"), "{unknown:?}");
    let run = from_url(&rig, &url(&rig, 0, ""), &["--tags", "none", "--resume", state.to_str().unwrap()]).await;
    run.assert_exit(0);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "source")), (&"copied".into(), "pass".into()));
    let (calls, written) = (rig.from.calls(), rig.to.calls());
    // The URL names the object, which gives the copy its name.
    let key = format!("2026/{KEY}");
    assert_eq!(rig.bytes(&key).await, bytes);
    let etag = |server: &crate::common::Server, bucket: &str, key: &str| {
        server.client.head_object().bucket(bucket).key(key).send()
    };
    let (from, to) =
        (etag(&rig.source, "archive", KEY).await.unwrap(), etag(&rig.destination, "gov-archive", &key).await.unwrap());
    assert_eq!(from.e_tag(), to.e_tag());
    for call in &calls {
        assert_eq!(call.operation, Operation::GetObject, "no other request is signed");
        assert_eq!(call.access_key.as_deref(), Some("AKIDSECRET"), "what the URL names, and not the profile");
    }
    for call in written {
        assert_eq!(call.access_key.as_deref(), Some("GOVKEY"));
    }
}

/// Every argument that takes an object takes the file with its URL.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_holds_the_url_of_any_argument() {
    let rig = Rig::new().await;
    let bytes = data(1, 400_000);
    rig.source.put("archive", KEY, &bytes, None).await;
    let at = |name: &str, content: &[u8]| {
        let path = rig.home.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let copy = at("copy.bin", &bytes);
    let like = format!("@{}", at("url.txt", format!("{}\n", url(&rig, 0, "")).as_bytes()));
    let run = rig.source.run(&["verify", &copy, "--like", &like]).await;
    assert_eq!(run.assert_exit(0).report()["verdict"], "pass", "{run:?}");
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(SIGNATURE), "{run:?}");
    let object = format!("@{}", at("object.txt", b"s3://archive/ami-0123456789abcdef0.bin\n"));
    rig.source.run(&["compare", &object, &copy, "--read"]).await.assert_exit(0);
    let refused = rig.source.run(&["compare", &like, &copy]).await;
    assert!(refused.assert_exit(2).stderr.contains("presigned"), "{refused:?}");
    for args in [&["compare", "@-", "@-"][..], &["verify", "@-", "--like", "@-"]] {
        let refused = rig.source.run(args).await;
        assert!(refused.assert_exit(2).stderr.contains("standard input can be read once"), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_url_that_cannot_be_used_is_said() {
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &data(1, 1000), None).await;
    let expired = from_url(&rig, &url(&rig, 700, ""), &["--tags", "none"]).await;
    assert_ne!(expired.exit, Some(0));
    assert!(format!("{}{}", expired.stdout, expired.stderr).contains("the presigned URL expired at"), "{expired:?}");
    assert!(!rig.has(&format!("2026/{KEY}")).await);
    let owner = from_url(&rig, &url(&rig, 0, ""), &["--from-expected-bucket-owner", "123456789012"]).await;
    owner.assert_exit(2);
    assert!(owner.stderr.contains("--from-expected-bucket-owner: cannot be sent with a presigned URL"), "{owner:?}");
    let destination = Run::of(rig.command(&["s3://archive/k", &url(&rig, 0, ""), "--yes"])).await;
    destination.assert_exit(2);
    assert!(destination.stderr.contains("a presigned URL cannot be written"), "{destination:?}");
    // From a file, so that no list of processes shows it.
    let file = rig.home.path().join("url");
    std::fs::write(&file, url(&rig, 0, "") + "\n").unwrap();
    let run = from_url(&rig, &format!("@{}", file.display()), &["--tags", "none", "--dry-run"]).await;
    run.assert_exit(0);
    assert_eq!(report(&run)["source"], crate::rig::FROM);
    // A header that the URL makes up is none of the object.
    let run = from_url(&rig, &url(&rig, 0, "&response-content-type=text%2Fx-made-up"), &["--tags", "none"]).await;
    run.assert_exit(0);
    assert!(report(&run)["headers"].is_null(), "{run:?}");
    assert!(report(&run)["notes"].to_string().contains("the presigned URL replaces content-type"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_a_presigned_url_does_not_state_come_from_a_manifest() {
    let rig = Rig::new().await;
    let bytes = data(1, 1_000_000);
    let parts: Vec<&[u8]> = bytes.chunks(300_000).collect();
    rig.source.multipart("archive", KEY, &parts, None).await;
    // The ETag does not match under the parts that were assumed, which may mean other bytes.
    let run = from_url(&rig, &url(&rig, 0, ""), &["--tags", "none", "--unproved"]).await;
    run.assert_exit(3);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "source")), (&"not_made".into(), "unknown".into()));
    assert_eq!(rig.uploads().await, 0);
    let manifest = rig.home.path().join("manifest.json");
    let mut verify = crate::common::bare_command();
    verify
        .env("AWS_CONFIG_FILE", rig.home.path().join("config"))
        .args(["verify", crate::rig::FROM, "--profile", "commercial", "--write-manifest"])
        .arg(&manifest);
    Run::of(verify).await.assert_exit(0);
    let args = ["--tags", "none", "--manifest", manifest.to_str().unwrap()];
    let run = from_url(&rig, &url(&rig, 0, ""), &args).await;
    run.assert_exit(0);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "source")), (&"copied".into(), "pass".into()));
    let key = format!("2026/{KEY}");
    assert_eq!(rig.bytes(&key).await, bytes);
    let from = rig.source.client.head_object().bucket("archive").key(KEY).send().await.unwrap();
    let to = rig.destination.client.head_object().bucket("gov-archive").key(&key).send().await.unwrap();
    assert_eq!(from.e_tag(), to.e_tag());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_what_to_change() {
    let bytes = data(1, 400_000);
    for one_request in [true, false] {
        let rig = Rig::new().await;
        match one_request {
            true => rig.source.put("archive", KEY, &bytes, None).await,
            false => rig.source.multipart("archive", KEY, &[&bytes[..300_000], &bytes[300_000..]], None).await,
        };
        rig.source.tag("archive", KEY, "team", "a").await;
        rig.to.deny(Deny::action("s3:PutObjectTagging"));
        let run = rig.copy(&["--yes"]).await;
        run.assert_exit(4);
        let text = report(&run)["findings"].to_string();
        assert!(text.contains("s3:PutObjectTagging, or --tags none"), "{text}");
        // The first write is refused, before a byte is sent.
        assert_eq!((rig.uploads().await, rig.calls(Operation::UploadPart).len()), (0, 0));
        assert!(!rig.has(KEY).await);
        rig.copy(&["--yes", "--tags", "none"]).await.assert_exit(0);

        let demands = Some(("x-amz-server-side-encryption".to_owned(), "aws:kms".to_owned()));
        rig.to.create_bucket("gov-archive", BucketOptions { demands, ..BucketOptions::default() }).unwrap();
        let run = rig.copy(&["--yes", "--tags", "none"]).await;
        run.assert_exit(4);
        let text = report(&run)["findings"].to_string();
        assert!(text.contains("no policy of the bucket demands a header: --sse-kms-key"), "{text}");
        assert!(!rig.has(KEY).await && rig.uploads().await == 0);
        rig.copy(&["--yes", "--tags", "none", "--sse-kms-key", "alias/archive"]).await.assert_exit(0);
    }
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &bytes, None).await;
    rig.to.create_bucket("gov-archive", BucketOptions { object_lock: true, ..BucketOptions::default() }).unwrap();
    rig.to.deny(Deny::action("s3:PutObjectLegalHold"));
    let run = rig.copy(&["--yes", "--object-lock-legal-hold"]).await;
    run.assert_exit(4);
    assert!(report(&run)["findings"].to_string().contains("s3:PutObjectLegalHold"), "{run:?} {TO}");
}

/// Whether the tags can go is asked before anything is written.
#[tokio::test(flavor = "multi_thread")]
async fn tags_that_cannot_be_read_stop_the_copy() {
    let rig = Rig::new().await;
    rig.source.put("archive", KEY, &data(1, 1000), None).await;
    rig.source.tag("archive", KEY, "team", "a").await;
    rig.from.deny(Deny::action("s3:GetObjectTagging"));
    let run = rig.copy(&["--yes"]).await;
    run.assert_exit(3);
    assert_eq!((&report(&run)["outcome"], verdict(&run, "tags")), (&"refused".into(), "unknown".into()), "{run:?}");
    let text = report(&run)["findings"].to_string();
    assert!(text.contains("s3:GetObjectTagging") && text.contains("--tags none copies none"), "{text}");
    assert!(!rig.has(KEY).await && rig.calls(Operation::PutObject).is_empty());
    rig.copy(&["--yes", "--tags", "none"]).await.assert_exit(0);
}
