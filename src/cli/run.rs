use std::io;
use std::path::Path;
use std::time::Duration;

use super::args::{InspectArgs, VerifyArgs};
use super::command::{Cli, Command};
use super::connect::SourceFactory;
use super::generate;
use super::output::{complain, keep_output, print};
use super::paths::Paths;
use super::resolve::{logical, verify_requests};
use super::runner::{Runner, Stop};
use super::signals::{asked, asked_before_work, cancel_on_signal};
use super::usage::UsageError;
use crate::commands::inspect::{InspectOptions, inspect};
use crate::commands::verify::{Verified, VerifyOptions, verify};
use crate::files::OutputKind;
use crate::manifest::Manifest;
use crate::plan::Budget;
use crate::report::{Exit, Report};

/// Runs a command and returns its exit code.
pub async fn run(cli: Cli) -> Exit {
    crate::machine::keep_freed_memory();
    #[cfg(feature = "s3")]
    crate::ledger::hurry_when(asked);
    let outcome = tokio::select! {
        biased;
        () = asked_before_work() => {
            complain("interrupted");
            return Exit::Interrupted;
        }
        outcome = dispatch(cli.command) => outcome,
    };
    outcome.unwrap_or_else(|UsageError(problem)| {
        complain(&problem);
        // A signal may be the reason why the command could not start.
        if asked() { Exit::Interrupted } else { Exit::Usage }
    })
}

async fn dispatch(command: Command) -> Result<Exit, UsageError> {
    Paths::of(&command).check()?;
    match command {
        Command::Inspect(args) => Box::pin(run_inspect(*args)).await,
        Command::Verify(args) => Box::pin(run_verify(*args)).await,
        Command::Bench(args) => Box::pin(super::bench::run(*args)).await,
        Command::Cost(args) => Box::pin(super::cost::run(*args)).await,
        #[cfg(feature = "s3")]
        Command::Audit(args) => Box::pin(super::audit::run(*args)).await,
        #[cfg(feature = "s3")]
        // In a separate thread, because another process may hold the lock of the ledger, and a long ledger takes time.
        Command::Ledger(command) => {
            let name = command.ledger().display().to_string();
            super::usage::load(name, None, move || super::audit::run_ledger(command)).await
        }
        #[cfg(feature = "s3")]
        Command::SafeToDelete(args) => Box::pin(super::audit::run_safe(*args)).await,
        #[cfg(feature = "ec2")]
        Command::Preflight(command) => Box::pin(super::images::run_preflight(command)).await,
        #[cfg(feature = "ec2")]
        Command::Stored(args) => Box::pin(super::images::run_stored(*args)).await,
        #[cfg(feature = "ec2")]
        Command::Store(args) => Box::pin(super::images::run_store(*args)).await,
        #[cfg(feature = "ec2")]
        Command::Restore(args) => Box::pin(super::images::run_restore(*args)).await,
        #[cfg(feature = "ec2")]
        Command::Copy(args) => Box::pin(super::copy::run(*args)).await,
        #[cfg(feature = "ec2")]
        Command::Policy(args) => super::images::run_policy(&args),
        #[cfg(feature = "lab")]
        Command::Lab(args) => super::lab::run(args).await,
        #[cfg(all(feature = "s3", feature = "lab"))]
        Command::Demo(args) => super::demo::run(args).await,
        Command::Completions { shell } => {
            let mut page = Vec::new();
            generate::completions(shell, &mut page);
            Ok(print(&page))
        }
        Command::Man => {
            let mut page = Vec::new();
            generate::man(&mut page).map(|()| print(&page)).map_err(|error| UsageError(error.to_string()))
        }
    }
}

async fn run_inspect(args: InspectArgs) -> Result<Exit, UsageError> {
    let mut runner = Runner::new(&args.common.output).with_page(&args.common.page);
    let sources = SourceFactory::new(&args.common.connection, &args.targets).await?;
    let request = InspectOptions {
        budget: Budget::default(),
        logical: logical(&args.logical)?,
        probe: args.probe.map(usize::from),
    };
    for target in &args.targets {
        let session = runner.session(sources.open(target).await?);
        let work = async { inspect(&session, &request).await.map(|report| Report::Inspect(Box::new(report))) };
        runner.report(&target.to_string(), Stop::AtOnce, work).await;
        if runner.is_stopped() {
            break;
        }
    }
    Ok(runner.finish())
}

/// How long the requests before and after the read may take after a signal; the read stops by itself.
const VERIFY_GRACE: Duration = Duration::from_secs(5);

async fn run_verify(args: VerifyArgs) -> Result<Exit, UsageError> {
    let mut runner = Runner::new(&args.common.output).with_page(&args.common.page);
    let requests = verify_requests(&args).await?;
    let cancel = cancel_on_signal();
    for ((source, request), target) in requests.into_iter().zip(&args.targets) {
        let session = runner.session(source);
        let work = verify(&session, &request, &cancel);
        if let Some(verified) = runner.run(&target.to_string(), Stop::Within(VERIFY_GRACE), work).await {
            show_verified(&mut runner, verified, &request, args.references.write_manifest.as_deref());
        }
        if runner.is_stopped() {
            break;
        }
    }
    Ok(runner.finish())
}

/// Shows the report, then writes the manifest, and removes the checkpoint last, so that nothing is lost if the process
/// ends in between.
fn show_verified(runner: &mut Runner, verified: Verified, request: &VerifyOptions, manifest_path: Option<&Path>) {
    let Verified { report, manifest, finished, .. } = verified;
    runner.add(Report::Verify(Box::new(report)));
    if let (Some(manifest), Some(path)) = (manifest, manifest_path)
        && let Err(error) = write_manifest(&manifest, path)
    {
        runner.could_not_write(&format!("{}: the manifest could not be written: {error}", path.display()));
    }
    if let Some(file) = request.resume.as_ref().filter(|_| finished)
        && let Err(error) = file.remove()
    {
        complain(&format!("{}: is no longer needed, and could not be removed: {error}", file.path().display()));
    }
}

fn write_manifest(manifest: &Manifest, path: &Path) -> io::Result<()> {
    let text = manifest.to_json()?;
    keep_output(path, OutputKind::Manifest, text.as_bytes())
}
