use std::fmt;
use std::str::FromStr;

use crate::units::{ByteSize, KIB, MIB};

/// How many GETs are in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Concurrency {
    /// As many as bring more bytes, fewer when the server asks for fewer.
    #[default]
    Adaptive,
    /// So many, unless the server asks for fewer.
    Fixed(usize),
}

/// What a reading may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub concurrency: Concurrency,
    /// The largest piece that one GET asks for, in bytes, where the proof leaves the choice.
    pub range_bytes: Option<u64>,
    /// Memory of the whole process, in bytes.
    pub max_memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { concurrency: Concurrency::Adaptive, range_bytes: None, max_memory: 256 * MIB }
    }
}

/// How the memory of a reading is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// GETs in flight at the beginning.
    pub concurrency: usize,
    /// And at the most.
    pub grow_to: usize,
    pub range_bytes: Option<u64>,
    /// Bytes that may wait to be hashed in order.
    pub waiting_room: u64,
    /// Bytes that may wait until lanes are filled; as many may be at work in them.
    pub lanes_room: u64,
    /// What was shared out.
    pub limits: Limits,
}

/// The process with its certificates and clients, before it reads.
const PROCESS: u64 = 26 * MIB;
/// A connection: what it reads into, what TLS decrypts, and frames on their way.
const CONNECTION: u64 = 448 * KIB;
/// Fewer bytes would leave the lanes of most streams empty.
const LEAST_FOR_LANES: u64 = 2 * MIB;
const MOST_FOR_LANES: u64 = 16 * MIB;
/// A piece that waits is no smaller.
pub(super) const SMALLEST_RANGE: u64 = 64 * KIB;
/// GETs in flight, where nothing is said. One connection to S3 brings some 90 MB/s, so these come to 34 Gbit/s.
const BEGIN_WITH: usize = 48;
const GROW_TO: usize = 256;

/// `--max-memory` does not go with `--concurrency`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--max-memory {} is too little for {concurrency} GETs in flight: at least {} are needed", ByteSize(*.max_memory), ByteSize(*.needed))]
pub struct TooLittleMemory {
    pub max_memory: u64,
    pub concurrency: usize,
    pub needed: u64,
}

/// What a reading keeps of ranges and parts does not go with `--max-memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("--max-memory: {} for this object is too little for the digests of its parts: at least {} are needed", ByteSize(*.max_memory), ByteSize(*.needed))]
pub struct PlanTooLarge {
    /// What there is.
    pub max_memory: u64,
    /// What would do.
    pub needed: u64,
}

impl Budget {
    /// Whether what a reading keeps has room beside all else; it takes the place of bytes that wait. Where bytes go
    /// in order, each GET in flight needs room to wait as well.
    pub(super) fn holds(self, kept: u64, in_order: bool) -> Result<(), PlanTooLarge> {
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
    /// An equal share of connections and memory for one of so many readings in one process.
    pub fn among(self, readings: usize) -> Self {
        let readings = readings.max(1);
        let concurrency = match self.concurrency {
            Concurrency::Fixed(all) => Concurrency::Fixed((all / readings).max(1)),
            Concurrency::Adaptive => Concurrency::Adaptive,
        };
        let shared = self.max_memory.min(PROCESS);
        let max_memory = (self.max_memory - shared) / readings as u64 + shared;
        Limits { concurrency, max_memory, ..self }
    }

    /// Shares the memory out. With an adaptive concurrency fewer GETs make do with less.
    pub fn budget(self) -> Result<Budget, TooLittleMemory> {
        let needed = |concurrency: usize| {
            let each = CONNECTION + SMALLEST_RANGE.div_ceil(4) * 5;
            PROCESS + 2 * LEAST_FOR_LANES + each.saturating_mul(concurrency as u64)
        };
        let (concurrency, grow_to) = match self.concurrency {
            Concurrency::Fixed(fixed) => (fixed.max(1), fixed.max(1)),
            Concurrency::Adaptive => {
                // Half of what there is, so that the other half is left for what waits.
                let half = self.max_memory.saturating_sub(PROCESS) / 2 / CONNECTION;
                // And no more than the least of all else leaves.
                let least = self.max_memory.saturating_sub(needed(0)) / (needed(1) - needed(0));
                let fit = usize::try_from(half.min(least)).unwrap_or(GROW_TO).max(1);
                (BEGIN_WITH.min(fit), GROW_TO.min(fit))
            }
        };
        if needed(concurrency) > self.max_memory {
            return Err(TooLittleMemory { max_memory: self.max_memory, concurrency, needed: needed(concurrency) });
        }
        let left = self.max_memory - PROCESS - CONNECTION * concurrency as u64;
        // As much as waits for lanes may be at work in them.
        let lanes_room = (left / 6).clamp(LEAST_FOR_LANES, MOST_FOR_LANES);
        // What waits in many small pieces takes a quarter more at the allocator.
        let waiting_room = (left - 2 * lanes_room) / 5 * 4;
        Ok(Budget { concurrency, grow_to, range_bytes: self.range_bytes, waiting_room, lanes_room, limits: self })
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
        assert_eq!((all.among(4), all.among(1)), (share, all));
        assert_eq!(all.among(1000).concurrency, Concurrency::Fixed(1));
        assert_eq!(Limits { max_memory: MIB, ..all }.among(4).max_memory, MIB);
    }

    #[test]
    fn little_memory_means_fewer_connections_or_is_said() {
        assert_eq!(of(Concurrency::Adaptive, 256 * MIB).map(|b| (b.concurrency, b.grow_to)), Ok((48, 256)));
        assert!(of(Concurrency::Adaptive, 40 * MIB).is_ok_and(|budget| (4..48).contains(&budget.concurrency)));
        let error = of(Concurrency::Fixed(1024), 256 * MIB).unwrap_err();
        assert!(of(Concurrency::Fixed(1024), error.needed).is_ok());
        assert!(of(Concurrency::Fixed(1024), error.needed - 1).is_err());
        let error = of(Concurrency::Adaptive, MIB).unwrap_err();
        assert!(error.to_string().contains("at least"));
        // Auto takes what fits, down to one, and from there on nothing larger is refused.
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
