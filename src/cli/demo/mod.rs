//! A whole run against the built-in lab, each command as a person would type it.

mod upload;

use std::io::{self, Write};

use clap::{Args, Parser};

use super::Cli;
use super::resolve::UsageError;
use crate::lab::image::DiskImage;
use crate::lab::{Lab, LabOptions, pack};
use crate::report::Exit;
use crate::units::{ByteSize, MIB};

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Size of the disk image to make and store
    #[arg(long, value_name = "SIZE", default_value = "128MiB")]
    size: ByteSize,
}

const BUCKET: &str = "demo-archive";
const KEY: &str = "ami-0123456789abcdef0.bin";
const PART: usize = 8 * MIB as usize;

pub(super) async fn run(args: DemoArgs) -> Result<Exit, UsageError> {
    let image = DiskImage::new(1, args.size.0)
        .ok_or_else(|| UsageError(format!("--size {}: an image has at least 8MiB", args.size)))?;
    match play(image).await {
        Ok(()) => Ok(Exit::Passed),
        // A pipe that is closed ends the show, and nothing is wrong.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Passed),
        Err(error) => {
            super::run::complain(&format!("demo: {error}"));
            Ok(Exit::CouldNot)
        }
    }
}

async fn play(image: DiskImage) -> io::Result<()> {
    let lab = Lab::start(LabOptions::default()).await?;
    let endpoint = lab.endpoint();
    let object = format!("s3://{BUCKET}/{KEY}");
    say(&format!(
        "# A lab is running at {endpoint}. It stands in for S3; nothing leaves this machine.\n\
         # A disk image of {} is packed and stored as {object}\n\
         # by multipart upload with composite SHA-256. The packing is the lab's own, not AWS's.",
        ByteSize(image.size())
    ))?;
    let packed = pack_image(image).await?;
    let size = packed.len();
    upload::multipart(&endpoint, BUCKET, KEY, packed, PART).await?;

    let options = format!("--endpoint-url {endpoint} --no-sign-request");
    command(&format!("stored-ami inspect {object} {options}"), Exit::Passed).await?;
    command(&format!("stored-ami verify {object} {options}"), Exit::Passed).await?;

    let part = size.div_ceil(PART) / 2 + 1;
    let offset = (part - 1) * PART + PART / 3;
    say(&format!("\n# Now one bit of the byte at offset {offset}, which is in part {part}, is flipped at rest."))?;
    lab.damage(BUCKET, KEY, offset as u64, 0x10).map_err(io::Error::other)?;
    command(&format!("stored-ami verify {object} {options}"), Exit::Failed).await?;
    lab.shutdown().await;
    say("\n# That is the tool. `stored-ami lab` keeps such an endpoint open for your own rehearsals.")
}

/// Shows a command, runs it as if it had been typed, and shows its exit code.
async fn command(line: &str, expected: Exit) -> io::Result<()> {
    say(&format!("\n$ {line}"))?;
    let cli = Cli::try_parse_from(line.split(' ')).map_err(io::Error::other)?;
    let exit = Box::pin(super::run::run(cli)).await;
    say(&format!("# exit code {}", exit.code()))?;
    if exit == expected {
        return Ok(());
    }
    Err(io::Error::other(format!("`{line}` should have ended with {}, not {}", expected.code(), exit.code())))
}

async fn pack_image(image: DiskImage) -> io::Result<Vec<u8>> {
    let packed = tokio::task::spawn_blocking(move || {
        let mut packed = Vec::new();
        pack::pack(vec![(image.size(), image.reader())], &mut packed)?;
        Ok(packed)
    });
    packed.await.map_err(io::Error::other)?
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
