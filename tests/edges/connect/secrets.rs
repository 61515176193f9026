//! No message contains secrets of settings or processes.

use std::path::Path;
use std::process::{Command, Stdio};

use super::recorder::{Recorder, plain};
use super::rig::{OBJECT, Rig, refused};
use crate::common::Run;
use crate::signals::heeded_signals;

const SECRET: &str = "hunter2-DISTINCT";

/// Runs a command with all its events in a log file, and returns the text of that.
async fn with_events(rig: &Rig, command: Command) -> (Run, String) {
    let path = rig.path("log");
    let run = Run::of(events_to(command, &path)).await;
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    (run, log)
}

fn events_to(mut command: Command, path: &Path) -> Command {
    command.args(["-vv", "--log-file"]).arg(path).env("RUST_LOG", "trace");
    command
}

/// Checks that the command ends with exit code 2 and a message with these words, and that neither its output nor the
/// log file, which has the message too, contains the secret.
async fn refused_quietly(rig: &Rig, command: Command, words: &[&str]) {
    let path = rig.path("log");
    let run = refused(events_to(command, &path), words).await;
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(words.iter().all(|word| log.contains(word)), "{words:?}: {log}");
    assert!(![&run.stderr, &run.stdout, &log].iter().any(|text| text.contains(SECRET)), "{run:?}\n{log}");
}

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
            refused_quietly(&rig, command, &[variable]).await;
        }
        let flag = rig.keyed(&["inspect", OBJECT, "--endpoint-url", &url]);
        refused_quietly(&rig, flag, &["--endpoint-url"]).await;
        let mut command = rig.keyed(&["inspect", OBJECT]);
        command.env("STORED_AMI_ENDPOINT_URL", &url);
        refused_quietly(&rig, command, &["endpoint"]).await;
        rig.config(format!("[default]\nendpoint_url = {url}\n"));
        let mut command = rig.keyed(&["inspect", OBJECT]);
        command.env_remove("AWS_ENDPOINT_URL");
        refused_quietly(&rig, command, &["endpoint_url of profile `default`"]).await;
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
            refused_quietly(&rig, command, &[variable]).await;
        }
    }
    for address in ["http://user:@@@example.invalid/x", "http:/user:@@@h", "http://127.0.0.1:1/?token=@@"] {
        let mut command = rig.command(&["inspect", OBJECT]);
        command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", address.replacen("@@", SECRET, 1));
        refused_quietly(&rig, command, &["container credentials"]).await;
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
        let command = rig.keyed(&["inspect", OBJECT, "--profile", "p"]);
        refused_quietly(&rig, command, &["credential_process of profile `p`"]).await;
    }
    // The standard error of a successful process is not shown either.
    let good = "echo hunter2-DISTINCT >&2; echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\"}'";
    rig.config(format!("[profile p]\ncredential_process = {good}\n"));
    let command = rig.keyed(&["inspect", OBJECT, "--profile", "p"]);
    let (run, log) = with_events(&rig, command).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert!(!run.stderr.contains(SECRET), "{run:?}");
    assert!(log.contains("operation=\"HeadObject\"") && !log.contains(SECRET), "{log}");
}

/// The process has its own process group, and still ends with the program.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_process_that_is_waited_for() {
    let rig = Rig::new().await;
    let pids = rig.path("pids");
    let script = format!("sleep 987 & echo $! $$ > {0}.new; mv {0}.new {0}; wait", pids.display());
    rig.config(format!("[profile p]\ncredential_process = {script}\n"));
    for signal in heeded_signals() {
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
            // A killed process may remain a zombie until its new parent reaps it.
            let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
            while state().is_some_and(|stat| !stat.contains(") Z") && !stat.contains(") X")) {
                std::thread::yield_now();
            }
        }
    }
}

/// `nohup` starts programs with SIGHUP ignored; a process they wait for must continue too.
#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_that_is_ignored_ends_no_process() {
    let rig = Rig::new().await;
    let (begun, go) = (rig.path("begun"), rig.path("go"));
    assert!(Command::new("mkfifo").arg(&go).status().unwrap().success());
    let keys = r#"{"Version":1,"AccessKeyId":"LATEKEY","SecretAccessKey":"s"}"#;
    std::fs::write(rig.path("printed"), keys).unwrap();
    let script = format!("touch {}; cat {} {}", begun.display(), go.display(), rig.path("printed").display());
    rig.config(format!("[profile p]\ncredential_process = {script}\n"));
    let program = rig.keyed(&["inspect", OBJECT, "--profile", "p"]);
    let mut child = Command::new("sh");
    child.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(program.get_program()).args(program.get_args());
    child.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !begun.exists() {
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    std::fs::write(go, "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(rig.signers(), ["LATEKEY"]);
}

/// Time spent before the work counts as well.
#[tokio::test(flavor = "multi_thread")]
async fn max_time_ends_a_wait_for_credentials() {
    let rig = Rig::new().await;
    rig.config("[profile p]\ncredential_process = sleep 987\n");
    for args in [&["verify", OBJECT][..], &["audit", "s3://archive/"]] {
        let mut command = rig.keyed(args);
        command.args(["--profile", "p", "--max-time", "1s"]);
        refused(command, &["--max-time was over before the work began"]).await;
    }
    assert!(rig.lab.calls().is_empty());
}

/// The SDK would block on a pipe, and read a device without end.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_credentials_are_held_to_their_kind() {
    let rig = Rig::new().await;
    let fifo = rig.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let large = rig.path("large");
    std::fs::write(&large, vec![b'x'; (1 << 20) + 1]).unwrap();
    for (path, words) in [
        (fifo.as_path(), "is a pipe"),
        (std::path::Path::new("/dev/zero"), "is a character device"),
        (large.as_path(), "is larger than"),
    ] {
        let name = path.to_str().unwrap();
        let mut command = rig.command(&["inspect", OBJECT]);
        command
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/")
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path);
        refused(command, &["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", name, words]).await;
        let mut command = rig.command(&["inspect", OBJECT]);
        command.env("AWS_ROLE_ARN", "arn:aws:iam::1:role/r").env("AWS_WEB_IDENTITY_TOKEN_FILE", path);
        refused(command, &[name, words]).await;
        // SHA-1 of `dev`, and of the URL.
        for (profile, digest) in [
            ("sso_session = dev", "34c6fceca75e456f25e7e99531e2425c6c1de443"),
            ("sso_region = us-east-1\nsso_start_url = https://x", "98383e6608d65e46b24bbd92582bc8d916605a21"),
        ] {
            rig.config(format!(
                "[profile p]\n{profile}\nsso_account_id = 1\nsso_role_name = r\n[sso-session dev]\n\
                 sso_region = us-east-1\nsso_start_url = https://y\n"
            ));
            let cache = rig.path(".aws/sso/cache");
            std::fs::create_dir_all(&cache).unwrap();
            let token = cache.join(format!("{digest}.json"));
            std::os::unix::fs::symlink(path, &token).unwrap();
            let mut command = rig.command(&["inspect", OBJECT]);
            command.args(["--profile", "p"]);
            refused(command, &[token.to_str().unwrap(), words]).await;
            std::fs::remove_file(token).unwrap();
        }
    }
}

/// Responses with credentials are a few hundred bytes long.
#[tokio::test(flavor = "multi_thread")]
async fn answers_with_credentials_are_bounded() {
    let rig = Rig::new().await;
    let server = Recorder::start(|_| plain(200, &" ".repeat((1 << 20) + 1)));
    std::fs::write(rig.path("token"), "TOKEN").unwrap();
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r".to_owned());
    let token = ("AWS_WEB_IDENTITY_TOKEN_FILE", rig.path("token").display().to_string());
    for variables in [
        vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url.clone())],
        vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url.clone())],
        vec![role, token, ("AWS_ENDPOINT_URL_STS", server.url.clone())],
    ] {
        let mut command = rig.command(&["inspect", OBJECT]);
        command.env_remove("AWS_EC2_METADATA_DISABLED").envs(variables.clone());
        let run = refused(command, &["no usable credentials"]).await;
        assert!(run.stderr.contains("larger than 1 MiB"), "{variables:?}: {run:?}");
    }
}
