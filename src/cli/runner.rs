use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::args::{OutputArgs, PageArgs};
use super::results::Results;
use super::signals::cancel_on_signal;
use super::terminal::Progress;
use crate::clock::SystemClock;
use crate::commands::verify::VerifyError;
use crate::report::{Exit, Report};
use crate::source::{Context, ObjectSource, RetryPolicy, Session, SourceError};

/// Runs the work on one target after another, and shows the report or the error of each.
pub(super) struct Runner {
    results: Results,
    progress: Arc<Progress>,
    stopped: bool,
}

/// How a signal ends the work on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    AtOnce,
    /// The work ends by itself with a report; it is given up where that takes longer.
    Within(Duration),
    /// The work ends by itself with a report.
    #[cfg(feature = "ec2")]
    ByItself,
}

/// Why there is no report of a target.
pub(super) enum Failure {
    Source(SourceError),
    /// The time was over before it could be begun.
    OutOfTime(String),
    /// A request that cannot be carried out as it stands.
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
    pub fn new(output: &OutputArgs) -> Self {
        Runner { results: Results::new(output.json), progress: Arc::new(Progress::new()), stopped: false }
    }

    /// Keeps the reports for a page too.
    pub fn with_page(self, args: &PageArgs) -> Self {
        Runner { results: self.results.with_page(args), ..self }
    }

    /// What the requests of the next target need; their progress is shown until its report is.
    pub fn context(&mut self) -> Context {
        self.progress = Arc::new(Progress::new());
        Context { clock: Arc::new(SystemClock), monitor: self.progress.clone(), retry: RetryPolicy::default() }
    }

    pub fn session(&mut self, source: Arc<dyn ObjectSource>) -> Session {
        Session::new(source, self.context())
    }

    /// Does the work on a target. An interruption or an error is shown, and leaves no result.
    pub async fn run<T, E: Into<Failure>>(
        &mut self,
        target: &str,
        stop: Stop,
        work: impl Future<Output = Result<T, E>>,
    ) -> Option<T> {
        // In a box, for the future of a whole command in one piece is too deep for the compiler.
        let done = until(&cancel_on_signal(), stop, Box::pin(work)).await;
        self.progress.clear();
        match done {
            None => {
                self.stopped = true;
                self.results.interrupted();
                None
            }
            Some(Err(error)) => {
                self.fail(target, error);
                None
            }
            Some(Ok(done)) => Some(done),
        }
    }

    /// Does the work on a target, and shows its report.
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

    /// Whether a signal keeps the rest from being done.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    pub fn add(&mut self, report: Report) {
        self.progress.clear();
        self.results.add(report);
    }

    /// Shows a report that is followed by another one of the same target, which is the one that counts.
    #[cfg(feature = "ec2")]
    pub fn show(&mut self, report: &Report) {
        self.progress.clear();
        self.results.show(report);
    }

    pub fn fail(&mut self, target: &str, failure: impl Into<Failure>) {
        self.progress.clear();
        match failure.into() {
            Failure::Source(error) => self.results.error(target, &error),
            Failure::OutOfTime(message) => self.results.open(target, &message),
            Failure::Refused(message) => self.results.refuse(target, &message),
        }
    }

    /// Tells that an output file could not be written.
    pub fn could_not_write(&mut self, problem: &str) {
        self.results.could_not_write(problem);
    }

    /// Nothing was started, as the caller wished.
    #[cfg(feature = "ec2")]
    pub fn declined(&mut self) {
        self.results.declined();
    }

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
