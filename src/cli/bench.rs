use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};

use super::args::{ConnectionArgs, OutputArgs, PageArgs, VersionArgs, range_size, time};
use super::resolve::{SourceFactory, UsageError};
use super::run::{Results, cancel_on_signal, complain, keep_output, session, until};
use crate::checksum::Algorithm;
use crate::clock::SystemClock;
use crate::commands::bench::{BenchRequest, bench, hashes};
use crate::files::OutputKind;
use crate::ident::{Target, TypedTarget};
use crate::render::plot;
use crate::report::{Exit, Report};
use crate::units::ByteSize;

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What to read
    #[arg(required_unless_present = "hashes", value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    typed: Option<TypedTarget>,
    #[arg(skip)]
    pub(super) target: Option<Target>,
    #[command(flatten)]
    version: VersionArgs,
    /// Print how fast this machine hashes, and which links would outrun it; reads nothing
    #[arg(long, conflicts_with_all = ["typed", "connections", "range_size", "time", "digest", "plot", "write_tuning", "report"])]
    hashes: bool,
    /// Numbers of GETs in flight to try
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "4,8,16,24,32,48,64,96,128,192,256", value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: Vec<u16>,
    /// Sizes of ranges to try [default: that of the object's parts, and 16MiB]
    #[arg(long, value_name = "SIZE", value_delimiter = ',', value_parser = range_size)]
    range_size: Vec<ByteSize>,
    /// Read for so long each time, such as 30s or 5m, and not just until the rate is stable
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Duration>,
    /// Compute these digests of every range, as a verify would
    #[arg(long, value_name = "ALGORITHM", value_delimiter = ',')]
    digest: Vec<Algorithm>,
    /// Memory of the whole process, at the most
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    max_memory: ByteSize,
    /// Draw what was measured
    #[arg(long, value_name = "FILE.svg", value_hint = ValueHint::FilePath)]
    pub(super) plot: Option<PathBuf>,
    /// Keep what was best, for verify --tuning
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) write_tuning: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    pub(super) page: PageArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

impl BenchArgs {
    /// Reads what was typed as a target in the light of --version-id.
    pub(super) fn read_target(&mut self) -> Result<(), String> {
        self.target = self.typed.as_ref().map(|typed| self.version.read(typed)).transpose()?;
        Ok(())
    }
}

pub(super) async fn run(args: BenchArgs) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.output.json).with_page(&args.page);
    let Some(target) = &args.target else {
        results.add(Report::Hashes(hashes(&SystemClock)));
        return Ok(results.finish());
    };
    let opener = SourceFactory::new(&args.connection, [target]).await?;
    let mut connections: Vec<usize> = args.connections.iter().copied().map(usize::from).collect();
    connections.sort_unstable();
    connections.dedup();
    let request = BenchRequest {
        connections,
        range_bytes: args.range_size.iter().map(|size| size.0).collect(),
        hash: args.digest.clone(),
        time: args.time,
        max_memory: args.max_memory.0,
    };
    if let Some(fewest) = request.connections.first() {
        request.budget(*fewest).map_err(|error| UsageError(error.to_string()))?;
    }
    let (session, counting, progress) = session(opener.open(target));
    let cancel = cancel_on_signal();
    // Reading ends by itself when cancelled, and what was measured by then is told.
    let done = match until_late(&cancel, bench(&session, &request, &cancel)).await {
        Some(done) => done,
        None => {
            results.interrupted();
            return Ok(results.finish());
        }
    };
    progress.clear();
    match done {
        Err(error) => results.error(&target.to_string(), &error),
        Ok((mut report, tuning)) => {
            report.requests = counting.counts().requests;
            let mut kept = true;
            if let Some(path) = &args.plot {
                kept &= keep(path, OutputKind::Plot, plot(&report));
            }
            if let Some(path) = &args.write_tuning {
                let text = tuning.ok_or_else(|| "there is nothing to recommend".to_owned());
                let text = text.and_then(|tuning| tuning.to_json().map_err(|error| error.to_string()));
                kept &= keep(path, OutputKind::Tuning, text);
            }
            if !kept {
                report.exit_code = Exit::CouldNot;
            }
            results.add(Report::Bench(Box::new(report)));
        }
    }
    Ok(results.finish())
}

/// What is asked before reading must be cut short; reading ends by itself, with a report.
async fn until_late<T>(cancel: &tokio_util::sync::CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    let late = tokio_util::sync::CancellationToken::new();
    let (soon, then) = (cancel.clone(), late.clone());
    let waiting = tokio::spawn(async move {
        soon.cancelled().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        then.cancel();
    });
    let done = until(&late, work).await;
    waiting.abort();
    done
}

fn keep(path: &Path, kind: OutputKind, text: Result<String, String>) -> bool {
    let written = text.and_then(|text| keep_output(path, kind, text.as_bytes()).map_err(|error| error.to_string()));
    if let Err(problem) = &written {
        complain(&format!("{}: could not be written: {problem}", path.display()));
    }
    written.is_ok()
}
