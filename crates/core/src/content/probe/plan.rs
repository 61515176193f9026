use crate::units::{ByteRange, KIB, MIB};

/// Bytes of one window. With twice as much, compressors look better by 2 to 6 %, and the same work measures
/// half as many windows; the width of the intervals depends only on the number of windows.
const WINDOW: u64 = 8 * KIB;
/// Minimum number of windows; with fewer, the intervals are too wide to be useful.
const FEWEST: u64 = 16;
/// Maximum number of windows; beyond it the intervals narrow too slowly to justify the work.
const MOST: u64 = 128;
/// Object bytes per window. A window of machine code, the slowest content, takes 0.17 ms
/// (`benches/probe.rs`), and verifying takes 0.18 s/GiB, so the windows add 4 %.
const PAYS: u64 = 24 * MIB;
/// Maximum number of regions to report.
const REGIONS: usize = 64;

/// The windows of an object to sample: the object is divided into strata of equal size, and one window is
/// drawn from each. Windows start at multiples of their size and have that size, except at the end of the
/// object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbePlan {
    size: u64,
    seed: u64,
    strata: Vec<ByteRange>,
    windows: Vec<ByteRange>,
}

impl ProbePlan {
    /// Draws one window from each of `windows` strata, or takes the whole object if it has no more windows
    /// than that. The same three numbers always choose the same windows.
    pub fn new(size: u64, windows: usize, seed: u64) -> Self {
        let cells = u128::from(size.div_ceil(WINDOW));
        let count = cells.min(windows as u128);
        let bound =
            |at: u128| (at * cells / count.max(1)).saturating_mul(u128::from(WINDOW)).min(u128::from(size)) as u64;
        let strata: Vec<ByteRange> =
            (0..count).filter_map(|stratum| ByteRange::new(bound(stratum), bound(stratum + 1))).collect();
        let mut random = Random(seed);
        // Draw a byte and take the window around it, so that a short window at the end is weighted by its
        // bytes.
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

    /// Draws [`Self::usual_windows`] windows. `random` returns a number in `0.0..1.0`, from which the seed is
    /// made.
    pub fn usual(size: u64, random: &dyn Fn() -> f64) -> Self {
        ProbePlan::new(size, Self::usual_windows(size), seed(random()))
    }

    /// Number of windows for an object of `size` bytes: 16 to 128, chosen so that measuring takes less than a
    /// twentieth of the work of reading. Below 384 MiB the minimum of 16 takes a larger share, but at most 3
    /// ms.
    pub fn usual_windows(size: u64) -> usize {
        let paid = (size / PAYS).clamp(FEWEST, MOST) as usize;
        // Regions have equal sizes if all contain the same number of strata.
        if paid > REGIONS { paid - paid % 2 } else { paid }
    }

    /// The windows, in order and without overlap.
    pub fn windows(&self) -> &[ByteRange] {
        &self.windows
    }

    /// Bytes of a window, except at the end of the object.
    pub fn window_bytes(&self) -> u64 {
        WINDOW
    }

    /// Size of the object in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The seed of the draw; with the size and the number of windows it reproduces the plan.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The strata, one per window and in the same order. Together they cover the object.
    pub(super) fn strata(&self) -> &[ByteRange] {
        &self.strata
    }

    /// For each region, the number of adjacent strata in it.
    pub(super) fn regions(&self) -> impl Iterator<Item = usize> {
        let strata = self.strata.len();
        let regions = strata.min(REGIONS);
        (0..regions).map(move |region| (region + 1) * strata / regions - region * strata / regions)
    }
}

/// A seed below 2^32, which a user can copy, from a random number in `0.0..=1.0`.
pub fn seed(random: f64) -> u64 {
    (random.clamp(0.0, 1.0) * f64::from(u32::MAX)) as u64
}

/// SplitMix64 (Steele, Lea and Flood 2014). Written out here so that a seed chooses the same windows in every
/// version.
struct Random(u64);

impl Random {
    /// Uniform in `0..bound`, with a bias below 2^-64; 0 if `bound` is 0.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(mixed ^ (mixed >> 31)) * u128::from(bound)) >> 64) as u64
    }
}
