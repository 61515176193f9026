use std::io::Write as _;
use std::process::Stdio;

use stored_ami_lab::{Lab, LabOptions, Operation};

use crate::common::{Run, Server, bare_command};

pub const KEY: &str = "ami-0123456789abcdef0.bin";
pub const TARGET: &str = "s3://archive/ami-0123456789abcdef0.bin";

/// A lab with the bucket `archive`.
pub struct Rig {
    pub lab: Lab,
    pub server: Server,
    pub folder: tempfile::TempDir,
}

impl Rig {
    pub async fn new(rate: Option<u64>) -> Self {
        let lab = Lab::start(LabOptions { rate, ..LabOptions::default() }).await.unwrap();
        let server = Server::new(&lab.endpoint(), "us-east-1", "test", "test");
        server.bucket("archive").await;
        Rig { lab, server, folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn calls(&self) -> Vec<Operation> {
        self.lab.calls().iter().map(|call| call.operation).collect()
    }
}

/// Runs the program without any AWS setting, in an empty directory.
pub async fn bare(args: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bare_command();
    command.args(args).current_dir(folder.path()).stdin(Stdio::null());
    Run::of(command).await
}

/// Runs a command with a text as its standard input.
pub async fn with_stdin(mut command: std::process::Command, text: &str) -> Run {
    let text = text.to_owned();
    tokio::task::spawn_blocking(move || {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Run {
            exit: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    })
    .await
    .unwrap()
}
