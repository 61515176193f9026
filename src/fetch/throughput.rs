use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::consumer::RangeConsumer;
use super::lanes::{Lanes, Needed};
use super::threads::next_runtime;
use crate::checksum::Algorithm;
use crate::clock::within;
use crate::ident::ObjectId;
use crate::machine::cpu_time;
use crate::source::{ErrorKind, Session, SourceError};
use crate::sync::lock;
use crate::units::{ByteRange, MIB};

/// A measurement that reads the ranges of an object repeatedly and keeps nothing.
#[derive(Clone)]
pub struct LoadSpec {
    /// The identity that every response must have.
    pub id: ObjectId,
    /// Size of the object in bytes.
    pub size: u64,
    /// GETs in flight.
    pub connections: usize,
    /// Bytes per GET.
    pub range_bytes: u64,
    /// Bytes that may wait for a lane.
    pub lanes_room: u64,
    /// The first byte to read, so that successive runs do not request what the server has cached.
    pub offset: u64,
    /// Digests to compute for every range, without using them.
    pub hash: Vec<Algorithm>,
    /// When the measurement ends.
    pub until: Until,
    /// Ends the measurement early.
    pub cancel: CancellationToken,
}

/// When a measurement ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When the rate is stable, or after this time.
    Stable(Duration),
    /// After this time.
    Time(Duration),
}

/// Result of a measurement.
#[derive(Debug, Clone, Default)]
pub struct LoadResult {
    /// Bytes received.
    pub bytes: u64,
    /// Duration of the measurement.
    pub elapsed: Duration,
    /// Bytes per second in each period of a quarter of a second, without the first period.
    pub rates: Vec<f64>,
    /// Times from sending a request to the first byte of its response.
    pub first_byte: Vec<Duration>,
    /// Requests sent.
    pub requests: u64,
    /// Responses that asked for fewer requests.
    pub throttled: u64,
    /// Attempts that failed for another reason and were retried.
    pub retries: u64,
    /// Processor time of this process.
    pub cpu: Duration,
    /// Whether the rate was stable at the end.
    pub stable: bool,
    /// The error that ended the measurement early.
    pub failed: Option<SourceError>,
}

/// With objects smaller than this, in bytes, only the requests are measured, and each request costs money.
pub const SMALL: u64 = MIB;
/// Number of requests for an object smaller than [`SMALL`].
pub const FEW: u64 = 500;

/// Duration of one rate measurement.
const PERIOD: Duration = Duration::from_millis(250);
/// Number of periods that are compared with as many earlier ones.
const COMPARED: usize = 4;
/// Relative change of a rate that counts as stable.
const STABLE: f64 = 0.04;
/// Limit of consecutive failures without a byte in between.
const MOST_FAILURES: u32 = 8;

/// Runs a measurement.
pub async fn load(session: &Session, load: LoadSpec) -> LoadResult {
    let clock = Arc::clone(&session.context().clock);
    let halt = load.cancel.child_token();
    let lanes = Lanes::new(&load.hash, Needed::AtEnd, load.connections, load.lanes_room);
    let (begun, cpu) = (clock.monotonic(), cpu_time());
    let (most, may_end_early) = match load.until {
        Until::Stable(most) => (most, true),
        Until::Time(time) => (time, false),
    };
    let shared = Arc::new(Shared {
        session: session.clone(),
        next: AtomicU64::new(load.offset / load.range_bytes.max(1)),
        load,
        lanes,
        bytes: AtomicU64::new(0),
        seen: Mutex::default(),
        halt: halt.clone(),
    });
    let mut readers = JoinSet::new();
    for number in 0..shared.load.connections {
        readers.spawn_on(Arc::clone(&shared).read(number), &next_runtime());
    }
    let mut rates = Vec::new();
    let (mut before, mut at) = (0, begun);
    let mut stable = false;
    while !halt.is_cancelled() {
        tokio::select! {
            () = clock.sleep(PERIOD) => {}
            () = halt.cancelled() => break,
        }
        let (now, bytes) = (clock.monotonic(), shared.bytes.load(Ordering::Relaxed));
        rates.push((bytes - before) as f64 / now.duration_since(at).as_secs_f64().max(1e-9));
        (before, at) = (bytes, now);
        stable = is_stable(&rates);
        if now.duration_since(begun) >= most || (may_end_early && stable) {
            break;
        }
    }
    let elapsed = clock.monotonic().duration_since(begun);
    let cpu = cpu_time().saturating_sub(cpu);
    let bytes = shared.bytes.load(Ordering::Relaxed);
    halt.cancel();
    while readers.join_next().await.is_some() {}
    if rates.len() > 1 {
        rates.remove(0);
    }
    let seen = std::mem::take(&mut *shared.seen());
    LoadResult { bytes, elapsed, rates, cpu, stable, ..seen }
}

/// Whether the latest periods had the same rate as those before them. The very first one, in which connections are
/// made, is left out.
fn is_stable(rates: &[f64]) -> bool {
    let later = rates.get(1..).unwrap_or_default();
    let Some(last) = later.len().checked_sub(2 * COMPARED).and_then(|at| later.get(at..)) else { return false };
    let (earlier, latest) = last.split_at(COMPARED);
    let (earlier, latest): (f64, f64) = (earlier.iter().sum(), latest.iter().sum());
    earlier > 0.0 && ((latest - earlier) / earlier).abs() < STABLE
}

struct Shared {
    session: Session,
    load: LoadSpec,
    lanes: Lanes,
    next: AtomicU64,
    bytes: AtomicU64,
    seen: Mutex<LoadResult>,
    halt: CancellationToken,
}

impl Shared {
    fn seen(&self) -> std::sync::MutexGuard<'_, LoadResult> {
        lock(&self.seen)
    }

    fn next_range(&self) -> ByteRange {
        let each = self.load.range_bytes.max(1);
        let count = self.load.size.div_ceil(each).max(1);
        let start = self.next.fetch_add(1, Ordering::Relaxed) % count * each;
        let end = start.saturating_add(each).min(self.load.size);
        ByteRange::new(start, end).unwrap_or(ByteRange::whole(self.load.size))
    }

    async fn read(self: Arc<Self>, number: usize) {
        let halt = self.halt.clone();
        tokio::select! {
            () = halt.cancelled() => {}
            () = self.read_on(number) => {}
        }
    }

    async fn read_on(&self, number: usize) {
        let mut failures = 0;
        loop {
            if self.load.size < SMALL && self.seen().requests >= FEW {
                return self.halt.cancel();
            }
            let before = self.bytes.load(Ordering::Relaxed);
            let Err(error) = self.one(number, self.next_range()).await else {
                failures = 0;
                continue;
            };
            // A server that always sends too little still sends some bytes.
            let came = self.bytes.load(Ordering::Relaxed) > before && error.kind != ErrorKind::ShortBody;
            failures = if came { 1 } else { failures + 1 };
            let may_go_on = error.is_transient() && failures < MOST_FAILURES;
            self.failed(&error, may_go_on);
            if !may_go_on {
                self.halt.cancel();
                return;
            }
            if self.session.context().wait(failures, error).await.is_err() {
                return;
            }
        }
    }

    fn failed(&self, error: &SourceError, may_go_on: bool) {
        let mut seen = self.seen();
        match error.kind {
            ErrorKind::Throttled => seen.throttled += 1,
            _ => seen.retries += u64::from(may_go_on),
        }
        if !may_go_on {
            seen.failed.get_or_insert_with(|| error.clone());
        }
    }

    /// Keeps a random sample if there are very many.
    fn first_byte(&self, time: Duration) {
        const KEPT: usize = 1 << 16;
        let mut seen = self.seen();
        if seen.first_byte.len() < KEPT {
            return seen.first_byte.push(time);
        }
        let at = (self.session.context().clock.random() * KEPT as f64) as usize;
        if let Some(slot) = seen.first_byte.get_mut(at) {
            *slot = time;
        }
    }

    async fn one(&self, number: usize, range: ByteRange) -> Result<(), SourceError> {
        let context = self.session.context();
        let asked = context.clock.monotonic();
        self.seen().requests += 1;
        let lanes = self.lanes.open(number, 0);
        let mut sink = RangeConsumer::new(self.lanes.hashers(&self.load.hash), lanes, None, None);
        let mut first: Option<Instant> = None;
        let read = async {
            let mut body = self.session.read_once(&self.load.id, self.load.size, range).await?;
            let mut came = 0;
            while let Some(frame) = body.next().await {
                let frame = frame?;
                if first.is_none() {
                    first = Some(context.clock.monotonic());
                    self.first_byte(context.clock.monotonic().duration_since(asked));
                }
                came += frame.len() as u64;
                self.bytes.fetch_add(frame.len() as u64, Ordering::Relaxed);
                context.monitor.received(frame.len() as u64);
                sink.take(frame).await?;
            }
            if came != range.len() {
                let detail = format!("{came} of {range} bytes arrived");
                return Err(SourceError::new(ErrorKind::ShortBody, self.session.target(), detail));
            }
            Ok(())
        };
        let stall = context.retry.stall.saturating_mul(3);
        let read = match within(&*context.clock, stall, read).await {
            Ok(read) => read,
            Err(_) => {
                let detail = format!("a range of {} bytes took longer than {} s", range.len(), stall.as_secs());
                Err(SourceError::new(ErrorKind::Transient, self.session.target(), detail))
            }
        };
        sink.finish();
        // The digests are not used.
        self.lanes.take_done();
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_is_what_no_longer_changes() {
        let flat = [1.0, 9.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 9.8];
        assert!(is_stable(&flat));
        assert!(!is_stable(&flat[..8]), "too few");
        assert!(!is_stable(&[1.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0]), "still growing");
        assert!(!is_stable(&[0.0; 12]), "nothing comes at all");
    }
}
