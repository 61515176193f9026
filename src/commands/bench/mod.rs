//! `bench`: measures how fast an object can be read from this machine, and what limits the speed. Only reads; the bytes
//! are discarded.

mod hashes;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

pub use hashes::{hash_rates, hashes};

use super::{Discovery, discover};
use crate::checks::{Bound, Measured, Surroundings, bound};
use crate::checksum::Algorithm;
use crate::facts::ObjectFacts;
use crate::fetch::{FEW, LoadResult, LoadSpec, SMALL, Until, load};
use crate::machine;
use crate::plan::{Budget, Concurrency, Limits, TooLittleMemory, Tuning};
use crate::progress::Work;
use crate::report::{BenchNote, BenchReport, BoundReport, Exit, LoadReport, Note, Percentiles};
use crate::source::{Session, SourceError};
use crate::units::{KIB, MIB, counted};

/// Parameters of a benchmark.
#[derive(Debug, Clone)]
pub struct BenchRequest {
    /// Numbers of concurrent GETs to measure, in ascending order.
    pub connections: Vec<usize>,
    /// Sizes of ranges in bytes; the part size of the object and 16 MiB if empty.
    pub range_bytes: Vec<u64>,
    /// Digests to compute and discard.
    pub hash: Vec<Algorithm>,
    /// Duration of each measurement; until the rate is stable if `None`.
    pub time: Option<Duration>,
    /// Duration of all measurements together; no limit if `None`.
    pub total_time: Option<Duration>,
    /// Memory of the whole process, in bytes; numbers of connections that need more are skipped.
    pub max_memory: u64,
}

impl BenchRequest {
    /// Divides the memory among this number of concurrent GETs.
    ///
    /// # Errors
    ///
    /// The memory does not suffice.
    pub fn budget(&self, connections: usize) -> Result<Budget, TooLittleMemory> {
        Limits { concurrency: Concurrency::Fixed(connections), range_bytes: None, max_memory: self.max_memory }.budget()
    }

    fn allowed(&self) -> Vec<Allowed> {
        let allowed = |connections: &usize| {
            let lanes_room = self.budget(*connections).ok()?.lanes_room;
            Some(Allowed { connections: *connections, lanes_room })
        };
        self.connections.iter().filter_map(allowed).collect()
    }
}

/// A number of connections that fits into the memory, with the memory left for hashing lanes.
struct Allowed {
    connections: usize,
    lanes_room: u64,
}

/// Maximum time to wait for a stable rate.
const LONGEST: Duration = Duration::from_secs(5);
/// Minimum time of a measurement that is not given.
const SHORTEST: Duration = Duration::from_secs(1);
/// Minimum gain of a step to more connections.
const WORTH: f64 = 1.05;
/// Share of the best rate that a recommendation must reach.
const NEARLY: f64 = 0.97;

/// Measures the object with increasing numbers of connections. The tuning is that of the best measurement; `None` if
/// the measurements did not complete, or a rate limit of the session's context held them back.
///
/// # Errors
///
/// The errors of the requests before the first measurement. A failed measurement ends the report instead.
pub async fn bench(
    session: &Session,
    request: &BenchRequest,
    cancel: &CancellationToken,
) -> Result<(BenchReport, Option<Tuning>), SourceError> {
    let (session, counting) = session.counted();
    let clock = Arc::clone(&session.context().clock);
    let started = clock.monotonic();
    let found = discover(&session).await?;
    let allowed = request.allowed();
    let rates = hash_rates(clock.as_ref(), &request.hash);
    let sizes = sizes(request, found.facts.size, part_bytes(&found));
    let steps = Steps { most: sizes.len() * allowed.len(), each: request.time, total: request.total_time };
    session.context().monitor.note(&steps.to_string());
    let mut sweep = Sweep {
        session: &session,
        request,
        cancel,
        facts: &found.facts,
        loads: Vec::new(),
        failed: None,
        out_of_time: false,
    };
    sweep.run(&sizes, &allowed).await;
    let Sweep { loads, failed, out_of_time, .. } = sweep;
    let measured: Vec<Measured> = loads.iter().map(|(load, loaded)| measured(load, loaded)).collect();
    let denied = allowed.len() < request.connections.len();
    let rate_limit = session.context().pace.as_ref().map(|pace| pace.bytes_per_second());
    let around = Surroundings {
        cores: machine::cores(),
        link_bits_per_second: machine::link_bits_per_second(),
        rate_limit,
        memory_allowed: denied.then(|| measured.iter().map(|m| m.connections).max()).flatten(),
        parts: found.layout.parts_count,
        hash_rates: rates,
    };
    let bound = if failed.is_none() { bound(&measured, &around) } else { None };
    let best = recommended(&measured).filter(|_| failed.is_none());
    let exit = match (&failed, cancel.is_cancelled()) {
        (_, true) => Exit::Interrupted,
        (Some(_), _) => Exit::CouldNot,
        _ => Exit::Passed,
    };
    // Other reads have another limit, or none.
    let tuning = best.filter(|_| exit == Exit::Passed && rate_limit.is_none()).map(|best| tuning(&session, best));
    let mut notes = notes(request, found.facts.size, &measured, &allowed);
    notes.extend(
        request.total_time.filter(|_| out_of_time).map(|total| BenchNote::TotalTime { seconds: total.as_secs() }),
    );
    notes.extend(rate_limit.map(|bytes_per_second| BenchNote::RateLimit { bytes_per_second }));
    notes.extend(loads.iter().filter_map(|(load, loaded)| slowed(load, loaded)));
    notes.extend(failed.map(|error| BenchNote::EndedEarly { why: error.explain() }));
    let report = BenchReport {
        target: session.target().to_string(),
        object_bytes: found.facts.size,
        hashed: request.hash.clone(),
        loads: loads.iter().map(|(load, loaded)| report(load, loaded)).collect(),
        bound: bound.map(|Bound { by, because }| BoundReport { by: by.name(), because }),
        best_connections: best.map(|best| best.connections as u64),
        best_range_bytes: best.map(|best| best.range_bytes),
        best_bytes_per_second: best.map(|best| best.bytes_per_second),
        requests: counting.counts().requests,
        received_bytes: loads.iter().map(|(_, loaded)| loaded.bytes).sum(),
        elapsed_seconds: clock.monotonic().duration_since(started).as_secs_f64(),
        notes: notes.into_iter().map(Note::from).collect(),
        exit_code: exit,
    };
    Ok((report, tuning))
}

/// What lies ahead before the first measurement.
struct Steps {
    /// Maximum number of measurements.
    most: usize,
    each: Option<Duration>,
    total: Option<Duration>,
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measurements = counted(self.most as u64, "measurement");
        let seconds = |time: Duration| format!("{} s", time.as_secs_f64().ceil());
        let each = self.each.unwrap_or(LONGEST);
        let all = each.saturating_mul(u32::try_from(self.most).unwrap_or(u32::MAX));
        let limit = match self.total {
            Some(total) if total < all => format!("{}, the limit of --total-time", seconds(total)),
            Some(_) => seconds(all),
            None => format!("{} (--total-time sets a limit)", seconds(all)),
        };
        write!(f, "up to {measurements} of up to {} each: at most {limit}", seconds(each))
    }
}

/// Measurements of one object, by range size and number of connections.
struct Sweep<'a> {
    session: &'a Session,
    request: &'a BenchRequest,
    cancel: &'a CancellationToken,
    facts: &'a ObjectFacts,
    loads: Vec<(LoadSpec, LoadResult)>,
    /// Why the measurements ended early.
    failed: Option<SourceError>,
    /// Measurements were left out because the total time was used up.
    out_of_time: bool,
}

impl Sweep<'_> {
    async fn run(&mut self, sizes: &[u64], allowed: &[Allowed]) {
        let clock = Arc::clone(&self.session.context().clock);
        let end = self.request.total_time.and_then(|total| clock.monotonic().checked_add(total));
        for (at, range_bytes) in sizes.iter().enumerate() {
            // What one range size leaves of its share is for the following ones.
            let end_of_share = end.map(|end| {
                let now = clock.monotonic();
                now + end.saturating_duration_since(now) / u32::try_from(sizes.len() - at).unwrap_or(u32::MAX)
            });
            if !self.of_range(*range_bytes, allowed, end_of_share).await {
                return;
            }
        }
    }

    /// Measures one range size, until more connections bring no gain. `false` if the whole sweep must end.
    async fn of_range(&mut self, range_bytes: u64, allowed: &[Allowed], end: Option<Instant>) -> bool {
        let mut best: f64 = 0.0;
        let mut flat = 0;
        for allowed in allowed {
            let clock = &self.session.context().clock;
            let left = end.map(|end| end.saturating_duration_since(clock.monotonic()));
            let Some(until) = until(self.request.time, left) else {
                self.out_of_time = true;
                return true;
            };
            let spec = self.spec(range_bytes, allowed, until);
            let connections = allowed.connections;
            self.session.context().monitor.begin(Work::Measurement { connections, range_bytes });
            let loaded = load(self.session, spec.clone()).await;
            let rate = rate(&loaded);
            self.failed = self.failed.take().or(loaded.failed.clone());
            let throttled = loaded.throttled > 0;
            self.loads.push((spec, loaded));
            if self.failed.is_some() || self.cancel.is_cancelled() {
                return false;
            }
            // Two steps without a gain end the sweep; a single one may be noise.
            flat = if rate < best * WORTH { flat + 1 } else { 0 };
            best = best.max(rate);
            if flat >= 2 || throttled {
                break;
            }
        }
        true
    }

    fn spec(&self, range_bytes: u64, allowed: &Allowed, until: Until) -> LoadSpec {
        LoadSpec {
            id: self.facts.id.clone(),
            size: self.facts.size,
            connections: allowed.connections,
            range_bytes,
            lanes_room: allowed.lanes_room,
            offset: self.loads.iter().map(|(_, loaded)| loaded.bytes).sum::<u64>() % self.facts.size.max(1),
            hash: self.request.hash.clone(),
            until,
            cancel: self.cancel.clone(),
        }
    }
}

/// How long the next measurement may take if this much is left for those of its range size. `None` if that is too short.
fn until(each: Option<Duration>, left: Option<Duration>) -> Option<Until> {
    match (each, left) {
        (Some(each), left) => left.is_none_or(|left| left >= each).then_some(Until::Time(each)),
        (None, None) => Some(Until::Stable(LONGEST)),
        // Half of it, so that the following numbers of connections are measured as well.
        (None, Some(left)) => (left >= SHORTEST).then(|| Until::Stable((left / 2).clamp(SHORTEST, LONGEST))),
    }
}

/// Size of the first part in bytes, if a layout is known.
fn part_bytes(found: &Discovery) -> Option<u64> {
    found.layout.candidates.first().map(|candidate| candidate.layout.parts().next().map_or(0, |part| part.len()))
}

fn tuning(session: &Session, best: Measured) -> Tuning {
    Tuning {
        schema: Tuning::SCHEMA.to_owned(),
        written_at: session.context().clock.now().to_string(),
        target: session.target().to_string(),
        concurrency: best.connections,
        range_bytes: best.range_bytes,
        bytes_per_second: best.bytes_per_second as u64,
    }
}

fn notes(request: &BenchRequest, size: u64, measured: &[Measured], allowed: &[Allowed]) -> Vec<BenchNote> {
    let mut notes = Vec::new();
    if size < SMALL {
        notes.push(BenchNote::SmallObject { requests: FEW });
    }
    let denied = allowed.len() < request.connections.len();
    // If the sweep ended earlier, memory was not the limit.
    let reached = |most: usize| measured.iter().any(|one| one.connections == most);
    if let Some(Allowed { connections: most, .. }) = allowed.last().filter(|last| denied && reached(last.connections)) {
        notes.push(BenchNote::MemoryLimit { memory: request.max_memory, connections: *most });
    }
    notes
}

fn sizes(request: &BenchRequest, size: u64, part: Option<u64>) -> Vec<u64> {
    let mut sizes = request.range_bytes.clone();
    if sizes.is_empty() {
        // `verify` also splits larger parts into ranges, unless their digest cannot be combined.
        sizes.extend(part.filter(|part| (MIB..=64 * MIB).contains(part)));
        sizes.push(16 * MIB);
    }
    sizes.iter_mut().for_each(|bytes| *bytes = (*bytes).min(size.max(4 * KIB)));
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Bytes per second: the median of the periods, which short disturbances do not affect.
fn rate(loaded: &LoadResult) -> f64 {
    let middle = Percentiles::of(loaded.rates.clone()).p50;
    if middle > 0.0 { middle } else { loaded.bytes as f64 / loaded.elapsed.as_secs_f64().max(1e-9) }
}

fn cores_busy(loaded: &LoadResult) -> f64 {
    loaded.cpu.as_secs_f64() / loaded.elapsed.as_secs_f64().max(1e-9)
}

fn measured(load: &LoadSpec, loaded: &LoadResult) -> Measured {
    Measured {
        connections: load.connections,
        range_bytes: load.range_bytes,
        bytes_per_second: rate(loaded),
        cores_busy: cores_busy(loaded),
        throttled: loaded.throttled,
    }
}

/// The smallest number of connections that reaches nearly the best rate.
fn recommended(measured: &[Measured]) -> Option<Measured> {
    let most = measured.iter().map(|one| one.bytes_per_second).max_by(f64::total_cmp)?;
    let good = measured.iter().filter(|one| one.bytes_per_second >= most * NEARLY && most > 0.0);
    good.min_by_key(|one| (one.connections, one.range_bytes)).copied()
}

/// A long run whose last quarter brought much less than its first: servers give a burst, and then less.
fn slowed(load: &LoadSpec, loaded: &LoadResult) -> Option<BenchNote> {
    let quarter = loaded.rates.len() / 4;
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    let first = mean(loaded.rates.get(..quarter)?);
    let last = mean(loaded.rates.get(loaded.rates.len() - quarter..)?);
    let long = loaded.elapsed >= Duration::from_secs(20);
    (long && last < first * 0.85).then_some(BenchNote::Slowed {
        connections: load.connections,
        last: last as u64,
        first: first as u64,
    })
}

fn report(load: &LoadSpec, loaded: &LoadResult) -> LoadReport {
    LoadReport {
        connections: load.connections as u64,
        range_bytes: load.range_bytes,
        bytes_per_second: rate(loaded),
        rates: Percentiles::of(loaded.rates.clone()),
        periods: loaded.rates.clone(),
        first_byte_seconds: Percentiles::of(loaded.first_byte.iter().map(Duration::as_secs_f64).collect()),
        elapsed_seconds: loaded.elapsed.as_secs_f64(),
        received_bytes: loaded.bytes,
        reads: loaded.requests,
        throttled: loaded.throttled,
        retries: loaded.retries,
        cores_busy: cores_busy(loaded),
        stable: loaded.stable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(connections: usize, rate: f64) -> Measured {
        Measured { connections, range_bytes: MIB, bytes_per_second: rate, cores_busy: 1.0, throttled: 0 }
    }

    #[test]
    fn the_fewest_connections_that_do_are_recommended() {
        let all = [one(8, 80.0), one(16, 98.0), one(32, 100.0), one(64, 99.0)];
        assert_eq!(recommended(&all).map(|best| best.connections), Some(16));
        assert_eq!(recommended(&[one(8, 0.0)]), None);
    }

    #[test]
    fn the_whole_time_is_said_first() {
        let seconds = |s: u64| Some(Duration::from_secs(s));
        for (most, each, total, text) in [
            (22, None, seconds(30), "up to 22 measurements of up to 5 s each: at most 30 s, the limit of --total-time"),
            (2, None, seconds(30), "up to 2 measurements of up to 5 s each: at most 10 s"),
            (
                22,
                seconds(8),
                None,
                "up to 22 measurements of up to 8 s each: at most 176 s (--total-time sets a limit)",
            ),
            (1, seconds(8), None, "up to 1 measurement of up to 8 s each: at most 8 s (--total-time sets a limit)"),
        ] {
            assert_eq!(Steps { most, each, total }.to_string(), text);
        }
    }

    #[test]
    fn what_is_left_limits_a_measurement() {
        let seconds = Duration::from_secs;
        assert_eq!(until(None, None), Some(Until::Stable(LONGEST)));
        assert_eq!(until(None, Some(seconds(60))), Some(Until::Stable(LONGEST)));
        assert_eq!(until(None, Some(seconds(6))), Some(Until::Stable(seconds(3))));
        assert_eq!(until(None, Some(seconds(1))), Some(Until::Stable(seconds(1))));
        assert_eq!(until(None, Some(Duration::from_millis(999))), None);
        assert_eq!(until(Some(seconds(8)), None), Some(Until::Time(seconds(8))));
        assert_eq!(until(Some(seconds(8)), Some(seconds(8))), Some(Until::Time(seconds(8))));
        assert_eq!(until(Some(seconds(8)), Some(seconds(7))), None);
    }

    #[test]
    fn a_long_run_that_fades_is_noted() {
        let load = LoadSpec {
            id: crate::ident::ObjectId { target: "s3://b/k".parse().unwrap(), etag: None },
            size: 1,
            connections: 4,
            range_bytes: 1,
            lanes_room: 0,
            offset: 0,
            hash: Vec::new(),
            until: Until::Time(Duration::from_secs(30)),
            cancel: CancellationToken::new(),
        };
        let fading = LoadResult {
            rates: [vec![100.0; 20], vec![70.0; 20]].concat(),
            elapsed: Duration::from_secs(30),
            ..LoadResult::default()
        };
        assert!(slowed(&load, &fading).is_some());
        assert!(slowed(&load, &LoadResult { rates: vec![100.0; 40], ..fading.clone() }).is_none());
        assert!(
            slowed(&load, &LoadResult { elapsed: Duration::from_secs(5), ..fading }).is_none(),
            "too short to tell"
        );
    }
}
