use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::args::StoreArgs;
use super::open::services;
use super::{Costly, agreed, can_ask};
use crate::cli::output::keep_output;
use crate::cli::replaced::check_record;
use crate::cli::runner::{Runner, Stop};
use crate::cli::settings::Settings;
use crate::cli::signals::cancel_on_signal;
use crate::cli::usage::UsageError;
use crate::commands::preflight::{StorePreflightRequest, preflight_store};
use crate::commands::store::{FollowedStore, StoreFollowRequest, follow_store, start_store};
use crate::commands::{ObjectServices, RegionServices};
use crate::facts::ObjectFacts;
use crate::files::OutputKind;
use crate::ident::AmiId;
use crate::record::Record;
use crate::report::{Exit, PreflightReport, Report, TaskNote};
use crate::source::{ErrorKind, SourceError};

pub(in crate::cli) async fn run_store(args: StoreArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let cancel = cancel_on_signal();
    let mut store = Store { runner: Runner::new(&args.task.output, settings), args: &args, cancel };
    match (&args.follow, &args.image) {
        (Some(image), _) => {
            let services = services(&args.task.connection, &mut store.runner).await?;
            let bucket = args.bucket.as_ref().map(|into| into.bucket.as_str());
            store.follow(&services, StoreFollowRequest { image, bucket, started_here: false }, None).await;
        }
        (None, Some(image)) => store.start(image).await?,
        (None, None) => return Err(missing()),
    }
    Ok(store.runner.finish())
}

fn missing() -> UsageError {
    UsageError("name an AMI and --bucket".to_owned())
}

/// One run of `store`.
struct Store<'a> {
    args: &'a StoreArgs,
    runner: Runner,
    cancel: CancellationToken,
}

impl Store<'_> {
    /// Runs the preflight, and starts the store if the preflight allows it.
    async fn start(&mut self, image: &AmiId) -> Result<(), UsageError> {
        let args = self.args;
        let into = args.bucket.clone().ok_or_else(missing)?;
        can_ask(&args.starting, Costly::Task)?;
        if let Some(path) = &args.record {
            check_record(path, image, args.force.force)?;
        }
        let services = services(&args.task.connection, &mut self.runner).await?.at(&into.object(image));
        let request = StorePreflightRequest {
            image: image.clone(),
            into,
            limits: args.task.judging.limits(),
            accept: args.task.judging.accept.clone(),
            tags: !args.no_tags,
        };
        let work = preflight_store(&services, &request);
        let Some((report, record)) = self.runner.run(image.as_str(), Stop::AtOnce, work).await else {
            return Ok(());
        };
        let admitted = report.exit_code == Exit::Passed;
        let preflight = Report::Preflight(Box::new(report.clone()));
        if !admitted || args.starting.dry_run {
            self.runner.add(preflight);
            return Ok(());
        }
        self.runner.show(&preflight);
        let question = format!("Store {image} to s3://{}/{}?", request.into.bucket, request.into.key(image));
        if agreed(&args.starting, &question, &self.cancel).await {
            self.carry_out(&services, &request, &report, record).await;
        } else {
            self.runner.declined(Costly::Task);
        }
        Ok(())
    }

    async fn carry_out(
        &mut self,
        services: &ObjectServices,
        request: &StorePreflightRequest,
        preflight: &PreflightReport,
        record: Option<Record>,
    ) {
        let image = &request.image;
        // Written before the call: the AMI may no longer exist when the store has ended.
        let written_at = services.region.context().clock.now().to_string();
        let record = record.map(|record| Record { written_at, ..record });
        if let (Some(path), Some(record)) = (&self.args.record, &record)
            && let Err(problem) = self.save(record, path)
        {
            let error = SourceError::new(ErrorKind::Io, image, problem);
            return self.runner.fail(image.as_str(), error);
        }
        if let Err(error) = start_store(services, request, preflight).await {
            return self.runner.fail(image.as_str(), error);
        }
        let follow = StoreFollowRequest { image, bucket: Some(&request.into.bucket), started_here: true };
        self.follow(&services.region, follow, record).await;
    }

    /// Follows the store until it ends, and completes the record with facts about the object.
    async fn follow(&mut self, services: &RegionServices, request: StoreFollowRequest<'_>, record: Option<Record>) {
        let work = follow_store(services, &request, &self.cancel);
        let Some(FollowedStore { mut report, object }) =
            self.runner.run(request.image.as_str(), Stop::ByItself, work).await
        else {
            return;
        };
        if let (Some(facts), Some(path), Some(record)) = (&object, &self.args.record, record)
            && let Err(problem) = self.save(&completed(record, facts), path)
        {
            report.notes.push(TaskNote::RecordNotWritten { problem }.into());
            report.exit_code = Exit::CouldNot;
        }
        self.runner.add(Report::Task(Box::new(report)));
    }

    fn save(&self, record: &Record, path: &Path) -> Result<(), String> {
        let text = record.to_json().map_err(|error| error.to_string())?;
        keep_output(&self.runner.settings().written, path, OutputKind::Record, text.as_bytes())
            .map_err(|error| format!("the record {} could not be written: {error}", path.display()))
    }
}

/// Adds what only the stored object states to the record.
fn completed(record: Record, facts: &ObjectFacts) -> Record {
    Record {
        etag: facts.id.etag.as_ref().map(ToString::to_string),
        version_id: facts.version.clone(),
        object_bytes: Some(facts.size),
        ..record
    }
}
