use std::fmt;
use std::str::FromStr;

/// The ranges to read when only a part of the object is checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// About this percentage of the ranges, spread evenly: one range is drawn from each of as many equal
    /// sections.
    Percent(f64),
    /// Every `of`-th range, starting with the `slice`-th. `of` runs cover the object.
    Slice {
        /// Number of this slice, from 1 to `of`.
        slice: u32,
        /// Number of slices.
        of: u32,
    },
}

impl Default for Sample {
    /// 5 % of the ranges.
    fn default() -> Self {
        Sample::Percent(5.0)
    }
}

/// The text is neither a percentage nor a slice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sample (a percentage such as 5%, or a slice such as 2/7)")]
pub struct ParseSampleError(pub String);

impl FromStr for Sample {
    type Err = ParseSampleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseSampleError(text.to_owned());
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.trim().parse().map_err(|_| error())?;
            return (percent > 0.0 && percent <= 100.0).then_some(Sample::Percent(percent)).ok_or_else(error);
        }
        let (slice, of) = text.split_once('/').ok_or_else(error)?;
        let slice: u32 = slice.parse().map_err(|_| error())?;
        let of: u32 = of.parse().map_err(|_| error())?;
        ((1..=of).contains(&slice)).then_some(Sample::Slice { slice, of }).ok_or_else(error)
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sample::Percent(percent) => write!(f, "{percent}%"),
            Sample::Slice { slice, of } => write!(f, "{slice}/{of}"),
        }
    }
}

impl Sample {
    /// About how many bytes the sample reads of an object of `size` bytes.
    pub fn bytes_of(self, size: u64) -> u64 {
        match self {
            Sample::Percent(percent) => (size as f64 * percent / 100.0).ceil() as u64,
            Sample::Slice { of, .. } => size.div_ceil(u64::from(of)),
        }
    }

    /// The positions to read out of `count`, ascending. `random` returns numbers in `0.0..1.0`.
    pub fn choose(self, count: usize, mut random: impl FnMut() -> f64) -> Vec<usize> {
        match self {
            Sample::Slice { slice, of } => (0..count).skip(slice as usize - 1).step_by(of as usize).collect(),
            Sample::Percent(percent) => {
                let wanted = ((count as f64 * percent / 100.0).ceil() as usize).clamp(usize::from(count > 0), count);
                (0..wanted)
                    .map(|stretch| {
                        let start = stretch * count / wanted;
                        let end = (stretch + 1) * count / wanted;
                        start + ((random() * (end - start) as f64) as usize).min(end - start - 1)
                    })
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_it_prints() {
        for text in ["5%", "2/7", "0.5%", "100%", "1/1"] {
            assert_eq!(text.parse::<Sample>().unwrap().to_string(), text);
        }
        for text in ["", "5", "0%", "101%", "-1%", "0/7", "8/7", "1/0", "NaN%", "a/b"] {
            assert!(text.parse::<Sample>().is_err(), "{text}");
        }
    }

    #[test]
    fn of_nothing_nothing_is_drawn() {
        assert_eq!(Sample::Percent(50.0).choose(0, || 0.0), [0; 0]);
        assert_eq!((Sample::Percent(5.0).bytes_of(1001), Sample::Slice { slice: 2, of: 7 }.bytes_of(50)), (51, 8));
    }

    proptest! {
        #[test]
        fn slices_together_cover_everything_once(count in 0usize..500, of in 1u32..20) {
            let mut all: Vec<usize> = (1..=of)
                .flat_map(|slice| Sample::Slice { slice, of }.choose(count, || 0.0))
                .collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
        }

        /// The draw can select the first range of a section, the last, or one between.
        #[test]
        fn each_stretch_is_drawn_from_end_to_end(count in 1usize..500, percent in 0.1f64..100.0) {
            let sample = Sample::Percent(percent);
            let (first, last) = (sample.choose(count, || 0.0), sample.choose(count, || 1.0 - f64::EPSILON));
            let middle = sample.choose(count, || 0.5);
            prop_assert_eq!((first[0], *last.last().unwrap()), (0, count - 1));
            for (next, end) in first.iter().skip(1).zip(&last) {
                prop_assert_eq!(*next, end + 1, "stretches join");
            }
            for ((first, last), middle) in first.iter().zip(&last).zip(&middle) {
                prop_assert_eq!(*middle, first + (last + 1 - first) / 2);
            }
        }

        #[test]
        fn percents_are_spread_and_distinct(count in 1usize..500, percent in 0.1f64..100.0, draw in 0.0f64..1.0) {
            let chosen = Sample::Percent(percent).choose(count, || draw);
            let distinct: BTreeSet<_> = chosen.iter().collect();
            prop_assert_eq!(distinct.len(), chosen.len());
            prop_assert!(chosen.iter().all(|index| *index < count));
            prop_assert_eq!(chosen.len(), ((count as f64 * percent / 100.0).ceil() as usize).clamp(1, count));
        }
    }
}
