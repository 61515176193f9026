use std::time::{Duration, Instant};

use super::rate::Rate;
use crate::progress::{ObjectsProgress, ObjectsWork, Purpose, TaskProgress, Work};
use crate::units::{ByteSize, Throughput, counted};

/// Requests before the first known work are shown if they take longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a run is doing.
pub(super) enum Activity {
    /// Nothing that is shown.
    Idle,
    /// Requests whose number is not known in advance.
    Requests { began: Instant, count: u64 },
    /// A read of a known number of bytes. `from` is the number of received bytes at its start.
    Read { purpose: Purpose, of: u64, from: u64, rate: Rate },
    /// A measurement.
    Measurement { connections: usize, range_bytes: u64, rate: Rate },
    /// A task of the service, as reported at `at`.
    Task { task: TaskProgress, at: Instant },
    /// Objects of an audit. `from` is the number of received bytes at the start.
    Objects { objects: ObjectsProgress, began: Instant, from: u64, rate: Rate },
}

/// A line of progress.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// All there is to say.
    pub full: Text,
    /// What is said where there is no room for that.
    pub brief: Text,
    /// The finished part, in `0..=1`.
    pub fraction: Option<f64>,
}

/// What is done, and how far it is.
#[derive(Debug, PartialEq)]
pub(super) struct Text {
    pub label: String,
    /// Amounts, rate and times, the most important first.
    pub facts: String,
}

impl Text {
    fn new(label: impl Into<String>, facts: &[String]) -> Self {
        Text { label: label.into(), facts: facts.join(", ") }
    }
}

impl Line {
    fn same(label: &str, facts: &[String]) -> Self {
        Line { full: Text::new(label, facts), brief: Text::new(label, facts), fraction: None }
    }
}

impl Activity {
    pub(super) fn of(work: Work, now: Instant, received: u64) -> Self {
        let rate = Rate::new(now, received);
        match work {
            Work::Read { purpose, bytes } => Activity::Read { purpose, of: bytes, from: received, rate },
            Work::Measurement { connections, range_bytes } => Activity::Measurement { connections, range_bytes, rate },
        }
    }

    /// Counts a request. Requests beside other work are not shown.
    pub(super) fn request(&mut self, now: Instant) {
        match self {
            Activity::Idle => *self = Activity::Requests { began: now, count: 1 },
            Activity::Requests { count, .. } => *count += 1,
            _ => {}
        }
    }

    pub(super) fn objects(&mut self, new: ObjectsProgress, now: Instant, received: u64) {
        if let Activity::Objects { objects, .. } = self {
            *objects = new;
        } else {
            let rate = Rate::new(now, received);
            *self = Activity::Objects { objects: new, began: now, from: received, rate };
        }
    }

    /// Records the number of received bytes, for the rate.
    pub(super) fn sample(&mut self, now: Instant, received: u64) {
        if let Activity::Read { rate, .. } | Activity::Measurement { rate, .. } | Activity::Objects { rate, .. } = self
        {
            rate.sample(now, received);
        }
    }

    /// The line to show, if there is one.
    pub(super) fn line(&self, now: Instant, received: u64) -> Option<Line> {
        match self {
            Activity::Idle => None,
            Activity::Requests { began, count } => {
                let elapsed = now.saturating_duration_since(*began);
                let facts = [format!("{count} sent"), time(elapsed)];
                (elapsed >= PATIENCE).then(|| Line::same("requests", &facts))
            }
            Activity::Read { purpose, of, from, rate } => {
                let done = received.saturating_sub(*from).min(*of);
                Some(read(*purpose, done, *of, rate.at(now, received)))
            }
            Activity::Measurement { connections, range_bytes, rate } => {
                let label = format!(
                    "bench: {}, ranges of {}",
                    counted(*connections as u64, "connection"),
                    ByteSize(*range_bytes)
                );
                let short = format!("bench: {connections} × {}", ByteSize(*range_bytes));
                let rate = rate.at(now, received);
                let facts: Vec<_> = rate.bytes_per_second().map(|_| rate.to_string()).into_iter().collect();
                Some(Line { full: Text::new(label, &facts), brief: Text::new(short, &facts), fraction: None })
            }
            Activity::Task { task, at } => Some(of_task(task, now.saturating_duration_since(*at))),
            Activity::Objects { objects, began, from, rate } => {
                let elapsed = now.saturating_duration_since(*began);
                Some(of_objects(objects, elapsed, received.saturating_sub(*from), rate.at(now, received)))
            }
        }
    }
}

fn read(purpose: Purpose, done: u64, of: u64, rate: Throughput) -> Line {
    let label = match purpose {
        Purpose::Verify => "verify",
        Purpose::Copy => "copy",
        Purpose::ProvedParts => "verify by the proved parts",
        Purpose::SecondRead => "second read",
        Purpose::Compare => "compare",
        Purpose::Fingerprint => "fingerprint",
        Purpose::Prove => "prove",
    };
    let fraction = if of == 0 { 1.0 } else { done as f64 / of as f64 };
    let percent = format!("{:.0} %", (fraction * 100.0).floor());
    let mut pace = vec![rate.to_string()];
    pace.extend(rate.time_for(of - done).map(|left| format!("{} left", time(left))));
    let amount = format!("{} of {} ({percent})", ByteSize(done), ByteSize(of));
    Line {
        full: Text::new(label, &[vec![amount], pace.clone()].concat()),
        brief: Text::new(label, &[vec![percent], pace].concat()),
        fraction: Some(fraction),
    }
}

/// `since` is the time since the service reported it.
fn of_task(task: &TaskProgress, since: Duration) -> Line {
    let mut state = vec![task.state.clone()];
    state.extend(task.percent.map(|percent| format!("{percent:.0} %")));
    let elapsed = format!("{} elapsed", time(task.elapsed + since));
    let left = task.left.map(|left| left.saturating_sub(since)).filter(|left| !left.is_zero());
    let left: Vec<_> = left.map(|left| format!("about {} left", time(left))).into_iter().collect();
    let end = if left.is_empty() { vec![elapsed.clone()] } else { left.clone() };
    let brief = Text::new(task.kind.name(), &[state.clone(), end].concat());
    let mut full = Text::new(format!("{} of {}", task.kind, task.image), &[state, vec![elapsed], left].concat());
    if !task.detail.is_empty() {
        full.facts = format!("{}; {}", full.facts, task.detail);
    }
    Line { full, brief, fraction: task.percent.map(|percent| percent / 100.0) }
}

fn of_objects(objects: &ObjectsProgress, elapsed: Duration, received: u64, rate: Throughput) -> Line {
    let ObjectsProgress { work, listed, listing_complete, finished, of, bytes } = *objects;
    let label = match work {
        ObjectsWork::Audit => "audit",
        ObjectsWork::Inspect => "inspect",
        ObjectsWork::Verify => "verify",
    };
    let mut counts = Vec::new();
    if !listing_complete {
        counts.push(format!("{} listed so far", counted(listed, "object")));
    }
    if finished > 0 || listing_complete {
        counts.push(format!("{finished} of {} done", counted(of, "object")));
    }
    let mut fraction = if of == 0 { 1.0 } else { finished as f64 / of as f64 };
    let mut amount = Vec::new();
    if let Some(bytes) = bytes.filter(|bytes| bytes.of > 0) {
        let reading = received.saturating_sub(bytes.received);
        let done = bytes.finished.saturating_add(reading).min(bytes.of);
        fraction = done as f64 / bytes.of as f64;
        amount.push(format!("{} of {}", ByteSize(done), ByteSize(bytes.of)));
    }
    let mut pace = Vec::new();
    if received > 0 {
        pace.push(rate.to_string());
    }
    if listing_complete && fraction > 0.0 && fraction < 1.0 {
        let left = Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - fraction) / fraction);
        pace.extend(left.ok().map(|left| format!("{} left", time(left))));
    }
    Line {
        full: Text::new(label, &[counts.clone(), amount, pace.clone()].concat()),
        brief: Text::new(label, &[counts, pace].concat()),
        fraction: listing_complete.then_some(fraction),
    }
}

fn time(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::FinishedBytes;
    use crate::report::TaskKind;
    use crate::units::MIB;

    fn shown(line: &Line) -> String {
        format!("{}: {}", line.full.label, line.full.facts)
    }

    #[test]
    fn times_are_spelt_by_size() {
        let all = [0, 119, 120, 7199, 7200].map(|seconds| time(Duration::from_secs(seconds)));
        assert_eq!(all, ["0 s", "119 s", "2 min", "119 min", "2 h"]);
    }

    #[test]
    fn a_read_has_bytes_rate_and_time_left() {
        let start = Instant::now();
        let work = Work::Read { purpose: Purpose::Verify, bytes: 100 * MIB };
        let activity = Activity::of(work, start, 7);
        let line = activity.line(start + Duration::from_secs(5), 7 + 40 * MIB).unwrap();
        assert_eq!(shown(&line), "verify: 40 MiB of 100 MiB (40 %), 8 MiB/s, 7 s left");
        let line = activity.line(start + Duration::from_secs(5), 7 + 200 * MIB).unwrap();
        assert_eq!(line.fraction, Some(1.0), "bytes that are read twice are not counted twice");
        let nothing = Activity::of(Work::Read { purpose: Purpose::Verify, bytes: 0 }, start, 0);
        assert_eq!(nothing.line(start, 0).unwrap().fraction, Some(1.0));
    }

    #[test]
    fn a_task_goes_on_between_two_answers() {
        let task = TaskProgress {
            kind: TaskKind::Restore,
            image: "ami-1".to_owned(),
            state: "pending".to_owned(),
            percent: Some(45.0),
            elapsed: Duration::from_secs(60),
            left: Some(Duration::from_secs(70)),
            detail: "snap-1 45 %".to_owned(),
        };
        let at = Instant::now();
        let activity = Activity::Task { task, at };
        let line = |after| shown(&activity.line(at + Duration::from_secs(after), 0).unwrap());
        assert_eq!(line(0), "restore of ami-1: pending, 45 %, 60 s elapsed, about 70 s left; snap-1 45 %");
        assert_eq!(line(10), "restore of ami-1: pending, 45 %, 70 s elapsed, about 60 s left; snap-1 45 %");
        assert_eq!(line(80), "restore of ami-1: pending, 45 %, 2 min elapsed; snap-1 45 %", "the estimate was wrong");
    }

    #[test]
    fn an_audit_counts_what_is_listed_and_then_what_is_done() {
        let start = Instant::now();
        let mut activity = Activity::Idle;
        activity.objects(ObjectsProgress { listed: 4000, of: 4000, ..ObjectsProgress::default() }, start, 0);
        let line = activity.line(start, 0).unwrap();
        assert_eq!((shown(&line).as_str(), line.fraction), ("audit: 4000 objects listed so far", None));
        // One object of 10 MiB is finished, and another is half read.
        let bytes = FinishedBytes { finished: 10 * MIB, received: 10 * MIB, of: 60 * MIB };
        let some = ObjectsProgress {
            listed: 9,
            listing_complete: true,
            finished: 1,
            of: 4,
            bytes: Some(bytes),
            ..ObjectsProgress::default()
        };
        activity.objects(some, start, 10 * MIB);
        let line = activity.line(start + Duration::from_secs(5), 15 * MIB).unwrap();
        assert_eq!(shown(&line), "audit: 1 of 4 objects done, 15 MiB of 60 MiB, 3 MiB/s, 15 s left");
        assert_eq!(line.fraction, Some(0.25));
        // An object whose proof still holds is not read.
        let bytes = FinishedBytes { finished: 30 * MIB, ..bytes };
        activity.objects(ObjectsProgress { finished: 2, bytes: Some(bytes), ..some }, start, 15 * MIB);
        let line = activity.line(start + Duration::from_secs(5), 15 * MIB).unwrap();
        let facts = line.full.facts;
        assert!(facts.starts_with("2 of 4 objects done, 35 MiB of 60 MiB"), "{facts}");
        let verify = ObjectsProgress { work: ObjectsWork::Verify, finished: 1, bytes: None, ..some };
        activity.objects(verify, start, 15 * MIB);
        let line = activity.line(start + Duration::from_secs(5), 15 * MIB).unwrap();
        assert_eq!(shown(&line), "verify: 1 of 4 objects done, 3 MiB/s, 15 s left");
    }

    #[test]
    fn requests_are_shown_when_they_take_long() {
        let start = Instant::now();
        let mut activity = Activity::Idle;
        (0..3).for_each(|_| activity.request(start));
        assert_eq!(activity.line(start + Duration::from_secs(1), 0), None);
        assert_eq!(shown(&activity.line(start + PATIENCE, 0).unwrap()), "requests: 3 sent, 2 s");
    }
}
