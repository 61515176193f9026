use std::path::PathBuf;
use std::process::Command;

use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::{Lab, LabOptions, TaskPace};

use crate::common::{Run, Server, data};

pub const REGION: &str = "us-east-1";
pub const BUCKET: &str = "archive";
pub const AMI: &str = "ami-0123456789abcdef0";
/// An object of six parts.
pub const KEY: &str = "ami-0aaaaaaaaaaaaaaaa.bin";
pub const OBJECT: &str = "s3://archive/ami-0aaaaaaaaaaaaaaaa.bin";

/// A lab with an AMI, a bucket with an object of six parts, and an empty folder.
pub struct Rig {
    pub lab: Lab,
    pub server: Server,
    folder: tempfile::TempDir,
}

impl Rig {
    pub async fn new() -> Self {
        let lab = Lab::start(LabOptions { tasks: TaskPace::Polls(1), ..LabOptions::default() }).await.unwrap();
        let server = Server::new(&lab.endpoint(), REGION, "test", "test");
        server.bucket(BUCKET).await;
        let volumes = vec![VolumeSpec::new("/dev/sda1", 8)];
        lab.create_image(REGION, ImageSpec { id: Some(AMI.to_owned()), volumes, ..ImageSpec::new("golden") });
        let bytes = data(1, 600_000);
        server.multipart(BUCKET, KEY, &bytes.chunks(100_000).collect::<Vec<_>>(), None).await;
        Rig { lab, server, folder: tempfile::tempdir().unwrap() }
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program in the folder, so that files can be named without their directory.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.server.command();
        command.args(args).current_dir(self.folder.path()).env("XDG_STATE_HOME", self.path("state"));
        command
    }

    pub async fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args)).await
    }
}
