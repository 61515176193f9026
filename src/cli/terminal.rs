use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ident::redact_urls;
use crate::progress::Monitor;
use crate::render::{Detail, Style, printable};
use crate::sync::lock;
use crate::units::{ByteSize, Throughput};

/// Interval between progress lines in a log.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// The style of standard output: colours only on a terminal, and not with `NO_COLOR`.
pub(super) fn style() -> Style {
    let terminal = io::stdout().is_terminal();
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let width = if terminal { usize::from(console::Term::stdout().size().1).clamp(40, 120) } else { Style::UNBOUNDED };
    Style { colour: terminal && !refused, width, detail: Detail::Brief }
}

/// Shows progress on standard error: a bar on a terminal, otherwise a line every few seconds.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    log: Mutex<Log>,
}

struct Log {
    what: String,
    total: u64,
    done: u64,
    started: Instant,
    said: Instant,
}

impl Progress {
    /// Creates the bar if standard error is a terminal.
    pub fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(8));
            let template = "{msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        let now = Instant::now();
        Progress { bar, log: Mutex::new(Log { what: String::new(), total: 0, done: 0, started: now, said: now }) }
    }

    /// Removes the bar, so that it does not appear between results.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        let text = printable(&redact_urls(text));
        match &self.bar {
            Some(bar) => bar.println(text),
            // A closed standard error does not stop the work.
            None => drop(writeln!(io::stderr(), "{text}")),
        }
    }
}

impl Monitor for Progress {
    fn begin(&self, what: &str, bytes: u64) {
        let now = Instant::now();
        let mut log = lock(&self.log);
        *log = Log { what: what.to_owned(), total: bytes, done: 0, started: now, said: now };
        if let Some(bar) = &self.bar {
            bar.reset();
            bar.set_length(bytes);
            bar.set_message(printable(what));
        }
    }

    fn received(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            // Work without a known size reports its own progress.
            if bar.length() != Some(0) {
                bar.inc(bytes);
            }
            return;
        }
        let mut log = lock(&self.log);
        log.done += bytes;
        let now = Instant::now();
        if log.total == 0 || now.duration_since(log.said) < LOG_EVERY {
            return;
        }
        log.said = now;
        let rate = Throughput { bytes: log.done, elapsed: now.duration_since(log.started) };
        let left = rate.time_for(log.total.saturating_sub(log.done)).unwrap_or_default();
        let line = format!(
            "{}: {} of {} ({:.0} %), {rate}, {} s left",
            log.what,
            ByteSize(log.done),
            ByteSize(log.total),
            log.done as f64 * 100.0 / log.total as f64,
            left.as_secs()
        );
        drop(log);
        self.say(&line);
    }

    fn retrying(&self, error: &dyn std::error::Error, wait: Duration) {
        self.say(&format!("{error}; trying again in {:.1} s", wait.as_secs_f64()));
    }

    fn task(&self, line: &str) {
        let mut log = lock(&self.log);
        if log.what == line {
            return;
        }
        line.clone_into(&mut log.what);
        drop(log);
        match &self.bar {
            Some(bar) => {
                if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                    bar.set_style(style);
                }
                bar.set_message(printable(line));
                bar.tick();
            }
            None => self.say(line),
        }
    }

    fn note(&self, note: &str) {
        self.say(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_does_not_reach_the_bar_as_it_is() {
        let progress = Progress { bar: Some(ProgressBar::hidden()), ..Progress::new() };
        let message = || progress.bar.as_ref().map(ProgressBar::message).unwrap_or_default();
        progress.task("ami-1\u{1b}[2J\u{9b}A\u{202e}\n");
        assert_eq!(message(), "ami-1\u{fffd}[2J\u{fffd}A\u{fffd}\\n");
        progress.begin("read\u{7}", 5);
        assert_eq!(message(), "read\u{fffd}");
    }
}
