/// Chance of a miss on either side: both together leave 95%.
const MISS: f64 = 0.025;
/// Stakes held at once, as evenly spread shares of what may be staked. Small ones find the middle of even mixtures,
/// large ones the edge of rare contents.
const STAKES: usize = 10;
/// Halvings of the interval: leaves 1e-9 of it.
const STEPS: u32 = 30;
/// Keeps products finite. Cutting one down only widens an interval.
const HIGHEST: f64 = 1e300;

/// A mean over the object with its 95% confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// The mean over what was read; it lies in the interval.
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// What one stratum says of the mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// From 0 to 1; `None` if its window was not read.
    pub value: Option<f64>,
    /// Bytes of the stratum.
    pub weight: f64,
    /// The window is all of the stratum.
    pub whole: bool,
}

impl Estimate {
    /// The mean over all windows of the object of a quantity from 0 to 1.
    ///
    /// A stratum read whole is known, and one not read may hold anything. Of the others the interval holds whatever
    /// they are mixed of and however it lies, for any number of windows, by betting (Waudby-Smith and Ramdas 2024,
    /// "Estimating means of bounded random variables by betting", with stakes fixed beforehand). Whoever claims that
    /// the mean is m gets bets against it: each window multiplies the stake by `1 + λw(m - x)/(1 - m)`. The windows are
    /// drawn independently, so the expected product is that of the expected factors, and those are 1 on average over
    /// the strata if the claim is true: their product is at most 1 (the geometric mean is at most the arithmetic one).
    /// By Markov's inequality the stake then reaches 40 in one of 40 cases at most. What it has reached 40 against is
    /// outside.
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
        let low = (known + drawn_weight * (1.0 - upper(&mirrored))) / total;
        let high = (known + drawn_weight * upper(&drawn) + unread) / total;
        let value = mean(pieces.iter().filter_map(|piece| Some((piece.value?, piece.weight))));
        // Rounding may put the mean of equal values next to them.
        Estimate { value, low: low.clamp(0.0, value), high: high.clamp(value, 1.0) }
    }

    /// The same in a unit of which 1 is `factor`.
    pub(super) fn times(self, factor: f64) -> Self {
        Estimate { value: self.value * factor, low: self.low * factor, high: self.high * factor }
    }
}

/// Of values with their weights; 0 of none.
pub(super) fn mean(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, weight) = values.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
    if weight > 0.0 { sum / weight } else { 0.0 }
}

/// The lowest mean that the bets rule out. The stake rises with the mean claimed, so all above it are ruled out too.
fn upper(drawn: &[(f64, f64)]) -> f64 {
    let heaviest = drawn.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
    let (mut low, mut high) = (mean(drawn.iter().copied()), 1.0);
    for _ in 0..STEPS {
        let claim = low.midpoint(high);
        if claim < 1.0 && stake(drawn, heaviest, claim) < 1.0 / MISS {
            low = claim;
        } else {
            high = claim;
        }
    }
    high
}

/// What a stake of 1, spread over all that may be staked, has become against the claim that the mean is no less.
fn stake(drawn: &[(f64, f64)], heaviest: f64, claim: f64) -> f64 {
    let mut stakes = [1.0f64; STAKES];
    for (value, weight) in drawn {
        let gain = weight / heaviest * (claim - value) / (1.0 - claim) / STAKES as f64;
        for (at, stake) in stakes.iter_mut().enumerate() {
            *stake = (*stake * (1.0 + gain * (at + 1) as f64)).clamp(0.0, HIGHEST);
        }
    }
    stakes.iter().sum::<f64>() / STAKES as f64
}
