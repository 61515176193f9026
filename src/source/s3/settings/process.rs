//! `credential_process`. Its output is secret and never shown.

use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use jiff::Timestamp;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

/// Time limit of a `credential_process`.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(60);
/// Limit of its output in bytes, above that of any credentials.
const LARGEST: u64 = 64 << 10;

/// A process and its descendants in its process group; dropping it kills them.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }

    /// Leaves running what a successful process started.
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            // The group may be gone already.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Why a process gave no credentials.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NotStarted(String),
    Failed(ExitStatus),
    TimeLimit(Duration),
    TooLong,
    Malformed(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NotStarted(error) => write!(f, "could not be started: {error}"),
            Problem::Failed(status) => write!(f, "failed ({status}); run it by hand to see what it says"),
            Problem::TimeLimit(limit) => write!(f, "was ended after its time limit of {} s", limit.as_secs()),
            Problem::TooLong => write!(f, "printed more than {} KiB", LARGEST >> 10),
            Problem::Malformed(what) => write!(f, "printed no credentials: {what}"),
        }
    }
}

/// Runs a command in a shell, as other AWS tools do, and parses the credentials that it prints. Dropping the future
/// kills the process group.
pub(super) async fn run(command: &str, limit: Duration) -> Result<Credentials, Problem> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Own process group, so that children of the shell can be killed with it.
        .process_group(0)
        .spawn()
        .map_err(|error| Problem::NotStarted(error.to_string()))?;
    let group = Group::of(&child);
    let done = tokio::time::timeout(limit, finish(&mut child)).await;
    let (printed, status) = done.map_err(|_| Problem::TimeLimit(limit))??;
    if !status.success() {
        return Err(Problem::Failed(status));
    }
    group.leave();
    credentials(&printed).map_err(Problem::Malformed)
}

async fn finish(child: &mut Child) -> Result<(Vec<u8>, ExitStatus), Problem> {
    let mut printed = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(LARGEST + 1).read_to_end(&mut printed).await;
        read.map_err(|error| Problem::NotStarted(error.to_string()))?;
    }
    if printed.len() as u64 > LARGEST {
        return Err(Problem::TooLong);
    }
    let status = child.wait().await.map_err(|error| Problem::NotStarted(error.to_string()))?;
    Ok((printed, status))
}

/// Keys are accepted in any case, as in the SDK.
fn credentials(printed: &[u8]) -> Result<Credentials, &'static str> {
    let document: Value = serde_json::from_slice(printed).map_err(|_| "the output is not JSON")?;
    let object = document.as_object().ok_or("the output is no JSON object")?;
    let get = |name: &str| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let text = |name: &str| get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    if get("Version").and_then(Value::as_i64) != Some(1) {
        return Err("`Version` is not 1");
    }
    let expiry = match text("Expiration") {
        None => None,
        Some(time) => {
            let time: Timestamp = time.parse().map_err(|_| "`Expiration` is no time")?;
            Some(SystemTime::from(time))
        }
    };
    let mut builder = Credentials::builder()
        .access_key_id(text("AccessKeyId").ok_or("there is no `AccessKeyId`")?)
        .secret_access_key(text("SecretAccessKey").ok_or("there is no `SecretAccessKey`")?)
        .provider_name("credential_process");
    builder.set_session_token(text("SessionToken"));
    builder.set_expiry(expiry);
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(50);
    const GOOD: &str = r#"{"Version":1,"AccessKeyId":"AKIA1","SecretAccessKey":"s","SessionToken":"t","Expiration":"2030-01-01T00:00:00Z"}"#;

    #[tokio::test]
    async fn what_is_printed_is_taken() {
        let found = run(&format!("printf %s '{GOOD}'; echo chatter >&2"), LONG).await.unwrap();
        assert_eq!((found.access_key_id(), found.session_token()), ("AKIA1", Some("t")));
        assert!(found.expiry().is_some());
        let lower = r#"{"version":1,"accesskeyid":"A","secretaccesskey":"S"}"#;
        assert_eq!(run(&format!("echo '{lower}'"), LONG).await.unwrap().secret_access_key(), "S");
    }

    #[tokio::test]
    async fn nothing_that_is_printed_is_told() {
        let bad = [
            "echo hunter2",
            "echo hunter2 >&2; exit 3",
            "echo '[\"hunter2\"]'",
            "echo '{\"Version\":\"hunter2\"}'",
            "echo '{\"Version\":1,\"AccessKeyId\":\"hunter2\"}'",
            "echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":\"hunter2\"}'",
            "printf 'hunter2\\377'",
            "yes hunter2",
            "/nonexistent/hunter2",
        ];
        for command in bad {
            let problem = run(command, LONG).await.unwrap_err().to_string();
            assert!(!problem.contains("hunter2") && !problem.is_empty(), "{command}: {problem}");
        }
    }

    #[tokio::test]
    async fn the_time_limit_ends_all_that_was_started() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let command =
            format!("sleep 987 & echo $! > {0}; sh -c 'sleep 987; true' & echo $! >> {0}; wait", pids.display());
        let limit = Duration::from_millis(700);
        assert_eq!(run(&command, limit).await.unwrap_err(), Problem::TimeLimit(limit));
        let started = std::fs::read_to_string(&pids).unwrap();
        assert_eq!(started.lines().count(), 2);
        for pid in started.lines() {
            // A killed process may stay a zombie until its new parent waits for it.
            let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
            let ended =
                || state().is_none_or(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['Z', 'X'])));
            while !ended() {
                tokio::task::yield_now().await;
            }
        }
    }
}
