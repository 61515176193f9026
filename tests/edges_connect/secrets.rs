//! What a setting or a process holds in secret is in no message.

use std::process::{Command, Stdio};

use crate::common::Run;
use crate::rig::{OBJECT, Rig, refused};

const SECRET: &str = "hunter2-DISTINCT";

#[tokio::test(flavor = "multi_thread")]
async fn passwords_in_addresses() {
    let rig = Rig::new().await;
    for shape in [
        "http://user:@@",
        "user:@@host",
        "http:/user:@@host",
        "http://user:@@@host:9000",
        "http://user:@@@h/?a=b",
        "https://h:@@",
        "http://u:p ass@@host",
        "http://h/?X-Amz-Signature=@@",
        "socks5://u:@@@h",
    ] {
        let url = shape.replacen("@@", SECRET, 1);
        for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS"] {
            let mut command = rig.keyed(&["inspect", OBJECT]);
            command.env(variable, &url);
            let run = refused(command, &[variable]).await;
            assert!(!run.stderr.contains(SECRET), "{run:?}");
        }
        let run = refused(rig.keyed(&["inspect", OBJECT, "--endpoint-url", &url]), &["--endpoint-url"]).await;
        assert!(!run.stderr.contains(SECRET), "{run:?}");
        rig.config(format!("[default]\nendpoint_url = {url}\n"));
        let mut command = rig.keyed(&["inspect", OBJECT]);
        command.env_remove("AWS_ENDPOINT_URL");
        let run = refused(command, &["endpoint_url of profile `default`"]).await;
        assert!(!run.stderr.contains(SECRET), "{run:?}");
        rig.config("");
    }
    for proxy in [
        "http://user:@@",
        "socks5://user:@@@host",
        "http://user:@@ @host",
        "user:@@@not a proxy",
        "http://user:p@@#@host",
    ] {
        let url = proxy.replacen("@@", SECRET, 1);
        for variable in ["HTTP_PROXY", "https_proxy", "ALL_PROXY"] {
            let mut command = rig.keyed(&["inspect", OBJECT]);
            command.env(variable, &url);
            let run = refused(command, &[variable]).await;
            assert!(!run.stderr.contains(SECRET), "{run:?}");
        }
    }
    for address in ["http://user:@@@example.invalid/x", "http:/user:@@@h", "http://127.0.0.1:1/?token=@@"] {
        let mut command = rig.command(&["inspect", OBJECT]);
        command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", address.replacen("@@", SECRET, 1));
        let run = refused(command, &["container credentials"]).await;
        assert!(!run.stderr.contains(SECRET), "{run:?}");
    }
    assert!(rig.lab.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_prints() {
    let rig = Rig::new().await;
    for script in [
        "echo @@",
        "echo @@ >&2; exit 1",
        "echo @@; exit 1",
        "echo '{\"Version\": \"@@\"}'",
        "printf '@@\\377'",
        "echo '{\"Version\": 1, \"AccessKeyId\": \"@@\"}'",
        "kill -9 $$ # @@",
        "/nonexistent/@@",
        "yes @@",
        "echo '{\"Version\":1,\"AccessKeyId\":\"A\\u0007B\",\"SecretAccessKey\":\"@@\"}'",
    ] {
        rig.config(format!("[profile p]\ncredential_process = {}\n", script.replace("@@", SECRET)));
        let run =
            refused(rig.keyed(&["inspect", OBJECT, "--profile", "p"]), &["credential_process of profile `p`"]).await;
        assert!(!run.stderr.contains(SECRET) && !run.stdout.contains(SECRET), "{run:?}");
    }
    // What it says on the way is no part of a good run either.
    let good = "echo hunter2-DISTINCT >&2; echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\"}'";
    rig.config(format!("[profile p]\ncredential_process = {good}\n"));
    let run = Run::of(rig.keyed(&["inspect", OBJECT, "--profile", "p"])).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert!(!run.stderr.contains(SECRET), "{run:?}");
}

/// The process is in a group of its own, and goes with the program all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_process_that_is_waited_for() {
    let rig = Rig::new().await;
    let pids = rig.path("pids");
    let script = format!("sleep 987 & echo $! $$ > {0}.new; mv {0}.new {0}; wait", pids.display());
    rig.config(format!("[profile p]\ncredential_process = {script}\n"));
    for signal in ["-INT", "-TERM"] {
        let mut child = rig
            .keyed(&["inspect", OBJECT, "--profile", "p"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !pids.exists() {
            std::thread::yield_now();
        }
        let started = std::fs::read_to_string(&pids).unwrap();
        std::fs::remove_file(&pids).unwrap();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        for pid in started.split_whitespace() {
            // A killed process may stay as a zombie until its new parent looks.
            let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
            while state().is_some_and(|stat| !stat.contains(") Z") && !stat.contains(") X")) {
                std::thread::yield_now();
            }
        }
    }
}
