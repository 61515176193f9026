use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};

use super::args::{CommonArgs, MEMORY, VersionArgs, range_size, time};
use super::connect::SourceFactory;
use super::output::{complain, keep_output};
use super::runner::{Runner, Stop};
use super::selection::Word;
use super::settings::Settings;
use super::signals::cancel_on_signal;
use super::usage::UsageError;
use super::values::algorithms;
use super::written::WrittenFiles;
use crate::checksum::Algorithm;
use crate::clock::SystemClock;
use crate::commands::bench::{BenchRequest, bench, hashes};
use crate::files::OutputKind;
use crate::ident::Target;
use crate::plan::Tuning;
use crate::render::plot;
use crate::report::{BenchReport, Exit, Report};
use crate::units::ByteSize;

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Object or file to read
    #[arg(required_unless_present = "hashes", value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub(super) typed: Option<Word>,
    #[arg(skip)]
    pub(super) target: Option<Target>,
    #[command(flatten)]
    pub(super) version: VersionArgs,
    /// Measure only how fast this machine hashes; reads nothing
    #[arg(long, conflicts_with_all = ["typed", "connections", "range_size", "time", "total_time", "digest", "plot", "write_tuning", "report"])]
    hashes: bool,
    /// Numbers of concurrent GETs to try
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "4,8,16,24,32,48,64,96,128,192,256", value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: Vec<u16>,
    /// Range sizes to try [default: the part size of the object, and 16MiB]
    #[arg(long, value_name = "SIZE", value_delimiter = ',', value_parser = range_size)]
    range_size: Vec<ByteSize>,
    /// Duration of each measurement, such as 30s [default: until the rate is stable]
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Duration>,
    /// Duration of all measurements together [default: 30s without --time, else no limit]
    #[arg(long, value_name = "TIME", value_parser = time)]
    total_time: Option<Duration>,
    /// Compute these digests while reading, as verify does
    #[arg(long, value_name = "ALGORITHM", value_delimiter = ',', value_parser = algorithms())]
    digest: Vec<Algorithm>,
    /// Memory limit of the whole process [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    pub(super) max_memory: Option<ByteSize>,
    /// Write a plot of the measurements
    #[arg(long, value_name = "FILE.svg", value_hint = ValueHint::FilePath)]
    pub(super) plot: Option<PathBuf>,
    /// Write the best settings for `verify --tuning`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) write_tuning: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// How long the requests before the measurements may take after a signal; the measurements stop by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// How long the measurements of a run without times may take.
const TOTAL: Duration = Duration::from_secs(30);

pub(super) async fn run(args: BenchArgs, settings: &Settings) -> Result<Exit, UsageError> {
    if let Some(limit) = settings.rate_limit.as_ref().filter(|_| args.write_tuning.is_some()) {
        return Err(UsageError(format!(
            "--write-tuning: reads are limited to {}/s by {}, and a tuning must not depend on a limit; measure without it",
            ByteSize(limit.limiter.bytes_per_second()),
            limit.source,
        )));
    }
    let mut runner = Runner::new(&args.common.output, settings).with_page(&args.common.page);
    let Some(target) = &args.target else {
        runner.add(Report::Hashes(hashes(&SystemClock)));
        return Ok(runner.finish());
    };
    let sources = SourceFactory::new((&args.common.connection, settings), [target]).await?;
    let request = request(&args)?;
    let session = runner.session(sources.open(target).await?);
    let cancel = cancel_on_signal();
    let work = bench(&session, &request, &cancel);
    if let Some((mut report, tuning)) = runner.run(&target.to_string(), Stop::Within(GRACE), work).await {
        if !keep_files((&args, &settings.written), &report, tuning) {
            report.exit_code = Exit::CouldNot;
        }
        runner.add(Report::Bench(Box::new(report)));
    }
    Ok(runner.finish())
}

fn request(args: &BenchArgs) -> Result<BenchRequest, UsageError> {
    let mut connections: Vec<usize> = args.connections.iter().copied().map(usize::from).collect();
    connections.sort_unstable();
    connections.dedup();
    let request = BenchRequest {
        connections,
        range_bytes: args.range_size.iter().map(|size| size.0).collect(),
        hash: args.digest.clone(),
        time: args.time,
        total_time: args.total_time.or(args.time.is_none().then_some(TOTAL)),
        max_memory: args.max_memory.unwrap_or(MEMORY).0,
    };
    if let (Some(each), Some(total)) = (args.time, args.total_time)
        && total < each
    {
        return Err(UsageError("--total-time is shorter than --time, the time of one measurement".to_owned()));
    }
    if let Some(fewest) = request.connections.first() {
        request.budget(*fewest).map_err(|error| UsageError(error.to_string()))?;
    }
    Ok(request)
}

/// Writes plot and tuning. `false` if one of them could not be written.
fn keep_files((args, written): (&BenchArgs, &WrittenFiles), report: &BenchReport, tuning: Option<Tuning>) -> bool {
    let mut kept = true;
    if let Some(path) = &args.plot {
        kept &= keep(written, path, OutputKind::Plot, plot(report));
    }
    if let Some(path) = &args.write_tuning {
        let text = tuning.ok_or_else(|| "no measurement to recommend".to_owned());
        let text = text.and_then(|tuning| tuning.to_json().map_err(|error| error.to_string()));
        kept &= keep(written, path, OutputKind::Tuning, text);
    }
    kept
}

fn keep(written: &WrittenFiles, path: &Path, kind: OutputKind, text: Result<String, String>) -> bool {
    let done =
        text.and_then(|text| keep_output(written, path, kind, text.as_bytes()).map_err(|error| error.to_string()));
    if let Err(problem) = &done {
        complain(&format!("{}: could not be written: {problem}", path.display()));
    }
    done.is_ok()
}
