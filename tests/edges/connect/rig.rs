use std::path::PathBuf;
use std::process::Command;

use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{Lab, LabOptions, Operation, TaskPace};

use crate::common::{Run, Server, bare_command, data};

pub const REGION: &str = "us-east-1";
pub const BUCKET: &str = "archive";
/// An empty bucket.
pub const EMPTY: &str = "empty";
pub const AMI: &str = "ami-0123456789abcdef0";
pub const OBJECT: &str = "s3://archive/ami-0123456789abcdef0.bin";
pub const KEY: &str = "ami-0123456789abcdef0.bin";

/// A lab with an AMI and its stored object, and a home directory for the program.
pub struct Rig {
    pub lab: Lab,
    pub home: tempfile::TempDir,
}

impl Rig {
    pub async fn new() -> Self {
        let lab = Lab::start(LabOptions { tasks: TaskPace::Polls(0), ..LabOptions::default() }).await.unwrap();
        let server = Server::new(&lab.endpoint(), REGION, "seed", "seed");
        server.bucket(BUCKET).await;
        server.bucket(EMPTY).await;
        server.put(BUCKET, KEY, &data(1, 100_000), None).await;
        let volumes = vec![VolumeSpec::new("/dev/sda1", 8)];
        lab.create_image(REGION, ImageSpec { id: Some(AMI.to_owned()), volumes, ..ImageSpec::new("golden") });
        lab.clear_calls();
        Rig { lab, home: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes the AWS configuration file.
    pub fn config(&self, text: impl AsRef<[u8]>) {
        std::fs::write(self.path("config"), text).unwrap();
    }

    /// Writes the AWS credentials file.
    pub fn credentials(&self, text: impl AsRef<[u8]>) {
        std::fs::write(self.path("credentials"), text).unwrap();
    }

    /// The program with the lab's endpoint, without keys.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = bare_command();
        command
            .args(args)
            .env("HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path())
            .env("AWS_CONFIG_FILE", self.path("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.path("credentials"))
            .env("AWS_ENDPOINT_URL", self.lab.endpoint())
            .env("AWS_REGION", REGION);
        command
    }

    /// [`Rig::command`] with keys in the environment.
    pub fn keyed(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.env("AWS_ACCESS_KEY_ID", "ENVKEY").env("AWS_SECRET_ACCESS_KEY", "secret");
        command
    }

    /// The distinct keys that signed the lab's calls.
    pub fn signers(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.lab.calls().into_iter().filter_map(|call| call.access_key).collect();
        keys.sort();
        keys.dedup();
        self.lab.clear_calls();
        keys
    }

    /// The services called at the lab.
    pub fn services_asked(&self) -> Vec<Operation> {
        let of_services = |operation: &Operation| matches!(operation, Operation::Service(_));
        self.lab.calls().into_iter().map(|call| call.operation).filter(of_services).collect()
    }
}

/// Checks that the command ends with exit code 2 and a message with these words.
pub async fn refused(command: Command, words: &[&str]) -> Run {
    let run = Run::of(command).await;
    assert_eq!(run.exit, Some(2), "{words:?}: {run:?}");
    for word in words {
        assert!(run.stderr.contains(word), "{word}: {run:?}");
    }
    assert!(!run.stderr.contains('\u{fffd}'), "{run:?}");
    run
}
