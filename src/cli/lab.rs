use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::output::{complain, print_error_line};
use super::signals::{cancel_on_signal, until};
use super::usage::{UsageError, read_given};
use crate::files::InputKind;
use crate::render::printable;
use crate::report::Exit;
use crate::units::ByteSize;
use stored_ami_lab::ec2::{ImageSpec, VolumeSpec};
use stored_ami_lab::image::DiskImage;
use stored_ami_lab::{CallRecord, Deny, Lab, LabOptions, Operation, TaskPace, parse_faults};

#[derive(Debug, Args)]
pub struct LabArgs {
    /// Address to listen on; loopback only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Folder for objects: empty, or of an earlier lab [default: in memory]
    ///
    /// AMIs and tasks are not kept.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data: Option<PathBuf>,
    /// Region of the endpoint and of its buckets
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    region: String,
    /// Account of the caller and of the buckets
    #[arg(long, value_name = "ACCOUNT", default_value = "123456789012")]
    account: String,
    /// Deny this IAM action, such as s3:GetObjectAttributes
    #[arg(long, value_name = "ACTION", value_parser = action)]
    deny: Vec<String>,
    /// Add no checksum to uploads without one, as S3 did before December 2024
    #[arg(long)]
    no_default_checksum: bool,
    /// Never send the header x-amz-expiration
    #[arg(long)]
    no_expiration_header: bool,
    /// Delay of each response in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Duration of a store or restore task in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    task_time: u64,
    /// Maximum bytes per second, over all connections
    #[arg(long, value_name = "SIZE")]
    rate: Option<ByteSize>,
    /// Inject faults by the rules in this JSON file (docs/lab.md)
    ///
    /// Each injected fault is printed on standard error.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) faults: Option<PathBuf>,
}

/// An action that the lab asks for. Another one would deny nothing.
fn action(text: &str) -> Result<String, String> {
    let known = Deny::actions();
    if let Some(action) = known.iter().find(|action| action.eq_ignore_ascii_case(text)) {
        return Ok((*action).to_owned());
    }
    let near = near_actions(text, &known);
    Err(match near.is_empty() {
        true => format!(
            "the lab asks for no such action; it asks for {} actions of {}, such as s3:GetObject",
            known.len(),
            services(&known).join(", ")
        ),
        false => format!("the lab asks for no such action; similar ones are {}", near.join(", ")),
    })
}

/// The known actions whose name resembles the text, with or without its service; the nearest first, at most three.
fn near_actions<'a>(text: &str, known: &[&'a str]) -> Vec<&'a str> {
    let typed = text.to_ascii_lowercase();
    let distance = |action: &str| {
        let action = action.to_ascii_lowercase();
        let name = action.split_once(':').map_or(action.as_str(), |(_, name)| name);
        strsim::levenshtein(&typed, &action).min(strsim::levenshtein(&typed, name))
    };
    let mut near: Vec<(usize, &str)> = known.iter().map(|action| (distance(action), *action)).collect();
    near.retain(|(distance, action)| distance * 3 <= action.len());
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, action)| action).collect()
}

fn services<'a>(known: &[&'a str]) -> Vec<&'a str> {
    let mut services: Vec<&str> = known.iter().filter_map(|action| Some(action.split_once(':')?.0)).collect();
    services.dedup();
    services
}

/// Creates an example AMI with three volumes, the first of which has a disk image of this many bytes.
pub(super) fn example(lab: &Lab, region: &str, bytes: u64) {
    let root = VolumeSpec { bytes, ..VolumeSpec::new("/dev/sda1", 8) };
    let volumes = vec![root, VolumeSpec::new("/dev/sdb", 20), VolumeSpec::new("/dev/sdc", 1)];
    lab.create_image(region, ImageSpec { id: Some(EXAMPLE.to_owned()), volumes, ..ImageSpec::new("lab-example") });
}

/// Id of the example AMI.
pub(super) const EXAMPLE: &str = "ami-0123456789abcdef0";

pub(super) async fn run(args: LabArgs) -> Result<Exit, UsageError> {
    if !args.listen.ip().is_loopback() {
        return Err(UsageError(format!(
            "--listen {}: the lab has no access control, so it listens on loopback addresses only",
            args.listen
        )));
    }
    let rules = match &args.faults {
        None => Vec::new(),
        Some(path) => {
            let wrong = |problem| UsageError(format!("{}: {problem}", path.display()));
            parse_faults(&read_given("--faults", path, InputKind::FaultRules)?).map_err(wrong)?
        }
    };
    let options = LabOptions {
        bind: args.listen,
        data: args.data,
        deny: args.deny.iter().map(|action| Deny::action(action)).collect(),
        region: args.region.clone(),
        account: args.account,
        latency: Duration::from_millis(args.latency),
        rate: args.rate.map(|rate| rate.0),
        default_checksum: !args.no_default_checksum,
        expiration_header: !args.no_expiration_header,
        tasks: TaskPace::Time(Duration::from_secs(args.task_time)),
        ..LabOptions::default()
    };
    let lab = match Lab::start(options).await {
        Ok(lab) => lab,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(UsageError(format!("--data: {error}")));
        }
        Err(error) => {
            let next = match error.kind() {
                io::ErrorKind::AddrInUse => "; --listen names another address, such as 127.0.0.1:9001",
                _ => "",
            };
            complain(&format!("lab at {}: {error}{next}", args.listen));
            return Ok(Exit::CouldNot);
        }
    };
    rules.into_iter().for_each(|rule| lab.script(rule));
    let mut faults = lab.faults();
    example(&lab, &args.region, DiskImage::SMALLEST);
    // The output may be closed if the lab runs in the background.
    drop(io::stdout().write_all(banner(&lab.endpoint(), &args.region).as_bytes()));
    let cancel = cancel_on_signal();
    while let Some(Some(call)) = until(&cancel, faults.recv()).await {
        tell(&call);
    }
    lab.shutdown().await;
    Ok(Exit::Passed)
}

/// How to reach the lab, and what to do first.
fn banner(endpoint: &str, region: &str) -> String {
    format!(
        "lab ready at {endpoint}; it checks no signatures. In another shell:\n\n  \
         export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region} \
         AWS_ACCESS_KEY_ID=lab AWS_SECRET_ACCESS_KEY=lab\n  \
         curl -X PUT {endpoint}/backup    # makes the bucket `backup`; so does: aws s3 mb s3://backup\n  \
         stored-ami store {EXAMPLE} --bucket backup --yes\n\n\
         {EXAMPLE} is an AMI of three volumes. (AWS CLI version 1 takes the Region from AWS_DEFAULT_REGION.) \
         Ctrl-C stops the lab.\n"
    )
}

/// Prints a request that a fault affected, in one line.
fn tell(call: &CallRecord) {
    let Some(fault) = &call.fault else { return };
    let mut line = match call.operation {
        Operation::Service(action) => format!("{action:?}"),
        operation => format!("{operation:?}"),
    };
    if !call.bucket.is_empty() {
        line.push_str(&format!(" {}/{}", call.bucket, call.key));
    }
    if let Some(part) = call.part() {
        line.push_str(&format!(" part {part}"));
    }
    if let Some(range) = &call.range {
        line.push_str(&format!(" {range}"));
    }
    print_error_line(&format!("fault: {}", printable(&format!("{line}: {fault}"))));
}
