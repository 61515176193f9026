use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::progress::TaskProgress;
use crate::source::Context;

/// Pauses between two requests for the state of a task: the first one, and the upper limit.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);

/// Requests the state of a task repeatedly, with growing pauses.
pub(super) struct Follow<'a> {
    context: &'a Context,
    cancel: &'a CancellationToken,
    pause: Duration,
    started: Instant,
    /// The first percentage and its time, from which the rate is computed.
    first: Option<(Instant, f64)>,
}

impl<'a> Follow<'a> {
    /// Starts with the shortest pause.
    pub(super) fn new(context: &'a Context, cancel: &'a CancellationToken) -> Self {
        Follow { context, cancel, pause: FIRST, started: context.clock.monotonic(), first: None }
    }

    /// Time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.context.clock.monotonic().duration_since(self.started)
    }

    /// Waits for the next request; `false` if it was cancelled meanwhile.
    pub(super) async fn wait(&mut self) -> bool {
        let pause = self.pause;
        self.pause = pause.mul_f64(1.5).min(LONGEST);
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => false,
            () = self.context.clock.sleep(pause) => true,
        }
    }

    /// Shows the state of the task. Adds the elapsed and the remaining time.
    pub(super) fn tell(&mut self, task: TaskProgress) {
        let left = task.percent.and_then(|percent| self.left(percent));
        self.context.monitor.task(&TaskProgress { elapsed: self.elapsed(), left, ..task });
    }

    /// Time to the end at the rate since the first percentage.
    fn left(&mut self, percent: f64) -> Option<Duration> {
        let now = self.context.clock.monotonic();
        let (since, from) = *self.first.get_or_insert((now, percent));
        let rate = (percent - from) / now.duration_since(since).as_secs_f64();
        (rate > 0.0).then(|| Duration::try_from_secs_f64((100.0 - percent) / rate).ok())?
    }
}
