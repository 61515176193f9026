use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::UsageError;
use super::args::MergeArgs;
use super::files::Files;
use super::open;
use super::results::{ResultsPlace, ResultsStore};
use crate::cli::connect::{connect, options};
use crate::cli::results::Results;
use crate::cli::settings::Settings;
use crate::cli::usage::read_given;
use crate::commands::audit::{GivenManifests, Merge, MergeError, MergeRequest};
use crate::files::{InputKind, open_input};
use crate::manifest::Manifest;
use crate::progress::Silent;
use crate::report::{Exit, FileKind, Line, Report, SCHEMA};
use crate::source::Context;
use crate::source::s3::Buckets;
use crate::units::ByteSize;

pub(super) async fn run(args: &MergeArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.output.json, settings).with_page(&args.page);
    let mut files = Files::new(&args.files, &settings.written);
    let mut ledgers = Vec::with_capacity(args.ledger.len());
    for path in &args.ledger {
        match open(path, None).await? {
            Ok(ledger) => ledgers.push((path, ledger)),
            Err(problem) => {
                results.could_not_write(&problem);
                return Ok(results.finish());
            }
        }
    }
    let manifests = GivenManifests(args.manifest.iter().map(|path| manifest(path)).collect::<Result<_, _>>()?);
    let context = settings.context(std::sync::Arc::new(Silent));
    let names: BTreeSet<String> = args.shards.iter().filter_map(|place| place.bucket()).map(str::to_owned).collect();
    let buckets = match names.is_empty() {
        true => None,
        false => Some(Buckets::locate(connect(options(&args.connection, settings)?).await?, &names, &context).await),
    };
    let done = async {
        let mut merge = Merge::new(MergeRequest { within: args.within, manifests })?;
        for place in &args.shards {
            match place {
                ResultsPlace::Folder(path) if !path.is_dir() => shard_file(&mut merge, path)?,
                place => of_place(&mut merge, place, buckets.as_ref(), &context).await?,
            }
        }
        let mut merged = merge.join()?;
        for (path, ledger) in &ledgers {
            merged.record(&path.display().to_string(), ledger, context.clock.now()).await;
            settings.written.add(path, FileKind::Ledger);
        }
        merged.write(&mut |report| {
            files.add(&report);
            results.add(report);
        })
    };
    match done.await {
        Ok(()) => {}
        Err(MergeError::Refused(problem)) => {
            let next = "nothing was merged; run what is named again as it was, and merge again";
            return Err(UsageError(format!("{problem}; {next}")));
        }
        Err(error @ MergeError::UnusedManifest(_)) => return Err(UsageError(error.to_string())),
        Err(error @ MergeError::Tables(_)) => {
            results.could_not_write(&error.to_string());
            return Ok(results.finish());
        }
    }
    if let Err(problem) = files.write() {
        results.could_not_write(&problem);
    }
    Ok(results.finish())
}

/// A manifest with the name of its file.
fn manifest(path: &Path) -> Result<(String, Manifest), UsageError> {
    let text = read_given("--manifest", path, InputKind::Manifest)?;
    let name = path.display().to_string();
    match Manifest::from_json(&text) {
        Ok(manifest) => Ok((name, manifest)),
        Err(error) => Err(UsageError(format!("--manifest {name}: {error}"))),
    }
}

/// Adds all results of a run.
async fn of_place(
    merge: &mut Merge,
    place: &ResultsPlace,
    buckets: Option<&Buckets>,
    context: &Context,
) -> Result<(), MergeError> {
    let wrong = |problem: String| format!("{place}: {problem}");
    let store = ResultsStore::open(place, buckets, context).map_err(|UsageError(problem)| problem)?;
    let plan = store.plan_digest().await.map_err(wrong)?;
    let found = store.results().await.map_err(wrong)?;
    if found.is_empty() {
        return Err(wrong("holds no result of a shard".to_owned()).into());
    }
    for (full, name) in found {
        let file = store.fetch(&name).await.map_err(wrong)?;
        let file = file.ok_or_else(|| wrong(format!("{name} is gone since it was listed")))?;
        merge.add(&full, plan.as_deref(), Lines::new(&full, file))?;
    }
    Ok(())
}

fn shard_file(merge: &mut Merge, path: &Path) -> Result<(), MergeError> {
    let name = path.display().to_string();
    let input = open_input(path, InputKind::AuditLines).map_err(|error| format!("{name}: {error}"))?;
    merge.add(&name, None, Lines::new(&name, input))
}

/// Maximum length of a line in bytes. An object with thousands of damaged parts has long ones.
const MOST_LINE: u64 = 16 << 20;

/// The reports of a file, line by line. It ends after the first error.
struct Lines<R> {
    name: String,
    input: BufReader<R>,
    number: u64,
    line: Vec<u8>,
    is_over: bool,
}

impl<R: Read> Lines<R> {
    fn new(name: &str, input: R) -> Self {
        Lines { name: name.to_owned(), input: BufReader::new(input), number: 0, line: Vec::new(), is_over: false }
    }

    /// The next report; `None` at the end.
    fn read(&mut self) -> Result<Option<Report>, String> {
        loop {
            self.number += 1;
            self.line.clear();
            let got = self.input.by_ref().take(MOST_LINE).read_until(b'\n', &mut self.line);
            let got = got.map_err(|error| error.to_string())? as u64;
            let wrong = |problem: String| format!("line {}: {problem}", self.number);
            if got == 0 {
                return Ok(None);
            }
            if got == MOST_LINE && !self.line.ends_with(b"\n") {
                return Err(wrong(format!("is longer than {}, the limit for a line", ByteSize(MOST_LINE))));
            }
            if self.line.trim_ascii().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_slice(&self.line).map_err(|error| wrong(error.to_string()))?;
            if line.schema != SCHEMA {
                return Err(wrong(format!("has the schema {}", line.schema)));
            }
            return Ok(Some(line.report));
        }
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<Report, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = self.read().map_err(|problem| format!("{}: {problem}", self.name)).transpose();
        self.is_over = !matches!(read, Some(Ok(_)));
        read
    }
}
