use std::time::{Duration, Instant};

use super::activity::{Activity, Line, Text};
use super::retries::Retries;
use crate::ident::redact_urls;
use crate::progress::{ObjectsProgress, Retry, TaskProgress, Work};
use crate::render::{Charset, printable};

/// Interval between progress lines in a log.
const LOG_EVERY: Duration = Duration::from_secs(5);
/// Interval between lines on a task whose state and percentage do not change.
const UNCHANGED: Duration = Duration::from_secs(60);
/// Range of widths of a bar in columns, with its brackets.
const BAR: std::ops::RangeInclusive<usize> = 10..=42;

/// What is shown of a run, as lines without a terminal.
pub(super) struct State {
    activity: Activity,
    retries: Retries,
    /// When the last progress line was written to the log; `None` if the next one is due.
    said: Option<Instant>,
    /// The task that the log shows.
    task: Option<(String, Option<f64>)>,
    /// Number of retries at the last line about them, and when that was.
    retried: Option<(u64, Instant)>,
    charset: Charset,
}

impl State {
    /// Lines for a terminal are in these characters.
    pub(super) fn new(charset: Charset) -> Self {
        let retries = Retries::default();
        State { activity: Activity::Idle, retries, said: None, task: None, retried: None, charset }
    }

    pub(super) fn request(&mut self, now: Instant) {
        if matches!(self.activity, Activity::Idle) {
            self.said = Some(now);
        }
        self.activity.request(now);
    }

    pub(super) fn begin(&mut self, work: Work, now: Instant, received: u64) {
        // Each measurement is short, so that its line would never be due.
        self.said = matches!(work, Work::Read { .. }).then_some(now);
        self.activity = Activity::of(work, now, received);
    }

    pub(super) fn task(&mut self, task: &TaskProgress, now: Instant) {
        if !matches!(self.activity, Activity::Task { .. }) {
            (self.said, self.task) = (None, None);
        }
        self.activity = Activity::Task { task: task.clone(), at: now };
    }

    pub(super) fn objects(&mut self, objects: ObjectsProgress, now: Instant, received: u64) {
        if !matches!(self.activity, Activity::Objects { .. }) {
            self.said = Some(now);
        }
        self.activity.objects(objects, now, received);
    }

    pub(super) fn retrying(&mut self, retry: &Retry<'_>, now: Instant) {
        self.retries.add(retry, now);
    }

    /// Ends the activity. Returns the line with the totals of the retries, once.
    pub(super) fn finish(&mut self) -> Option<String> {
        self.activity = Activity::Idle;
        self.retried = None;
        std::mem::take(&mut self.retries).totals().map(|totals| clean(&totals))
    }

    /// The lines for a terminal of this width.
    pub(super) fn frame(&mut self, now: Instant, received: u64, width: usize) -> Vec<String> {
        self.activity.sample(now, received);
        let width = width.saturating_sub(1).max(1);
        let line = self.activity.line(now, received).map(|line| bar(&line, width, self.charset));
        let retries = self.retries.line(now).map(|line| cut(&self.charset.text(&clean(&line)), width, self.charset));
        line.into_iter().chain(retries).collect()
    }

    /// The lines for a log that are due.
    pub(super) fn due(&mut self, now: Instant, received: u64) -> Vec<String> {
        self.activity.sample(now, received);
        let mut lines = Vec::new();
        if self.is_due(now)
            && let Some(line) = self.activity.line(now, received)
        {
            self.said = Some(now);
            self.task = self.task_shown();
            let facts = if line.full.facts.is_empty() { String::new() } else { format!(": {}", line.full.facts) };
            lines.push(clean(&format!("{}{facts}", line.full.label)));
        }
        let count = self.retries.count();
        let is_due = |(known, at): (u64, Instant)| count > known && now.saturating_duration_since(at) >= LOG_EVERY;
        if count > 0 && self.retried.is_none_or(is_due) {
            self.retried = Some((count, now));
            lines.extend(self.retries.line(now).map(|line| clean(&line)));
        }
        lines
    }

    fn is_due(&self, now: Instant) -> bool {
        let Some(said) = self.said else { return true };
        let same = matches!(self.activity, Activity::Task { .. }) && self.task == self.task_shown();
        now.saturating_duration_since(said) >= if same { UNCHANGED } else { LOG_EVERY }
    }

    fn task_shown(&self) -> Option<(String, Option<f64>)> {
        match &self.activity {
            Activity::Task { task, .. } => Some((task.state.clone(), task.percent)),
            _ => None,
        }
    }
}

/// Text from a server or a file name, without URLs' secrets and control characters.
pub(super) fn clean(text: &str) -> String {
    printable(&redact_urls(text)).to_string()
}

/// The full text if there is room for it, with a bar if there is room for one.
fn bar(line: &Line, width: usize, charset: Charset) -> String {
    let columns = |text: &str| console::measure_text_width(text);
    let shown = |text: &str| charset.text(&clean(text)).into_owned();
    let cleaned = |text: &Text| (shown(&text.label), shown(&text.facts));
    let needs = |(label, facts): &(String, String)| columns(label) + 2 + columns(facts);
    let full = cleaned(&line.full);
    let text = if needs(&full) <= width { full } else { cleaned(&line.brief) };
    let room = width.saturating_sub(needs(&text) + 2).min(*BAR.end());
    let (label, facts) = text;
    let text = match line.fraction {
        Some(fraction) if room >= *BAR.start() => format!("{label}  {}  {facts}", drawn(fraction, room)),
        _ => format!("{label}  {facts}"),
    };
    cut(text.trim_end(), width, charset)
}

/// The text, cut off at this width.
fn cut(text: &str, width: usize, charset: Charset) -> String {
    let end = charset.ellipsis();
    console::truncate_str(text, width, if end.len() < width { end } else { "" }).into_owned()
}

fn drawn(fraction: f64, width: usize) -> String {
    let inner = width.saturating_sub(2);
    let full = ((inner as f64 * fraction.clamp(0.0, 1.0)) as usize).min(inner);
    let head = if full < inner { ">" } else { "" };
    format!("[{:<inner$}]", format!("{}{head}", "=".repeat(full)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::{Purpose, RetryKind};
    use crate::report::TaskKind;
    use crate::units::MIB;

    const VERIFY: Work = Work::Read { purpose: Purpose::Verify, bytes: 100 * MIB };
    const SLOW: Retry<'_> =
        Retry { kind: RetryKind::Throttled, code: Some("SlowDown"), error: "reduce", wait: Duration::from_millis(200) };

    fn task(percent: f64) -> TaskProgress {
        TaskProgress {
            kind: TaskKind::Restore,
            image: "ami-0123456789abcdef0".to_owned(),
            state: "pending".to_owned(),
            percent: Some(percent),
            elapsed: Duration::from_secs(30),
            left: Some(Duration::from_secs(40)),
            detail: String::new(),
        }
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn lines_fit_the_width() {
        let start = Instant::now();
        let mut state = State::new(Charset::Utf8);
        state.begin(VERIFY, start, 0);
        state.retrying(&SLOW, start + seconds(4));
        let now = start + seconds(5);
        let frame = |state: &mut State, width| state.frame(now, 40 * MIB, width).join("\n");
        assert_eq!(
            frame(&mut state, 50),
            "verify  [=====>        ]  40 %, 8 MiB/s, 7 s left\nthrottled 1× (SlowDown), slowing down"
        );
        assert_eq!(
            frame(&mut state, 80),
            "verify  [=========>              ]  40 MiB of 100 MiB (40 %), 8 MiB/s, 7 s left\n\
             throttled 1× (SlowDown), slowing down"
        );
        let wide = frame(&mut state, 200);
        assert!(wide.starts_with("verify  [================>                       ]  40 MiB"), "{wide}");
        state.task(&task(45.0), start);
        assert_eq!(frame(&mut state, 50).lines().next(), Some("restore  pending, 45 %, about 35 s left"));
        for width in 1..200 {
            let long = state.frame(now, 0, width).iter().map(|line| console::measure_text_width(line)).max();
            assert!(long.unwrap() < width.max(2), "{width}");
        }
    }

    #[test]
    fn ascii_lines_fit_the_width_too() {
        let start = Instant::now();
        let mut state = State::new(Charset::Ascii);
        state.task(&TaskProgress { detail: "a → é".repeat(20), ..task(45.0) }, start);
        state.retrying(&SLOW, start);
        let frame = state.frame(start, 0, 50);
        assert!(frame.iter().all(|line| line.is_ascii() && line.len() < 50), "{frame:?}");
        assert_eq!(frame[1], "throttled 1x (SlowDown), slowing down");
        for width in 1..60 {
            assert!(state.frame(start, 0, width).iter().all(|line| line.len() < width.max(2)), "{width}");
        }
    }

    #[test]
    fn a_log_has_a_line_every_few_seconds() {
        let start = Instant::now();
        let mut state = State::new(Charset::Utf8);
        state.begin(VERIFY, start, 0);
        assert_eq!(state.due(start + seconds(4), MIB), [""; 0]);
        assert_eq!(state.due(start + seconds(5), 40 * MIB), ["verify: 40 MiB of 100 MiB (40 %), 8 MiB/s, 7 s left"]);
        assert_eq!(state.due(start + seconds(9), 50 * MIB), [""; 0]);
        assert_eq!(state.due(start + seconds(10), 50 * MIB).len(), 1);
    }

    #[test]
    fn a_task_is_shown_at_once_and_when_it_changes() {
        let start = Instant::now();
        let mut state = State::new(Charset::Utf8);
        state.task(&task(45.0), start);
        let first = "restore of ami-0123456789abcdef0: pending, 45 %, 30 s elapsed, about 40 s left";
        assert_eq!(state.due(start, 0), [first]);
        state.task(&task(45.0), start + seconds(10));
        assert_eq!(state.due(start + seconds(10), 0), [""; 0], "nothing new");
        state.task(&task(50.0), start + seconds(11));
        assert_eq!(state.due(start + seconds(11), 0).len(), 1);
        assert_eq!(state.due(start + seconds(70), 0), [""; 0]);
        assert_eq!(state.due(start + seconds(71), 0).len(), 1, "still alive");
    }

    #[test]
    fn retries_are_a_line_every_few_seconds_and_their_totals() {
        let start = Instant::now();
        let mut state = State::new(Charset::Utf8);
        let mut lines = Vec::new();
        for tenth in 0..70 {
            let now = start + Duration::from_millis(100 * tenth);
            state.retrying(&SLOW, now);
            lines.extend(state.due(now, 0));
        }
        assert_eq!(lines, ["throttled 1× (SlowDown), slowing down", "throttled 51× (SlowDown), slowing down"]);
        assert_eq!(state.finish().as_deref(), Some("retried 70 requests: throttled 70× (SlowDown)"));
        assert_eq!(state.finish(), None, "said once");
        assert_eq!(state.frame(start, 0, 80), [""; 0]);
    }

    #[test]
    fn a_task_is_shown_after_other_work_was_finished() {
        let start = Instant::now();
        let mut state = State::new(Charset::Utf8);
        state.request(start);
        state.finish();
        assert_eq!(state.frame(start + seconds(9), 0, 80), [""; 0]);
        state.task(&task(1.0), start);
        assert_eq!(state.frame(start, 0, 80).len(), 1);
    }

    #[test]
    fn what_a_server_says_does_not_reach_the_screen_as_it_is() {
        let start = Instant::now();
        let mut state = State::new(Charset::Utf8);
        state.task(&TaskProgress { state: "a\u{1b}[2J\u{9b}A\u{202e}\n".to_owned(), ..task(1.0) }, start);
        let shown = state.frame(start, 0, 120).remove(0);
        assert!(shown.contains("a\u{fffd}[2J\u{fffd}A\u{fffd}\\n, 1 %"), "{shown:?}");
        assert_eq!(state.due(start, 0).len(), 1);
    }
}
