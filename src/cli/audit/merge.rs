use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::UsageError;
use super::args::MergeArgs;
use super::files::Files;
use crate::cli::results::Results;
use crate::cli::settings::Settings;
use crate::cli::usage::load;
use crate::commands::audit::{Shard, merge};
use crate::files::{InputKind, open_input};
use crate::report::{Exit, Line, SCHEMA};
use crate::units::ByteSize;

pub(super) async fn run(args: &MergeArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.output.json, settings).with_page(&args.page);
    let mut files = Files::new(&args.files, &settings.written);
    let mut shards = Vec::new();
    for path in &args.shards {
        let (name, path) = (path.display().to_string(), path.clone());
        shards.push(load(name, None, move || shard(&path)).await?);
    }
    for report in merge(shards).map_err(UsageError)? {
        files.add(&report);
        results.add(report);
    }
    if let Err(problem) = files.write() {
        results.could_not_write(&problem);
    }
    Ok(results.finish())
}

/// Maximum length of a line in bytes. An object with thousands of damaged parts has long ones.
const MOST_LINE: u64 = 16 << 20;

fn shard(path: &Path) -> Result<Shard, UsageError> {
    let name = path.display().to_string();
    let fault = |problem: String| UsageError(format!("{name}: {problem}"));
    let input = open_input(path, InputKind::AuditLines).map_err(|error| fault(error.to_string()))?;
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
    Ok(Shard { reports, name })
}
