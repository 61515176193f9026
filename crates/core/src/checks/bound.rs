use crate::checksum::Algorithm;
use crate::units::ByteSize;

/// What limited the throughput of a read.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// The limiting resource.
    pub by: BoundBy,
    /// The measurements that show it, for the report.
    pub because: String,
}

/// Resources that can limit the throughput of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundBy {
    /// The server throttled requests.
    Throttling,
    /// `--max-rate`, or the setting of the same name.
    RateLimit,
    /// The processors of this machine, mainly computing one algorithm.
    Hash(Algorithm),
    /// The processors of this machine, moving bytes.
    Cpu,
    /// The network interface of this machine.
    Wire,
    /// The throughput at which S3 serves a single stored part.
    StoredPart,
    /// `--max-memory`: more connections would have raised the throughput.
    Memory,
    /// The number of connections: a higher one was not tried.
    Connections,
    /// The server, or the network between it and this machine.
    Server,
    /// Not known, because only one number of connections was tried.
    Unknown,
}

impl BoundBy {
    /// The name in reports.
    pub fn name(self) -> String {
        match self {
            BoundBy::Throttling => "throttling".to_owned(),
            BoundBy::RateLimit => "rate limit".to_owned(),
            BoundBy::Hash(algorithm) => format!("cpu, in {algorithm}"),
            BoundBy::Cpu => "cpu".to_owned(),
            BoundBy::Wire => "wire".to_owned(),
            BoundBy::StoredPart => "one stored part".to_owned(),
            BoundBy::Memory => "memory".to_owned(),
            BoundBy::Connections => "connections".to_owned(),
            BoundBy::Server => "server".to_owned(),
            BoundBy::Unknown => "unknown".to_owned(),
        }
    }
}

/// The measurement of one read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Connections in use.
    pub connections: usize,
    /// Bytes per GET request.
    pub range_bytes: u64,
    /// Throughput in bytes per second.
    pub bytes_per_second: f64,
    /// Average number of busy processors.
    pub cores_busy: f64,
    /// Number of throttled responses.
    pub throttled: u64,
}

/// Properties of the machine and the object.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Number of processors.
    pub cores: usize,
    /// Speed of the fastest network interface in bits per second, if known.
    pub link_bits_per_second: Option<u64>,
    /// Limit that the user set for all reads together, in bytes per second.
    pub rate_limit: Option<u64>,
    /// Number of connections that memory allowed, if more were requested.
    pub memory_allowed: Option<usize>,
    /// Number of parts of the object, if known.
    pub parts: Option<u32>,
    /// Bytes per second that one processor hashes, for each algorithm in use.
    pub hash_rates: Vec<(Algorithm, f64)>,
}

/// Share of the processors from which on they count as fully used.
const BUSY: f64 = 0.85;
/// Share of an interface's stated speed from which on it counts as fully used; headers and acknowledgements
/// take the rest.
const FULL: f64 = 0.85;
/// Share of a rate limit from which on the limit counts as reached; periods of a measurement vary by a few percent.
const AT_LIMIT: f64 = 0.9;
/// Minimum factor that counts as a gain in throughput.
const GROWTH: f64 = 1.05;
/// Throughput of one stored part in bytes per second: up to 10 Gbit/s (aws-c-s3, `s3_util.c`).
const STORED_PART: f64 = 1.25e9;

fn gbit(link: u64) -> f64 {
    link as f64 / 1e9
}

/// What limited the fastest of several reads. `None` if there are none.
pub fn bound(measured: &[Measured], around: &Surroundings) -> Option<Bound> {
    let best = measured.iter().max_by(|a, b| a.bytes_per_second.total_cmp(&b.bytes_per_second))?;
    let throttled: u64 = measured.iter().map(|one| one.throttled).sum();
    if throttled > 0 {
        let because = format!("the server asked {throttled} times for fewer requests");
        return Some(Bound { by: BoundBy::Throttling, because });
    }
    rate_limit(best, around)
        .or_else(|| busy_processors(best, around))
        .or_else(|| full_interface(best, around))
        .or_else(|| too_few_connections(best, measured, around))
        .or_else(|| single_part(best, around))
        .or_else(|| Some(nothing_here(best, measured, around)))
}

fn rate_limit(best: &Measured, around: &Surroundings) -> Option<Bound> {
    let limit = around.rate_limit.filter(|limit| best.bytes_per_second >= *limit as f64 * AT_LIMIT)?;
    let because = format!("reads were limited to {}/s", ByteSize(limit));
    Some(Bound { by: BoundBy::RateLimit, because })
}

fn busy_processors(best: &Measured, around: &Surroundings) -> Option<Bound> {
    let cores = around.cores.max(1) as f64;
    if best.cores_busy < cores * BUSY {
        return None;
    }
    let hashing = |(algorithm, rate): &(Algorithm, f64)| (*algorithm, best.bytes_per_second / rate.max(1.0));
    let most = around.hash_rates.iter().map(hashing).max_by(|a, b| a.1.total_cmp(&b.1));
    let busy = format!("{:.1} of {cores} processors were busy", best.cores_busy);
    Some(match most {
        Some((algorithm, share)) if share > best.cores_busy / 3.0 => {
            Bound { by: BoundBy::Hash(algorithm), because: format!("{busy}, {share:.1} of them with {algorithm}") }
        }
        _ => Bound { by: BoundBy::Cpu, because: format!("{busy} moving bytes") },
    })
}

fn full_interface(best: &Measured, around: &Surroundings) -> Option<Bound> {
    let link = around.link_bits_per_second.filter(|link| best.bytes_per_second * 8.0 >= *link as f64 * FULL)?;
    let because = format!("the fastest network interface reports {} Gbit/s", gbit(link));
    Some(Bound { by: BoundBy::Wire, because })
}

/// Throughput still grew at the largest number of connections.
fn too_few_connections(best: &Measured, measured: &[Measured], around: &Surroundings) -> Option<Bound> {
    let same = measured.iter().filter(|one| one.range_bytes == best.range_bytes);
    let fewer = same.clone().filter(|one| one.connections < best.connections);
    let growing = fewer
        .max_by_key(|one| one.connections)
        .is_some_and(|fewer| best.bytes_per_second > fewer.bytes_per_second * GROWTH);
    let largest = same.map(|one| one.connections).max() == Some(best.connections);
    if !growing || !largest {
        return None;
    }
    Some(match around.memory_allowed.filter(|allowed| *allowed <= best.connections) {
        Some(allowed) => Bound {
            by: BoundBy::Memory,
            because: format!("--max-memory allowed {allowed} connections, and throughput still rose with each of them"),
        },
        None => Bound {
            by: BoundBy::Connections,
            because: format!("{} connections were faster than fewer, and more were not tried", best.connections),
        },
    })
}

fn single_part(best: &Measured, around: &Surroundings) -> Option<Bound> {
    let rate = best.bytes_per_second;
    let by_part = around.parts == Some(1) && rate > STORED_PART * 0.6 && rate < STORED_PART * 1.2;
    by_part.then(|| Bound {
        by: BoundBy::StoredPart,
        because: "the object is one stored part, and S3 serves one at about 10 Gbit/s".to_owned(),
    })
}

/// No resource of this machine was exhausted.
fn nothing_here(best: &Measured, measured: &[Measured], around: &Surroundings) -> Bound {
    let cores = around.cores.max(1) as f64;
    let link = match around.link_bits_per_second {
        Some(link) => format!("the fastest interface, of {} Gbit/s, was not full", gbit(link)),
        None => "the speed of the network interface is not known".to_owned(),
    };
    let rest = format!("{:.1} of {cores} processors were busy, and {link}", best.cores_busy);
    if !measured.iter().any(|one| one.range_bytes == best.range_bytes && one.connections != best.connections) {
        let tried = best.connections;
        return Bound { by: BoundBy::Unknown, because: format!("only {tried} connections were tried; {rest}") };
    }
    Bound {
        by: BoundBy::Server,
        because: format!("the server or the network path to it: more connections were not faster; {rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(connections: usize, rate: f64) -> Measured {
        Measured { connections, range_bytes: 8 << 20, bytes_per_second: rate, cores_busy: 0.5, throttled: 0 }
    }

    fn around() -> Surroundings {
        Surroundings { cores: 4, ..Surroundings::default() }
    }

    fn by(measured: &[Measured], around: &Surroundings) -> BoundBy {
        bound(measured, around).unwrap().by
    }

    #[test]
    fn each_bound_is_told_from_the_others() {
        let flat = [cell(8, 8e8), cell(16, 9e8), cell(32, 9e8)];
        let growing = [cell(8, 8e8), cell(16, 16e8), cell(32, 32e8)];
        assert_eq!(bound(&[], &around()), None);
        assert_eq!(by(&flat, &around()), BoundBy::Server);
        assert_eq!(by(&flat[..1], &around()), BoundBy::Unknown);
        assert_eq!(by(&[flat[0], Measured { range_bytes: 1, ..flat[0] }], &around()), BoundBy::Unknown);
        assert_eq!(by(&growing, &around()), BoundBy::Connections);
        assert_eq!(by(&growing, &Surroundings { memory_allowed: Some(32), ..around() }), BoundBy::Memory);
        assert_eq!(by(&growing, &Surroundings { memory_allowed: Some(64), ..around() }), BoundBy::Connections);
        let throttled = Measured { throttled: 3, ..cell(64, 7e8) };
        assert_eq!(by(&[flat[0], throttled], &around()), BoundBy::Throttling);
        assert_eq!(by(&flat, &Surroundings { link_bits_per_second: Some(8_000_000_000), ..around() }), BoundBy::Wire);
        assert_eq!(
            by(&flat, &Surroundings { link_bits_per_second: Some(25_000_000_000), ..around() }),
            BoundBy::Server
        );
        let limited = |limit| Surroundings { rate_limit: Some(limit), ..around() };
        assert_eq!(by(&flat, &limited(1_000_000_000)), BoundBy::RateLimit, "90 % of it");
        assert_eq!(by(&flat, &limited(1_010_000_000)), BoundBy::Server);
        assert_eq!(by(&[flat[0], throttled], &limited(1)), BoundBy::Throttling);
        assert_eq!(by(&flat, &Surroundings { parts: Some(1), ..around() }), BoundBy::StoredPart);
        assert_eq!(by(&flat, &Surroundings { parts: Some(9), ..around() }), BoundBy::Server);
    }

    #[test]
    fn a_busy_processor_is_named_with_what_it_does() {
        let busy = [Measured { cores_busy: 3.8, ..cell(16, 2e9) }];
        let rates = vec![(Algorithm::Md5, 0.6e9), (Algorithm::Crc32c, 20e9)];
        assert_eq!(by(&busy, &Surroundings { hash_rates: rates, ..around() }), BoundBy::Hash(Algorithm::Md5));
        let light = vec![(Algorithm::Crc32c, 20e9)];
        assert_eq!(by(&busy, &Surroundings { hash_rates: light, ..around() }), BoundBy::Cpu);
    }

    #[test]
    fn each_bound_has_its_name_and_says_why() {
        let names = [
            (BoundBy::Throttling, "throttling"),
            (BoundBy::RateLimit, "rate limit"),
            (BoundBy::Hash(Algorithm::Md5), "cpu, in md5"),
            (BoundBy::Cpu, "cpu"),
            (BoundBy::Wire, "wire"),
            (BoundBy::StoredPart, "one stored part"),
            (BoundBy::Memory, "memory"),
            (BoundBy::Connections, "connections"),
            (BoundBy::Server, "server"),
            (BoundBy::Unknown, "unknown"),
        ];
        assert!(names.iter().all(|(bound, name)| bound.name() == *name), "{names:?}");
        let wire = Surroundings { link_bits_per_second: Some(7_500_000_000), ..around() };
        assert!(bound(&[cell(8, 9e8)], &wire).unwrap().because.ends_with("reports 7.5 Gbit/s"));
        assert!(bound(&[cell(8, 1e8)], &wire).unwrap().because.ends_with("of 7.5 Gbit/s, was not full"));
    }

    #[test]
    fn the_limits_between_bounds() {
        let wire = Surroundings { link_bits_per_second: Some(10_000_000_000), ..around() };
        assert_eq!(by(&[cell(8, 1.0625e9)], &wire), BoundBy::Wire, "85% of it");
        assert_eq!(by(&[cell(8, 1.06e9)], &wire), BoundBy::Unknown);
        let busy = |cores_busy| [Measured { cores_busy, ..cell(8, 1e8) }];
        assert_eq!((by(&busy(3.4), &around()), by(&busy(3.3), &around())), (BoundBy::Cpu, BoundBy::Unknown));
        let part = Surroundings { parts: Some(1), ..around() };
        let flat = |rate| [cell(8, rate), cell(16, rate)];
        for (rate, bound) in [(0.74e9, BoundBy::Server), (0.76e9, BoundBy::StoredPart), (1.51e9, BoundBy::Server)] {
            assert_eq!(by(&flat(rate), &part), bound, "{rate}");
        }
        let grows = |factor| [cell(8, 1e8), cell(16, factor * 1e8)];
        assert_eq!((by(&grows(1.04), &around()), by(&grows(1.06), &around())), (BoundBy::Server, BoundBy::Connections));
    }
}
