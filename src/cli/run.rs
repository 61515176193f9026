#[cfg(feature = "s3")]
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[cfg(feature = "s3")]
use tokio_util::sync::CancellationToken;

use super::args::{Cli, Command, InspectArgs, VerifyArgs};
use super::generate;
use super::page::PageFile;
use super::paths::Paths;
use super::resolve::{SourceFactory, UsageError, logical, verify_requests};
use super::runner::{Runner, Stop};
pub(super) use super::signals::cancel_on_signal;
use super::signals::{asked, asked_before_work};
use super::terminal::style;
use crate::commands::inspect::{InspectOptions, inspect};
use crate::commands::verify::{Verified, VerifyOptions, verify};
use crate::files::{OutputKind, write_output};
use crate::ident::redact_urls;
use crate::manifest::Manifest;
use crate::plan::Budget;
use crate::render::{Human, JsonLines, Renderer};
use crate::report::{ErrorReport, Exit, Report, SummaryReport};
use crate::source::SourceError;
use crate::verdict::Verdict;

/// Runs a command to its end and says how it ended.
pub async fn run(cli: Cli) -> Exit {
    crate::machine::keep_freed_memory();
    #[cfg(feature = "s3")]
    crate::ledger::hurry_when(asked);
    let outcome = tokio::select! {
        biased;
        () = asked_before_work() => {
            complain("interrupted");
            return Exit::Interrupted;
        }
        outcome = dispatch(cli.command) => outcome,
    };
    outcome.unwrap_or_else(|UsageError(problem)| {
        complain(&problem);
        // What kept it from its work may be that it was asked to end.
        if asked() { Exit::Interrupted } else { Exit::Usage }
    })
}

async fn dispatch(command: Command) -> Result<Exit, UsageError> {
    Paths::of(&command).check()?;
    match command {
        Command::Inspect(args) => Box::pin(run_inspect(*args)).await,
        Command::Verify(args) => Box::pin(run_verify(*args)).await,
        Command::Bench(args) => Box::pin(super::bench::run(*args)).await,
        Command::Cost(args) => Box::pin(super::cost::run(*args)).await,
        #[cfg(feature = "s3")]
        Command::Audit(args) => Box::pin(super::audit::run(*args)).await,
        #[cfg(feature = "s3")]
        // Aside, for another run may hold the ledger, and a long one takes its time.
        Command::Ledger(command) => {
            let name = command.ledger().display().to_string();
            super::resolve::load(name, None, move || super::audit::run_ledger(command)).await
        }
        #[cfg(feature = "s3")]
        Command::SafeToDelete(args) => Box::pin(super::audit::run_safe(*args)).await,
        #[cfg(feature = "ec2")]
        Command::Preflight(command) => Box::pin(super::images::run_preflight(command)).await,
        #[cfg(feature = "ec2")]
        Command::Stored(args) => Box::pin(super::images::run_stored(*args)).await,
        #[cfg(feature = "ec2")]
        Command::Store(args) => Box::pin(super::images::run_store(*args)).await,
        #[cfg(feature = "ec2")]
        Command::Restore(args) => Box::pin(super::images::run_restore(*args)).await,
        #[cfg(feature = "ec2")]
        Command::Policy(args) => super::images::run_policy(&args),
        #[cfg(feature = "lab")]
        Command::Lab(args) => super::lab::run(args).await,
        #[cfg(all(feature = "s3", feature = "lab"))]
        Command::Demo(args) => super::demo::run(args).await,
        Command::Completions { shell } => {
            let mut page = Vec::new();
            generate::completions(shell, &mut page);
            Ok(print(&page))
        }
        Command::Man => {
            let mut page = Vec::new();
            generate::man(&mut page).map(|()| print(&page)).map_err(|error| UsageError(error.to_string()))
        }
    }
}

pub(super) fn print(page: &[u8]) -> Exit {
    let mut out = io::stdout();
    match out.write_all(page).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("standard output: {error}"));
            Exit::CouldNot
        }
        _ => Exit::Passed,
    }
}

/// Standard error leads into a file that must stay as it is.
static SILENT: AtomicBool = AtomicBool::new(false);

/// From here on nothing is said on standard error.
pub(super) fn fall_silent() {
    SILENT.store(true, Ordering::SeqCst);
}

pub(super) fn complain(problem: &str) {
    if SILENT.load(Ordering::SeqCst) {
        return;
    }
    // There is no other place to say that standard error is gone.
    drop(writeln!(io::stderr(), "stored-ami: {}", crate::render::printable(&redact_urls(problem))));
}

async fn run_inspect(args: InspectArgs) -> Result<Exit, UsageError> {
    let mut runner = Runner::new(&args.common.output).with_page(&args.common.page);
    let sources = SourceFactory::new(&args.common.connection, &args.targets).await?;
    let request = InspectOptions {
        budget: Budget::default(),
        logical: logical(&args.logical)?,
        probe: args.probe.map(usize::from),
    };
    for target in &args.targets {
        let session = runner.session(sources.open(target).await?);
        let work = async { inspect(&session, &request).await.map(|report| Report::Inspect(Box::new(report))) };
        runner.report(&target.to_string(), Stop::AtOnce, work).await;
        if runner.is_stopped() {
            break;
        }
    }
    Ok(runner.finish())
}

/// What comes before and after the reading, which ends by itself, may take this long after a signal.
const VERIFY_GRACE: Duration = Duration::from_secs(5);

async fn run_verify(args: VerifyArgs) -> Result<Exit, UsageError> {
    let mut runner = Runner::new(&args.common.output).with_page(&args.common.page);
    let requests = verify_requests(&args).await?;
    let cancel = cancel_on_signal();
    for ((source, request), target) in requests.into_iter().zip(&args.targets) {
        let session = runner.session(source);
        let work = verify(&session, &request, &cancel);
        if let Some(verified) = runner.run(&target.to_string(), Stop::Within(VERIFY_GRACE), work).await {
            show_verified(&mut runner, verified, &request, args.references.write_manifest.as_deref());
        }
        if runner.is_stopped() {
            break;
        }
    }
    Ok(runner.finish())
}

/// Shows the report, then writes the manifest, and removes the checkpoint last, so that whatever ends the process
/// before has lost nothing.
fn show_verified(runner: &mut Runner, verified: Verified, request: &VerifyOptions, manifest_path: Option<&Path>) {
    let Verified { report, manifest, finished, .. } = verified;
    runner.add(Report::Verify(Box::new(report)));
    if let (Some(manifest), Some(path)) = (manifest, manifest_path)
        && let Err(error) = write_manifest(&manifest, path)
    {
        runner.could_not_write(&format!("{}: the manifest could not be written: {error}", path.display()));
    }
    if let Some(file) = request.resume.as_ref().filter(|_| finished)
        && let Err(error) = file.remove()
    {
        complain(&format!("{}: is no longer needed, and could not be removed: {error}", file.path().display()));
    }
}

fn write_manifest(manifest: &Manifest, path: &Path) -> io::Result<()> {
    let text = manifest.to_json()?;
    keep_output(path, OutputKind::Manifest, text.as_bytes())
}

#[cfg(feature = "s3")]
pub(super) async fn until<T>(cancel: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        done = work => Some(done),
    }
}

/// Writes an output file. A pipe that nobody reads is given up when the process is asked to end.
pub(super) fn keep_output(path: &Path, kind: OutputKind, content: &[u8]) -> io::Result<()> {
    write_output(path, content, kind.rights(), &asked)
}

/// Reports go out as they come; the exit code and the summary gather.
pub(super) struct Results {
    renderer: Box<dyn Renderer>,
    summary: SummaryReport,
    exit: Exit,
    page: Option<PageFile>,
}

impl Results {
    pub fn new(json: bool) -> Self {
        let renderer: Box<dyn Renderer> =
            if json { Box::new(JsonLines(io::stdout())) } else { Box::new(Human::new(io::stdout(), style())) };
        Results { renderer, summary: SummaryReport::default(), exit: Exit::Passed, page: None }
    }

    /// Keeps the reports for a page too.
    pub fn with_page(mut self, args: &super::args::PageArgs) -> Self {
        self.page = args.file.as_deref().map(PageFile::new);
        self
    }

    /// A report that counts, for everyone who wants it.
    fn tell(&mut self, report: Report) {
        self.render(&report);
        if let Some(page) = &mut self.page {
            page.add(report);
        }
    }

    /// A report on the way to another one of the same target, which is the one that counts.
    #[cfg(feature = "ec2")]
    pub fn show(&mut self, report: &Report) {
        self.render(report);
    }

    fn render(&mut self, report: &Report) {
        match self.renderer.render(report) {
            // Nobody reads on; the exit code still tells.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => {
                complain(&format!("standard output: {error}"));
                self.exit = self.exit.and(Exit::CouldNot);
            }
            Ok(()) => {}
        }
    }

    pub fn add(&mut self, report: Report) {
        // What is no target of its own counts by its exit code alone.
        let exit = match outcome_of_target(&report) {
            Some((verdict, exit)) => {
                self.summary.targets += 1;
                match verdict {
                    Verdict::Pass => self.summary.passed += 1,
                    Verdict::Fail => self.summary.failed += 1,
                    Verdict::Unknown => self.summary.unknown += 1,
                }
                exit
            }
            None => match &report {
                Report::Error(_) | Report::Summary(_) => return,
                Report::Audit(audit) => audit.exit_code,
                Report::Ledger(ledger) => ledger.exit_code,
                _ => Exit::Passed,
            },
        };
        self.exit = self.exit.and(exit);
        self.tell(report);
    }

    pub fn error(&mut self, target: &str, error: &SourceError) {
        let exit = crate::commands::exit_of(error);
        let subject = if error.subject == target { String::new() } else { format!("{}: ", error.subject) };
        let report = ErrorReport {
            target: target.to_owned(),
            message: format!("{subject}{}", SourceError { request_id: None, ..error.clone() }.explain()),
            error_code: error.code.as_deref().map(str::to_owned),
            request_id: error.request_id.as_deref().map(str::to_owned),
            exit_code: exit,
        };
        self.summary.targets += 1;
        self.summary.errors += 1;
        self.exit = self.exit.and(exit);
        self.tell(Report::Error(report));
    }

    /// A request that cannot be carried out as it stands.
    pub fn refuse(&mut self, target: &str, message: &str) {
        self.summary.errors += 1;
        self.without_report(target, message, Exit::Usage);
    }

    /// A question that has no answer, for it was not asked to the end.
    pub fn open(&mut self, target: &str, message: &str) {
        self.summary.unknown += 1;
        self.without_report(target, message, Exit::Unknown);
    }

    fn without_report(&mut self, target: &str, message: &str, exit: Exit) {
        self.summary.targets += 1;
        self.exit = self.exit.and(exit);
        let target = target.to_owned();
        let exit_code = exit;
        let message = redact_urls(message).into_owned();
        self.tell(Report::Error(ErrorReport { target, message, error_code: None, request_id: None, exit_code }));
    }

    /// Nothing was started, as the caller wished.
    #[cfg(feature = "ec2")]
    pub fn declined(&mut self) {
        complain("nothing was started");
        self.exit = self.exit.and(Exit::Interrupted);
    }

    pub fn interrupted(&mut self) {
        complain("interrupted");
        self.exit = self.exit.and(Exit::Interrupted);
    }

    /// A file that was asked for besides.
    pub fn could_not_write(&mut self, problem: &str) {
        complain(problem);
        self.exit = self.exit.and(Exit::CouldNot);
    }

    pub fn finish(mut self) -> Exit {
        self.summary.exit_code = self.exit;
        if let Some(page) = self.page.take()
            && let Err(problem) = page.write(&self.summary)
        {
            complain(&problem);
            self.exit = self.exit.and(Exit::CouldNot);
            self.summary.exit_code = self.exit;
        }
        let summary = Report::Summary(self.summary.clone());
        self.render(&summary);
        self.exit
    }
}

/// Verdict and exit code of a report about a target; `None` for what is no target of its own.
fn outcome_of_target(report: &Report) -> Option<(Verdict, Exit)> {
    let by_exit = |exit: Exit| match exit {
        Exit::Passed => Verdict::Pass,
        _ => Verdict::Unknown,
    };
    Some(match report {
        Report::Verify(report) => (report.verdict, report.exit_code),
        Report::Inspect(report) => (by_exit(report.exit_code), report.exit_code),
        // Measuring judges nothing, and neither does pricing.
        Report::Bench(report) => (by_exit(report.exit_code), report.exit_code),
        Report::Cost(report) => (by_exit(report.exit_code), report.exit_code),
        Report::Hashes(report) => (Verdict::Pass, report.exit_code),
        Report::Preflight(report) => (report.verdict, report.exit_code),
        Report::Task(report) => (report.verdict.unwrap_or(Verdict::Unknown), report.exit_code),
        Report::Stored(report) => {
            let verdict = match report.exit_code {
                Exit::Passed => Verdict::Pass,
                Exit::Failed => Verdict::Fail,
                _ => Verdict::Unknown,
            };
            (verdict, report.exit_code)
        }
        Report::Audited(report) => (report.verdict, report.exit_code),
        Report::Safe(report) => (report.answer.verdict(), report.exit_code),
        Report::AuditedBucket(_)
        | Report::Observation(_)
        | Report::LedgerEntry(_)
        | Report::Audit(_)
        | Report::Ledger(_)
        | Report::Error(_)
        | Report::Summary(_) => return None,
    })
}
