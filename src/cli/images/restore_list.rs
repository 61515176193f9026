use std::path::Path;

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::args::{RestoreArgs, SourceArgs};
use super::list_file::{RestoreLine, restore_lines};
use super::open::services;
#[cfg(feature = "ebs")]
use super::proof::{Proofs, RestoreProof};
use super::restore::{pace, request, verified_first};
use super::task_list::{Listed, TaskList};
use super::{Costly, can_ask};
#[cfg(feature = "ebs")]
use crate::cli::blocks::{self, ProofLedger};
use crate::cli::journal::journal;
use crate::cli::runner::{Runner, Stop};
use crate::cli::settings::Settings;
use crate::cli::signals::cancel_on_signal;
use crate::cli::usage::UsageError;
use crate::commands::preflight::{RegionSurvey, RestorePreflightRequest};
use crate::commands::restore::{Prepared, RestoreQueue, prepare_restore_in};
use crate::commands::{ObjectServices, RegionServices};
use crate::journal::Journal;
use crate::report::{BlockEstimateReport, Exit, TaskKind};
use crate::source::SourceError;

/// A restore whose preflight allows it.
type Ready = (ObjectServices, Prepared);

/// `restore --from FILE`.
pub(in crate::cli) async fn run_restore_list(
    args: RestoreArgs,
    file: &Path,
    settings: &Settings,
) -> Result<Exit, UsageError> {
    can_ask(&args.starting, Costly::Task)?;
    let lines = restore_lines(file)?;
    let journal = journal(args.journal.as_deref())?;
    #[cfg(feature = "ebs")]
    let of_lines = proofs_of(&lines, &args).await?;
    let asked = lines.iter().enumerate().map(|(number, line)| {
        #[cfg(feature = "ebs")]
        return Asked::of(line, &args, of_lines.get(number));
        #[cfg(not(feature = "ebs"))]
        return Asked::of(line, &args);
    });
    let asked = asked.collect::<Result<Vec<_>, _>>()?;
    let (mut runner, cancel) = (Runner::new(&args.task.output, settings), cancel_on_signal());
    #[cfg(feature = "ebs")]
    let proofs = match args.proof.prove {
        true => Some(proofs(&of_lines, (&args, &journal), &mut runner).await?),
        false => None,
    };
    #[cfg(feature = "ebs")]
    let region = match &proofs {
        Some(proofs) => proofs.services.region.clone(),
        None => services(&args.task.connection, &mut runner).await?,
    };
    #[cfg(not(feature = "ebs"))]
    let region = services(&args.task.connection, &mut runner).await?;
    let limit = args.task.judging.limits().restores;
    let mut list = TaskList::new(&region, TaskKind::Restore, limit).with_pace(pace(&journal));
    let preflight = Preflight { region: &region, journal: &journal, verify: args.source.verify, cancel: &cancel };
    if preflight.all(&mut runner, &mut list, asked).await.is_none() {
        return Ok(runner.finish());
    }
    let Some(tasks) = list.agreed(&mut runner, &args.starting, &cancel).await else {
        return Ok(runner.finish());
    };
    let mut queue = RestoreQueue::new(&region, &journal, limit, &args.task.judging.accept);
    for (services, prepared) in tasks {
        queue.add(services, prepared);
    }
    let (sender, ends) = unbounded_channel();
    // The receiver lives as long as the queue runs.
    let work = queue.run(&cancel, |number, end| drop(sender.send((number, end))));
    list.carry_out(&mut runner, work, ends).await;
    #[cfg(feature = "ebs")]
    if let Some(proofs) = &proofs {
        list.prove(&mut runner, proofs, &cancel).await;
    }
    list.conclude(&mut runner);
    Ok(runner.finish())
}

/// The preflights of all lines.
struct Preflight<'a> {
    region: &'a RegionServices,
    journal: &'a Journal,
    verify: bool,
    cancel: &'a CancellationToken,
}

impl Preflight<'_> {
    /// Asks once about the Region, then about each object. `None` if the account cannot be asked, or after a signal.
    async fn all(&self, runner: &mut Runner, list: &mut TaskList<Ready>, all: Vec<Asked<'_>>) -> Option<()> {
        let subject = format!("the Region {}", self.region.images.region());
        let survey = runner.run(&subject, Stop::AtOnce, RegionSurvey::ask(self.region)).await?;
        for Asked { line, request, proof } in all {
            let services = self.region.at(&line.target);
            let target = line.target.to_string();
            let work = async {
                let request = verified_first(&services, request, self.verify, self.cancel).await;
                Ok::<_, SourceError>(prepare_restore_in(&services, &request, self.journal, &survey).await)
            };
            let prepared = runner.run(&target, Stop::AtOnce, work).await?;
            let listed = Listed::new(line.line, target.clone(), line.name.to_string()).with_proof(proof);
            list.add(match prepared {
                Ok(prepared) => {
                    let preflight = prepared.surveyed.report.clone();
                    let existing = prepared.existing.as_ref().map(|image| image.id.clone());
                    listed.checked(&preflight, existing, (services, prepared))
                }
                Err(error) => {
                    let listed = listed.failed(&error);
                    runner.fail(&target, error);
                    listed
                }
            });
        }
        Some(())
    }
}

/// A line whose files were read.
struct Asked<'a> {
    line: &'a RestoreLine,
    request: RestorePreflightRequest,
    /// What the comparison of its blocks takes, if they are to be compared.
    proof: Option<BlockEstimateReport>,
}

impl<'a> Asked<'a> {
    fn of(
        line: &'a RestoreLine,
        args: &RestoreArgs,
        #[cfg(feature = "ebs")] proof: Option<&RestoreProof>,
    ) -> Result<Self, UsageError> {
        let source = SourceArgs {
            name: Some(line.name.clone()),
            record: line.record.clone(),
            manifest: None,
            verify: args.source.verify,
            logical_size: None,
        };
        #[cfg(feature = "ebs")]
        let (source, proof) = match proof {
            Some(proof) => (proof.source(&source), proof.estimate()),
            None => (source, None),
        };
        #[cfg(not(feature = "ebs"))]
        let proof = None;
        let request =
            request(&line.target, &source, &args.task.judging, None).map_err(|error| of_line(line, &error))?;
        Ok(Asked { line, request, proof })
    }
}

fn of_line(line: &RestoreLine, UsageError(problem): &UsageError) -> UsageError {
    UsageError(format!("line {}: {problem}", line.line))
}

/// What the AMIs of the lines are compared with; nothing unless that is asked for.
#[cfg(feature = "ebs")]
async fn proofs_of(lines: &[RestoreLine], args: &RestoreArgs) -> Result<Vec<RestoreProof>, UsageError> {
    let mut proofs = Vec::new();
    for line in lines {
        let proof = RestoreProof::read(&args.proof, line.record.as_deref(), Some(&line.target)).await;
        proofs.extend(proof.map_err(|error| of_line(line, &error))?);
    }
    Ok(proofs)
}

/// Connects to the EBS direct APIs, and opens the ledger.
#[cfg(feature = "ebs")]
async fn proofs<'a>(
    of_lines: &'a [RestoreProof],
    (args, journal): (&'a RestoreArgs, &Journal),
    runner: &mut Runner,
) -> Result<Proofs<'a>, UsageError> {
    let services = blocks::services(&args.task.connection, args.proof.block_rate, runner).await?;
    let ledger = match args.proof.ledger.as_deref().filter(|_| !args.starting.dry_run) {
        Some(path) => Some(ProofLedger::open(path, journal.clone(), &services.region, runner.settings()).await?),
        None => None,
    };
    Ok(Proofs { of_lines, services, ledger, starting: &args.starting })
}
