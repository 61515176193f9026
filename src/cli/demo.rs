//! Demonstrates the life of an AMI against the built-in lab. Runs each command as a user would type it. Without the
//! feature `ec2`, the lab creates the stored object directly.

use std::ffi::OsStr;
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
/// The other partition, with an account of its own.
#[cfg(feature = "ec2")]
const GOV: (&str, &str, &str) = ("us-gov-west-1", "210987654321", "gov-archive");
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
    #[cfg(feature = "ec2")]
    let gov = partition(&stage).await?;
    let object = format!("s3://{BUCKET}/{EXAMPLE}.bin");
    say(&format!(
        "# A lab is running at {}. It stands in for S3 and EC2; nothing leaves this machine.\n\
         # It holds {EXAMPLE}, an AMI of three volumes. How the lab packs it is its own, not AWS's.",
        lab.endpoint()
    ))?;

    #[cfg(feature = "ec2")]
    {
        stage.live(&object).await?;
        stage.across(&object, &gov).await?;
        gov.shutdown().await;
    }
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

/// A second lab in another partition, and a file with a profile for each of the two.
#[cfg(feature = "ec2")]
async fn partition(stage: &Stage<'_>) -> io::Result<Lab> {
    let (region, account, bucket) = GOV;
    let options = LabOptions {
        region: region.to_owned(),
        account: account.to_owned(),
        tasks: TaskPace::Polls(2),
        ..LabOptions::default()
    };
    let gov = Lab::start(options).await?;
    gov.create_bucket(bucket, stored_ami_lab::BucketOptions { private: true, ..Default::default() })?;
    let profile = |name: &str, region: &str, endpoint: &str| {
        format!(
            "[profile {name}]\nregion = {region}\nendpoint_url = {endpoint}\naws_access_key_id = {name}\n\
             aws_secret_access_key = lab\n"
        )
    };
    let profiles = profile("commercial", REGION, &stage.endpoint) + &profile("gov", region, &gov.endpoint());
    std::fs::write(stage.folder.join(PROFILES), profiles)?;
    Ok(gov)
}

/// File with the profiles.
#[cfg(feature = "ec2")]
const PROFILES: &str = "aws-config";

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

    /// Copies the object to the other partition, and restores the copy there.
    #[cfg(feature = "ec2")]
    async fn across(&self, object: &str, gov: &Lab) -> io::Result<()> {
        let (region, account, bucket) = GOV;
        say(&format!(
            "\n# A second lab at {} stands in for another partition: {region}, account {account}. The two trust each\n\
             # other as little as AWS and GovCloud do: each end of the copy has a profile of its own.",
            gov.endpoint()
        ))?;
        let copy = format!("copy {object} s3://{bucket}/ --from-profile commercial --to-profile gov --yes");
        self.with_profiles(&copy, Exit::Passed).await?;
        say(
            "\n# The copy has the parts, and so the ETag, of the original. It is proved and restored where it is now.",
        )?;
        let there = format!("s3://{bucket}/{EXAMPLE}.bin --profile gov");
        let verify = format!("verify {there} --manifest ami.manifest.json");
        self.with_profiles(&verify, Exit::Passed).await?;
        let known = format!("{there} --name restored --record ami.record.json --manifest ami.manifest.json");
        self.with_profiles(&format!("preflight restore {known}"), Exit::Passed).await?;
        self.with_profiles(&format!("restore {known} --yes"), Exit::Passed).await
    }

    /// Inspects and verifies an object that the lab created directly.
    #[cfg(not(feature = "ec2"))]
    async fn read(&self, object: &str) -> io::Result<()> {
        self.command(&format!("inspect {object}"), Exit::Passed).await?;
        self.command(&format!("verify {object} --write-manifest ami.manifest.json"), Exit::Passed).await
    }

    /// Runs a command that names a profile for every server it uses.
    #[cfg(feature = "ec2")]
    async fn with_profiles(&self, line: &str, expected: Exit) -> io::Result<()> {
        let mut command = program()?;
        command.env("AWS_CONFIG_FILE", self.folder.join(PROFILES));
        self.run(command, line, expected).await
    }

    /// Runs a command with the first lab in its environment.
    async fn command(&self, line: &str, expected: Exit) -> io::Result<()> {
        let mut command = program()?;
        command
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "lab")
            .env("AWS_SECRET_ACCESS_KEY", "lab");
        self.run(command, line, expected).await
    }

    /// Shows a command, runs it in its own process, and shows its exit code.
    async fn run(&self, mut command: Command, line: &str, expected: Exit) -> io::Result<()> {
        say(&format!("\n$ stored-ami {line}"))?;
        command
            .args(line.split(' '))
            .current_dir(self.folder)
            .env("XDG_STATE_HOME", self.folder)
            .env("STORED_AMI_CONFIG", "")
            .env("NO_PROXY", "127.0.0.1")
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

/// This program, without the settings of this machine, which are not part of the demonstration.
fn program() -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    let of_machine = |name: &OsStr| is_setting(name) || name.as_encoded_bytes().starts_with(b"AWS_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| of_machine(name)) {
        command.env_remove(name);
    }
    Ok(command)
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{text}")?;
    out.flush()
}
