use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::progress::{Retry, RetryKind};
use crate::units::counted;

/// Time after the last retry during which it counts as current.
const CURRENT: Duration = Duration::from_secs(10);

/// The retries of a run, summed up in one line.
#[derive(Default)]
pub(super) struct Retries {
    counts: BTreeMap<RetryKind, Count>,
    last: Option<Last>,
}

#[derive(Default)]
struct Count {
    times: u64,
    /// Error codes in order of appearance.
    codes: Vec<String>,
}

struct Last {
    at: Instant,
    kind: RetryKind,
    error: String,
    wait: Duration,
}

impl Retries {
    pub(super) fn add(&mut self, retry: &Retry<'_>, now: Instant) {
        let count = self.counts.entry(retry.kind).or_default();
        count.times += 1;
        if let Some(code) = retry.code.filter(|code| !count.codes.iter().any(|known| known == code)) {
            count.codes.push(code.to_owned());
        }
        self.last = Some(Last { at: now, kind: retry.kind, error: retry.error.to_owned(), wait: retry.wait });
    }

    /// Number of retries.
    pub(super) fn count(&self) -> u64 {
        self.counts.values().map(|count| count.times).sum()
    }

    /// The counts, and what happens now; `None` without retries.
    pub(super) fn line(&self, now: Instant) -> Option<String> {
        let last = self.last.as_ref()?;
        let counts = self.counts();
        let since = now.saturating_duration_since(last.at);
        if since >= CURRENT.max(last.wait) {
            return Some(counts);
        }
        let left = last.wait.saturating_sub(since).as_secs_f64().ceil();
        let next = if left >= 2.0 { format!(", next attempt in {left} s") } else { String::new() };
        Some(match last.kind {
            RetryKind::Throttled => format!("{counts}, slowing down{next}"),
            RetryKind::Server | RetryKind::Transport if next.is_empty() => {
                format!("{counts}, trying again: {}", last.error)
            }
            RetryKind::Server | RetryKind::Transport => format!("{counts}{next}: {}", last.error),
        })
    }

    /// The totals; `None` without retries.
    pub(super) fn totals(&self) -> Option<String> {
        let last = self.last.as_ref()?;
        let count = self.count();
        let totals = format!("retried {}: {}", counted(count, "request"), self.counts());
        Some(match last.kind {
            RetryKind::Throttled => totals,
            RetryKind::Server | RetryKind::Transport => format!("{totals}; last error: {}", last.error),
        })
    }

    fn counts(&self) -> String {
        let counts = self.counts.iter().map(|(kind, count)| {
            let name = match kind {
                RetryKind::Throttled => "throttled",
                RetryKind::Server => "server errors",
                RetryKind::Transport => "connection errors",
            };
            let codes = if count.codes.is_empty() { String::new() } else { format!(" ({})", count.codes.join(", ")) };
            format!("{name} {}×{codes}", count.times)
        });
        counts.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Retry<'_> = Retry {
        kind: RetryKind::Throttled,
        code: Some("SlowDown"),
        error: "503 SlowDown: reduce your request rate",
        wait: Duration::from_millis(300),
    };
    const RESET: Retry<'_> = Retry {
        kind: RetryKind::Transport,
        code: None,
        error: "connection reset by peer",
        wait: Duration::from_secs(8),
    };

    #[test]
    fn seven_throttled_requests_are_one_line() {
        let start = Instant::now();
        let mut retries = Retries::default();
        assert_eq!((retries.line(start), retries.totals()), (None, None));
        for _ in 0..7 {
            retries.add(&SLOW, start);
        }
        assert_eq!(retries.line(start).unwrap(), "throttled 7× (SlowDown), slowing down");
        assert_eq!(retries.line(start + CURRENT).unwrap(), "throttled 7× (SlowDown)", "it is over");
        assert_eq!(retries.totals().unwrap(), "retried 7 requests: throttled 7× (SlowDown)");
    }

    #[test]
    fn the_last_error_and_the_wait_are_shown() {
        let start = Instant::now();
        let mut retries = Retries::default();
        retries.add(&RESET, start);
        let line = |after| retries.line(start + Duration::from_secs(after)).unwrap();
        assert_eq!(line(2), "connection errors 1×, next attempt in 6 s: connection reset by peer");
        assert_eq!(line(8), "connection errors 1×, trying again: connection reset by peer");
        assert_eq!(
            retries.totals().unwrap(),
            "retried 1 request: connection errors 1×; last error: connection reset by peer"
        );
        retries.add(&SLOW, start);
        assert_eq!(retries.totals().unwrap(), "retried 2 requests: throttled 1× (SlowDown), connection errors 1×");
    }
}
