use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::args::{OutputArgs, PageArgs};
use super::progress::Progress;
use super::results::Results;
use super::selection::hinted;
use super::settings::Settings;
use super::signals::cancel_on_signal;
use crate::commands::verify::VerifyError;
use crate::report::{Exit, Report};
use crate::source::{Context, ObjectSource, Session, SourceError};

/// Runs the work on one target after another, and shows the report or the error of each.
pub(super) struct Runner {
    results: Results,
    progress: Arc<Progress>,
    settings: Settings,
    stopped: bool,
}

/// How a signal ends the work on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    AtOnce,
    /// The work stops by itself and returns a report; it is dropped if that takes longer than this.
    Within(Duration),
    /// The work stops by itself and returns a report.
    #[cfg(feature = "ec2")]
    ByItself,
}

/// Why there is no report about a target.
pub(super) enum Failure {
    Source(SourceError),
    /// `--max-time` was over before the work could begin.
    OutOfTime(String),
    /// The request is invalid.
    Refused(String),
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
    pub fn new(output: &OutputArgs, settings: &Settings) -> Self {
        let display = settings.display;
        let (results, progress) = (Results::new(output.json, settings), Progress::new(display));
        Runner { results, progress, settings: settings.clone(), stopped: false }
    }

    /// Also collects the reports for a page.
    pub fn with_page(self, args: &PageArgs) -> Self {
        Runner { results: self.results.with_page(args), ..self }
    }

    /// The context for the requests of the next target. Shows their progress until the report.
    pub fn context(&mut self) -> Context {
        self.settings.context(self.progress.clone())
    }

    /// The settings of the command.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A session for the next target.
    pub fn session(&mut self, source: Arc<dyn ObjectSource>) -> Session {
        Session::new(source, self.context())
    }

    /// Runs the work on a target. Shows an interruption or an error, and returns `None` then.
    pub async fn run<T, E: Into<Failure>>(
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
                    self.results.interrupted();
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

    /// Runs the works on several targets, at most `at_once` at a time, and shows the result of each in their order.
    /// Only one at a time shows its progress.
    pub async fn each<W, T, E, F>(
        &mut self,
        at_once: u16,
        stop: Stop,
        works: impl IntoIterator<Item = (String, W)>,
        start: impl Fn(W, Context) -> F,
        mut show: impl FnMut(&mut Self, T),
    ) where
        E: Into<Failure>,
        F: Future<Output = Result<T, E>>,
    {
        if at_once == 1 {
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
        let running = stream::iter(works).map(|(target, work)| {
            let work = until(&cancel, stop, Box::pin(start(work, Context::default())));
            async { (target, work.await) }
        });
        let mut running = std::pin::pin!(running.buffered(usize::from(at_once)));
        while let Some((target, done)) = running.next().await {
            if let Some(done) = self.settle(&target, done) {
                show(self, done);
            }
        }
    }

    /// Runs the work on a target, and shows its report.
    pub async fn report<E: Into<Failure>>(
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
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Shows a report.
    pub fn add(&mut self, report: Report) {
        self.progress.finish();
        self.results.add(report);
    }

    /// Shows a preliminary report of a target, which is followed by the one that counts.
    #[cfg(feature = "ec2")]
    pub fn show(&mut self, report: &Report) {
        self.progress.finish();
        self.results.show(report);
    }

    /// Shows why there is no report about a target.
    pub fn fail(&mut self, target: &str, failure: impl Into<Failure>) {
        self.progress.finish();
        match failure.into() {
            Failure::Source(error) => self.results.error(target, &hinted(target, error)),
            Failure::OutOfTime(message) => self.results.open(target, &message),
            Failure::Refused(message) => self.results.refuse(target, &message),
        }
    }

    /// Reports that an output file could not be written.
    pub fn could_not_write(&mut self, problem: &str) {
        self.results.could_not_write(problem);
    }

    /// The user declined to start the task.
    #[cfg(feature = "ec2")]
    pub fn declined(&mut self) {
        self.results.declined();
    }

    /// Writes the summary, and returns the exit code.
    pub fn finish(self) -> Exit {
        self.results.finish()
    }
}

/// Waits for the work as long as signals allow.
async fn until<T>(cancel: &CancellationToken, stop: Stop, work: impl Future<Output = T>) -> Option<T> {
    let patience = match stop {
        #[cfg(feature = "ec2")]
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
