use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::UsageError;
use crate::audit::{Acceptance, Entry, History};
use crate::cli::args::OutputArgs;
use crate::cli::output::print;
use crate::cli::results::Results;
use crate::cli::settings::Settings;
use crate::clock::{Clock, SystemClock};
use crate::ident::{ObjectUri, shell_word};
use crate::ledger::{Head, Kept, Ledger, LedgerError};
use crate::render::{EntryRow, entries_csv};
use crate::report::{ChangedReport, Exit, FileKind, LedgerEntryReport, LedgerReport, Report, TOOL, TroubleReport};
use crate::verdict::{ProofKind, Verdict};

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Show the newest entry of each object
    List(ListArgs),
    /// Show every entry of an object
    Show(ShowArgs),
    /// Export every entry, in order
    Export(ExportArgs),
    /// Check the hash chain: no entry was altered or removed
    Verify(CheckArgs),
    /// Accept a change that an audit reported: a replaced or deleted object
    ///
    /// Earlier proofs of the object no longer count.
    Accept(AcceptArgs),
}

#[derive(Debug, Args)]
pub struct FileArgs {
    /// Ledger file
    #[arg(value_name = "LEDGER", value_hint = ValueHint::FilePath)]
    pub ledger: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// List only objects with this prefix, such as s3://bucket/
    #[arg(value_name = "PREFIX")]
    pub begin: Option<String>,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// Object: s3://bucket/key
    #[arg(value_name = "TARGET")]
    pub target: ObjectUri,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    Jsonl,
    Csv,
    Parquet,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// Head of the ledger that an earlier audit printed; it must be part of the history
    #[arg(long, value_name = "ENTRIES:SHA256")]
    pub head: Option<Head>,
}

#[derive(Debug, Args)]
pub struct AcceptArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// Object: s3://bucket/key
    #[arg(value_name = "TARGET")]
    pub target: ObjectUri,
    /// Reason; stored in the ledger
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

impl LedgerCommand {
    pub(in crate::cli) fn ledger(&self) -> &Path {
        let file = match self {
            LedgerCommand::List(args) => &args.file,
            LedgerCommand::Show(args) => &args.file,
            LedgerCommand::Export(args) => &args.file,
            LedgerCommand::Verify(args) => &args.file,
            LedgerCommand::Accept(args) => &args.file,
        };
        &file.ledger
    }
}

pub(in crate::cli) fn run_ledger(command: LedgerCommand, settings: &Settings) -> Result<Exit, UsageError> {
    match command {
        LedgerCommand::List(args) => list(&args, settings),
        LedgerCommand::Show(args) => show(&args, settings),
        LedgerCommand::Export(args) => export(&args, settings),
        LedgerCommand::Verify(args) => verify(&args, settings),
        LedgerCommand::Accept(args) => accept(&args, settings),
    }
}

fn open(file: &FileArgs) -> Result<Ledger, UsageError> {
    Ledger::open_existing(&file.ledger).map_err(|error| wrong(file, &error))
}

fn wrong(file: &FileArgs, error: &LedgerError) -> UsageError {
    UsageError(format!("{}: {error}", file.ledger.display()))
}

fn no_entry(file: &FileArgs, target: &str) -> UsageError {
    let (ledger, path) = (file.ledger.display(), shell_word(&file.ledger.display().to_string()));
    UsageError(format!("{ledger}: it has no entry of {target}; `stored-ami ledger list {path}` shows what it has"))
}

/// An entry by itself.
fn entry_alone(kept: Kept) -> LedgerEntryReport {
    let Kept { number, digest, entry } = kept;
    let proof_kind = match &entry {
        Entry::Proof(proof) => proof.kind(),
        Entry::Gone(_) | Entry::Acceptance(_) => None,
    };
    let sha256 = hex::encode(digest);
    LedgerEntryReport { number, sha256, proof_kind, trouble: None, changed: None, entry }
}

/// The newest entry of an object, with what all its entries show of its present state.
fn entry_now(kept: Kept, history: &History) -> Report {
    let (trouble, changed) = (TroubleReport::of(history), ChangedReport::of(history));
    Report::LedgerEntry(Box::new(LedgerEntryReport { trouble, changed, ..entry_alone(kept) }))
}

fn show(args: &ShowArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.file.output.json, settings);
    let target = args.target.to_string();
    let (mut history, mut found) = (History::NOTHING, Vec::new());
    let visited = open(&args.file)?.each(Some(&target), |kept| {
        if kept.entry.target() == target {
            history.add(kept.entry.clone());
            // A proof of a restore is not about the state of the object.
            let changed = if is_of_restore(&kept) { None } else { ChangedReport::of(&history) };
            found.push(LedgerEntryReport { changed, ..entry_alone(kept) });
        }
    });
    visited.map_err(|error| wrong(&args.file, &error))?;
    if found.is_empty() {
        return Err(no_entry(&args.file, &target));
    }
    found.into_iter().for_each(|entry| results.add(Report::LedgerEntry(Box::new(entry))));
    Ok(results.finish())
}

fn list(args: &ListArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.file.output.json, settings);
    let ledger = open(&args.file)?;
    let mut newest: BTreeMap<String, (History, Option<Kept>)> = BTreeMap::new();
    let visited = ledger.each(args.begin.as_deref(), |kept| {
        let (history, last) = newest.entry(kept.entry.target().to_owned()).or_default();
        history.add(kept.entry.clone());
        // The proof of a restore does not hide what is known of the object.
        if !is_of_restore(&kept) || last.as_ref().is_none_or(is_of_restore) {
            *last = Some(kept);
        }
    });
    visited.map_err(|error| wrong(&args.file, &error))?;
    for (history, last) in newest.into_values() {
        last.into_iter().for_each(|kept| results.add(entry_now(kept, &history)));
    }
    Ok(results.finish())
}

fn is_of_restore(kept: &Kept) -> bool {
    matches!(&kept.entry, Entry::Proof(proof) if proof.restored.is_some())
}

/// Serialises entries in an export format.
type Table = fn(&[EntryRow]) -> Result<Vec<u8>, String>;

fn export(args: &ExportArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let table: Table = match args.format {
        Format::Jsonl => {
            let mut results = Results::new(true, settings);
            let mut found = Vec::new();
            let visited = open(&args.file)?.each(None, |kept| found.push(entry_alone(kept)));
            visited.map_err(|error| wrong(&args.file, &error))?;
            found.into_iter().for_each(|entry| results.add(Report::LedgerEntry(Box::new(entry))));
            return Ok(results.finish());
        }
        Format::Csv => entries_csv,
        Format::Parquet => parquet()?,
    };
    let ledger = open(&args.file)?;
    let mut rows = Vec::new();
    let visited = ledger.each(None, |kept| rows.push(EntryRow::new(kept.number, hex::encode(kept.digest), kept.entry)));
    visited.map_err(|error| wrong(&args.file, &error))?;
    Ok(print(&table(&rows).map_err(UsageError)?))
}

#[cfg(feature = "parquet")]
fn parquet() -> Result<Table, UsageError> {
    use std::io::IsTerminal as _;
    if std::io::stdout().is_terminal() {
        return Err(UsageError(
            "--format parquet: Parquet is a binary format; redirect it to a file: … > ledger.parquet".to_owned(),
        ));
    }
    Ok(crate::render::entries_parquet)
}

#[cfg(not(feature = "parquet"))]
fn parquet() -> Result<Table, UsageError> {
    Err(UsageError("--format parquet: this build of stored-ami cannot write Parquet; use --format csv or jsonl, or a build with the feature `parquet`".to_owned()))
}

fn verify(args: &CheckArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.file.output.json, settings);
    let mut proofs = BTreeMap::new();
    let checked = Ledger::open_existing(&args.file.ledger)
        .and_then(|ledger| ledger.check_each(args.head, |kept| count(&mut proofs, &kept.entry)));
    let name = args.file.ledger.display().to_string();
    let told = |verdict: Option<Verdict>, head: Option<Head>, problem: Option<String>, exit: Exit| LedgerReport {
        ledger: name.clone(),
        verdict,
        head: head.map(|head| head.to_string()),
        proofs: if head.is_some() { proofs.clone() } else { BTreeMap::new() },
        problem,
        exit_code: exit,
    };
    results.add(Report::Ledger(match checked {
        Ok(head) => told(Some(Verdict::Pass), Some(head), None, Exit::Passed),
        Err(error @ (LedgerError::Broken(_) | LedgerError::Damaged(_) | LedgerError::OtherHead(_))) => {
            told(Some(Verdict::Fail), None, Some(error.to_string()), Exit::Failed)
        }
        // Such a file has no entries that could be verified.
        Err(error @ (LedgerError::Foreign(_) | LedgerError::Schema(_) | LedgerError::Newer(_))) => {
            return Err(wrong(&args.file, &error));
        }
        Err(error) => told(None, None, Some(error.to_string()), Exit::CouldNot),
    }));
    Ok(results.finish())
}

fn count(proofs: &mut BTreeMap<ProofKind, u64>, entry: &Entry) {
    if let Entry::Proof(proof) = entry
        && let Some(kind) = proof.kind()
    {
        *proofs.entry(kind).or_default() += 1;
    }
}

fn accept(args: &AcceptArgs, settings: &Settings) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.file.output.json, settings);
    if args.reason.trim().is_empty() {
        return Err(UsageError("--reason: say why it is right".to_owned()));
    }
    let target = args.target.to_string();
    let mut known = History::NOTHING;
    let read = open(&args.file)?.each(None, |kept| {
        if kept.entry.target() == target {
            known.add(kept.entry);
        }
    });
    read.map_err(|error| wrong(&args.file, &error))?;
    if known.is_empty() {
        return Err(no_entry(&args.file, &target));
    }
    let entry = Entry::Acceptance(Acceptance {
        at: SystemClock.now().to_string(),
        tool: TOOL.to_owned(),
        target,
        object: known.state().cloned(),
        reason: args.reason.clone(),
    });
    let appended = Ledger::open(&args.file.ledger).and_then(|mut ledger| ledger.append(std::slice::from_ref(&entry)));
    let head = appended.map_err(|error| wrong(&args.file, &error))?;
    settings.written.add(&args.file.ledger, FileKind::Ledger);
    known.add(entry.clone());
    results.add(entry_now(Kept { number: head.entries, digest: head.digest, entry }, &known));
    Ok(results.finish())
}
