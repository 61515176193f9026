use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueHint};

use crate::audit::age;
use crate::cli::args::{ConnectionArgs, ForceArgs, OutputArgs};
use crate::cli::starting::StartingArgs;
use crate::ident::Prefix;

#[derive(Debug, Subcommand)]
pub enum BatchCommand {
    /// Plan which checksums S3 is asked to compute, and hold against what
    ///
    /// Describes each object that is due and chooses the algorithm of a value that is known of it: in a manifest, in the
    /// ledger, or stored by S3. Without one, the answer becomes a baseline. Writes nothing but the plan.
    Plan(Box<PlanArgs>),
    /// Write the manifests of a plan to a bucket, and create its jobs
    ///
    /// Shows the price and asks. Repeated with the same arguments, it finds the jobs that it created before.
    Submit(Box<SubmitArgs>),
    /// Show the state of jobs
    Status(JobsArgs),
    /// Wait until jobs are over
    Follow(JobsArgs),
    /// Compare the completion report of a job with the plan
    ///
    /// From a job, what S3 states can be recorded in a ledger. From a folder, nothing shows that S3 wrote the report: the
    /// results are printed as the report says, and the exit code is 3 at best.
    Reconcile(Box<ReconcileArgs>),
}

impl BatchCommand {
    /// The options of the connection.
    pub fn connection(&mut self) -> &mut ConnectionArgs {
        match self {
            BatchCommand::Plan(args) => &mut args.connection,
            BatchCommand::Submit(args) => &mut args.connection,
            BatchCommand::Status(args) | BatchCommand::Follow(args) => &mut args.connection,
            BatchCommand::Reconcile(args) => &mut args.connection,
        }
    }
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Where to look: s3://bucket or s3://bucket/prefix, all in one Region
    #[arg(value_name = "S3-PREFIX", required_unless_present = "list")]
    pub prefixes: Vec<Prefix>,
    /// File of objects, one s3://bucket/key per line, in place of listing
    #[arg(long, value_name = "FILE", conflicts_with = "prefixes", value_hint = ValueHint::FilePath)]
    pub list: Option<PathBuf>,
    /// Write the plan here
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub plan: PathBuf,
    #[command(flatten)]
    pub force: ForceArgs,
    /// Ledger of proofs: objects with a recent one are not due, and its values are references
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,
    /// Maximum age of a proof, such as 30d
    #[arg(long, value_name = "AGE", default_value = "90d", value_parser = parse_age)]
    pub max_age: jiff::SignedDuration,
    /// Manifest of one of the objects, written by `verify --write-manifest`; may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub manifest: Vec<PathBuf>,
    /// AWS price file of the Region: index.json of AmazonS3; the built-in prices are not used then
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub prices: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct SubmitArgs {
    /// Plan, written by `batch plan`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub plan: PathBuf,
    /// Where manifests and reports are written, in the Region of the plan: s3://bucket/prefix/
    #[arg(long, value_name = "S3-PREFIX")]
    pub to: Prefix,
    /// ARN of the role that the jobs assume; see `stored-ami policy batch-role`
    #[arg(long, value_name = "ARN", value_parser = role)]
    pub role: String,
    /// AWS price file of the Region: index.json of AmazonS3; the built-in prices are not used then
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub prices: Vec<PathBuf>,
    #[command(flatten)]
    pub starting: StartingArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct JobsArgs {
    /// Ids of jobs, as `batch submit` prints them
    #[arg(value_name = "JOB", required = true, value_parser = job)]
    pub jobs: Vec<String>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub struct ReconcileArgs {
    /// Id of a job, or a folder with a downloaded report: manifest.json and results/
    #[arg(value_name = "JOB|FOLDER", value_hint = ValueHint::DirPath)]
    pub from: ReportFrom,
    /// Plan, written by `batch plan`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub plan: PathBuf,
    /// Ledger in which the results of a job are recorded, created if missing
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ledger: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Where a report comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportFrom {
    /// The id of a job.
    Job(String),
    /// A folder. One that is named like a job needs a path: `./…`.
    Folder(PathBuf),
}

impl FromStr for ReportFrom {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(job(text).map_or_else(|_| ReportFrom::Folder(text.into()), ReportFrom::Job))
    }
}

/// The id of a job: a UUID (S3 Control API Reference, `JobId`).
fn job(text: &str) -> Result<String, String> {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    match is_hex && lengths == [8, 4, 4, 4, 12] {
        true => Ok(text.to_ascii_lowercase()),
        false => {
            Err("the id of a job has the form 01234567-89ab-cdef-0123-456789abcdef; `batch submit` printed it"
                .to_owned())
        }
    }
}

fn role(text: &str) -> Result<String, String> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", _, "iam", "", account, resource] if account.len() == 12 && resource.starts_with("role/") => {
            Ok(text.to_owned())
        }
        _ => Err("the ARN of a role has the form arn:aws:iam::111122223333:role/NAME".to_owned()),
    }
}

fn parse_age(text: &str) -> Result<jiff::SignedDuration, String> {
    age(text).ok_or_else(|| "a time such as 30d, 12w or 36h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_or_a_folder() {
        const ID: &str = "4a3b2c1d-0123-4567-89ab-cdef01234567";
        assert_eq!(ID.parse(), Ok(ReportFrom::Job(ID.to_owned())));
        assert_eq!(ID.to_uppercase().parse(), Ok(ReportFrom::Job(ID.to_owned())));
        for folder in ["reports", "./4a3b2c1d-0123-4567-89ab-cdef01234567", "4a3b2c1d", "job-4a3b", ""] {
            assert_eq!(folder.parse(), Ok(ReportFrom::Folder(folder.into())), "{folder}");
        }
    }

    #[test]
    fn the_arn_of_a_role() {
        assert!(role("arn:aws:iam::111122223333:role/batch").is_ok());
        for wrong in ["batch", "arn:aws:iam::111122223333:user/x", "arn:aws:iam::1:role/x", "arn:aws:s3:::b"] {
            assert!(role(wrong).is_err(), "{wrong}");
        }
    }
}
