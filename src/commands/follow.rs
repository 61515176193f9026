use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

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
    pub fn new(context: &'a Context, cancel: &'a CancellationToken) -> Self {
        Follow { context, cancel, pause: FIRST, started: context.clock.monotonic(), first: None }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.context.clock.monotonic().duration_since(self.started)
    }

    /// Waits for the next request; `false` if it was cancelled meanwhile.
    pub async fn wait(&mut self) -> bool {
        let pause = self.pause;
        self.pause = pause.mul_f64(1.5).min(LONGEST);
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => false,
            () = self.context.clock.sleep(pause) => true,
        }
    }

    /// Shows the progress of the task: percentage, rate and remaining time.
    pub fn tell(&mut self, what: &str, percent: f64, detail: &str) {
        let now = self.context.clock.monotonic();
        let (since, from) = *self.first.get_or_insert((now, percent));
        let seconds = now.duration_since(since).as_secs_f64();
        let mut line = format!("{what}: {percent:.0} %");
        if percent > from && seconds > 0.0 {
            let rate = (percent - from) / seconds;
            let left = Duration::try_from_secs_f64((100.0 - percent) / rate).unwrap_or(Duration::MAX);
            line = format!("{line}, {:.1} %/min, {} left", rate * 60.0, spell(left));
        }
        if !detail.is_empty() {
            line = format!("{line}; {detail}");
        }
        self.context.monitor.task(&line);
    }
}

fn spell(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spelt_by_size() {
        let all = [0, 119, 120, 7199, 7200].map(|seconds| spell(Duration::from_secs(seconds)));
        assert_eq!(all, ["0 s", "119 s", "2 min", "119 min", "2 h"]);
    }
}
