use crate::units::{ByteRange, KIB, MIB};

/// Twice as much makes compressors look better by 2 to 6% and halves the windows that the same work pays for; how narrow
/// the intervals are depends on their number alone.
const WINDOW: u64 = 8 * KIB;
/// Below this many the intervals say next to nothing.
const FEWEST: u64 = 16;
/// Above this many the intervals narrow too slowly to be worth it.
const MOST: u64 = 128;
/// Bytes of the object that pay for a window. One of machine code, the dearest, costs 0.17 ms (`benches/probe.rs`), and
/// verifying the bytes 0.18 s/GiB: that is 4%.
const PAYS: u64 = 24 * MIB;
/// Regions to tell of, at most.
const REGIONS: usize = 64;

/// Which windows of an object to look at: the object is cut into strata of equal size, and one window is drawn from
/// each. Windows start at multiples of their size, and are of that size except where the object ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbePlan {
    size: u64,
    seed: u64,
    strata: Vec<ByteRange>,
    windows: Vec<ByteRange>,
}

impl ProbePlan {
    /// One window in each of as many strata; the whole object where it has no more windows than that. The same three
    /// numbers choose the same windows.
    pub fn new(size: u64, windows: usize, seed: u64) -> Self {
        let cells = u128::from(size.div_ceil(WINDOW));
        let count = cells.min(windows as u128);
        let bound =
            |at: u128| (at * cells / count.max(1)).saturating_mul(u128::from(WINDOW)).min(u128::from(size)) as u64;
        let strata: Vec<ByteRange> =
            (0..count).filter_map(|stratum| ByteRange::new(bound(stratum), bound(stratum + 1))).collect();
        let mut random = Random(seed);
        // The window around a byte drawn, not any window: a short one at the end counts by its bytes.
        let windows = strata
            .iter()
            .filter_map(|stratum| {
                let byte = stratum.start() + random.below(stratum.len());
                let start = byte - byte % WINDOW;
                ByteRange::new(start, start.saturating_add(WINDOW).min(size))
            })
            .collect();
        ProbePlan { size, seed, strata, windows }
    }

    /// As many windows as [`Self::usual_windows`], drawn by a seed made of a random number in `0.0..1.0`.
    pub fn usual(size: u64, random: &dyn Fn() -> f64) -> Self {
        ProbePlan::new(size, Self::usual_windows(size), seed(random()))
    }

    /// How many windows to look at in an object of `size` bytes: as many as a twentieth of the work of reading it pays
    /// for, but from 16 to 128. Below 384 MiB the 16 cost more than that, 3 ms at most.
    pub fn usual_windows(size: u64) -> usize {
        let paid = (size / PAYS).clamp(FEWEST, MOST) as usize;
        // Regions are of equal size if each has as many strata as another.
        if paid > REGIONS { paid - paid % 2 } else { paid }
    }

    /// The windows, in order; they do not overlap.
    pub fn windows(&self) -> &[ByteRange] {
        &self.windows
    }

    /// Bytes of a window, except where the object ends.
    pub fn window_bytes(&self) -> u64 {
        WINDOW
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The stretches that stand for the windows, as many and in the same order; together they are the object.
    pub(super) fn strata(&self) -> &[ByteRange] {
        &self.strata
    }

    /// How many strata, side by side, make a region, for each region.
    pub(super) fn regions(&self) -> impl Iterator<Item = usize> {
        let strata = self.strata.len();
        let regions = strata.min(REGIONS);
        (0..regions).map(move |region| (region + 1) * strata / regions - region * strata / regions)
    }
}

/// A number that a person can copy: below 2^32.
pub fn seed(random: f64) -> u64 {
    (random.clamp(0.0, 1.0) * f64::from(u32::MAX)) as u64
}

/// SplitMix64 (Steele, Lea and Flood 2014): written out, as a seed is to choose the same windows for ever.
struct Random(u64);

impl Random {
    /// Uniform in `0..bound` but for 2^-64 of it; 0 for 0.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(mixed ^ (mixed >> 31)) * u128::from(bound)) >> 64) as u64
    }
}
