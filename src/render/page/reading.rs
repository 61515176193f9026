use askama::Template;

use super::blocks::{Block, Chart, Facts, List, Table};
use super::text::{Text, grouped, rate, size};
use crate::checks::RatioBasis;
use crate::render::plot::{loads_for_page, rates_for_page};
use crate::report::{BenchReport, Percentiles, RatioReport, StatsReport, StreamReport};
use crate::units::{ByteSize, counted};

const WIDE: u32 = 820;
const NARROW: u32 = 340;
/// Maximum number of points of a line; more would not be visible.
const MOST_POINTS: usize = 400;

/// Requests, bytes and throughput of the read of an object of `object_bytes`.
pub(super) fn stats(stats: &StatsReport, object_bytes: u64) -> Block {
    let mut facts = Facts::default();
    if stats.received_bytes != object_bytes {
        facts.add("received", size(stats.received_bytes));
    }
    if ![object_bytes, stats.received_bytes].contains(&stats.covered_bytes) {
        facts.add("covered", size(stats.covered_bytes));
    }
    let mean = if stats.elapsed_seconds > 0.0 {
        format!(", {} on average", rate(stats.received_bytes as f64 / stats.elapsed_seconds))
    } else {
        String::new()
    };
    facts.add("time", format!("{:.1} s{mean}", stats.elapsed_seconds));
    let requests =
        format!("{}, of these {} reads; {} repeated", grouped(stats.requests), grouped(stats.reads), stats.retries);
    facts.add("requests", requests);
    let mut body: Vec<String> = facts.render().into_iter().collect();
    let seconds = stats.period_seconds.unwrap_or_default() * stats.periods.len() as f64;
    if stats.periods.len() > 1 && seconds.is_finite() && seconds > 0.0 {
        let of = Percentiles::of(stats.periods.clone());
        let both = |bytes: f64| format!("{} ({:.1} Gbit/s)", rate(bytes), bytes * 8.0 / 1e9);
        let says = format!(
            "Throughput over {seconds:.1} s: half of the time {} or more, a twentieth of it {} or less.",
            both(of.p50),
            both(of.p5)
        );
        let points = thinned(&stats.periods);
        body.extend(chart(says, |width| rates_for_page(&points, seconds, width)));
    }
    Block::new("The reading", body)
}

/// Averages adjacent values, so that the chart has at most `MOST_POINTS` points.
fn thinned(periods: &[f64]) -> Vec<f64> {
    let each = periods.len().div_ceil(MOST_POINTS).max(1);
    periods.chunks(each).map(|near| near.iter().sum::<f64>() / near.len() as f64).collect()
}

fn chart(says: String, draw: impl Fn(u32) -> Result<String, String>) -> Option<String> {
    let (wide, narrow) = (draw(WIDE).ok()?, draw(NARROW).ok()?);
    // `says` contains no external text, so it needs no escaping.
    let opening = format!("<svg role=\"img\" aria-label=\"{says}\" ");
    let named = |svg: String| svg.replacen("<svg ", &opening, 1);
    Chart { wide: named(wide), narrow: named(narrow), says: Text::from(&says) }.render().ok()
}

/// The charts and tables of `bench`.
pub(super) fn loads(report: &BenchReport) -> Block {
    let mut table = Table::new(
        "Readings by GETs in flight and size of ranges",
        &[
            ("GETs in flight", "number"),
            ("range", "number"),
            ("median", "number"),
            ("5th percentile", "number"),
            ("95th percentile", "number"),
            ("first byte", "number"),
            ("99th percentile", "number"),
            ("cores busy", "number"),
            ("remarks", "text"),
        ],
    );
    for load in &report.loads {
        let mut remarks = Vec::new();
        if !load.stable {
            remarks.push("not stable".to_owned());
        }
        if load.throttled > 0 {
            remarks.push(format!("{} throttled", load.throttled));
        }
        if load.retries > 0 {
            remarks.push(counted(load.retries, "retry"));
        }
        let time = |seconds: f64| format!("{:.1} ms", seconds * 1e3);
        table.add([
            load.connections.to_string(),
            ByteSize(load.range_bytes).to_string(),
            rate(load.bytes_per_second),
            rate(load.rates.p5),
            rate(load.rates.p95),
            time(load.first_byte_seconds.p50),
            time(load.first_byte_seconds.p99),
            format!("{:.1}", load.cores_busy),
            remarks.join(", "),
        ]);
    }
    let says = match report.loads.as_slice() {
        [] => String::new(),
        [one] => format!("Throughput over {:.1} s; the median is {}.", one.elapsed_seconds, rate(one.bytes_per_second)),
        _ => {
            "Throughput by GETs in flight: medians, and what lies between the 5th and the 95th percentile; all values \
              are in the table."
                .to_owned()
        }
    };
    let drawn = (!report.loads.is_empty()).then(|| chart(says, |width| loads_for_page(report, width))).flatten();
    Block::new("What was measured", drawn.into_iter().chain(table.render()).collect())
}

pub(super) fn ratio(report: &RatioReport) -> Block {
    let columns = &[("basis", "text"), ("logical bytes", "number"), ("ratio", "number"), ("source", "text")];
    let mut table = Table::new("By what is known", columns).stacking();
    for basis in &report.bases {
        table.add([
            basis_in_words(basis.basis),
            size(basis.logical_bytes),
            format!("{:.2}", basis.ratio),
            basis.source.clone(),
        ]);
    }
    let missing = report.missing.iter().map(|missing| {
        let text = format!("By {}: not known, for {}", basis_in_words(missing.basis), missing.reason);
        (text.into(), Text::from(&missing.advice))
    });
    let missing = List { items: missing.collect(), scrolls: None };
    let mut body: Vec<String> = Vec::new();
    if !table.rows.is_empty() {
        body.extend(table.render());
    }
    if !missing.items.is_empty() {
        body.extend(missing.render());
    }
    let mut lead = format!(
        "Logical bytes over stored bytes, which are {}. What AWS counts is not published, so none of these is the \
         ratio.",
        size(report.stored_bytes)
    );
    if let Some((lowest, highest)) = report.spread.filter(|(lowest, highest)| lowest < highest) {
        lead += &format!(" Depending on what is counted, it is between {lowest:.2} and {highest:.2}.");
    }
    Block::new("Compression ratio", body).lead(lead)
}

fn basis_in_words(basis: RatioBasis) -> String {
    let words = match basis {
        RatioBasis::Volumes => "size of all volumes",
        RatioBasis::Written => "blocks written to the snapshots",
        RatioBasis::Stated => "as stated by a person",
        RatioBasis::Decoded => "bytes that came out of the stream",
    };
    words.to_owned()
}

pub(super) fn stream(report: &StreamReport) -> Block {
    let mut facts = Facts::default();
    facts.add("format", report.format);
    facts.add("result", &report.detail);
    facts.add("decoded", size(report.decoded_bytes));
    facts.add("without a complaint", format!("up to offset {}", grouped(report.good_bytes)));
    let frames = format!("{}, with {} checksums of their own", grouped(report.frames), grouped(report.checksums));
    facts.add("frames or members", frames);
    Block::new("Decoded as a stream", facts.render().into_iter().collect())
}
