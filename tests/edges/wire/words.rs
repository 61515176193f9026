//! Messages for requests that fail, and for those that can never succeed.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::object::{TARGET, honest};
use super::server::{Answer, Asked, Scripted};
use crate::common::{Run, bare_command};

/// HEAD fails without a reason, and GET states it.
fn failing(status: u16, body: &'static str) -> Scripted {
    Scripted::new(move |_: &Asked| Answer::new(status).header("Content-Type", "application/xml").body(body))
}

const SECRET: &str = "1f2e3d4c5b6a";

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_fails_is_explained_by_one_get_of_one_byte() {
    for (status, body, exit, words) in [
        (
            400,
            "<Error><Code>InvalidRequest</Code><Message>The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.</Message></Error>",
            4,
            "--sse-c-key-file",
        ),
        (
            403,
            "<Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: kms:Decrypt on resource: y</Message></Error>",
            3,
            "kms:Decrypt",
        ),
        (
            403,
            "<Error><Code>SecondLevelDomainForbidden</Code><Message>use the third level</Message></Error>",
            2,
            "addressing_style",
        ),
        (403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", 2, "the credentials are refused"),
        (403, "<Error><Code>InvalidAccessKeyId</Code></Error>", 2, "the credentials are refused"),
        (404, "<Error><Code>NoSuchBucket</Code></Error>", 4, "there is no such bucket"),
        (404, "<Error><Code>NoSuchKey</Code><Message>NoSuchKey</Message></Error>", 4, "there is no such object"),
        (400, "<Error><Code>KMS.DisabledException</Code><Message>x is disabled</Message></Error>", 4, "KMS key"),
        (400, "<html><body>no</body></html>", 4, "refused with status 400"),
        (
            405,
            "<Error><Code>MethodNotAllowed</Code><Message>not on this one</Message></Error>",
            4,
            "not on this one (MethodNotAllowed)",
        ),
        (409, "<Error><Code>Busy</Code><Message>wait for it</Message></Error>", 4, "wait for it (Busy)"),
        (
            416,
            "<Error><Code>InvalidRange</Code><Message>no such range</Message></Error>",
            4,
            "no such range (InvalidRange)",
        ),
        (
            403,
            "<Error><Code>InvalidObjectState</Code><Message>in the vault</Message></Error>",
            3,
            "archived: in the vault",
        ),
        (409, "<Error><Code>None</Code><Message>None</Message></Error>", 4, "refused with status 409"),
        (300, "", 4, "points elsewhere (status 300)"),
    ] {
        let server = failing(status, body);
        let run = server.run(&["verify", TARGET]).await;
        let line = run.lines()[0].clone();
        let message = line["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(words), "{status} {body}: {message}");
        for riddle in ["None", "Some(", "\u{fffd}", "status 200", "NoSuchKey: NoSuchKey", "<html"] {
            assert!(!message.contains(riddle), "{message}");
        }
        let exit = if status == 403 && words == "kms:Decrypt" { 4 } else { exit };
        run.assert_exit(exit);
        let reads = server.asked().into_iter().filter(|asked| asked.method == "GET").collect::<Vec<_>>();
        let ranges: Vec<_> = reads.iter().map(|asked| asked.header("range")).collect();
        if status == 300 {
            continue;
        }
        assert_eq!(ranges, [Some("bytes=0-0")], "{status} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_server_is_told_with_its_words_once() {
    let server = Scripted::new(|asked| match asked.method.as_str() {
        "GET" if asked.asks("attributes") => Answer::error(500, "DescribeX", "DescribeX: DescribeX"),
        _ => honest(asked, b"x"),
    });
    let run = server.text(&["inspect", TARGET]).await;
    assert!(!run.stdout.contains("DescribeX: DescribeX"), "{}", run.stdout);
    assert!(run.stdout.contains("the server failed (status 500)"), "{}", run.stdout);
}

/// Each ends immediately with exit code 2 and the name of the setting, and sends nothing to S3.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_work_ends_at_once() {
    let server = Scripted::new(|asked| honest(asked, b"x"));
    let endpoint = format!("http://127.0.0.1:{}", server.port);
    let point = "arn:aws:s3:us-east-1:123456789012:accesspoint/ap/object/k";
    let many = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/object/k";
    for (target, name, value, words) in [
        (TARGET, "AWS_USE_DUALSTACK_ENDPOINT", "true", "AWS_USE_DUALSTACK_ENDPOINT"),
        (TARGET, "AWS_USE_FIPS_ENDPOINT", "true", "AWS_USE_FIPS_ENDPOINT"),
        (TARGET, "ALL_PROXY", "socks5://user:1f2e3d4c5b6a@127.0.0.1:1", "ALL_PROXY"),
        (TARGET, "https_proxy", "socks5h://127.0.0.1:1", "https_proxy"),
        (TARGET, "AWS_ENDPOINT_URL", "127.0.0.1:9000", "is no endpoint"),
        (TARGET, "AWS_ENDPOINT_URL", "localhost", "is no endpoint"),
        (point, "X", "", "AWS_ENDPOINT_URL"),
        (many, "X", "", "multi-Region access point"),
    ] {
        for command in ["inspect", "verify"] {
            let mut run = server.command();
            run.env("AWS_ENDPOINT_URL", &endpoint).env(name, value).args([command, target]);
            let run = Run::of(run).await;
            let said = format!("{}{}", run.assert_exit(2).stdout, run.stderr);
            assert!(said.contains(words), "{name}={value}: {said}");
            assert!(!said.contains("trying again") && !said.contains(SECRET), "{said}");
        }
    }
    assert_eq!(server.asked().len(), 0);
    // Also without a custom endpoint.
    let mut run = bare_command();
    run.env("AWS_REGION", "us-east-1").args(["inspect", many, "--no-sign-request"]);
    let run = Run::of(run).await;
    assert!(run.assert_exit(2).stdout.contains("multi-Region access point"), "{run:?}");
}

/// Answers each connection with these bytes. Returns the port and the number of connections.
fn raw(answer: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).and_then(|_| stream.write_all(answer));
        }
    });
    (port, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_where_none_is_spoken_and_the_reverse() {
    // A TLS alert; the plain-HTTP error of Go and of nginx; and a plain server addressed by TLS.
    for (scheme, answer, words) in [
        ("http", &b"\x15\x03\x01\x00\x02\x02\x46"[..], "write https://"),
        (
            "http",
            b"HTTP/1.0 400 Bad Request\r\nContent-Length: 48\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
            "write https://",
        ),
        ("https", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "write http://"),
    ] {
        let (port, connections) = raw(answer);
        let mut command = bare_command();
        command
            .args(["inspect", TARGET, "--no-sign-request", "--region", "us-east-1"])
            .args(["--endpoint-url", &format!("{scheme}://127.0.0.1:{port}")]);
        let run = Run::of(command).await;
        assert!(run.assert_exit(2).stdout.contains(words), "{run:?}");
        assert!(run.stdout.contains("--endpoint-url") && !run.stderr.contains("trying again"), "{run:?}");
        assert!(connections.load(Ordering::Relaxed) <= 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_a_url_are_not_repeated() {
    let query = format!("X-Amz-Credential=A&X-Amz-Signature={SECRET}&X-Amz-Security-Token={SECRET}");
    for (args, exit) in [
        (vec!["inspect".to_owned(), format!("https://b.s3.amazonaws.com/k?{query}")], 2),
        (vec!["verify".to_owned(), format!("HTTPS://b.s3.amazonaws.com/k?{query}")], 2),
        (vec!["verify".to_owned(), format!("b.s3.amazonaws.com/k?{query}")], 2),
        (vec!["verify".to_owned(), "/dev/null".to_owned(), "--like".to_owned(), format!("https://b/k?{query}")], 2),
        (vec!["cost".to_owned(), format!("https://b/k?{query}")], 2),
        (vec!["bench".to_owned(), format!("https://b/k?{query}")], 2),
        (vec!["audit".to_owned(), format!("https://b/k?{query}")], 2),
        (vec!["restore".to_owned(), format!("https://b/k?{query}")], 2),
        (vec!["policy".to_owned(), format!("https://b/k?{query}")], 2),
        (vec!["inspect".to_owned(), format!("ftp://u:{SECRET}@b/k")], 2),
        (vec!["inspect".to_owned(), TARGET.to_owned(), format!("--endpoint-url=http://u:{SECRET}@")], 2),
        (vec!["inspect".to_owned(), TARGET.to_owned(), format!("--nonsense=https://b/k?{query}")], 2),
    ] {
        let mut command = bare_command();
        command
            .args(&args)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "a")
            .env("AWS_SECRET_ACCESS_KEY", "b");
        let run = Run::of(command).await;
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(!said.contains(SECRET), "{args:?}: {said}");
        run.assert_exit(exit);
    }
}
