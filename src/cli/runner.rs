use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::args::{OutputArgs, PageArgs};
use super::output::complain;
use super::progress::{Progress, Together};
use super::results::Results;
use super::selection::hinted;
use super::settings::Settings;
use super::signals::cancel_on_signal;
#[cfg(feature = "s3")]
use super::starting::Costly;
use crate::commands::verify::VerifyError;
use crate::progress::ObjectsWork;
use crate::report::{Exit, Report};
use crate::source::{Context, ObjectSource, Session, SourceError};

/// Runs the work on one target after another, and shows the report or the error of each.
pub(super) struct Runner {
    results: Results,
    progress: Arc<Progress>,
    settings: Settings,
    stopped: bool,
    /// Several works run at the same time, so that the end of one does not end their progress.
    together: bool,
}

/// How works on several targets run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    pub work: ObjectsWork,
    /// The number of works at the same time.
    pub at_once: u16,
    pub stop: Stop,
}

/// How a signal ends the work on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    AtOnce,
    /// The work stops by itself and returns a report; it is dropped if that takes longer than this.
    Within(Duration),
    /// The work stops by itself and returns a report. It begins also after a signal: what costs money or changes
    /// something is begun only if [`Runner::calls_off`] says no.
    #[cfg(feature = "s3")]
    ByItself,
}

/// Why there is no report about a target.
pub(super) enum Failure {
    Source(SourceError),
    /// `--max-time` was over before the work could begin.
    OutOfTime(String),
    /// The request is invalid.
    Refused(String),
    /// A signal came before the work could begin.
    #[cfg(feature = "s3")]
    NotBegun,
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Failure::Source(error)
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Source(error) => Failure::Source(error),
            VerifyError::OutOfTime => Failure::OutOfTime(error.to_string()),
            VerifyError::Request(_) => Failure::Refused(error.to_string()),
        }
    }
}

impl Runner {
    /// Starts without results.
    pub(super) fn new(output: &OutputArgs, settings: &Settings) -> Self {
        let (results, progress) = (Results::new(output.json, settings), Progress::new(settings));
        Runner { results, progress, settings: settings.clone(), stopped: false, together: false }
    }

    /// Also collects the reports for a page.
    pub(super) fn with_page(self, args: &PageArgs) -> Self {
        Runner { results: self.results.with_page(args), ..self }
    }

    /// The context for the requests of the next target. Shows their progress until the report.
    pub(super) fn context(&mut self) -> Context {
        self.settings.context(self.progress.clone())
    }

    /// The settings of the command.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A session for the next target.
    pub(super) fn session(&mut self, source: Arc<dyn ObjectSource>) -> Session {
        Session::new(source, self.context())
    }

    /// Runs the work on a target. Shows an interruption or an error, and returns `None` then.
    pub(super) async fn run<T, E: Into<Failure>>(
        &mut self,
        target: &str,
        stop: Stop,
        work: impl Future<Output = Result<T, E>>,
    ) -> Option<T> {
        // Boxed, because the nested futures of a whole command exceed the recursion limit of the compiler.
        let done = until(&cancel_on_signal(), stop, Box::pin(work)).await;
        self.progress.finish();
        self.settle(target, done)
    }

    /// Shows why a work has no result; an interruption once.
    fn settle<T, E: Into<Failure>>(&mut self, target: &str, done: Option<Result<T, E>>) -> Option<T> {
        match done {
            None => {
                if !std::mem::replace(&mut self.stopped, true) {
                    self.print(Results::interrupted);
                }
                None
            }
            Some(Err(error)) => {
                self.fail(target, error);
                None
            }
            Some(Ok(done)) => Some(done),
        }
    }

    /// Runs the works on several targets, and shows the result of each in their order. Several at the same time share
    /// the retries, the limits and the progress of the settings.
    pub(super) async fn each<W, T, E, F>(
        &mut self,
        schedule: Schedule,
        works: impl IntoIterator<Item = (String, W)>,
        start: impl Fn(W, Context) -> F,
        mut show: impl FnMut(&mut Self, T),
    ) where
        E: Into<Failure>,
        F: Future<Output = Result<T, E>>,
    {
        let Schedule { work: kind, at_once, stop } = schedule;
        let works: Vec<_> = works.into_iter().collect();
        if at_once == 1 || works.len() < 2 {
            for (target, work) in works {
                let context = self.context();
                if let Some(done) = self.run(&target, stop, start(work, context)).await {
                    show(self, done);
                }
                if self.stopped {
                    break;
                }
            }
            return;
        }
        let cancel = cancel_on_signal();
        let settings = self.settings.clone();
        let together = Together::new(Arc::clone(&self.progress), kind, works.len() as u64);
        self.together = true;
        let running = stream::iter(works).map(|(target, work)| {
            let context = settings.context(together.one(&target));
            let work = until(&cancel, stop, Box::pin(start(work, context)));
            async {
                let done = work.await;
                // A signal may have ended it.
                if done.is_some() {
                    together.finished();
                }
                (target, done)
            }
        });
        let mut running = std::pin::pin!(running.buffered(usize::from(at_once)));
        while let Some((target, done)) = running.next().await {
            if let Some(done) = self.settle(&target, done) {
                show(self, done);
            }
        }
        self.together = false;
        self.progress.finish();
    }

    /// Prints a result, after the progress was removed from the terminal.
    fn print(&mut self, print: impl FnOnce(&mut Results)) {
        if !self.together {
            self.progress.finish();
        }
        self.progress.aside(|| print(&mut self.results));
    }

    /// Runs the work on a target, and shows its report.
    pub(super) async fn report<E: Into<Failure>>(
        &mut self,
        target: &str,
        stop: Stop,
        work: impl Future<Output = Result<Report, E>>,
    ) {
        if let Some(report) = self.run(target, stop, work).await {
            self.add(report);
        }
    }

    /// Whether a signal ended the run, so that the remaining targets are skipped.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether a signal came before the work on a target began, which is shown. Such work is not begun.
    #[cfg(feature = "s3")]
    pub(super) fn calls_off(&mut self, target: &str) -> bool {
        let is_off = cancel_on_signal().is_cancelled();
        if is_off {
            self.fail(target, Failure::NotBegun);
        }
        is_off
    }

    /// Shows a report.
    pub(super) fn add(&mut self, report: Report) {
        self.print(|results| results.add(report));
    }

    /// Shows a preliminary report of a target, which is followed by the one that counts.
    #[cfg(feature = "s3")]
    pub(super) fn show(&mut self, report: &Report) {
        self.print(|results| results.show(report));
    }

    /// Shows why there is no report about a target.
    pub(super) fn fail(&mut self, target: &str, failure: impl Into<Failure>) {
        let failure = failure.into();
        self.print(|results| match failure {
            #[cfg(feature = "s3")]
            Failure::Source(error) if error.kind == crate::source::ErrorKind::Interrupted => {
                results.not_begun(target, &error.detail);
            }
            Failure::Source(error) => results.error(target, &hinted(target, error)),
            Failure::OutOfTime(message) => results.open(target, &message),
            Failure::Refused(message) => results.refuse(target, &message),
            #[cfg(feature = "s3")]
            Failure::NotBegun => results.not_begun(target, "not started: a signal ended the run before"),
        });
    }

    /// Reports that an output file could not be written.
    pub(super) fn could_not_write(&mut self, problem: &str) {
        self.print(|results| results.could_not_write(problem));
    }

    /// Prints a remark for the user on standard error.
    pub(super) fn remark(&mut self, remark: &str) {
        self.print(|_| complain(remark));
    }

    /// The user declined what costs money.
    #[cfg(feature = "s3")]
    pub(super) fn declined(&mut self, what: Costly) {
        self.not_agreed(what.declined());
    }

    /// The user declined what the command asked for.
    #[cfg(feature = "s3")]
    pub(super) fn not_agreed(&mut self, message: &str) {
        self.results.not_agreed(message);
    }

    /// Writes the summary, and returns the exit code.
    pub(super) fn finish(self) -> Exit {
        self.results.finish()
    }
}

/// Waits for the work as long as signals allow.
async fn until<T>(cancel: &CancellationToken, stop: Stop, work: impl Future<Output = T>) -> Option<T> {
    let patience = match stop {
        #[cfg(feature = "s3")]
        Stop::ByItself => return Some(work.await),
        Stop::AtOnce => Duration::ZERO,
        Stop::Within(_) if cancel.is_cancelled() => return None,
        Stop::Within(patience) => patience,
    };
    let over = async {
        cancel.cancelled().await;
        if !patience.is_zero() {
            tokio::time::sleep(patience).await;
        }
    };
    tokio::select! {
        biased;
        () = over => None,
        done = work => Some(done),
    }
}
