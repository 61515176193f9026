//! Flags, environment variables and the configuration file: precedence, refusals, and what is shown of them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{Run, Server, data};
use serde_json::{Value, json};
use stored_ami_lab::{Fault, FaultRule, Lab, LabOptions, Operation};

const OBJECT: &str = "s3://archive/ami-0123456789abcdef0.bin";
const SECRET: &str = "hunter2-DISTINCT";

struct Rig {
    lab: Lab,
    server: Server,
    home: tempfile::TempDir,
}

impl Rig {
    async fn new() -> Self {
        let lab = Lab::start(LabOptions::default()).await.unwrap();
        let server = Server::new(&lab.endpoint(), "us-east-1", "test", SECRET);
        server.bucket("archive").await;
        server.put("archive", "ami-0123456789abcdef0.bin", &data(1, 300_000), None).await;
        lab.clear_calls();
        Rig { lab, server, home: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The program with its configuration file below the home directory.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.server.command();
        command.args(args).env("HOME", self.home.path()).env_remove("STORED_AMI_CONFIG").env_remove("XDG_CONFIG_HOME");
        command
    }

    /// Writes the configuration file.
    fn configure(&self, text: &str) -> PathBuf {
        let folder = self.path(".config/stored-ami");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("config.toml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        path
    }

    async fn refused(&self, command: Command, words: &[&str]) {
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(2), "{run:?}");
        assert!(words.iter().all(|word| run.stderr.contains(word)), "{words:?}: {run:?}");
        assert!(run.stdout.is_empty() && self.lab.calls().is_empty(), "{run:?}");
    }
}

/// Without the line that states times.
fn untimed(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim_start().starts_with("read ")).collect()
}

fn settings(run: &Run) -> Value {
    run.lines().pop().unwrap()["settings"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn flag_then_environment_then_file_and_the_report_says_which() {
    let rig = Rig::new().await;
    // Another Region than that of the environment, so that a request shows which one counts.
    let mut wrong = rig.command(&["verify", OBJECT, "--json"]);
    wrong.env("STORED_AMI_REGION", "eu-west-1");
    let wrong = Run::of(wrong).await;
    assert!(wrong.exit == Some(4) && wrong.stdout.contains("the bucket is in Region us-east-1"), "{wrong:?}");
    let file = rig.configure("region = \"us-east-1\"\nretries = 2\nconcurrency = 8\nmax_memory = \"512MiB\"\n");
    let file = file.to_str().unwrap();
    let mut command = rig.command(&["verify", OBJECT, "--json", "--concurrency", "4"]);
    command.env("STORED_AMI_RETRIES", "3").env("AWS_REGION", "eu-west-1");
    let run = Run::of(command).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_eq!(
        settings(&run),
        json!([
            {"name": "region", "value": "us-east-1", "source": file},
            {"name": "max_memory", "value": "512MiB", "source": file},
            {"name": "retries", "value": "3", "source": "STORED_AMI_RETRIES"},
        ])
    );
    assert_eq!(run.stderr.matches("settings:").count(), 0, "only on a terminal: {run:?}");
    // Nothing set, nothing in the report.
    let mut command = rig.command(&["verify", OBJECT, "--json"]);
    command.env("STORED_AMI_CONFIG", "");
    assert_eq!(settings(&Run::of(command).await), Value::Null);
    // Another file, and a value that differs from the AWS variable.
    let other = rig.path("other.toml");
    fs::write(&other, format!("endpoint_url = \"{}\"\n", rig.lab.endpoint())).unwrap();
    fs::set_permissions(&other, Permissions::from_mode(0o600)).unwrap();
    let mut command = rig.command(&["verify", OBJECT, "--json"]);
    command.env("STORED_AMI_CONFIG", &other).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let run = Run::of(command).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert_eq!(settings(&run)[0]["source"], other.to_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_decides_results_is_refused_with_the_reason() {
    let rig = Rig::new().await;
    for (key, reason) in [
        ("accept", "decides what is checked or accepted"),
        ("require", "decides what is checked or accepted"),
        ("sample", "decides what is checked or accepted"),
        ("force", "decides what is overwritten or deleted"),
        ("yes", "confirms costs or changes"),
        ("profile", "chooses credentials"),
        ("aws_secret_access_key", "chooses credentials"),
    ] {
        let file = rig.configure(&format!("{key} = \"{SECRET}\"\n"));
        rig.refused(rig.command(&["verify", OBJECT]), &[file.to_str().unwrap(), key, reason]).await;
        fs::remove_file(file).unwrap();
        let variable = format!("STORED_AMI_{}", key.to_uppercase());
        let mut command = rig.command(&["verify", OBJECT]);
        command.env(&variable, "x");
        rig.refused(command, &[&variable, reason]).await;
    }
    for (text, words) in [
        ("regoin = \"x\"", "regoin is not a setting; did you mean region?"),
        ("max-rate = \"5MB\"", "did you mean max_rate?"),
        ("nonsense = 1", "there are region, endpoint_url"),
        ("retries = -1", "retries = -1: expected a number from 0 to 100"),
        ("timeout = [1]", "timeout: expected a string"),
        ("log_file = \"log\"", "expected an absolute path"),
        ("\n\nregion", "line 3:"),
    ] {
        rig.configure(text);
        rig.refused(rig.command(&["verify", OBJECT]), &[words]).await;
    }
    // Help needs no valid file.
    let help = Run::of(rig.command(&["completions", "bash"])).await;
    assert_eq!(help.exit, Some(0), "{help:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_others_can_change_is_refused() {
    let rig = Rig::new().await;
    let file = rig.configure("retries = 1\n");
    for mode in [0o664, 0o646] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        rig.refused(rig.command(&["verify", OBJECT]), &["others may write it", "chmod go-w"]).await;
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    rig.refused(rig.command(&["verify", OBJECT]), &["is a directory, and a configuration file must be"]).await;
    let mut command = rig.command(&["verify", OBJECT]);
    command.env("STORED_AMI_CONFIG", "/nonexistent/x");
    rig.refused(command, &["STORED_AMI_CONFIG names /nonexistent/x", "no such file", "unset the variable"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_variable_is_a_warning() {
    let rig = Rig::new().await;
    let mut command = rig.command(&["verify", OBJECT]);
    command.env("STORED_AMI_RETRYS", "1").env("STORED_AMI_CLIENTS", "x").env("STORED_AMI_TEST_S3", "x");
    let run = Run::of(command).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    let expected =
        "stored-ami: STORED_AMI_RETRYS is not a setting and has no effect; did you mean STORED_AMI_RETRIES?\n";
    assert_eq!(run.stderr.matches("STORED_AMI_").count(), 2, "{run:?}");
    assert!(run.stderr.contains(expected), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hides_notes_and_never_a_failure_and_options_stand_anywhere() {
    let rig = Rig::new().await;
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::Dropped).times(1));
    let noisy = Run::of(rig.command(&["verify", OBJECT])).await;
    assert!(noisy.stderr.contains("trying again"), "{noisy:?}");
    for args in [["-q", "verify", OBJECT], ["verify", OBJECT, "--quiet"]] {
        rig.lab.script(FaultRule::new(Operation::GetObject, Fault::Dropped).times(1));
        let run = Run::of(rig.command(&args)).await;
        assert_eq!((run.exit, run.stderr.as_str()), (Some(0), ""), "{run:?}");
        assert_eq!(untimed(&run.stdout), untimed(&noisy.stdout), "results stay");
    }
    let failed = Run::of(rig.command(&["-q", "verify", OBJECT, "--etag", "0123456789abcdef0123456789abcdef"])).await;
    assert_eq!(failed.exit, Some(1), "{failed:?}");
    assert!(failed.stdout.contains("FAIL"), "{failed:?}");
    let missing = Run::of(rig.command(&["-q", "verify", "s3://archive/gone"])).await;
    assert!(missing.exit == Some(4) && !missing.stdout.is_empty() | !missing.stderr.is_empty(), "{missing:?}");
    // Every object of the lab has the note that its bucket does not protect it from being overwritten.
    let facts = ["inspect", OBJECT];
    let (loud, quiet) =
        (Run::of(rig.command(&facts)).await, Run::of(rig.command(&[&["-q"], &facts[..]].concat())).await);
    let kept: Vec<&str> = loud.stdout.lines().filter(|line| !line.starts_with("  note ")).collect();
    assert!(loud.stdout.contains("\n  note "), "{loud:?}");
    assert_eq!(quiet.stdout.lines().collect::<Vec<_>>(), kept);
    let both = Run::of(rig.command(&["-q", "verify", OBJECT, "-v"])).await;
    assert!(both.exit == Some(2) && both.stderr.contains("contradict each other"), "{both:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_and_time_limits_are_counted() {
    let rig = Rig::new().await;
    for (retries, requests) in [("0", 1), ("2", 3)] {
        rig.lab.clear_calls();
        rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::Dropped).times(requests));
        let run = Run::of(rig.command(&["--retries", retries, "inspect", OBJECT])).await;
        assert_eq!(run.exit, Some(4), "{run:?}");
        let heads = rig.lab.calls().iter().filter(|call| call.operation == Operation::HeadObject).count();
        assert_eq!(heads as u64, requests, "{retries} retries");
    }
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::StallAfter(1000)).always());
    let began = Instant::now();
    let run = Run::of(rig.command(&["verify", OBJECT, "--retries", "1", "--timeout", "1s"])).await;
    assert_eq!(run.exit, Some(4), "{run:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "two attempts of a second: {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_holds_for_objects_and_files() {
    let rig = Rig::new().await;
    let file = rig.path("file");
    fs::write(&file, data(1, 300_000)).unwrap();
    for target in [OBJECT, file.to_str().unwrap()] {
        let began = Instant::now();
        let run = Run::of(rig.command(&["verify", target, "--digest", "sha256", "--max-rate", "200k"])).await;
        assert!(matches!(run.exit, Some(0 | 3)), "{run:?}");
        // The first frame is not delayed.
        assert!(began.elapsed() > Duration::from_millis(900), "{target}: {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_objects_at_once_share_retries_time_limits_rate_and_progress() {
    let rig = Rig::new().await;
    let objects = ["s3://archive/a.bin", "s3://archive/b.bin", "s3://archive/c.bin"];
    for object in objects {
        rig.server.put("archive", object.rsplit('/').next().unwrap(), &data(2, 300_000), None).await;
    }
    let verify = |args: &[&str]| rig.command(&[&["verify", "--objects", "3", "--json"], &objects[..], args].concat());
    let summary = |run: &Run| run.lines().pop().unwrap();
    // One of the objects meets the fault, and is not asked for again.
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::Dropped).times(1));
    let run = Run::of(verify(&["--retries", "0"])).await;
    assert_eq!((run.exit, &summary(&run)["errors"], &summary(&run)["passed"]), (Some(4), &json!(1), &json!(2)));
    rig.lab.script(FaultRule::new(Operation::HeadObject, Fault::Dropped).times(1));
    let run = Run::of(verify(&["--retries", "1"])).await;
    assert!(run.exit == Some(0) && run.stderr.contains("trying again"), "{run:?}");
    rig.lab.script(FaultRule::new(Operation::GetObject, Fault::StallAfter(1000)).always());
    let began = Instant::now();
    let run = Run::of(verify(&["--retries", "1", "--timeout", "1s"])).await;
    assert_eq!((run.exit, &summary(&run)["passed"]), (Some(4), &json!(0)), "{run:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "two attempts of a second: {:?}", began.elapsed());
    rig.lab.clear_script();
    // The rate is that of all three together: 6.4 s, of which the last frame is not waited for.
    let began = Instant::now();
    let run = Run::of(verify(&["--max-rate", "140k"])).await;
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert!(began.elapsed() > Duration::from_millis(5500), "{:?}", began.elapsed());
    let progress = run.stderr.lines().find(|line| line.contains("Z verify: "));
    assert!(progress.is_some_and(|line| line.contains(" of 3 objects done, ")), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_show_requests_and_no_secrets_and_go_to_the_log_file() {
    let rig = Rig::new().await;
    let plain = Run::of(rig.command(&["verify", OBJECT])).await;
    assert!(!plain.stderr.contains("HeadObject"), "off by default: {plain:?}");
    for (args, filter) in
        [(&["-vv"][..], None), (&[], Some("trace")), (&[], Some("stored_ami=debug,aws_smithy_runtime=trace"))]
    {
        let mut command = rig.command(&["verify", OBJECT]);
        command.args(args).env("AWS_SESSION_TOKEN", SECRET);
        filter.map(|filter| command.env("RUST_LOG", filter));
        let run = Run::of(command).await;
        assert_eq!(run.exit, Some(0), "{run:?}");
        assert!(run.stderr.contains("operation=\"HeadObject\"") && run.stderr.contains("status=200"), "{run:?}");
        assert!(run.stderr.contains("stored_ami::plan: read plan"), "{run:?}");
        let host = rig.lab.endpoint().replace("http://", "");
        let read = format!(
            "operation=\"GetObject\" method=\"GET\" host=\"{host}\" path=\"/archive/ami-0123456789abcdef0.bin\" \
             range=\"bytes=0-"
        );
        assert!(run.stderr.contains(&read), "{run:?}");
        let low = run.stderr.to_lowercase();
        assert!(
            !run.stderr.contains(SECRET) && !low.contains("signature") && !low.contains("authorization"),
            "{run:?}"
        );
        assert!(run.stderr.lines().all(|line| line.contains(" stored_ami")), "only own events: {run:?}");
    }
    let log = rig.path("log");
    for runs in 1..=2 {
        rig.lab.script(FaultRule::new(Operation::GetObject, Fault::Dropped).times(1));
        let run = Run::of(rig.command(&["verify", OBJECT, "-vv", "--log-file", log.to_str().unwrap()])).await;
        assert!(run.exit == Some(0) && !run.stderr.contains("HeadObject"), "events go to the file only: {run:?}");
        let text = fs::read_to_string(&log).unwrap();
        assert!(text.starts_with("# stored-ami log\n") && text.contains("operation=\"HeadObject\""), "{text}");
        assert!(text.contains("trying again") && run.stderr.contains("trying again"), "{text}");
        assert_eq!(text.matches(" begins, process ").count(), runs, "appended: {text}");
        assert!(!text.contains(SECRET), "{text}");
        assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let foreign = rig.path("notes");
    fs::write(&foreign, "my notes\n").unwrap();
    rig.lab.clear_calls();
    let command = rig.command(&["verify", OBJECT, "--log-file", foreign.to_str().unwrap()]);
    rig.refused(command, &["--log-file", "is not a log that stored-ami wrote"]).await;
    let command = rig.command(&["verify", log.to_str().unwrap(), "--log-file", log.to_str().unwrap()]);
    rig.refused(command, &["is the same file as the target"]).await;
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "my notes\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_has_no_width_and_colours_only_when_asked() {
    let rig = Rig::new().await;
    let long = rig.path("a-name-that-is-long-enough-to-be-wrapped-on-a-terminal-of-one-hundred-columns-and-then-some");
    fs::write(&long, "x").unwrap();
    let name = long.to_str().unwrap();
    let plain = Run::of(rig.command(&["inspect", name])).await;
    assert!(!plain.stdout.contains('\u{1b}'), "{plain:?}");
    let note = "a renamed copy, or no stored AMI object";
    assert!(plain.stdout.lines().any(|line| line.contains(note)), "one line: {plain:?}");
    for args in [&["--color", "always", "inspect", name], &["inspect", name, "--color", "always"]] {
        assert!(Run::of(rig.command(args)).await.stdout.contains('\u{1b}'));
    }
    let mut forced = rig.command(&["inspect", name]);
    forced.env("CLICOLOR_FORCE", "1");
    assert!(Run::of(forced).await.stdout.contains('\u{1b}'));
    let mut no = rig.command(&["inspect", name]);
    no.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    assert!(!Run::of(no).await.stdout.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn help_and_errors_of_the_parser_have_colours_only_when_asked() {
    let rig = Rig::new().await;
    let no: &[(&str, &str)] = &[];
    for (color, variables, coloured) in [
        (None, no, false),
        (Some("always"), no, true),
        (Some("always"), &[("NO_COLOR", "1")], true),
        (None, &[("CLICOLOR_FORCE", "1")], true),
        (None, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (Some("auto"), &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (Some("never"), &[("CLICOLOR_FORCE", "1")], false),
        (None, &[("STORED_AMI_COLOR", "always")], true),
        (None, &[("STORED_AMI_COLOR", "never"), ("CLICOLOR_FORCE", "1")], false),
    ] {
        for args in [&["--help"][..], &["verify", "--help"], &["verify", OBJECT, "--nonsense"]] {
            let flag = color.map(|color| format!("--color={color}"));
            let words: Vec<&str> = flag.as_deref().into_iter().chain(args.iter().copied()).collect();
            let mut command = rig.command(&words);
            command.envs(variables.iter().copied());
            let run = Run::of(command).await;
            let text = format!("{}{}", run.stdout, run.stderr);
            assert_eq!(text.contains('\u{1b}'), coloured, "{words:?} {variables:?}: {text}");
        }
    }
}
