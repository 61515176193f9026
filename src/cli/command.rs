use clap::{Parser, Subcommand};

use super::args::{InspectArgs, VerifyArgs};
use super::global::GlobalArgs;
#[cfg(feature = "ec2")]
use super::images::args::PreflightCommand;
use super::settings::Adjustable;

/// Inspect and verify stored AMI objects in S3 without restoring them.
///
/// A TARGET is s3://bucket/key (optionally with ?versionId=ID), the ARN or the https:// URL of an S3 object, a presigned
/// URL (@FILE reads it from a file), or a local file.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    #[allow(missing_docs, reason = "a docstring would be help")]
    pub command: Command,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a docstring would be help")]
    pub global: GlobalArgs,
}

impl Command {
    /// What `policy` is called with for this command; for `copy`, at the source and at the destination.
    pub(super) fn policy(&self) -> &'static [&'static str] {
        match self {
            Command::Inspect(_) => &["inspect"],
            Command::Verify(_) | Command::Bench(_) | Command::Cost(_) => &["verify"],
            #[cfg(feature = "s3")]
            Command::Audit(_) => &["audit"],
            #[cfg(feature = "batch")]
            Command::Batch(_) => &["batch"],
            #[cfg(feature = "s3")]
            Command::SafeToDelete(_) => &["safe-to-delete"],
            #[cfg(feature = "s3")]
            Command::Compare(_) => &["compare"],
            #[cfg(feature = "s3")]
            Command::Thaw(_) => &["thaw"],
            #[cfg(feature = "ec2")]
            Command::Preflight(PreflightCommand::Store(_)) => &["preflight-store"],
            #[cfg(feature = "ec2")]
            Command::Preflight(PreflightCommand::Restore(_)) => &["preflight-restore"],
            #[cfg(feature = "ec2")]
            Command::IsStored(_) | Command::Stored(_) => &["is-stored"],
            #[cfg(feature = "ec2")]
            Command::Store(_) => &["store"],
            #[cfg(feature = "ec2")]
            Command::Restore(_) => &["restore"],
            #[cfg(feature = "ebs")]
            Command::Drill(_) => &["drill"],
            #[cfg(feature = "ec2")]
            Command::Copy(_) => &["copy-source", "copy-destination"],
            _ => &[],
        }
    }

    /// The arguments that the environment and the configuration file may set; `None` if the command heeds neither.
    pub(super) fn adjustable(&mut self) -> Option<Adjustable<'_>> {
        let connected = |connection| Adjustable { sends: true, connection: Some(connection), ..Adjustable::default() };
        Some(match self {
            Command::Completions { .. } | Command::Man(_) => return None,
            Command::Inspect(args) => connected(&mut args.common.connection),
            Command::Verify(args) => Adjustable {
                sends: true,
                connection: Some(&mut args.common.connection),
                // A profile of this machine is more specific than a setting.
                concurrency: args.reading.tuning.is_none().then_some(&mut args.reading.concurrency),
                max_memory: Some(&mut args.reading.max_memory),
            },
            Command::Bench(args) => Adjustable {
                sends: true,
                connection: Some(&mut args.common.connection),
                concurrency: None,
                max_memory: Some(&mut args.max_memory),
            },
            Command::Cost(args) => connected(&mut args.connection),
            #[cfg(feature = "s3")]
            Command::Audit(args) => {
                let args = &mut **args;
                match &mut args.work {
                    Some(super::audit::args::AuditWork::Merge(merge)) => connected(&mut merge.connection),
                    None => Adjustable {
                        sends: true,
                        connection: Some(&mut args.connection),
                        concurrency: Some(&mut args.reading.concurrency),
                        max_memory: Some(&mut args.reading.max_memory),
                    },
                }
            }
            #[cfg(feature = "s3")]
            Command::SafeToDelete(args) => connected(&mut args.connection),
            #[cfg(feature = "s3")]
            Command::Thaw(args) => connected(&mut args.connection),
            #[cfg(feature = "ec2")]
            Command::Doctor(args) => connected(&mut args.connection),
            #[cfg(feature = "ebs")]
            Command::Fingerprint(args) => connected(&mut args.connection),
            #[cfg(feature = "ebs")]
            Command::Prove(args) => connected(&mut args.connection),
            #[cfg(feature = "batch")]
            Command::Batch(command) => connected(command.connection()),
            #[cfg(feature = "ebs")]
            Command::Drill(args) => connected(&mut args.connection),
            #[cfg(feature = "s3")]
            Command::Compare(args) => Adjustable {
                sends: true,
                connection: None,
                concurrency: Some(&mut args.limits.concurrency),
                max_memory: Some(&mut args.limits.max_memory),
            },
            #[cfg(feature = "ec2")]
            Command::Preflight(PreflightCommand::Store(args)) => connected(&mut args.task.connection),
            #[cfg(feature = "ec2")]
            Command::Preflight(PreflightCommand::Restore(args)) => connected(&mut args.task.connection),
            #[cfg(feature = "ec2")]
            Command::IsStored(args) | Command::Stored(args) => connected(&mut args.connection),
            #[cfg(feature = "ec2")]
            Command::Store(args) => connected(&mut args.task.connection),
            #[cfg(feature = "ec2")]
            Command::Restore(args) => connected(&mut args.task.connection),
            // A Region and an endpoint belong to one of its two ends.
            #[cfg(feature = "ec2")]
            Command::Copy(args) => Adjustable {
                sends: true,
                connection: None,
                concurrency: Some(&mut args.proof.concurrency),
                max_memory: Some(&mut args.proof.max_memory),
            },
            #[cfg(any(feature = "s3", feature = "lab"))]
            _ => Adjustable::default(),
        })
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what S3 knows of an object, without reading it
    Inspect(Box<InspectArgs>),
    /// Read every byte once and compare it with every known checksum
    ///
    /// References are the checksums and ETags that S3 stores, manifests, checksum files, and values that you give.
    /// A mismatch is read a second time before it is reported as damage.
    Verify(Box<VerifyArgs>),
    /// Measure how fast an object can be read, and what limits it
    ///
    /// Only reads, and discards the bytes. Requests and transfer are charged as usual.
    Bench(Box<super::bench::BenchArgs>),
    /// Estimate the cost of keeping, reading, moving and restoring
    ///
    /// By list prices, without discounts. The built-in prices are of us-east-1, each with its date.
    Cost(Box<super::cost::CostArgs>),
    /// Examine all stored AMI objects of buckets, and remember proofs
    ///
    /// With --ledger, proofs are kept in an SQLite file, and only objects without a recent proof are read.
    #[cfg(feature = "s3")]
    Audit(Box<super::audit::AuditArgs>),
    /// List, export and check the ledger of audits
    #[cfg(feature = "s3")]
    #[command(subcommand)]
    Ledger(super::audit::LedgerCommand),
    /// Decide whether an AMI may be deleted: a proved copy exists
    ///
    /// Needs a proof of every byte of the copy in the ledger; see `audit --level bytes --ledger`.
    #[cfg(feature = "s3")]
    SafeToDelete(Box<super::audit::SafeArgs>),
    /// Check the conditions of a store or a restore; start nothing
    #[cfg(feature = "ec2")]
    #[command(subcommand)]
    Preflight(super::images::args::PreflightCommand),
    /// Ask whether the stored copy of an AMI is there and complete
    ///
    /// Says nothing about the bytes of the object. Do not delete an AMI because of this answer: `safe-to-delete`
    /// requires a proof of every byte.
    #[cfg(feature = "ec2")]
    IsStored(Box<super::images::args::StoredArgs>),
    /// Deprecated: use `is-stored`, which has other exit codes
    ///
    /// Exit codes: 0 not stored, or the last store failed; 1 stored, or a store is in flight; 3 cannot tell, or a
    /// store was completed and the object is gone. To be removed in version 1.0.
    #[cfg(feature = "ec2")]
    #[command(hide = true)]
    Stored(Box<super::images::args::StoredArgs>),
    /// Store an AMI in a bucket, after a preflight
    ///
    /// Asks before it starts the task, and follows the task to its end.
    #[cfg(feature = "ec2")]
    Store(Box<super::images::args::StoreArgs>),
    /// Restore an AMI from a stored object, after a preflight
    ///
    /// Asks before it starts the task, and follows it to its end. A restore that was already started is followed,
    /// and not started again.
    #[cfg(feature = "ec2")]
    Restore(Box<super::images::args::RestoreArgs>),
    /// Copy an object to another bucket, account or partition
    ///
    /// Reads the source once, compares every byte with its references as `verify` does, and writes the same parts, so
    /// that the ETag is the same. The upload is completed only when the source is proved. An end with its own profile
    /// uses the keys, Region and endpoint of that profile only.
    #[cfg(feature = "ec2")]
    Copy(Box<super::copy::args::CopyArgs>),
    /// Tell whether two objects are the same
    ///
    /// By equal checksums and ETags that are stated about both, without reading a byte; or, with --read, by their bytes.
    /// A is set up with the options --from-… of `copy`, B with --to-….
    #[cfg(feature = "s3")]
    Compare(Box<super::compare::args::CompareArgs>),
    /// Make a readable copy of an archived object, or report its state
    ///
    /// Shows price and time, asks, and sends RestoreObject. It ends then: run it again to see the state, or wait with
    /// --follow. Works for GLACIER, DEEP_ARCHIVE and the archive tiers of Intelligent-Tiering.
    #[cfg(feature = "s3")]
    Thaw(Box<super::thaw::ThawArgs>),
    /// Check settings, credentials, clock, permissions and speed
    ///
    /// Says for each what was found and what to do. Writes nothing: what only a write could show is `not tested`.
    #[cfg(feature = "ec2")]
    Doctor(Box<super::doctor::DoctorArgs>),
    /// Record the content of an AMI, block by block
    ///
    /// Reads every written block of its snapshots (EBS direct APIs), and keeps their SHA-256. Shows price, requests and
    /// time, and asks. `prove` compares a restored AMI with the record.
    #[cfg(feature = "ebs")]
    Fingerprint(Box<super::blocks::args::FingerprintArgs>),
    /// Prove that an AMI has the content of a record or of another AMI
    ///
    /// Reads and compares every block of every volume. A block that differs is read a second time and named. Shows price,
    /// requests and time, and asks.
    #[cfg(feature = "ebs")]
    Prove(Box<super::blocks::args::ProveArgs>),
    /// Let S3 compute checksums at rest, and compare them
    ///
    /// S3 Batch Operations hashes objects of any size and storage class without a download. What S3 states is a proof of its
    /// own kind, `stated-by-s3`, where a value of the object was known before.
    #[cfg(feature = "batch")]
    #[command(subcommand)]
    Batch(super::batch::args::BatchCommand),
    /// Rehearse a restore: verify, restore, prove block by block, remove
    ///
    /// Restores the object under a name of its own, compares every block of the AMI with a record of `fingerprint` or with
    /// the AMI that was stored, reports the time of each step, and removes the AMI and the snapshots that it made. Shows
    /// price and conditions, and asks. A drill that was killed is continued or cleaned up by the same command.
    #[cfg(feature = "ebs")]
    Drill(Box<super::drill::args::DrillArgs>),
    /// Print the minimal IAM policy for commands
    #[cfg(feature = "ec2")]
    Policy(super::images::args::PolicyArgs),
    /// Run a local endpoint of S3 and EC2 for rehearsals
    #[cfg(feature = "lab")]
    Lab(super::lab::LabArgs),
    /// Show store, verify, restore and damage in the lab
    #[cfg(all(feature = "s3", feature = "lab"))]
    Demo(super::demo::DemoArgs),
    /// Print shell completions
    Completions {
        /// Shell that will read the script
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print or write manual pages
    Man(super::args::ManArgs),
}
