//! `stored-ami lab --faults FILE` on the command line.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

use crate::common::{Run, Server, bare_command, data, write};
use crate::rig::{BUCKET, KEY};

const PAGE: &str = include_str!("../../docs/lab.md");
const PART: usize = 50_000;

/// A lab in its own process.
struct Command {
    child: Child,
    stderr: BufReader<ChildStderr>,
    server: Server,
}

impl Command {
    fn start(faults: &str) -> Self {
        let mut command = bare_command();
        command.args(["lab", "--listen", "127.0.0.1:0", "--faults", faults]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let word = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let server = Server::new(word.trim_end_matches(';'), "us-east-1", "lab", "lab");
        Command { stderr: BufReader::new(child.stderr.take().unwrap()), child, server }
    }

    /// Uploads six parts under this key.
    async fn put(&self) {
        self.server.bucket(BUCKET).await;
        let bytes = data(9, 6 * PART - 1_000);
        let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
        self.server.multipart(BUCKET, KEY, &parts, None).await;
    }

    async fn verify(&self) -> Run {
        self.server.run(&["verify", &format!("s3://{BUCKET}/{KEY}")]).await
    }

    /// Stops the lab, and returns its lines about faults.
    fn stop(mut self) -> Vec<String> {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        said.lines().map(str::to_owned).collect()
    }
}

fn file(folder: &Path, text: &str) -> String {
    write(folder, "faults.json", text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_page_works() {
    let (_, rest) = PAGE.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lab = Command::start(&file(folder.path(), example));
    lab.put().await;
    let run = lab.verify().await;
    assert_eq!(run.assert_exit(0).report()["proved_by"][0], "crc64nvme");
    assert!(run.report()["stats"]["retries"].as_u64() >= Some(3), "{run:?}");
    let said = lab.stop();
    let of = |fault: &str| said.iter().filter(|line| line.ends_with(fault)).count();
    assert_eq!((of(": reset after 20000 bytes"), of(": part number ignored")), (1, 1), "{said:#?}");
    assert!(of(": 503 SlowDown") >= 2, "{said:#?}");
    let reset = said.iter().find(|line| line.contains("reset")).unwrap();
    assert!(reset.starts_with(&format!("fault: GetObject {BUCKET}/{KEY} bytes=")), "{reset}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_strikes_the_same_requests_again() {
    let folder = tempfile::tempdir().unwrap();
    let rules = |seed: u64| {
        let rule = r#"{"operation": "GetObject", "one_in": 3, "always": true, "fault": {"status": {"status": 500, "code": "InternalError"}}}"#;
        format!(r#"{{"seed": {seed}, "rules": [{rule}]}}"#)
    };
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        let lab = Command::start(&file(folder.path(), &rules(seed)));
        lab.put().await;
        lab.verify().await.assert_exit(0);
        let mut said = lab.stop();
        said.sort_unstable();
        assert!(!said.is_empty());
        seen.push(said);
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_expire() {
    let folder = tempfile::tempdir().unwrap();
    let expired = r#""always": true, "fault": {"status": {"status": 400, "code": "ExpiredToken"}}"#;
    let rules = format!(r#"[{{"operation": "GetObject", "skip": 4, {expired}}}]"#);
    let lab = Command::start(&file(folder.path(), &rules));
    lab.put().await;
    let run = lab.verify().await;
    assert_eq!(run.assert_exit(4).verdict("crc64nvme"), "unknown: read_failed");
    assert!(run.stdout.contains("have expired; renew them"), "{run:?}");
    assert!(lab.stop().iter().all(|line| line.ends_with("400 ExpiredToken")));

    // If the credentials are expired from the start, nothing works. HEAD cannot state the reason, so a GET of one byte
    // is sent.
    let rules = format!(r#"[{{"operation": "HeadObject", {expired}}}, {{"operation": "GetObject", {expired}}}]"#);
    let lab = Command::start(&file(folder.path(), &rules));
    lab.put().await;
    assert!(lab.verify().await.assert_exit(2).stdout.contains("have expired"));
    lab.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_ends_with_2_and_its_rule_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("[", "faults.json: is no JSON: EOF while parsing a list at line 1 column 1"),
        ("{}", "faults.json: is neither an array of rules nor an object"),
        (
            r#"[{"operation": "GetObject", "fault": "dropped"}, {"operation": "Get", "fault": "dropped"}]"#,
            "faults.json: rule 2: `Get` is no operation",
        ),
        (
            r#"[{"operation": "GetObject", "fault": {"reset": 3}}]"#,
            "faults.json: rule 1: unknown variant `reset`, expected one of `status`",
        ),
    ] {
        let mut command = bare_command();
        command.args(["lab", "--listen", "127.0.0.1:0", "--faults", &file(folder.path(), text)]);
        let run = Run::of(command).await;
        assert!(run.assert_exit(2).stderr.contains(expected), "{text}: {run:?}");
        assert!(run.stdout.is_empty(), "{run:?}");
    }
    let mut command = bare_command();
    command.args(["lab", "--faults", "/nonexistent/faults.json"]);
    assert!(Run::of(command).await.assert_exit(2).stderr.contains("/nonexistent/faults.json: there is no such file"));
}
