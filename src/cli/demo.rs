//! Demonstrates the life of an AMI against the built-in lab. Runs each command as a user would type it. Without the
//! feature `ec2`, the lab creates the stored object directly.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use tokio::process::Command;

use super::lab::{EXAMPLE, example};
use super::output::complain;
use super::settings::is_setting;
use super::usage::UsageError;
use crate::report::Exit;
use crate::units::ByteSize;
use stored_ami_lab::image::DiskImage;
use stored_ami_lab::{Lab, LabOptions, TaskPace};

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Size of the disk image of the first volume
    #[arg(long, value_name = "SIZE", default_value = "112MiB")]
    size: ByteSize,
}

const REGION: &str = "us-east-1";
const BUCKET: &str = "demo-archive";
/// Offset of the damaged byte, in the second part.
const DAMAGED: u64 = 11_184_810;

pub(super) async fn run(args: DemoArgs) -> Result<Exit, UsageError> {
    if args.size.0 < DiskImage::SMALLEST {
        return Err(UsageError(format!("--size {}: an image has at least 8MiB", args.size)));
    }
    match play(args.size.0).await {
        Ok(()) => Ok(Exit::Passed),
        // A closed pipe ends the demo without an error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Passed),
        Err(error) => {
            complain(&format!("demo: {error}"));
            Ok(Exit::CouldNot)
        }
    }
}

async fn play(size: u64) -> io::Result<()> {
    let lab = Lab::start(LabOptions { tasks: TaskPace::Polls(2), ..LabOptions::default() }).await?;
    example(&lab, REGION, size);
    lab.create_bucket(BUCKET, stored_ami_lab::BucketOptions::default())?;
    let folder = tempfile::tempdir()?;
    let stage = Stage { endpoint: lab.endpoint(), folder: folder.path() };
    let object = format!("s3://{BUCKET}/{EXAMPLE}.bin");
    say(&format!(
        "# A lab is running at {}. It stands in for S3 and EC2; nothing leaves this machine.\n\
         # It holds {EXAMPLE}, an AMI of three volumes. How the lab packs it is its own, not AWS's.",
        lab.endpoint()
    ))?;

    #[cfg(feature = "ec2")]
    stage.live(&object).await?;
    #[cfg(not(feature = "ec2"))]
    {
        lab.store_image(REGION, EXAMPLE, BUCKET).await.map_err(io::Error::other)?;
        stage.read(&object).await?;
    }
    say(&format!("\n# Now one bit of the byte at offset {DAMAGED} of the object is flipped at rest."))?;
    lab.damage(BUCKET, &format!("{EXAMPLE}.bin"), DAMAGED, 0x10).map_err(io::Error::other)?;
    stage.command(&format!("verify {object} --manifest ami.manifest.json"), Exit::Failed).await?;
    lab.shutdown().await;
    say("\n# That is the tool. `stored-ami lab` keeps such an endpoint open for your own rehearsals.")?;
    if cfg!(not(feature = "ec2")) {
        say(
            "# This build has no EC2. With all features the demo also stores the AMI, checks a restore and restores it.",
        )?;
    }
    Ok(())
}

/// The environment of the commands.
struct Stage<'a> {
    endpoint: String,
    folder: &'a Path,
}

impl Stage<'_> {
    /// Runs store, verify, preflight and restore.
    #[cfg(feature = "ec2")]
    async fn live(&self, object: &str) -> io::Result<()> {
        let asked = format!("is-stored {EXAMPLE} --bucket {BUCKET}");
        self.command(&asked, Exit::Failed).await?;
        let store = format!("store {EXAMPLE} --bucket {BUCKET} --record ami.record.json --yes");
        self.command(&store, Exit::Passed).await?;
        self.command(&asked, Exit::Passed).await?;
        say("\n# The same again: a bucket takes an AMI once, and that is known before EC2 is asked.")?;
        self.command(&store, Exit::Failed).await?;
        self.command(&format!("verify {object} --write-manifest ami.manifest.json"), Exit::Passed).await?;
        let known = format!("{object} --name restored --record ami.record.json --manifest ami.manifest.json");
        self.command(&format!("preflight restore {known}"), Exit::Passed).await?;
        self.command(&format!("restore {known} --yes"), Exit::Passed).await?;
        say("\n# The same again starts nothing: it finds what the first one made.")?;
        self.command(&format!("restore {known} --yes"), Exit::Passed).await
    }

    /// Inspects and verifies an object that the lab created directly.
    #[cfg(not(feature = "ec2"))]
    async fn read(&self, object: &str) -> io::Result<()> {
        self.command(&format!("inspect {object}"), Exit::Passed).await?;
        self.command(&format!("verify {object} --write-manifest ami.manifest.json"), Exit::Passed).await
    }

    /// Shows a command, runs it in its own process, and shows its exit code.
    async fn command(&self, line: &str, expected: Exit) -> io::Result<()> {
        say(&format!("\n$ stored-ami {line}"))?;
        let mut command = Command::new(std::env::current_exe()?);
        // Settings of this machine are not part of the demonstration.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command
            .args(line.split(' '))
            .current_dir(self.folder)
            .env("XDG_STATE_HOME", self.folder)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "lab")
            .env("AWS_SECRET_ACCESS_KEY", "lab")
            .env("STORED_AMI_CONFIG", "")
            .env("NO_PROXY", "127.0.0.1")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            // If a signal ends the demo, kill the current command: the lab ends too, and the command would retry its
            // requests for a long time.
            .kill_on_drop(true);
        let status = command.status().await?;
        let code = status.code().unwrap_or(i32::from(Exit::CouldNot.code()));
        say(&format!("# exit code {code}"))?;
        if code == i32::from(expected.code()) {
            return Ok(());
        }
        Err(io::Error::other(format!("`{line}` should have ended with {}, not {code}", expected.code())))
    }
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{text}")?;
    out.flush()
}
