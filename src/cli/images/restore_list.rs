use std::path::Path;

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::args::{RestoreArgs, SourceArgs};
use super::list_file::{RestoreLine, restore_lines};
use super::open::services;
use super::restore::{journal, pace, request, verified_first};
use super::task_list::{Listed, TaskList};
use super::{Costly, can_ask};
use crate::cli::runner::{Runner, Stop};
use crate::cli::settings::Settings;
use crate::cli::signals::cancel_on_signal;
use crate::cli::usage::UsageError;
use crate::commands::preflight::{RegionSurvey, RestorePreflightRequest};
use crate::commands::restore::{Prepared, RestoreQueue, prepare_restore_in};
use crate::commands::{ObjectServices, RegionServices};
use crate::journal::Journal;
use crate::report::{Exit, TaskKind};
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
    let requests = lines.iter().map(|line| request_of(line, &args)).collect::<Result<Vec<_>, _>>()?;
    let (mut runner, cancel) = (Runner::new(&args.task.output, settings), cancel_on_signal());
    let region = services(&args.task.connection, &mut runner).await?;
    let limit = args.task.judging.limits().restores;
    let mut list = TaskList::new(&region, TaskKind::Restore, limit).with_pace(pace(&journal));
    let preflight = Preflight { region: &region, journal: &journal, verify: args.source.verify, cancel: &cancel };
    if preflight.all(&mut runner, &mut list, lines.iter().zip(requests)).await.is_none() {
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
    async fn all<'l>(
        &self,
        runner: &mut Runner,
        list: &mut TaskList<Ready>,
        requests: impl Iterator<Item = (&'l RestoreLine, RestorePreflightRequest)>,
    ) -> Option<()> {
        let subject = format!("the Region {}", self.region.images.region());
        let survey = runner.run(&subject, Stop::AtOnce, RegionSurvey::ask(self.region)).await?;
        for (line, request) in requests {
            let services = self.region.at(&line.target);
            let target = line.target.to_string();
            let work = async {
                let request = verified_first(&services, request, self.verify, self.cancel).await;
                Ok::<_, SourceError>(prepare_restore_in(&services, &request, self.journal, &survey).await)
            };
            let prepared = runner.run(&target, Stop::AtOnce, work).await?;
            let listed = Listed::new(line.line, target.clone(), line.name.to_string());
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

fn request_of(line: &RestoreLine, args: &RestoreArgs) -> Result<RestorePreflightRequest, UsageError> {
    let source = SourceArgs {
        name: Some(line.name.clone()),
        record: line.record.clone(),
        manifest: None,
        verify: args.source.verify,
        logical_size: None,
    };
    let of_line = |UsageError(problem)| UsageError(format!("line {}: {problem}", line.line));
    request(&line.target, &source, &args.task.judging, None).map_err(of_line)
}
