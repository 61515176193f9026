//! `thaw`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum, ValueHint};

use super::args::{ConnectionArgs, OutputArgs, VersionArgs};
use super::connect::SourceFactory;
use super::cost::{price_files, price_table};
use super::runner::{Failure, Runner, Stop};
use super::selection::Word;
use super::settings::Settings;
use super::signals::cancel_on_signal;
use super::starting::{Costly, StartingArgs, agreed, can_ask};
use super::usage::{UsageError, read_given};
use crate::checks::thaw::{ReadingRate, ThawRequest};
use crate::commands::thaw::{Thaw, ThawOptions};
use crate::files::InputKind;
use crate::ident::{ObjectUri, Target};
use crate::plan::Tuning;
use crate::price::RetrievalTier;
use crate::report::{Exit, Report, ThawReport};

#[derive(Debug, Args)]
pub struct ThawArgs {
    /// Archived objects: s3://bucket/key
    #[arg(required = true, value_name = "TARGET")]
    pub typed: Vec<Word>,
    /// The targets, once they are read
    #[arg(skip)]
    pub targets: Vec<Target>,
    #[command(flatten)]
    pub version: VersionArgs,
    #[command(flatten)]
    pub wanted: WantedArgs,
    #[command(flatten)]
    pub starting: StartingArgs,
    /// Wait until the objects can be read
    #[arg(long, conflicts_with = "dry_run", help_heading = "Start")]
    pub follow: bool,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The copy")]
pub struct WantedArgs {
    /// How fast: minutes, hours, or up to two days at the lowest price
    ///
    /// DEEP_ARCHIVE has no expedited retrieval, and S3 documents its 1–5 minutes for objects up to some 250 MB only.
    #[arg(long, value_enum, value_name = "TIER", default_value_t = TierChoice::Standard)]
    pub tier: TierChoice,
    /// Days that the copy stays [default: as many as the tier, verify and a restore take]
    ///
    /// A number that ends earlier is refused. Objects in Intelligent-Tiering take none. If a copy is there already, it is
    /// extended where that gains more than a day.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: Option<u32>,
    /// Rate of this machine, written by `bench --write-tuning` [default: 100 MiB/s are assumed]
    #[arg(long, value_name = "FILE", hide_short_help = true, value_hint = ValueHint::FilePath)]
    pub tuning: Option<PathBuf>,
    /// AWS price file of the Region: index.json of AmazonS3; the built-in prices are not used then
    #[arg(long, value_name = "FILE", hide_short_help = true, value_hint = ValueHint::FilePath)]
    pub prices: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TierChoice {
    Expedited,
    Standard,
    Bulk,
}

impl From<TierChoice> for RetrievalTier {
    fn from(choice: TierChoice) -> Self {
        match choice {
            TierChoice::Expedited => RetrievalTier::Expedited,
            TierChoice::Standard => RetrievalTier::Standard,
            TierChoice::Bulk => RetrievalTier::Bulk,
        }
    }
}

pub(super) async fn run(args: ThawArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let objects = args.targets.iter().map(object).collect::<Result<Vec<_>, _>>()?;
    let request = request(&args.wanted)?;
    let prices = price_files(&args.wanted.prices).await?;
    let mut runner = Runner::new(&args.output, settings);
    let sources = SourceFactory::new((&args.connection, settings), &args.targets).await?;
    let mut found = Vec::new();
    for uri in objects {
        let region = args.connection.region.as_deref().or_else(|| sources.region_of(uri)).map(str::to_owned);
        let options = ThawOptions { request, table: price_table(&prices, region.as_deref())?, region };
        let target = Target::Object(uri.clone());
        let session = runner.session(sources.open(&target).await?);
        let archive = Arc::new(sources.archive(uri).await?);
        let work = Thaw::prepare(&session, archive, &options);
        if let Some(thaw) = runner.run(&target.to_string(), Stop::AtOnce, work).await {
            found.push((target.to_string(), thaw));
        }
        if runner.is_stopped() {
            return Ok(runner.finish());
        }
    }
    carry_out(runner, &args, found).await
}

/// Asks for the copies after consent, and waits for them if that is wished.
async fn carry_out(mut runner: Runner, args: &ThawArgs, mut found: Vec<(String, Thaw)>) -> Result<Exit, UsageError> {
    let cancel = cancel_on_signal();
    let goes_on = |thaw: &Thaw| !args.starting.dry_run && (thaw.is_ready() || args.follow && thaw.is_restoring());
    for (_, thaw) in &found {
        let report = Report::Thaw(Box::new(thaw.report()));
        if goes_on(thaw) {
            runner.show(&Report::Thaw(Box::new(ThawReport { goes_on: true, ..thaw.report() })));
        } else {
            runner.add(report);
        }
    }
    found.retain(|(_, thaw)| goes_on(thaw));
    let ready: Vec<&str> =
        found.iter().filter(|(_, thaw)| thaw.is_ready()).map(|(target, _)| target.as_str()).collect();
    // Only now is it known whether anything would be asked for.
    if !ready.is_empty()
        && let Err(error) = can_ask(&args.starting, Costly::Thaw)
    {
        ready.iter().for_each(|target| runner.fail(target, Failure::Refused(error.0.clone())));
        return Ok(runner.finish());
    }
    if !ready.is_empty() && !agreed(&args.starting, &question(&ready), &cancel).await {
        runner.declined(Costly::Thaw);
        return Ok(runner.finish());
    }
    for (target, thaw) in &mut found {
        if thaw.is_ready() && runner.calls_off(target) {
            continue;
        }
        let done = runner.run(target, Stop::ByItself, thaw.request(&cancel)).await;
        match done {
            Some(()) if args.follow && thaw.is_restoring() => {}
            Some(()) => runner.add(Report::Thaw(Box::new(thaw.report()))),
            None => {}
        }
    }
    if args.follow {
        for (target, thaw) in found.iter_mut().filter(|(_, thaw)| thaw.is_restoring()) {
            if runner.run(target, Stop::ByItself, thaw.follow(&cancel)).await.is_some() {
                runner.add(Report::Thaw(Box::new(thaw.report())));
            }
        }
    }
    Ok(runner.finish())
}

fn question(ready: &[&str]) -> String {
    match ready {
        [one] => format!("Restore {one} from the archive?"),
        many => format!("Restore {} objects from the archive?", many.len()),
    }
}

fn object(target: &Target) -> Result<&ObjectUri, UsageError> {
    match target {
        Target::Object(uri) => Ok(uri),
        Target::File(_) => {
            Err(UsageError(format!("{target}: a local file is never archived; name an object as s3://bucket/key")))
        }
        Target::Presigned(_) => {
            Err(UsageError(format!("{target}: a presigned URL permits reading only; name it as s3://bucket/key")))
        }
    }
}

fn request(args: &WantedArgs) -> Result<ThawRequest, UsageError> {
    let rate = match &args.tuning {
        None => ReadingRate::Assumed,
        Some(path) => {
            let wrong = |problem| UsageError(format!("--tuning {}: {problem}", path.display()));
            let tuning = Tuning::from_json(&read_given("--tuning", path, InputKind::Tuning)?).map_err(wrong)?;
            ReadingRate::Measured(tuning.bytes_per_second as f64)
        }
    };
    Ok(ThawRequest { tier: args.tier.into(), days: args.days, rate })
}
