/// Chance of a miss on each side; both sides together leave 95 %.
const MISS: f64 = 0.025;
/// Number of bets held at once, with stakes spread evenly over the allowed range. Small stakes find the mean
/// of even mixtures, large stakes bound rare contents.
const STAKES: usize = 10;
/// Bisection steps; they narrow the interval to 1e-9.
const STEPS: u32 = 30;
/// Upper limit of the products, which keeps them finite. Capping a product only widens an interval.
const HIGHEST: f64 = 1e300;

/// The mean of a quantity over the object, with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// The mean over the windows that were read. It lies within the interval.
    pub value: f64,
    /// Lower bound of the interval.
    pub low: f64,
    /// Upper bound of the interval.
    pub high: f64,
}

/// The contribution of one stratum to the mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// From 0 to 1; `None` if the window was not read.
    pub value: Option<f64>,
    /// Length of the stratum in bytes.
    pub weight: f64,
    /// Whether the window covers the whole stratum.
    pub whole: bool,
}

impl Estimate {
    /// The mean over all windows of the object of a quantity from 0 to 1.
    ///
    /// A stratum that was read whole is known exactly, and one that was not read may have any value. For the
    /// others, the interval holds for every distribution and arrangement of the values and for any number of
    /// windows. It is built by betting (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random
    /// variables by betting", with stakes fixed in advance).
    ///
    /// The bet is against the claim that the mean is m: each window multiplies the capital by `1 + λw(m -
    /// x)/(1 - m)`. The windows are drawn independently, so the expected product is the product of the
    /// expected factors. If the claim is true, these factors average 1 over the strata, so their product is
    /// at most 1 (the geometric mean is at most the arithmetic mean). By Markov's inequality, the capital
    /// then reaches 40 with a probability of at most 1/40. A claim against which the capital reaches 40 lies
    /// outside the interval.
    pub(super) fn of(pieces: &[Piece]) -> Self {
        let total: f64 = pieces.iter().map(|piece| piece.weight).sum();
        if total <= 0.0 {
            return Estimate::default();
        }
        let (mut known, mut drawn, mut drawn_weight, mut unread) = (0.0, Vec::new(), 0.0, 0.0);
        for piece in pieces {
            match piece.value {
                Some(value) if piece.whole => known += value * piece.weight,
                Some(value) => {
                    drawn.push((value, piece.weight));
                    drawn_weight += piece.weight;
                }
                None => unread += piece.weight,
            }
        }
        let mirrored: Vec<(f64, f64)> = drawn.iter().map(|(value, weight)| (1.0 - value, *weight)).collect();
        let low = (known + drawn_weight * (1.0 - upper_bound(&mirrored))) / total;
        let high = (known + drawn_weight * upper_bound(&drawn) + unread) / total;
        let value = mean(pieces.iter().filter_map(|piece| Some((piece.value?, piece.weight))));
        // Rounding can move the mean of equal values just outside the bounds.
        Estimate { value, low: low.clamp(0.0, value), high: high.clamp(value, 1.0) }
    }

    /// The estimate multiplied by `factor`, to change its unit.
    pub(super) fn times(self, factor: f64) -> Self {
        Estimate { value: self.value * factor, low: self.low * factor, high: self.high * factor }
    }
}

/// The weighted mean of values with their weights; 0 if there are none.
pub(super) fn mean(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, weight) = values.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
    if weight > 0.0 { sum / weight } else { 0.0 }
}

/// The lowest mean that the bets rule out. The capital rises with the claimed mean, so every larger mean is
/// ruled out too.
fn upper_bound(drawn: &[(f64, f64)]) -> f64 {
    let heaviest = drawn.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
    let (mut low, mut high) = (mean(drawn.iter().copied()), 1.0);
    for _ in 0..STEPS {
        let claim = low.midpoint(high);
        if claim < 1.0 && capital(drawn, heaviest, claim) < 1.0 / MISS {
            low = claim;
        } else {
            high = claim;
        }
    }
    high
}

/// The mean capital that bets starting at 1 reach against the claim that the mean is at least `claim`.
fn capital(drawn: &[(f64, f64)], heaviest: f64, claim: f64) -> f64 {
    let mut stakes = [1.0f64; STAKES];
    for (value, weight) in drawn {
        let gain = weight / heaviest * (claim - value) / (1.0 - claim) / STAKES as f64;
        for (at, stake) in stakes.iter_mut().enumerate() {
            *stake = (*stake * (1.0 + gain * (at + 1) as f64)).clamp(0.0, HIGHEST);
        }
    }
    stakes.iter().sum::<f64>() / STAKES as f64
}
