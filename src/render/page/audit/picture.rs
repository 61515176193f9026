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

/// Number of objects by age of their proof.
pub(super) fn ages(objects: &[&AuditedReport], now: Option<Timestamp>) -> Bars {
    let ages: Vec<Age> = objects.iter().map(|report| Age::of(report, now)).collect();
    let bar = |label, class, fits: &dyn Fn(Age) -> bool| {
        let count = ages.iter().filter(|age| fits(**age)).count();
        (label, Count(count).objects(), class, count as u64)
    };
    let within = |from: i64, to: i64| move |age: Age| matches!(age, Age::Days(days) if (from..to).contains(&days));
    let mut bars = vec![
        bar("less than 7 days", Tone::Pass.class(), &within(0, 7)),
        bar("7 to 29 days", Tone::Pass.class(), &within(7, 30)),
        bar("30 to 89 days", Tone::Pass.class(), &within(30, 90)),
        bar("90 days and more", Tone::Plain.class(), &within(90, i64::MAX)),
        bar("never proved", Tone::Unknown.class(), &|age| age == Age::Never),
    ];
    let not_known = bar("not known", Tone::Error.class(), &|age| age == Age::NotKnown);
    bars.extend(Some(not_known).filter(|(.., count)| *count > 0));
    Bars::new("Age of proofs", bars)
}

/// Number of bytes by status of the objects.
pub(super) fn bytes(objects: &[&AuditedReport]) -> Bars {
    let bar = |standing: RowStatus| {
        let found: Vec<_> = objects.iter().filter(|report| RowStatus::of(report) == standing).collect();
        let sizes = found.iter().filter_map(|report| report.identity.as_ref());
        let bytes = sizes.fold(0_u64, |sum, identity| sum.saturating_add(identity.object_bytes));
        let without = match found.iter().filter(|report| report.identity.is_none()).count() {
            0 => String::new(),
            count => format!(", {} of unknown size", Count(count)),
        };
        let value = format!("{} in {}{without}", ByteSize(bytes), Count(found.len()).objects());
        (standing.word(), value, standing.tone().class(), bytes)
    };
    Bars::new("Bytes by verdict", RowStatus::ALL.map(bar).into())
}
