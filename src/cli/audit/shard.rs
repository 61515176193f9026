//! The share of this run, and its result for `audit merge`.

use std::io::BufWriter;
use std::path::PathBuf;

use tempfile::{Builder, NamedTempFile};

use super::args::AuditArgs;
use super::results::{ResultsPlace, ResultsStore};
use crate::audit::{BatchEngine, EngineShare, Partition, ShardSpec};
use crate::cli::output::complain;
use crate::cli::results::Results;
use crate::cli::usage::UsageError;
use crate::cli::written::WrittenFiles;
use crate::commands::audit::AuditRequest;
use crate::render::{JsonLines, Renderer as _};
use crate::report::{AuditReport, Exit, FileKind, Report};
use crate::source::Context;
use crate::source::s3::Buckets;

/// The share of this run, and the engine that numbered it, which is named on standard error.
///
/// # Errors
///
/// The share is `auto`, and no engine or more than one numbers the tasks, or in another way.
pub(super) fn share(spec: Option<ShardSpec>) -> Result<(Option<Partition>, Option<BatchEngine>), UsageError> {
    match spec {
        None => Ok((None, None)),
        Some(ShardSpec::Fixed(share)) => Ok((Some(share), None)),
        Some(ShardSpec::Auto { of }) => {
            let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
            let found = EngineShare::find(of, variable);
            let found = found.map_err(|error| UsageError(format!("--shard auto/{of}: {error}")))?;
            complain(&found.to_string());
            Ok((Some(found.share), Some(found.engine)))
        }
    }
}

/// The result of this shard, which is kept in a temporary file until the run ends.
pub(super) struct ShardResult {
    store: ResultsStore,
    place: ResultsPlace,
    share: Partition,
    lines: JsonLines<BufWriter<std::fs::File>>,
    file: NamedTempFile,
    problem: Option<String>,
}

impl ShardResult {
    /// Writes the plan of the run, so that nothing is read whose result could not be written. `None` if no result is
    /// wanted. The inner error is a message for a place that cannot be written.
    ///
    /// # Errors
    ///
    /// The place holds another run.
    pub(super) async fn begin(
        args: &AuditArgs,
        request: &mut AuditRequest,
        buckets: &Buckets,
        context: &Context,
    ) -> Result<Result<Option<Self>, String>, UsageError> {
        let (Some(place), Some(share)) = (&args.results, request.shard) else { return Ok(Ok(None)) };
        let store = ResultsStore::open(place, Some(buckets), context)?;
        match store.begin(request).await? {
            Ok(digest) => request.plan_sha256 = Some(digest),
            Err(problem) => return Ok(Err(problem)),
        }
        let named = Builder::new().prefix("stored-ami-shard-").suffix(".jsonl").tempfile();
        let opened = named.and_then(|file| Ok((file.reopen()?, file)));
        Ok(opened.map_err(|error| format!("a temporary file: {error}")).map(|(lines, file)| {
            let (lines, place) = (JsonLines::new(BufWriter::new(lines)), place.clone());
            Some(ShardResult { store, place, share, lines, file, problem: None })
        }))
    }

    /// Adds a line.
    pub(super) fn add(&mut self, report: &Report) {
        if let Err(error) = self.lines.render(report) {
            self.problem.get_or_insert_with(|| error.to_string());
        }
    }

    /// Writes the result, if the run is whole. If it cannot be written, adds a problem to `results`, and keeps the
    /// temporary file, because to read the objects again would cost more than to copy it.
    pub(super) async fn finish(
        mut self,
        end: &AuditReport,
        results: &mut Results,
        written: &WrittenFiles,
        context: &Context,
    ) {
        if end.exit_code == Exit::Interrupted || !end.problems.is_empty() {
            let ShardResult { place, share, .. } = self;
            return complain(&format!("{place}: no result of shard {share} was written, because the run is not whole"));
        }
        self.add(&Report::Summary(results.summary()));
        let ShardResult { store, place, share, file, problem, .. } = self;
        let could_not = |problem: String| format!("--results {place}: {problem}");
        if let Some(problem) = problem {
            return results.could_not_write(&could_not(problem));
        }
        match store.add(share, context, file.path()).await {
            Ok(name) => match place {
                ResultsPlace::Folder(_) => written.add(&PathBuf::from(name), FileKind::ShardResult),
                ResultsPlace::Bucket(_) => complain(&format!("wrote the result of the shard {name}")),
            },
            Err(problem) => {
                let kept = match file.keep() {
                    Ok((_, path)) => format!("it is kept in {}, which `audit merge` reads, too", path.display()),
                    Err(error) => format!("it is lost: {error}"),
                };
                results.could_not_write(&could_not(format!("{problem}; {kept}")));
            }
        }
    }
}
