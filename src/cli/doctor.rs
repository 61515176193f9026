use clap::Args;

use super::args::{ConnectionArgs, OutputArgs};
use super::connect::options;
use super::runner::{Failure, Runner, Stop};
use super::settings::Settings;
use super::usage::UsageError;
use crate::commands::doctor::{DoctorRequest, doctor};
use crate::ident::Prefix;
use crate::report::{Exit, Report};

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Bucket whose permissions are checked: s3://bucket or s3://bucket/prefix
    ///
    /// The first object with the prefix is described, and one byte of it is read.
    #[arg(value_name = "S3-PREFIX")]
    pub bucket: Option<Prefix>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

pub(super) async fn run(args: DoctorArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let request = DoctorRequest { options: options(&args.connection, settings)?, bucket: args.bucket };
    let mut runner = Runner::new(&args.output, settings);
    let context = runner.context();
    let work = async { Ok::<_, Failure>(doctor(&request, &context).await) };
    if let Some(report) = runner.run("doctor", Stop::AtOnce, work).await {
        runner.add(Report::Doctor(Box::new(report)));
    }
    Ok(runner.finish())
}
