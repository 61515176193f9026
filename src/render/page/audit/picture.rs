use askama::Template;
use jiff::Timestamp;

use super::status::{Age, RowStatus};
use crate::render::page::text::{Count, Text};
use crate::render::page::tone::Tone;
use crate::report::AuditedReport;
use crate::units::ByteSize;

/// Distance between two bars, in pixels.
const STEP: usize = 44;

/// Horizontal bars, one below the other, across the available width.
#[derive(Template)]
#[template(path = "audit-bars.html")]
pub(super) struct Bars {
    title: &'static str,
    bars: Vec<Bar>,
    height: usize,
    /// Description of the bars.
    says: Text,
}

struct Bar {
    label: &'static str,
    value: Text,
    class: &'static str,
    /// Share of the width, in percent.
    share: String,
    /// Vertical position of the label, in pixels.
    top: usize,
}

impl Bars {
    /// Builds the bars from labels, values, CSS classes and amounts.
    fn new(title: &'static str, bars: Vec<(&'static str, String, &'static str, u64)>) -> Self {
        let all: u128 = bars.iter().map(|(.., amount)| u128::from(*amount)).sum();
        let says: Vec<String> = bars.iter().map(|(label, value, ..)| format!("{label}: {value}")).collect();
        let bars: Vec<Bar> = bars
            .into_iter()
            .enumerate()
            .map(|(at, (label, value, class, amount))| {
                let share = amount as f64 / (all.max(1) as f64) * 100.0;
                // Keep small amounts visible.
                let share = if amount > 0 { share.max(0.5) } else { 0.0 };
                Bar { label, value: value.into(), class, share: format!("{share:.1}"), top: at * STEP + 16 }
            })
            .collect();
        Bars { title, height: bars.len() * STEP, says: format!("{title}. {}", says.join("; ")).into(), bars }
    }
}

/// Counts what the bars show.
#[derive(Default)]
pub(super) struct Amounts {
    /// Objects by the age of their proof, in the order of [`AGES`].
    ages: [usize; AGES.len()],
    by_status: [OfStatus; RowStatus::ALL.len()],
}

/// The objects of one status.
#[derive(Default, Clone, Copy)]
struct OfStatus {
    count: usize,
    bytes: u64,
    of_unknown_size: usize,
}

/// Ages of proofs, with their tone.
const AGES: [(&str, Tone); 6] = [
    ("less than 7 days", Tone::Pass),
    ("7 to 29 days", Tone::Pass),
    ("30 to 89 days", Tone::Pass),
    ("90 days and more", Tone::Plain),
    ("never proved", Tone::Unknown),
    ("not known", Tone::Error),
];

/// The place of an age in [`AGES`].
fn place(age: Age) -> usize {
    match age {
        Age::Days(days) if days < 7 => 0,
        Age::Days(days) if days < 30 => 1,
        Age::Days(days) if days < 90 => 2,
        Age::Days(_) => 3,
        Age::Never => 4,
        Age::NotKnown => 5,
    }
}

impl Amounts {
    /// Adds an object. Ages are relative to `now`.
    pub(super) fn add(&mut self, standing: RowStatus, report: &AuditedReport, now: Option<Timestamp>) {
        if let Some(count) = self.ages.get_mut(place(Age::of(report, now))) {
            *count += 1;
        }
        let Some(of_status) = self.by_status.get_mut(standing as usize) else { return };
        of_status.count += 1;
        match &report.identity {
            Some(identity) => of_status.bytes = of_status.bytes.saturating_add(identity.object_bytes),
            None => of_status.of_unknown_size += 1,
        }
    }

    /// The bars.
    pub(super) fn bars(&self) -> [Bars; 2] {
        let ages = AGES.iter().zip(self.ages);
        // A last bar without objects is left out.
        let shown = ages.filter(|((_, tone), count)| *tone != Tone::Error || *count > 0);
        let ages = shown.map(|((label, tone), count)| (*label, Count(count).objects(), tone.class(), count as u64));
        let of_status = RowStatus::ALL.into_iter().zip(self.by_status).map(|(standing, amount)| {
            let without = match amount.of_unknown_size {
                0 => String::new(),
                count => format!(", {} of unknown size", Count(count)),
            };
            let value = format!("{} in {}{without}", ByteSize(amount.bytes), Count(amount.count).objects());
            (standing.word(), value, standing.tone().class(), amount.bytes)
        });
        [Bars::new("Age of proofs", ages.collect()), Bars::new("Bytes by verdict", of_status.collect())]
    }
}
