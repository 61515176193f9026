use std::io;

use super::again::same_command;
use super::args::PageArgs;
use super::output::complain;
#[cfg(feature = "s3")]
use super::output::log;
use super::page::PageFile;
use super::settings::Settings;
use super::terminal::style;
use super::written::WrittenFiles;
use crate::copy::Likeness;
use crate::ident::{ObjectUri, redact_urls};
use crate::render::{Human, JsonLines, Renderer};
use crate::report::{ErrorReport, Exit, Report, SummaryReport};
use crate::source::SourceError;
use crate::verdict::Verdict;

/// Writes reports immediately, and collects the exit code and the summary.
pub(super) struct Results {
    renderer: Box<dyn Renderer>,
    summary: SummaryReport,
    exit: Exit,
    page: Option<PageFile>,
    json: bool,
    written: WrittenFiles,
    /// What `policy` is called with for this command.
    policy: &'static [&'static str],
}

impl Results {
    pub(super) fn new(json: bool, settings: &Settings) -> Self {
        let renderer: Box<dyn Renderer> = if json {
            Box::new(JsonLines::new(io::stdout()))
        } else {
            Box::new(
                Human::new(io::stdout(), style(settings.display))
                    .going_on_with(same_command())
                    .reached_by(settings.reach.clone()),
            )
        };
        let summary = SummaryReport { settings: settings.applied.clone(), ..SummaryReport::default() };
        Results {
            renderer,
            summary,
            exit: Exit::Passed,
            page: None,
            json,
            written: settings.written.clone(),
            policy: settings.policy,
        }
    }

    /// Keeps the reports for a page too.
    pub(super) fn with_page(mut self, args: &PageArgs) -> Self {
        self.page = args.file.as_deref().map(|path| PageFile::new(path, &self.written));
        self
    }

    /// Renders a report that counts, and adds it to the page.
    fn tell(&mut self, report: Report) {
        self.render(&report);
        if let Some(page) = &mut self.page {
            page.add(report);
        }
    }

    /// A report on the way to another one of the same target, which is the one that counts.
    #[cfg(feature = "s3")]
    pub(super) fn show(&mut self, report: &Report) {
        self.render(report);
    }

    fn render(&mut self, report: &Report) {
        match self.renderer.render(report) {
            // A closed pipe is not an error; the exit code still states the result.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => {
                complain(&format!("standard output: {error}"));
                self.exit = self.exit.and(Exit::CouldNot);
            }
            Ok(()) => {}
        }
    }

    pub(super) fn add(&mut self, report: Report) {
        // Reports that are not about a target only affect the exit code.
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
                Report::AuditedRun(run) => run.exit_code,
                Report::TaskList(list) => list.exit_code,
                Report::Ledger(ledger) => ledger.exit_code,
                Report::Batch(batch) => batch.exit_code,
                _ => Exit::Passed,
            },
        };
        self.exit = self.exit.and(exit);
        self.tell(report);
    }

    pub(super) fn error(&mut self, target: &str, error: &SourceError) {
        let exit = crate::commands::exit_of(error);
        let subject = if error.subject == target { String::new() } else { format!("{}: ", error.subject) };
        let report = ErrorReport {
            target: target.to_owned(),
            message: format!("{subject}{}", SourceError { request_id: None, ..error.clone() }.explain()),
            advice: self.advice(target, error),
            error_code: error.code.as_deref().map(str::to_owned),
            request_id: error.request_id.as_deref().map(str::to_owned),
            exit_code: exit,
        };
        self.summary.targets += 1;
        self.summary.errors += 1;
        self.exit = self.exit.and(exit);
        self.tell(Report::Error(report));
    }

    /// The advice on an error, with the policy of this command for a missing permission.
    fn advice(&self, target: &str, error: &SourceError) -> Option<String> {
        let advice = error.advice.as_deref()?;
        let of_end = match self.policy {
            // The target of a copy is its destination.
            [source, destination] => {
                if error.subject == target {
                    destination
                } else {
                    source
                }
            }
            [one] => one,
            _ => return Some(advice.to_string()),
        };
        let bucket = error.subject.parse::<ObjectUri>().map_or_else(|_| "BUCKET".to_owned(), |uri| uri.bucket);
        Some(advice.with_policy(of_end, &bucket).unwrap_or_else(|| advice.to_string()))
    }

    /// Prints why a request is invalid.
    pub(super) fn refuse(&mut self, target: &str, message: &str) {
        self.summary.errors += 1;
        self.without_report(target, message, Exit::Usage);
    }

    /// Prints why the result for a target is unknown: its checks were not completed.
    pub(super) fn open(&mut self, target: &str, message: &str) {
        self.summary.unknown += 1;
        self.without_report(target, message, Exit::Unknown);
    }

    /// Prints that nothing was asked for about a target, because a signal came before.
    #[cfg(feature = "s3")]
    pub(super) fn not_begun(&mut self, target: &str, message: &str) {
        self.summary.unknown += 1;
        self.without_report(target, message, Exit::Interrupted);
    }

    fn without_report(&mut self, target: &str, message: &str, exit: Exit) {
        self.summary.targets += 1;
        self.exit = self.exit.and(exit);
        let target = target.to_owned();
        let exit_code = exit;
        let message = redact_urls(message).into_owned();
        self.tell(Report::Error(ErrorReport {
            target,
            message,
            advice: None,
            error_code: None,
            request_id: None,
            exit_code,
        }));
    }

    /// Something was not done, as the caller wished.
    #[cfg(feature = "s3")]
    pub(super) fn not_agreed(&mut self, message: &str) {
        complain(message);
        self.exit = self.exit.and(Exit::Interrupted);
    }

    pub(super) fn interrupted(&mut self) {
        complain("interrupted");
        self.exit = self.exit.and(Exit::Interrupted);
    }

    /// A signal ended the work, and for people its report says so.
    #[cfg(feature = "s3")]
    pub(super) fn interrupted_with_report(&mut self) {
        match self.json {
            true => complain("interrupted"),
            false => log("stored-ami: interrupted"),
        }
        self.exit = self.exit.and(Exit::Interrupted);
    }

    /// A file that was asked for besides.
    pub(super) fn could_not_write(&mut self, problem: &str) {
        complain(problem);
        self.exit = self.exit.and(Exit::CouldNot);
    }

    /// The summary of the reports so far.
    #[cfg(feature = "s3")]
    pub(super) fn summary(&self) -> SummaryReport {
        SummaryReport { exit_code: self.exit, ..self.summary.clone() }
    }

    pub(super) fn finish(mut self) -> Exit {
        self.summary.exit_code = self.exit;
        if let Some(page) = self.page.take()
            && let Err(problem) = page.write(&self.summary)
        {
            complain(&problem);
            self.exit = self.exit.and(Exit::CouldNot);
            self.summary.exit_code = self.exit;
        }
        // For people, the command names them last of all.
        self.summary.files_written = if self.json { self.written.take() } else { self.written.list() };
        let summary = Report::Summary(self.summary.clone());
        self.render(&summary);
        self.exit
    }
}

/// Verdict and exit code of a report about a target; `None` for other reports.
fn outcome_of_target(report: &Report) -> Option<(Verdict, Exit)> {
    let by_exit = |exit: Exit| match exit {
        Exit::Passed => Verdict::Pass,
        _ => Verdict::Unknown,
    };
    Some(match report {
        Report::Verify(report) => (report.verdict, report.exit_code),
        Report::Inspect(report) => (by_exit(report.exit_code), report.exit_code),
        // Benchmarks and cost estimates judge nothing.
        Report::Bench(report) => (by_exit(report.exit_code), report.exit_code),
        Report::Cost(report) => (by_exit(report.exit_code), report.exit_code),
        Report::Hashes(report) => (Verdict::Pass, report.exit_code),
        Report::Doctor(report) => (report.verdict(), report.exit_code),
        Report::Preflight(report) => (report.verdict, report.exit_code),
        Report::Copy(report) => (report.verdict, report.exit_code),
        Report::Compare(report) => {
            let verdict = match report.outcome {
                Likeness::Same => Verdict::Pass,
                Likeness::Different => Verdict::Fail,
                Likeness::Unknown => Verdict::Unknown,
            };
            (verdict, report.exit_code)
        }
        Report::Thaw(report) => (report.verdict(), report.exit_code),
        Report::Fingerprint(report) => (by_exit(report.exit_code), report.exit_code),
        Report::Prove(report) => (report.verdict, report.exit_code),
        Report::BatchPlan(report) => (by_exit(report.exit_code), report.exit_code),
        Report::BatchJob(report) => (by_exit(report.exit_code), report.exit_code),
        Report::BatchObject(report) => (report.verdict, report.exit_code),
        Report::Drill(report) => (report.verdict, report.exit_code),
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
        | Report::Batch(_)
        | Report::AuditedRun(_)
        | Report::TaskList(_)
        | Report::Observation(_)
        | Report::LedgerEntry(_)
        | Report::Audit(_)
        | Report::Ledger(_)
        | Report::Error(_)
        | Report::Summary(_) => return None,
    })
}
