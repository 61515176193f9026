use std::fmt;
use std::str::FromStr;

use crate::units::{ByteSize, KIB, MIB};

/// The number of GET requests in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Concurrency {
    /// Starts with 32, or what the memory allows, and raises the number while throughput grows; lowers it
    /// when the server throttles.
    #[default]
    Adaptive,
    /// This number, unless the server throttles.
    Fixed(usize),
}

/// Resource limits of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// GET requests in flight.
    pub concurrency: Concurrency,
    /// The most bytes that one GET requests, where the references do not determine the range size.
    pub range_bytes: Option<u64>,
    /// Memory of the whole process in bytes.
    pub max_memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { concurrency: Concurrency::Adaptive, range_bytes: None, max_memory: 256 * MIB }
    }
}

/// How the memory of a read is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// GET requests in flight at the start.
    pub concurrency: usize,
    /// The most GET requests in flight.
    pub grow_to: usize,
    /// The most bytes that one GET requests; see [`Limits::range_bytes`].
    pub range_bytes: Option<u64>,
    /// Bytes that may be buffered for hashing in order.
    pub waiting_room: u64,
    /// Bytes that may be queued for vector lanes. As many again may be in processing.
    pub lanes_room: u64,
    /// The limits that this budget was made from.
    pub limits: Limits,
}

/// Memory of the process with certificates and clients, before it reads.
const PROCESS: u64 = 26 * MIB;
/// Memory of one connection: its read buffer, decrypted TLS data, and frames in transit.
const CONNECTION: u64 = 448 * KIB;
/// With less memory, the lanes of most streams would be empty.
const LEAST_FOR_LANES: u64 = 2 * MIB;
const MOST_FOR_LANES: u64 = 12 * MIB;
/// Minimum size of a buffered range.
pub(super) const SMALLEST_RANGE: u64 = 64 * KIB;
/// Default number of GET requests at the start. One connection to S3 delivers about 90 MB/s, so 32 deliver
/// about 23 Gbit/s, and they fill the lanes of the widest registers.
const BEGIN_WITH: usize = 32;
const GROW_TO: usize = 256;

/// `--max-memory` is too small for `--concurrency`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--max-memory {} is too little for {concurrency} GETs in flight: at least {} are needed", ByteSize(*.max_memory), ByteSize(*.needed))]
pub struct TooLittleMemory {
    /// The limit that was given, in bytes.
    pub max_memory: u64,
    /// GET requests in flight.
    pub concurrency: usize,
    /// The smallest sufficient limit, in bytes.
    pub needed: u64,
}

/// `--max-memory` is too small for the digests that a read keeps per range and part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("--max-memory: {} for this object is too little for the digests of its parts: at least {} are needed", ByteSize(*.max_memory), ByteSize(*.needed))]
pub struct PlanTooLarge {
    /// The limit that was given, in bytes.
    pub max_memory: u64,
    /// A sufficient limit, in bytes.
    pub needed: u64,
}

impl Default for Budget {
    /// The budget of the default [`Limits`].
    fn default() -> Self {
        Limits::default().divided(BEGIN_WITH, GROW_TO)
    }
}

impl Budget {
    /// Checks that the state of a read fits into the budget. The state takes the place of buffered bytes. If
    /// bytes are hashed in order, each GET in flight also needs room for buffering.
    ///
    /// # Errors
    ///
    /// When `kept` bytes do not fit; the error names a limit that would suffice.
    pub(super) fn check_fits(self, kept: u64, in_order: bool) -> Result<(), PlanTooLarge> {
        let fits = |budget: &Budget| {
            let waiting = if in_order { SMALLEST_RANGE * budget.concurrency as u64 } else { 0 };
            budget.waiting_room >= kept.saturating_add(waiting)
        };
        if fits(&self) {
            return Ok(());
        }
        let max_memory = self.limits.max_memory;
        let step = MIB.max(kept / 16);
        let mut needed = max_memory;
        while needed < u64::MAX {
            needed = needed.saturating_add(step);
            let more = Limits { max_memory: needed, ..self.limits };
            if more.budget().is_ok_and(|budget| fits(&budget)) {
                break;
            }
        }
        Err(PlanTooLarge { max_memory, needed })
    }
}

impl Limits {
    /// The limits of one of `readings` concurrent reads in one process: an equal share of connections and
    /// memory.
    pub fn shared_among(self, readings: usize) -> Self {
        let readings = readings.max(1);
        let concurrency = match self.concurrency {
            Concurrency::Fixed(all) => Concurrency::Fixed((all / readings).max(1)),
            Concurrency::Adaptive => Concurrency::Adaptive,
        };
        let shared = self.max_memory.min(PROCESS);
        let max_memory = (self.max_memory - shared) / readings as u64 + shared;
        Limits { concurrency, max_memory, ..self }
    }

    /// Divides the memory. With adaptive concurrency, less memory means fewer GET requests.
    ///
    /// # Errors
    ///
    /// When the memory does not suffice for the connections, or for one connection with adaptive concurrency.
    pub fn budget(self) -> Result<Budget, TooLittleMemory> {
        let needed = |concurrency: usize| {
            let each = CONNECTION + SMALLEST_RANGE.div_ceil(4) * 5;
            PROCESS + 2 * LEAST_FOR_LANES + each.saturating_mul(concurrency as u64)
        };
        let (concurrency, grow_to) = match self.concurrency {
            Concurrency::Fixed(fixed) => (fixed.max(1), fixed.max(1)),
            Concurrency::Adaptive => {
                // Half of the memory, so that the other half remains for buffers.
                let half = self.max_memory.saturating_sub(PROCESS) / 2 / CONNECTION;
                // At most what the minimum of all other uses leaves.
                let least = self.max_memory.saturating_sub(needed(0)) / (needed(1) - needed(0));
                let fit = usize::try_from(half.min(least)).unwrap_or(GROW_TO).max(1);
                (BEGIN_WITH.min(fit), GROW_TO.min(fit))
            }
        };
        if needed(concurrency) > self.max_memory {
            return Err(TooLittleMemory { max_memory: self.max_memory, concurrency, needed: needed(concurrency) });
        }
        Ok(self.divided(concurrency, grow_to))
    }

    /// The budget with this many GET requests, for which the memory suffices.
    const fn divided(self, concurrency: usize, grow_to: usize) -> Budget {
        let left = self.max_memory - PROCESS - CONNECTION * concurrency as u64;
        // As many bytes as are queued for lanes may be in processing.
        let lanes_room = match left / 6 {
            ..LEAST_FOR_LANES => LEAST_FOR_LANES,
            room @ LEAST_FOR_LANES..=MOST_FOR_LANES => room,
            _ => MOST_FOR_LANES,
        };
        // Small buffered pieces take about a quarter more in the allocator.
        let waiting_room = (left - 2 * lanes_room) / 5 * 4;
        Budget { concurrency, grow_to, range_bytes: self.range_bytes, waiting_room, lanes_room, limits: self }
    }
}

impl FromStr for Concurrency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(fixed @ 1..=1024) => Ok(Concurrency::Fixed(fixed)),
            _ if text == "auto" => Ok(Concurrency::Adaptive),
            _ => Err("a number from 1 to 1024, or auto".to_owned()),
        }
    }
}

impl fmt::Display for Concurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Concurrency::Adaptive => f.write_str("auto"),
            Concurrency::Fixed(fixed) => fixed.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_budget_is_that_of_the_default_limits() {
        assert_eq!(Ok(Budget::default()), Limits::default().budget());
    }

    fn of(concurrency: Concurrency, max_memory: u64) -> Result<Budget, TooLittleMemory> {
        Limits { concurrency, max_memory, ..Limits::default() }.budget()
    }

    #[test]
    fn shares_add_up_to_no_more_than_there_is() {
        for max_memory in [32 * MIB, 48 * MIB, 64 * MIB, 256 * MIB, 8192 * MIB] {
            for concurrency in [Concurrency::Adaptive, Concurrency::Fixed(1), Concurrency::Fixed(8)] {
                let Ok(budget) = of(concurrency, max_memory) else {
                    assert!(max_memory == 32 * MIB, "{concurrency} in {}", ByteSize(max_memory));
                    continue;
                };
                let waiting = budget.waiting_room / 4 * 5;
                let begin = PROCESS + CONNECTION * budget.concurrency as u64 + 2 * budget.lanes_room + waiting;
                assert!(begin <= max_memory, "{budget:?}");
                assert!(budget.waiting_room >= SMALLEST_RANGE * budget.concurrency as u64, "{budget:?}");
                let grown = PROCESS + CONNECTION * budget.grow_to as u64;
                assert!(grown <= max_memory / 2 + PROCESS || budget.grow_to == budget.concurrency, "{budget:?}");
            }
        }
    }

    #[test]
    fn several_readings_share_all_but_the_process() {
        let all = Limits { concurrency: Concurrency::Fixed(64), range_bytes: None, max_memory: PROCESS + 400 * MIB };
        let share = Limits { concurrency: Concurrency::Fixed(16), max_memory: PROCESS + 100 * MIB, ..all };
        assert_eq!((all.shared_among(4), all.shared_among(1)), (share, all));
        assert_eq!(all.shared_among(1000).concurrency, Concurrency::Fixed(1));
        assert_eq!(Limits { max_memory: MIB, ..all }.shared_among(4).max_memory, MIB);
    }

    #[test]
    fn little_memory_means_fewer_connections_or_is_said() {
        assert_eq!(of(Concurrency::Adaptive, 256 * MIB).map(|b| (b.concurrency, b.grow_to)), Ok((32, 256)));
        assert!(of(Concurrency::Adaptive, 40 * MIB).is_ok_and(|budget| (4..32).contains(&budget.concurrency)));
        let error = of(Concurrency::Fixed(1024), 256 * MIB).unwrap_err();
        assert!(of(Concurrency::Fixed(1024), error.needed).is_ok());
        assert!(of(Concurrency::Fixed(1024), error.needed - 1).is_err());
        let error = of(Concurrency::Adaptive, MIB).unwrap_err();
        assert!(error.to_string().contains("at least"));
        // With `auto`, the concurrency fits the memory, down to one GET. No larger memory is refused.
        for more in 0..200 {
            assert!(of(Concurrency::Adaptive, error.needed + more * 100_000).is_ok(), "{more}");
        }
        assert!(of(Concurrency::Adaptive, error.needed - 1).is_err());
    }

    #[test]
    fn concurrency_is_a_number_or_auto() {
        for text in ["auto", "1", "1024"] {
            assert_eq!(text.parse::<Concurrency>().unwrap().to_string(), text);
        }
        for text in ["", "0", "1025", "-1", "many"] {
            assert!(text.parse::<Concurrency>().is_err(), "{text}");
        }
    }
}
