use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::UsageError;
use super::args::MergeArgs;
use super::files::Files;
use super::results::{ResultsPlace, ResultsStore};
use crate::cli::connect::{connect, options};
use crate::cli::results::Results;
use crate::cli::settings::Settings;
use crate::cli::usage::load;
use crate::commands::audit::{MergeRequest, Shard, merge};
use crate::files::{InputKind, open_input};
use crate::progress::Silent;
use crate::report::{Exit, Line, SCHEMA};
use crate::source::Context;
use crate::source::s3::Buckets;
use crate::units::ByteSize;

pub(super) async fn run(args: &MergeArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.output.json, settings).with_page(&args.page);
    let mut files = Files::new(&args.files, &settings.written);
    let context = settings.context(std::sync::Arc::new(Silent));
    let names: BTreeSet<String> = args.shards.iter().filter_map(|place| place.bucket()).map(str::to_owned).collect();
    let buckets = match names.is_empty() {
        true => None,
        false => Some(Buckets::locate(connect(options(&args.connection, settings)?).await?, &names, &context).await),
    };
    let mut shards = Vec::new();
    for place in &args.shards {
        match place {
            ResultsPlace::Folder(path) if !path.is_dir() => {
                let (name, path) = (path.display().to_string(), path.clone());
                shards.push(load(name, None, move || shard_file(&path)).await?);
            }
            place => shards.extend(of_place(place, buckets.as_ref(), &context).await?),
        }
    }
    let request = MergeRequest { within: args.within };
    for report in merge(shards, &request).map_err(UsageError)? {
        files.add(&report);
        results.add(report);
    }
    if let Err(problem) = files.write() {
        results.could_not_write(&problem);
    }
    Ok(results.finish())
}

/// All results of a run.
async fn of_place(
    place: &ResultsPlace,
    buckets: Option<&Buckets>,
    context: &Context,
) -> Result<Vec<Shard>, UsageError> {
    let wrong = |problem: String| UsageError(format!("{place}: {problem}"));
    let store = ResultsStore::open(place, buckets, context)?;
    let plan = store.plan_digest().await.map_err(wrong)?;
    let mut shards = Vec::new();
    for (full, name) in store.results().await.map_err(wrong)? {
        let file = store.fetch(&name).await.map_err(wrong)?;
        let file = file.ok_or_else(|| wrong(format!("{name} is gone since it was listed")))?;
        let (shown, plan) = (full.clone(), plan.clone());
        let read = move || Ok(Shard { plan, ..read_shard(full, file)? });
        shards.push(load(shown, None, read).await?);
    }
    match shards.is_empty() {
        true => Err(wrong("holds no result of a shard".to_owned())),
        false => Ok(shards),
    }
}

/// Maximum length of a line in bytes. An object with thousands of damaged parts has long ones.
const MOST_LINE: u64 = 16 << 20;

fn shard_file(path: &Path) -> Result<Shard, UsageError> {
    let name = path.display().to_string();
    match open_input(path, InputKind::AuditLines) {
        Ok(input) => read_shard(name, input),
        Err(error) => Err(UsageError(format!("{name}: {error}"))),
    }
}

fn read_shard(name: String, input: impl Read) -> Result<Shard, UsageError> {
    let fault = |problem: String| UsageError(format!("{name}: {problem}"));
    let mut input = BufReader::new(input);
    let (mut reports, mut line) = (Vec::new(), Vec::new());
    for number in 1.. {
        let wrong = |problem: String| fault(format!("line {number}: {problem}"));
        line.clear();
        let got = input.by_ref().take(MOST_LINE).read_until(b'\n', &mut line);
        let got = got.map_err(|error| fault(error.to_string()))? as u64;
        if got == 0 {
            break;
        }
        if got == MOST_LINE && !line.ends_with(b"\n") {
            return Err(wrong(format!("is longer than {}, the limit for a line", ByteSize(MOST_LINE))));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(&line).map_err(|error| wrong(error.to_string()))?;
        if line.schema != SCHEMA {
            return Err(wrong(format!("has the schema {}", line.schema)));
        }
        reports.push(line.report);
    }
    Ok(Shard { reports, name, plan: None })
}
