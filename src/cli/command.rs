use std::ffi::OsStr;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use super::args::{InspectArgs, VerifyArgs, VersionArgs};
use super::output::complain;
use crate::ident::{Target, TypedTarget, redact_urls};
use crate::render::printable;
use crate::report::Exit;

/// Inspect and verify stored AMI objects in S3 without restoring them.
///
/// A TARGET is s3://bucket/key (with ?versionId=… if you like), the ARN of an S3 object, or a local file.
///
/// Exit codes: 0 every required check passed; 1 a check failed; 2 wrong arguments, configuration or
/// credentials; 3 something required is unknown; 4 the work could not be done; 130 interrupted.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    #[allow(missing_docs, reason = "a docstring would be help")]
    pub command: Command,
}

impl Cli {
    /// Parses the arguments.
    ///
    /// # Errors
    ///
    /// The exit code if there is nothing to run: after an invalid argument, which was printed, or after help.
    ///
    /// Control characters and secrets in URLs are removed from the arguments that a message repeats, because scripts
    /// may pass names chosen by others.
    pub fn read() -> Result<Self, ExitCode> {
        let typed: Vec<_> = std::env::args_os().collect();
        Cli::understand(&typed).map_err(|error| {
            let clean: Vec<_> = typed.iter().map(|word| shown(&word.to_string_lossy())).collect();
            let error = if typed.iter().zip(&clean).all(|(typed, clean)| typed == clean.as_str()) {
                error
            } else {
                Cli::understand(&clean).err().unwrap_or_else(|| clap::Error::new(error.kind()))
            };
            let printed = error.print().and_then(|()| std::io::stdout().flush());
            if let Err(problem) = printed
                && !error.use_stderr()
                && problem.kind() != std::io::ErrorKind::BrokenPipe
            {
                complain(&format!("standard output: {problem}"));
                return ExitCode::from(Exit::CouldNot.code());
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }

    fn understand<T: AsRef<OsStr>>(words: &[T]) -> Result<Self, clap::Error> {
        let mut cli = Cli::try_parse_from(words.iter().map(AsRef::as_ref))?;
        cli.command
            .read_targets()
            .map_err(|problem| Cli::command().error(clap::error::ErrorKind::ValueValidation, problem))?;
        Ok(cli)
    }
}

/// An argument as it may be printed: without control characters, and without the secrets of a URL.
fn shown(word: &str) -> String {
    printable(&redact_urls(word))
}

impl Command {
    /// Parses the targets, according to `--version-id`.
    fn read_targets(&mut self) -> Result<(), String> {
        let read = |version: &VersionArgs, typed: &[TypedTarget]| -> Result<Vec<Target>, String> {
            typed.iter().map(|typed| version.read(typed)).collect()
        };
        match self {
            Command::Inspect(args) => args.targets = read(&args.version, &args.typed)?,
            Command::Verify(args) => args.targets = read(&args.version, &args.typed)?,
            Command::Bench(args) => args.read_target()?,
            Command::Cost(args) => args.read_targets()?,
            #[cfg(feature = "ec2")]
            Command::Copy(args) => {
                args.source = args.typed.as_ref().map(|typed| args.version.read(typed)).transpose()?;
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what can be known of an object without reading it
    Inspect(Box<InspectArgs>),
    /// Read every byte once and hold it against every reference there is
    Verify(Box<VerifyArgs>),
    /// Measure how fast an object can be read from here, and what keeps it from being faster
    ///
    /// Reads only, and drops the bytes: safe on production objects, at the price of the requests and the transfer.
    Bench(Box<super::bench::BenchArgs>),
    /// Estimate what keeping, reading, moving and restoring an object costs, or storing an AMI
    ///
    /// By list prices, and nobody's bill. The built-in ones are of us-east-1, each with its date.
    ///
    /// Exit codes: 0 all estimates are known; 3 one is not, or the prices are of another Region.
    Cost(Box<super::cost::CostArgs>),
    /// Look at every stored AMI object of some buckets, with a memory of what was proved before
    ///
    /// Exit codes: 0 nothing that the level and the policy demand is wrong or open; 1 something is wrong; 3 something is
    /// open, or was due and not reached; 4 something could not be done; 130 interrupted.
    #[cfg(feature = "s3")]
    Audit(Box<super::audit::AuditArgs>),
    /// Read, check and correct the ledger that audits keep
    #[cfg(feature = "s3")]
    #[command(subcommand)]
    Ledger(super::audit::LedgerCommand),
    /// May an AMI and its snapshots be deleted, because a stored copy stands in for them?
    ///
    /// Exit codes: 0 they may go; 1 they must stay; 3 cannot tell.
    #[cfg(feature = "s3")]
    SafeToDelete(Box<super::audit::SafeArgs>),
    /// Check everything before a store or a restore, and start nothing
    #[cfg(feature = "ec2")]
    #[command(subcommand)]
    Preflight(super::images::args::PreflightCommand),
    /// Does a bucket hold this AMI already?
    ///
    /// Exit codes: 0 not stored, or the last store failed; 1 stored, or a store is in flight; 3 cannot tell, or a
    /// store was completed and the object is gone.
    #[cfg(feature = "ec2")]
    Stored(Box<super::images::args::StoredArgs>),
    /// Store an AMI in a bucket, after its preflight, and follow the task
    #[cfg(feature = "ec2")]
    Store(Box<super::images::args::StoreArgs>),
    /// Restore an AMI from a stored object, after its preflight, once, and follow the task
    #[cfg(feature = "ec2")]
    Restore(Box<super::images::args::RestoreArgs>),
    /// Copy an object, also to another partition or account, and prove the copy at both ends
    ///
    /// Reads the source once, holds every byte against its references as verify does, and writes the same bytes with
    /// the same parts, so that the ETag is the same. The object is made only when the source is proved. Each end has
    /// its own profile, keys, Region and endpoint; nothing of one end reaches the other.
    ///
    /// Exit codes: 0 the copy is there and proved, or the same object was there; 1 a check failed, or another object is
    /// there; 2 wrong arguments, configuration or credentials; 3 something required is unknown; 4 the copy could not be
    /// made; 130 interrupted.
    #[cfg(feature = "ec2")]
    Copy(Box<super::copy::args::CopyArgs>),
    /// Print the least IAM policy for commands
    #[cfg(feature = "ec2")]
    Policy(super::images::args::PolicyArgs),
    /// Run a local endpoint of S3 and EC2 to rehearse against
    #[cfg(feature = "lab")]
    Lab(super::lab::LabArgs),
    /// Watch the whole life of an AMI against the built-in lab: store, verify, restore, damage
    #[cfg(all(feature = "s3", feature = "lab"))]
    Demo(super::demo::DemoArgs),
    /// Print shell completions
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}
