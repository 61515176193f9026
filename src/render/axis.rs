//! Axes of plots: round numbers, or the numbers that were tried.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;

/// Number of labels to aim for on a linear axis.
const LABELS: f64 = 5.0;
/// Minimum distance between two labels of a logarithmic axis, as a share of its length.
const LEAST_DISTANCE: f64 = 0.06;

/// Labels of a linear axis from 0, at multiples of 1, 2 or 5 times a power of ten.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RoundAxis {
    /// Positions of the labels, from 0.
    pub points: Vec<f64>,
    /// The first label that is not below the largest value.
    pub end: f64,
    decimals: usize,
}

impl RoundAxis {
    /// An axis that contains all values from 0 to `most`.
    pub(super) fn up_to(most: f64) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let power = (most / LABELS).log10().floor();
        let decade = 10_f64.powf(power);
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * decade);
        let step = step.into_iter().find(|step| most / step <= LABELS).unwrap_or(decade * 10.0);
        // A value that is a multiple up to rounding needs no further label.
        let count = (most / step - 1e-9).ceil().max(1.0);
        let exponent = if step >= decade * 10.0 { power + 1.0 } else { power };
        RoundAxis {
            points: (0..=count as u32).map(|at| f64::from(at) * step).collect(),
            end: count * step,
            decimals: (-exponent).max(0.0) as usize,
        }
    }

    /// The text of a label, with as many decimals as its step needs.
    pub(super) fn label(&self, value: &f64) -> String {
        format!("{value:.*}", self.decimals)
    }
}

/// A linear axis with labels at given positions only.
pub(super) struct Labelled {
    axis: RangedCoordf64,
    points: Vec<f64>,
}

impl Labelled {
    /// An axis from 0 to `end`.
    pub(super) fn up_to(end: f64, points: &[f64]) -> Self {
        let points = points.iter().copied().filter(|point| *point <= end).collect();
        Labelled { axis: (0.0..end).into(), points }
    }
}

impl Ranged for Labelled {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.axis.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Light points have no labels.
        if hint.weight().allow_light_points() { Vec::new() } else { self.points.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.axis.range()
    }
}

/// The numbers that were tried, without those that would overlap with the label before on a logarithmic axis.
pub(super) fn tried_values(values: impl Iterator<Item = u64>) -> Vec<f64> {
    let mut sorted: Vec<u64> = values.filter(|value| *value > 0).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let least = (*last as f64 / *first as f64).ln() * LEAST_DISTANCE;
    let mut labels: Vec<f64> = Vec::new();
    // From the end, so that the largest number always has its label.
    for value in sorted.iter().rev().map(|value| *value as f64) {
        if labels.last().is_none_or(|next: &f64| (next / value).ln() >= least) {
            labels.push(value);
        }
    }
    labels.reverse();
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_round_and_few() {
        let labels = |most: f64| {
            let axis = RoundAxis::up_to(most);
            axis.points.iter().map(|point| axis.label(point)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(labels(20.3), "0 5 10 15 20 25");
        assert_eq!(labels(1.0), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(0.034), "0.00 0.01 0.02 0.03 0.04");
        assert_eq!(labels(420.0), "0 100 200 300 400 500");
        assert_eq!(labels(7.1), "0 2 4 6 8");
        assert_eq!(labels(0.3), "0.0 0.1 0.2 0.3");
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(RoundAxis::up_to(odd).end, 1.0);
        }
    }

    #[test]
    fn tried_numbers_are_labelled_unless_they_overlap() {
        assert_eq!(tried_values([4, 8, 16, 8, 32].into_iter()), [4.0, 8.0, 16.0, 32.0]);
        assert_eq!(tried_values([1, 99, 100].into_iter()), [1.0, 100.0]);
        assert_eq!(tried_values([7].into_iter()), [7.0]);
        assert!(tried_values(std::iter::empty()).is_empty());
    }
}
