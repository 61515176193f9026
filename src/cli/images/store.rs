use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::args::StoreArgs;
#[cfg(feature = "ebs")]
use super::content::StoredContent;
use super::kept_record::KeptRecord;
use super::open::services;
use super::{Costly, agreed, can_ask};
#[cfg(feature = "ebs")]
use crate::cli::blocks;
use crate::cli::replaced::check_store_record;
use crate::cli::runner::{Runner, Stop};
use crate::cli::settings::Settings;
use crate::cli::signals::cancel_on_signal;
use crate::cli::usage::{UsageError, read_given};
#[cfg(feature = "ebs")]
use crate::commands::blocks::BlockServices;
use crate::commands::preflight::{StorePreflightRequest, preflight_store};
use crate::commands::store::{CalledStore, FollowedStore, RecordKeeper, StoreFollowRequest, follow_store, start_store};
use crate::commands::{ObjectServices, RegionServices};
use crate::files::InputKind;
use crate::ident::{AmiId, shell_option};
use crate::record::Record;
use crate::report::{Exit, PreflightReport, Report, TaskNote, arguments};

pub(in crate::cli) async fn run_store(args: StoreArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let cancel = cancel_on_signal();
    let mut store = Store {
        args: &args,
        #[cfg(feature = "ebs")]
        blocks: None,
        #[cfg(feature = "ebs")]
        content: None,
        runner: Runner::new(&args.task.output, settings),
        cancel,
    };
    match (&args.follow, &args.image) {
        (Some(image), _) => store.follow_named(image).await?,
        (None, Some(image)) => store.start(image).await?,
        (None, None) => return Err(missing()),
    }
    Ok(store.runner.finish())
}

/// The record that the run that started the store of this AMI wrote.
fn begun(path: &Path, image: &AmiId) -> Result<Record, UsageError> {
    let refused = |what: String| UsageError(format!("--record {}: {what}", path.display()));
    let text = read_given("--record", path, InputKind::Record)?;
    let record = Record::from_json(&text).map_err(|error| refused(format!("is no record of a store: {error}")))?;
    match record.image == image.as_str() {
        true => Ok(record),
        false => Err(refused(format!("is the record of {}, and --follow names {image}", record.image))),
    }
}

fn missing() -> UsageError {
    UsageError("name an AMI and --bucket".to_owned())
}

/// One run of `store`.
struct Store<'a> {
    args: &'a StoreArgs,
    /// The services that read the blocks.
    #[cfg(feature = "ebs")]
    blocks: Option<BlockServices>,
    #[cfg(feature = "ebs")]
    content: Option<StoredContent>,
    runner: Runner,
    cancel: CancellationToken,
}

impl Store<'_> {
    /// Follows the store of an AMI that an earlier run started, and completes the record that it wrote.
    async fn follow_named(&mut self, image: &AmiId) -> Result<(), UsageError> {
        let args = self.args;
        let record = args.record.as_deref().map(|path| begun(path, image)).transpose()?;
        let services = services(&args.task.connection, &mut self.runner).await?;
        let given = args.bucket.as_ref().map(|into| (into.bucket.clone(), into.key(image)));
        let recorded = record.as_ref().map(|record| (record.bucket.clone(), record.key.clone()));
        if let (Some((bucket, key)), Some(given)) = (&recorded, &given)
            && (bucket, key) != (&given.0, &given.1)
        {
            return Err(UsageError(format!(
                "the record is of the store to s3://{bucket}/{key}, and --bucket names another"
            )));
        }
        let place = recorded.or(given);
        let place = place.as_ref().map(|(bucket, key)| (bucket.as_str(), key.as_str()));
        let record = record.zip(args.record.as_deref());
        let record = record.map(|(record, path)| KeptRecord::new(path, record, &self.runner.settings().written, false));
        self.follow(&services, image, place, None, record).await;
        Ok(())
    }

    /// Runs the preflight, and starts the store if the preflight allows it.
    async fn start(&mut self, image: &AmiId) -> Result<(), UsageError> {
        let args = self.args;
        let into = args.bucket.clone().ok_or_else(missing)?;
        can_ask(&args.starting, Costly::Task)?;
        if let Some(path) = &args.record {
            check_store_record(path, &into.object(image), image, args.force.force)?;
        }
        let services = self.services().await?.at(&into.object(image));
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
        let store = format!("Store {image} to s3://{}/{}", request.into.bucket, request.into.key(image));
        if !admitted || args.starting.dry_run {
            self.runner.add(preflight);
            if admitted {
                self.question(image, &store).await;
            }
            return Ok(());
        }
        self.runner.show(&preflight);
        let Some(question) = self.question(image, &store).await else { return Ok(()) };
        if !agreed(&args.starting, &question, &self.cancel).await {
            self.runner.declined(Costly::Task);
            return Ok(());
        }
        self.carry_out_with_content(&services, &request, &report, record).await
    }

    /// Connects, also to the EBS direct APIs if the blocks are to be read.
    async fn services(&mut self) -> Result<RegionServices, UsageError> {
        #[cfg(feature = "ebs")]
        if self.args.content.blocks {
            let rate = self.args.content.block_rate;
            let blocks = blocks::services(&self.args.task.connection, rate, &mut self.runner).await?;
            return Ok(self.blocks.insert(blocks).region.clone());
        }
        services(&self.args.task.connection, &mut self.runner).await
    }

    /// The question before the store, after the price of reading the blocks was shown if they are to be read. `None` if
    /// the AMI cannot be described, which was shown.
    async fn question(&mut self, image: &AmiId, store: &str) -> Option<String> {
        #[cfg(feature = "ebs")]
        if let (Some(blocks), Some(record)) = (self.blocks.take(), &self.args.record) {
            let content = StoredContent::prepare(&mut self.runner, blocks, image, record).await?;
            return Some(self.content.insert(content).question(store));
        }
        #[cfg(not(feature = "ebs"))]
        let _ = image;
        Some(format!("{store}?"))
    }

    /// Stores the AMI, and then reads its blocks if that is asked for.
    async fn carry_out_with_content(
        &mut self,
        services: &ObjectServices,
        request: &StorePreflightRequest,
        preflight: &PreflightReport,
        record: Option<Record>,
    ) -> Result<(), UsageError> {
        #[cfg(feature = "ebs")]
        if let Some(content) = self.content.take() {
            let file = content.open(&mut self.runner, self.args.force.force).await?;
            if self.carry_out(services, request, preflight, record).await {
                content.carry_out(&mut self.runner, file).await;
            }
            return Ok(());
        }
        self.carry_out(services, request, preflight, record).await;
        Ok(())
    }

    /// Whether the store is complete.
    async fn carry_out(
        &mut self,
        services: &ObjectServices,
        request: &StorePreflightRequest,
        preflight: &PreflightReport,
        record: Option<Record>,
    ) -> bool {
        let image = &request.image;
        let written = &self.runner.settings().written;
        let force = self.args.force.force;
        let record =
            record.zip(self.args.record.as_deref()).map(|(record, path)| KeptRecord::new(path, record, written, force));
        let keeper = record.as_ref().map(|record| record as &dyn RecordKeeper);
        let called = match start_store(services, request, preflight, keeper, &self.cancel).await {
            Ok(called) => called,
            Err(error) => {
                self.runner.fail(image.as_str(), error);
                return false;
            }
        };
        let key = request.into.key(image);
        self.follow(&services.region, image, Some((&request.into.bucket, &key)), Some(called), record).await
    }

    /// Follows the store until it ends, and completes the record with facts about the object. Whether the store is
    /// complete.
    async fn follow(
        &mut self,
        services: &RegionServices,
        image: &AmiId,
        place: Option<(&str, &str)>,
        called: Option<CalledStore>,
        record: Option<KeptRecord>,
    ) -> bool {
        let path = self.args.record.as_ref().map(|path| path.display().to_string());
        let reach = arguments(&self.runner.settings().reach, "");
        let record_option = path.as_ref().map(|path| format!(" {}", shell_option("--record", path)));
        let options = format!("{}{reach}", record_option.unwrap_or_default());
        let (bucket, key) = place.unzip();
        let request = StoreFollowRequest { image, bucket, key, called, options: &options };
        let work = follow_store(services, &request, &self.cancel);
        let Some(FollowedStore { mut report, object }) = self.runner.run(image.as_str(), Stop::ByItself, work).await
        else {
            return false;
        };
        #[cfg(feature = "ebs")]
        if let (Exit::Interrupted, true) = (report.exit_code, self.args.content.blocks) {
            report.notes.push(TaskNote::BlocksNotRead { image: image.to_string(), options: options.clone() }.into());
        }
        let completed = match (&object, record) {
            (Some(facts), Some(record)) => record.completed(facts),
            _ => Ok(()),
        };
        if completed.is_err() {
            report.exit_code = Exit::CouldNot;
        }
        let is_complete = report.exit_code == Exit::Passed;
        self.runner.add(Report::Task(Box::new(report)));
        if let Err(problem) = completed {
            self.runner.could_not_write(&problem);
        }
        is_complete
    }
}
