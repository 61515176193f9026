use std::path::Path;

use super::UsageError;
use super::args::MergeArgs;
use super::files::Files;
use crate::cli::resolve::read;
use crate::cli::run::Results;
use crate::commands::audit::{Shard, merge};
use crate::report::{Exit, Line, SCHEMA};

pub(super) fn run(args: &MergeArgs) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.output.json).with_page(&args.page)?;
    let mut files = Files::new(&args.files)?;
    let shards = args.shards.iter().map(|path| shard(path)).collect::<Result<Vec<_>, _>>()?;
    for report in merge(shards).map_err(UsageError)? {
        files.add(&report);
        results.add(report);
    }
    if let Err(problem) = files.write() {
        results.could_not_write(&problem);
    }
    Ok(results.finish())
}

fn shard(path: &Path) -> Result<Shard, UsageError> {
    let name = path.display().to_string();
    let text = read(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let reports = lines.map(|(index, line)| {
        let wrong = |problem: String| UsageError(format!("{name}: line {}: {problem}", index + 1));
        let line: Line = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        if line.schema == SCHEMA { Ok(line.report) } else { Err(wrong(format!("has the schema {}", line.schema))) }
    });
    Ok(Shard { reports: reports.collect::<Result<Vec<_>, _>>()?, name })
}
