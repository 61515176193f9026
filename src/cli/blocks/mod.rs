//! `fingerprint` and `prove`.

pub(super) mod args;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::args::{FingerprintArgs, ProveArgs};
use super::again::{NEVER_KEPT, kept_in};
use super::args::ConnectionArgs;
use super::audit::open as open_ledger;
use super::connect::{connect, options};
use super::journal::journal;
use super::output::keep_output;
use super::replaced::check_record;
use super::runner::{Runner, Stop};
use super::settings::Settings;
use super::signals::cancel_on_signal;
use super::starting::{Costly, StartingArgs, agreed, can_ask};
use super::usage::{UsageError, load, read, read_given};
use crate::blocks::{BlockRecord, BlockRecordError};
use crate::commands::RegionServices;
use crate::commands::blocks::{
    BlockServices, DigestFile, ExpectedContent, Fingerprint, Fingerprinted, Prove, ProveRequest, identify, record_proof,
};
use crate::commands::restore::identify_restore;
use crate::files::{InputKind, Locking, OutputKind};
use crate::ident::{AmiId, ObjectUri};
use crate::journal::Journal;
use crate::ledger::SharedLedger;
use crate::price::Amount;
use crate::record::Record;
use crate::report::{BlockEstimateReport, Exit, FileKind, FingerprintReport, Note, ProveReport, Report};
use crate::sealed::SealError;
use crate::snapshot::Ebs;
use crate::source::{ErrorKind, SourceError};
use crate::units::{ByteSize, noun};
use crate::verdict::Verdict;

/// What the file with the digests keeps of a run that was stopped.
const BLOCKS: &str = "every block that was read";

/// The file with the digests of the blocks, beside a record.
pub(super) fn sidecar_of(record: &Path) -> PathBuf {
    let mut path = record.as_os_str().to_owned();
    path.push(".blocks");
    path.into()
}

/// Connects to EC2, the account and the EBS direct APIs in the Region of the configuration.
pub(super) async fn services(
    args: &ConnectionArgs,
    rate: u32,
    runner: &mut Runner,
) -> Result<BlockServices, UsageError> {
    if args.no_sign_request {
        return Err(UsageError("--no-sign-request: EC2 and EBS take signed requests only".to_owned()));
    }
    let connection = connect(options(args, runner.settings())?).await?;
    let region =
        RegionServices::new(Arc::new(connection.clone()), &runner.context()).reached_by(&runner.settings().reach);
    let snapshots = Arc::new(Ebs::new(&connection, region.context().clone()));
    Ok(BlockServices { region, snapshots, rate })
}

/// The question before blocks are read.
pub(super) fn question(what: &str, estimate: &BlockEstimateReport) -> String {
    format!("{what}: read at most {}?", at_most(estimate))
}

/// Number of blocks and price, for a question.
pub(super) fn at_most(estimate: &BlockEstimateReport) -> String {
    let price = match (estimate.dollars_least, estimate.dollars_most) {
        (None, None) => "an unknown price".to_owned(),
        (_, most) => Amount { least: None, most }.describe(),
    };
    let blocks = estimate.blocks_most;
    format!("{} {} for {price}", ByteSize(blocks).grouped(), noun(blocks, "block"))
}

pub(super) async fn run_fingerprint(args: FingerprintArgs, settings: &Settings) -> Result<Exit, UsageError> {
    can_ask(&args.starting, Costly::Blocks)?;
    check_record(&args.record, &args.image, args.force.force)?;
    let mut runner = Runner::new(&args.output, settings);
    let services = services(&args.connection, args.rate.block_rate, &mut runner).await?;
    let image = args.image.as_str();
    let Some(work) = runner.run(image, Stop::AtOnce, Fingerprint::prepare(services, &args.image)).await else {
        return Ok(runner.finish());
    };
    let plan = work.report();
    if args.starting.dry_run {
        runner.add(Report::Fingerprint(Box::new(plan)));
        return Ok(runner.finish());
    }
    runner.show(&Report::Fingerprint(Box::new(FingerprintReport { goes_on: true, ..plan.clone() })));
    let cancel = cancel_on_signal();
    if !agreed(&args.starting, &question(image, &plan.estimate), &cancel).await {
        runner.declined(Costly::Blocks);
        return Ok(runner.finish());
    }
    // After the question, because a new file is created here.
    let file = open_sidecar(&mut runner, &args.record, &work, args.force.force).await?;
    match read_blocks(&mut runner, work, file).await {
        Some(record) => match check_record(&args.record, &args.image, args.force.force) {
            Ok(()) => keep(&mut runner, &record, &args.record),
            // Another run may have written there meanwhile.
            Err(UsageError(problem)) => {
                runner.could_not_write(&format!("{problem}; the blocks are in {}", sidecar_of(&args.record).display()));
            }
        },
        None => runner.remark(&kept_in(BLOCKS, &sidecar_of(&args.record))),
    }
    Ok(runner.finish())
}

/// Opens the file with the digests of the blocks, or creates it.
pub(super) async fn open_sidecar(
    runner: &mut Runner,
    record: &Path,
    work: &Fingerprint,
    force: bool,
) -> Result<DigestFile, UsageError> {
    let (sidecar, key) = (sidecar_of(record), work.key());
    let opened = load(sidecar.display().to_string(), None, move || {
        DigestFile::open(&sidecar, &key, force).map_err(|error| UsageError(format!("{}: {error}", sidecar.display())))
    });
    let file = opened.await?;
    let name = file.path().display().to_string();
    let written = &runner.settings().written;
    written.add(&sidecar_of(record), FileKind::BlockDigests);
    written.add(file.path(), FileKind::BlockDigests);
    if file.locking() == Locking::NotSupported {
        runner.remark(&format!("{name}: the file system has no locks; take care that no other process writes it"));
    }
    Ok(file)
}

/// Reads the blocks of an AMI, and shows the report. `None` if they were not all read, which was shown.
pub(super) async fn read_blocks(runner: &mut Runner, work: Fingerprint, file: DigestFile) -> Option<BlockRecord> {
    let (image, cancel) = (work.report().image, cancel_on_signal());
    let Fingerprinted { report, record } = runner.run(&image, Stop::ByItself, work.carry_out(file, &cancel)).await?;
    runner.add(Report::Fingerprint(Box::new(report)));
    record
}

/// Whether a file is the record of a store.
pub(super) fn is_store_record(path: &Path) -> bool {
    read(path, InputKind::Record).is_ok_and(|text| Record::from_json(&text).is_ok())
}

/// Writes the record of a content, into the record of the store of the same AMI if the file is one.
pub(super) fn keep(runner: &mut Runner, record: &BlockRecord, path: &Path) {
    if let Err(problem) = save(record, path, runner.settings()) {
        runner.fail(&record.image, SourceError::new(ErrorKind::Io, &record.image, problem));
    }
}

fn save(record: &BlockRecord, path: &Path, settings: &Settings) -> Result<(), String> {
    let there = read(path, InputKind::Record).ok().and_then(|text| Record::from_json(&text).ok());
    let (kind, text) = match there.filter(|stored| stored.image == record.image) {
        Some(stored) => {
            let content = Some(Box::new(record.clone()));
            (OutputKind::Record, Record { content, ..stored }.to_json())
        }
        None => (OutputKind::Fingerprint, record.to_json()),
    };
    let text = text.map_err(|error| error.to_string())?;
    keep_output(&settings.written, path, kind, text.as_bytes())
        .map_err(|error| format!("the record {} could not be written: {error}", path.display()))
}

pub(super) async fn run_prove(args: ProveArgs, settings: &Settings) -> Result<Exit, UsageError> {
    can_ask(&args.starting, Costly::Blocks)?;
    let expected = match (&args.record, &args.source) {
        (Some(record), _) => recorded(record.clone()).await?,
        (None, Some(source)) if *source == args.image => {
            return Err(UsageError(format!("--source {source}: is the AMI that is to be proved")));
        }
        (None, Some(source)) => ExpectedContent::Image(source.clone()),
        (None, None) => return Err(UsageError("name --record or --source".to_owned())),
    };
    let mut runner = Runner::new(&args.output, settings);
    let services = services(&args.connection, args.rate.block_rate, &mut runner).await?;
    let keep = match args.ledger.as_deref().filter(|_| !args.starting.dry_run) {
        Some(path) => {
            Some(ProofLedger::open(path, journal(args.journal.as_deref())?, &services.region, settings).await?)
        }
        None => None,
    };
    let image = args.image.as_str();
    let request = ProveRequest { expected, sample: args.sample, max_cost: args.max_cost, agreed_blocks: None };
    let Some(work) = runner.run(image, Stop::AtOnce, Prove::prepare(services, &args.image, request)).await else {
        return Ok(runner.finish());
    };
    if args.starting.dry_run {
        runner.add(Report::Prove(Box::new(work.report())));
        return Ok(runner.finish());
    }
    compare(&mut runner, work, &args.starting, keep.as_ref()).await;
    Ok(runner.finish())
}

/// The same problem of a file that is no record, and which file is one.
fn not_a_record(UsageError(problem): UsageError) -> UsageError {
    UsageError(format!("{problem}; name the file that `stored-ami fingerprint AMI-ID --record FILE` wrote"))
}

/// The ledger that keeps the proof of a restore.
pub(super) struct ProofLedger {
    ledger: SharedLedger,
    journal: Journal,
    region: RegionServices,
}

impl ProofLedger {
    /// Opens the ledger before any request, so that no block is read whose proof could not be recorded.
    pub(super) async fn open(
        path: &Path,
        journal: Journal,
        region: &RegionServices,
        settings: &Settings,
    ) -> Result<Self, UsageError> {
        let ledger = open_ledger(path, None).await?.map_err(UsageError)?;
        settings.written.add(path, FileKind::Ledger);
        Ok(ProofLedger { ledger, journal, region: region.clone() })
    }

    /// Appends the proof, with the object that the AMI was restored from.
    async fn append(&self, image: &AmiId, report: &mut ProveReport) {
        let problem = match identify_restore(&self.region, image, &self.journal).await {
            Ok(Some(restore)) => {
                let now = self.region.context().clock.now();
                return record_proof(&self.ledger, &restore, report, now).await;
            }
            Ok(None) => format!("the journal here does not hold the restore that made {image}"),
            Err(error) => error.explain(),
        };
        report.notes.push(Note::Source(format!("nothing is recorded in the ledger: {problem}")));
        report.exit_code = report.exit_code.and(Exit::CouldNot);
    }
}

/// Shows the plan, asks unless no more is read than was agreed to before, compares the blocks, and keeps the result in a
/// ledger. Returns verdict and exit code; `None` if there are none.
pub(super) async fn compare(
    runner: &mut Runner,
    work: Prove,
    starting: &StartingArgs,
    ledger: Option<&ProofLedger>,
) -> Option<(Verdict, Exit)> {
    let plan = work.report();
    let (image, cancel) = (work.image().clone(), cancel_on_signal());
    runner.show(&Report::Prove(Box::new(ProveReport { goes_on: true, ..plan.clone() })));
    if work.needs_consent() && !agreed(starting, &question(image.as_str(), &plan.estimate), &cancel).await {
        runner.declined(Costly::Blocks);
        return None;
    }
    let proved = async {
        let mut report = work.carry_out(&cancel).await;
        if let Some(ledger) = ledger.filter(|_| report.exit_code != Exit::Interrupted) {
            ledger.append(&image, &mut report).await;
        }
        Ok::<_, SourceError>(report)
    };
    let report = runner.run(image.as_str(), Stop::ByItself, proved).await?;
    let (verdict, exit) = (report.verdict, report.exit_code);
    runner.add(Report::Prove(Box::new(report)));
    if exit == Exit::Interrupted {
        runner.remark(NEVER_KEPT);
    }
    Some((verdict, exit))
}

/// A record with the content of an AMI.
pub(super) struct ContentRecord {
    /// The content, whose sidecar is checked to be its own.
    pub content: ExpectedContent,
    /// The record of the store that holds it, if it does.
    pub stored: Option<Record>,
}

/// The content of a record; see [`content_record`].
pub(super) async fn recorded(path: PathBuf) -> Result<ExpectedContent, UsageError> {
    content_record(path).await.map(|found| found.content)
}

/// Reads the record that `fingerprint` or `store --blocks` wrote.
pub(super) async fn content_record(path: PathBuf) -> Result<ContentRecord, UsageError> {
    let text = read_given("--record", &path, InputKind::Fingerprint).map_err(not_a_record)?;
    let wrong =
        |what: &Path, error: &dyn std::fmt::Display| UsageError(format!("--record {}: {error}", what.display()));
    let stored = Record::from_json(&text).ok();
    let record = match stored.as_ref().map(|stored| (stored, stored.content.as_deref())) {
        None => BlockRecord::from_json(&text).map_err(|error| match error {
            BlockRecordError::Sealed(SealError::Damaged) => wrong(&path, &error),
            _ => not_a_record(wrong(&path, &error)),
        })?,
        Some((_, Some(content))) => content.clone(),
        Some((Record { image, .. }, None)) => {
            return Err(UsageError(format!(
                "--record {}: is the record of a store, which holds no blocks. While {image} exists: `stored-ami \
                 fingerprint {image} --record OTHER-FILE` records its blocks, and `--source {image}` reads them at once",
                path.display()
            )));
        }
    };
    let sidecar = sidecar_of(&path);
    let content = load(sidecar.display().to_string(), None, move || {
        let found = identify(&sidecar).map_err(|error| {
            let UsageError(problem) = wrong(&sidecar, &error);
            UsageError(format!("{problem}; this file with the digests belongs to the record, and is needed beside it"))
        })?;
        record.check(&found).map_err(|error| wrong(&sidecar, &error))?;
        Ok(ExpectedContent::Record { record: Box::new(record), sidecar })
    });
    Ok(ContentRecord { content: content.await?, stored })
}

/// Checks that the content is that of the AMI in the object, as far as the key names it.
pub(super) fn is_of_object(expected: &ExpectedContent, object: &ObjectUri, option: &str) -> Result<(), UsageError> {
    let of = match expected {
        ExpectedContent::Record { record, .. } => record.image.clone(),
        ExpectedContent::Image(image) => image.to_string(),
    };
    match AmiId::from_key(&object.key).filter(|stored| stored.as_str() != of) {
        Some(stored) => Err(UsageError(format!("{option}: has the content of {of}, and the object holds {stored}"))),
        None => Ok(()),
    }
}
