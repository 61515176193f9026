use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use super::args::{Cli, Command, InspectArgs, VerifyArgs};
use super::generate;
use super::page::PageFile;
use super::paths::Paths;
use super::resolve::{SourceFactory, UsageError, logical, usual_budget, verify_requests};
pub(super) use super::signals::cancel_on_signal;
use super::signals::{asked, asked_before_work};
use super::terminal::{Progress, style};
use crate::clock::SystemClock;
use crate::commands::inspect::{InspectRequest, inspect};
use crate::commands::verify::{Verified, VerifyError, verify};
use crate::files::{OutputKind, write_output};
use crate::ident::{Target, redact_urls};
use crate::manifest::Manifest;
use crate::progress::Counting;
use crate::render::{Human, JsonLines, Renderer};
use crate::report::{ErrorReport, Exit, Report, SummaryReport};
use crate::source::{Context, RetryPolicy, Session, SourceError};

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
        Command::Inspect(args) => run_inspect(*args).await,
        Command::Verify(args) => run_verify(*args).await,
        Command::Bench(args) => super::bench::run(*args).await,
        Command::Cost(args) => super::cost::run(*args).await,
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
        #[cfg(all(feature = "ec2", feature = "lab"))]
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
    let mut results = Results::new(args.output.json).with_page(&args.page);
    let opener = SourceFactory::new(&args.connection, &args.targets).await?;
    let request = InspectRequest {
        budget: usual_budget()?,
        logical: logical(&args.logical)?,
        probe: args.probe.map(usize::from),
    };
    let cancel = cancel_on_signal();
    for target in &args.targets {
        let (session, counting, progress) = session(opener.open(target));
        let work = async { inspect(&session, &request).await };
        match until(&cancel, work).await {
            None => {
                results.interrupted();
                break;
            }
            Some(Ok(mut report)) => {
                let counts = counting.counts();
                (report.requests, report.received_bytes) = (counts.requests, counts.received);
                progress.clear();
                results.add(Report::Inspect(Box::new(report)));
            }
            Some(Err(error)) => {
                progress.clear();
                results.error(&target.to_string(), &error);
            }
        }
    }
    Ok(results.finish())
}

async fn run_verify(args: VerifyArgs) -> Result<Exit, UsageError> {
    let mut results = Results::new(args.output.json).with_page(&args.page);
    let requests = verify_requests(&args).await?;
    let cancel = cancel_on_signal();
    for (request, target) in requests.into_iter().zip(&args.targets) {
        if cancel.is_cancelled() {
            results.interrupted();
            break;
        }
        let (session, counting, progress) = session(Arc::clone(&request.source));
        // Reading ends by itself when cancelled; what comes before and after it must be cut short.
        let grace = async {
            cancel.cancelled().await;
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        };
        let verified = tokio::select! {
            verified = verify(&session, &request, &cancel) => Some(verified),
            () = grace => None,
        };
        progress.clear();
        match verified {
            None => results.interrupted(),
            Some(Ok(Verified { mut report, manifest, finished, .. })) => {
                let counts = counting.counts();
                report.stats.requests = counts.requests;
                report.stats.reads = counts.reads;
                report.stats.retries = counts.retries;
                report.stats.received_bytes = counts.received;
                let timeline = counting.timeline();
                report.stats.periods = timeline.rates();
                report.stats.period_seconds = Some(timeline.period().as_secs_f64());
                results.add(Report::Verify(Box::new(report)));
                if let (Some(manifest), Some(path)) = (manifest, &args.references.write_manifest) {
                    results.write_manifest(&manifest, path);
                }
                // Only now, so that whatever ends the process before has lost nothing.
                if let Some(file) = request.resume.as_ref().filter(|_| finished)
                    && let Err(error) = file.remove()
                {
                    complain(&format!(
                        "{}: is no longer needed, and could not be removed: {error}",
                        file.path().display()
                    ));
                }
            }
            Some(Err(VerifyError::Source(error))) => results.error(&target.to_string(), &error),
            Some(Err(error @ VerifyError::OutOfTime)) => results.open(target, error.to_string()),
            Some(Err(error)) => results.refuse(target, error.to_string()),
        }
    }
    Ok(results.finish())
}

/// A session that counts, and shows its progress.
pub(super) fn session(source: Arc<dyn crate::source::ObjectSource>) -> (Session, Arc<Counting>, Arc<Progress>) {
    let progress = Arc::new(Progress::new());
    let counting = Arc::new(Counting::new(
        Arc::clone(&progress) as Arc<dyn crate::progress::Monitor>,
        Arc::new(crate::clock::SystemClock),
    ));
    let context = Context { clock: Arc::new(SystemClock), monitor: counting.clone(), retry: RetryPolicy::default() };
    (Session::new(source, context), counting, progress)
}

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
        let (verdict, code) = match &report {
            Report::Verify(report) => (report.verdict.clone(), report.exit_code),
            Report::Inspect(report) => {
                (if report.exit_code == 0 { "pass" } else { "unknown" }.to_owned(), report.exit_code)
            }
            // Measuring judges nothing, and neither does pricing.
            Report::Bench(report) => {
                ((if report.exit_code == 0 { "pass" } else { "unknown" }).to_owned(), report.exit_code)
            }
            Report::Cost(report) => {
                ((if report.exit_code == 0 { "pass" } else { "unknown" }).to_owned(), report.exit_code)
            }
            Report::Hashes(report) => ("pass".to_owned(), report.exit_code),
            Report::Preflight(report) => (report.verdict.clone(), report.exit_code),
            Report::Task(report) => (report.verdict.clone().unwrap_or("unknown".to_owned()), report.exit_code),
            Report::Stored(report) => {
                let verdict = match report.exit_code {
                    0 => "pass",
                    1 => "fail",
                    _ => "unknown",
                };
                (verdict.to_owned(), report.exit_code)
            }
            Report::Audited(report) => (report.verdict.clone(), report.exit_code),
            Report::Safe(report) => {
                let verdict = match report.answer.as_str() {
                    "may_go" => "pass",
                    "must_stay" => "fail",
                    _ => "unknown",
                };
                (verdict.to_owned(), report.exit_code)
            }
            // They are no targets of their own.
            Report::AuditedBucket(_)
            | Report::Observation(_)
            | Report::LedgerEntry(_)
            | Report::Audit(_)
            | Report::Ledger(_) => {
                match &report {
                    Report::Audit(audit) => self.exit = self.exit.and(Exit::of(audit.exit_code)),
                    Report::Ledger(ledger) => self.exit = self.exit.and(Exit::of(ledger.exit_code)),
                    _ => {}
                }
                self.tell(report);
                return;
            }
            Report::Error(_) | Report::Summary(_) => return,
        };
        self.summary.targets += 1;
        match verdict.as_str() {
            "pass" => self.summary.passed += 1,
            "fail" => self.summary.failed += 1,
            _ => self.summary.unknown += 1,
        }
        self.exit = self.exit.and(Exit::of(code));
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
            exit_code: exit.code(),
        };
        self.summary.targets += 1;
        self.summary.errors += 1;
        self.exit = self.exit.and(exit);
        self.tell(Report::Error(report));
    }

    /// A request that cannot be carried out as it stands.
    fn refuse(&mut self, target: &Target, message: String) {
        self.summary.errors += 1;
        self.without_report(target, message, Exit::Usage);
    }

    /// A question that has no answer, for it was not asked to the end.
    fn open(&mut self, target: &Target, message: String) {
        self.summary.unknown += 1;
        self.without_report(target, message, Exit::Unknown);
    }

    fn without_report(&mut self, target: &Target, message: String, exit: Exit) {
        self.summary.targets += 1;
        self.exit = self.exit.and(exit);
        let target = target.to_string();
        let exit_code = exit.code();
        let message = redact_urls(&message).into_owned();
        self.tell(Report::Error(ErrorReport { target, message, error_code: None, request_id: None, exit_code }));
    }

    /// Work that could not be done for a reason on this side.
    #[cfg(feature = "ec2")]
    pub fn could_not(&mut self, target: &str, problem: &str) {
        self.error(target, &SourceError::new(crate::source::ErrorKind::Io, target, problem));
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
    #[cfg(feature = "s3")]
    pub fn could_not_write(&mut self, problem: &str) {
        complain(problem);
        self.exit = self.exit.and(Exit::CouldNot);
    }

    fn write_manifest(&mut self, manifest: &Manifest, path: &Path) {
        let written = manifest.to_json().map_err(io::Error::from);
        let written = written.and_then(|text| keep_output(path, OutputKind::Manifest, text.as_bytes()));
        if let Err(error) = written {
            complain(&format!("{}: the manifest could not be written: {error}", path.display()));
            self.exit = self.exit.and(Exit::CouldNot);
        }
    }

    pub fn finish(mut self) -> Exit {
        self.summary.exit_code = self.exit.code();
        if let Some(page) = self.page.take()
            && let Err(problem) = page.write(&self.summary)
        {
            complain(&problem);
            self.exit = self.exit.and(Exit::CouldNot);
            self.summary.exit_code = self.exit.code();
        }
        let summary = Report::Summary(self.summary.clone());
        self.render(&summary);
        self.exit
    }
}
