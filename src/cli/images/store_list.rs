use std::path::Path;

use tokio::sync::mpsc::unbounded_channel;

use super::args::StoreArgs;
use super::kept_record::KeptRecord;
use super::list_file::{StoreLine, store_lines};
use super::open::services;
use super::task_list::{Listed, TaskList};
use super::{Costly, can_ask};
use crate::checks::preflight::Presence;
use crate::cli::replaced::check_store_record;
use crate::cli::runner::{Runner, Stop};
use crate::cli::settings::Settings;
use crate::cli::signals::cancel_on_signal;
use crate::cli::usage::{UsageError, read};
use crate::commands::preflight::{StorePreflightRequest, preflight_store};
use crate::commands::store::{QueuedStore, RecordKeeper, StoreQueue};
use crate::commands::{ObjectServices, RegionServices};
use crate::files::{InputKind, OutputKind, Place, try_output};
use crate::record::Record;
use crate::report::{Exit, PreflightReport, StoredState, TaskKind};
use crate::source::SourceError;

/// `store --from FILE`.
pub(in crate::cli) async fn run_store_list(
    args: StoreArgs,
    file: &Path,
    settings: &Settings,
) -> Result<Exit, UsageError> {
    can_ask(&args.starting, Costly::Task)?;
    let lines = store_lines(file)?;
    for line in &lines {
        check_output(line, file, args.force.force)
            .map_err(|problem| UsageError(format!("line {}: {problem}", line.line)))?;
    }
    let (mut runner, cancel) = (Runner::new(&args.task.output, settings), cancel_on_signal());
    let region = services(&args.task.connection, &mut runner).await?;
    let limit = args.task.judging.limits().stores;
    let mut list = TaskList::new(&region, TaskKind::Store, limit);
    for line in lines {
        let target = line.image.to_string();
        let (services, request) = request_of(&line, &args, &region);
        let work = async { Ok::<_, SourceError>(preflight_store(&services, &request).await) };
        let Some(done) = runner.run(&target, Stop::AtOnce, work).await else { return Ok(runner.finish()) };
        let place = format!("s3://{}/{}", request.into.bucket, request.into.key(&line.image));
        let listed = Listed::new(line.line, target.clone(), place);
        list.add(match done {
            Ok((preflight, record)) => {
                let is_started = is_started(&preflight);
                let record = record.zip(line.record.as_deref()).map(|(record, path)| {
                    let record = if is_started { earlier(path, &record).unwrap_or(record) } else { record };
                    let kept = KeptRecord::new(path, record, &settings.written, args.force.force);
                    Box::new(kept) as Box<dyn RecordKeeper>
                });
                let existing = is_started.then(|| target.clone());
                let store = QueuedStore { services, request, preflight: preflight.clone(), record, is_started };
                listed.checked(&preflight, existing, store)
            }
            Err(error) => {
                let listed = listed.failed(&error);
                runner.fail(&target, error);
                listed
            }
        });
    }
    let Some(tasks) = list.agreed(&mut runner, &args.starting, &cancel).await else {
        return Ok(runner.finish());
    };
    let mut queue = StoreQueue::new(&region, limit, &args.task.judging.accept);
    tasks.into_iter().for_each(|store| queue.add(store));
    let (sender, ends) = unbounded_channel();
    // The receiver lives as long as the queue runs.
    let work = queue.run(&cancel, |number, end| drop(sender.send((number, end))));
    list.carry_out(&mut runner, work, ends).await;
    list.conclude(&mut runner);
    Ok(runner.finish())
}

/// Checks that the record of a line can be written, and replaces none of another store.
fn check_output(line: &StoreLine, list: &Path, force: bool) -> Result<(), String> {
    let Some(path) = &line.record else { return Ok(()) };
    if let (Ok(record), Ok(list)) = (Place::of(path), Place::of(list))
        && record == list
    {
        return Err(format!("the record {} is the list itself", path.display()));
    }
    let object = line.into.object(&line.image);
    check_store_record(path, &object, &line.image, force).map_err(|UsageError(problem)| problem)?;
    try_output(path, OutputKind::Record, force).map_err(|error| format!("--record {}: {error}", path.display()))
}

fn request_of(line: &StoreLine, args: &StoreArgs, region: &RegionServices) -> (ObjectServices, StorePreflightRequest) {
    let request = StorePreflightRequest {
        image: line.image.clone(),
        into: line.into.clone(),
        limits: args.task.judging.limits(),
        accept: args.task.judging.accept.clone(),
        tags: !args.no_tags,
    };
    (region.at(&line.into.object(&line.image)), request)
}

/// Whether an earlier run, or somebody else, started this store: it is in flight, or EC2 still lists it as completed.
fn is_started(preflight: &PreflightReport) -> bool {
    preflight.stored.as_ref().is_some_and(|stored| match stored.answer {
        StoredState::InFlight => true,
        StoredState::Stored => stored.reason == Some(Presence::TaskCompleted),
        _ => false,
    })
}

/// The record that an earlier run wrote before it started the store.
fn earlier(path: &Path, record: &Record) -> Option<Record> {
    let kept = Record::from_json(&read(path, InputKind::Record).ok()?).ok()?;
    (kept.image == record.image && kept.bucket == record.bucket && kept.key == record.key).then_some(kept)
}
