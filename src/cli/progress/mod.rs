//! Progress on standard error: a bar on a terminal, otherwise a line every few seconds.

mod activity;
mod rate;
mod retries;
mod state;
mod together;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::state::{State, clean};
pub(super) use self::together::Together;
use super::global::{Display, ProgressMode, Verbosity};
use super::output::{print_error_line, print_timed_line};
use super::settings::Settings;
use super::terminal::charset;
use super::written::WrittenFiles;
use crate::progress::{Call, Monitor, ObjectsProgress, Retry, TaskProgress, Work};
use crate::report::FileKind;
use crate::sync::lock;

/// Interval between updates, because elapsed times change without an event.
const TICK: Duration = Duration::from_millis(200);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Lines that are updated in place.
    Bar,
    /// A line every few seconds.
    Lines,
    /// Not at all.
    Off,
}

impl Mode {
    /// A bar if standard error is a terminal that can update lines.
    fn of(display: Display) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let requests = display.verbosity >= Verbosity::Requests;
        match display.progress {
            ProgressMode::Off => Mode::Off,
            // Lines about requests would run into the bar.
            ProgressMode::Auto if io::stderr().is_terminal() && !dumb && !requests => Mode::Bar,
            ProgressMode::Auto => Mode::Lines,
        }
    }
}

/// Shows the events of a run.
pub(super) struct Progress {
    mode: Mode,
    /// Show notes, and the totals of retries.
    notes: bool,
    received: AtomicU64,
    written: WrittenFiles,
    screen: Mutex<Screen>,
}

struct Screen {
    state: State,
    bar: Option<ProgressBar>,
    /// The lines in the bar.
    shown: Vec<String>,
}

impl Progress {
    /// Shows progress until it is dropped.
    pub(super) fn new(settings: &Settings) -> Arc<Self> {
        let display = settings.display;
        let mode = Mode::of(display);
        let bar = (mode == Mode::Bar).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        });
        let screen = Mutex::new(Screen { state: State::new(charset()), bar, shown: Vec::new() });
        let progress = Arc::new(Progress {
            mode,
            notes: display.verbosity > Verbosity::Quiet,
            received: AtomicU64::new(0),
            written: settings.written.clone(),
            screen,
        });
        if mode != Mode::Off {
            let shown = Arc::downgrade(&progress);
            // Without the thread, lines are updated by events alone.
            drop(thread::Builder::new().name("progress".to_owned()).spawn(move || tick(&shown)));
        }
        progress
    }

    /// Ends the present work: removes the bar until the next event, and shows the totals of the retries.
    pub(super) fn finish(&self) {
        let mut screen = lock(&self.screen);
        let totals = screen.state.finish();
        screen.hide();
        if let Some(totals) = totals.filter(|_| self.notes) {
            screen.say(&totals);
        }
    }

    /// Prints something while the bar is removed.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        let mut screen = lock(&self.screen);
        screen.hide();
        print()
    }

    /// Changes the state, and updates what is shown.
    fn change(&self, change: impl FnOnce(&mut State, Instant, u64)) {
        let mut screen = lock(&self.screen);
        let (now, received) = (Instant::now(), self.received.load(Ordering::Relaxed));
        change(&mut screen.state, now, received);
        screen.update(self.mode, now, received);
    }
}

/// Updates the lines until the progress is dropped.
fn tick(progress: &Weak<Progress>) {
    loop {
        thread::sleep(TICK);
        let Some(progress) = progress.upgrade() else { return };
        progress.change(|_, _, _| {});
    }
}

impl Screen {
    fn update(&mut self, mode: Mode, now: Instant, received: u64) {
        match (mode, &self.bar) {
            (Mode::Bar, Some(bar)) => {
                let width = usize::from(console::Term::stderr().size().1);
                let frame = self.state.frame(now, received, width);
                if frame.is_empty() || frame == self.shown {
                    return;
                }
                if bar.is_finished() {
                    bar.reset();
                }
                bar.set_message(frame.join("\n"));
                self.shown = frame;
            }
            (Mode::Lines, _) => {
                self.state.due(now, received).iter().for_each(|line| print_timed_line(line));
            }
            (Mode::Bar | Mode::Off, _) => {}
        }
    }

    fn hide(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.shown.clear();
    }

    fn say(&self, line: &str) {
        let write = || print_error_line(line);
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Monitor for Progress {
    fn request(&self, _: Call) {
        let mut screen = lock(&self.screen);
        screen.state.request(Instant::now());
    }

    fn begin(&self, work: Work) {
        self.change(|state, now, received| state.begin(work, now, received));
    }

    fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    fn retrying(&self, retry: &Retry<'_>) {
        self.change(|state, now, _| state.retrying(retry, now));
    }

    fn task(&self, task: &TaskProgress) {
        self.change(|state, now, _| state.task(task, now));
    }

    fn objects(&self, objects: &ObjectsProgress) {
        self.change(|state, now, received| state.objects(*objects, now, received));
    }

    fn note(&self, note: &str) {
        if self.notes {
            lock(&self.screen).say(&clean(note));
        }
    }

    fn wrote(&self, path: &Path, kind: FileKind) {
        self.written.add(path, kind);
    }
}
