use askama::Template;

use super::blocks::{Block, Facts, Table};
use super::text::{Text, grouped, percent, size};
use crate::content::Content;
use crate::report::{EstimateReport, ProbeReport, RegionReport};
use crate::units::ByteSize;

/// Maximum number of stretches to describe in words.
const MOST_STRETCHES: usize = 40;
/// Maximum number of regions to draw; a probe produces far fewer.
const MOST_REGIONS: usize = 1024;

const CONTENTS: [(Content, &str, &str); 5] = [
    (Content::Dense, "e", "dense: compressed or encrypted"),
    (Content::Structured, "s", "structured"),
    (Content::Sparse, "z", "sparse: mostly zeros"),
    (Content::Uniform, "o", "uniform: one value only"),
    (Content::Unread, "u", "not looked at"),
];

/// A strip from the start to the end of the object that shows the kind of its content.
#[derive(Template)]
#[template(path = "strip.html")]
pub(super) struct Strip {
    bars: Vec<Bar>,
    legend: Vec<(&'static str, &'static str)>,
    says: Text,
    middle: Text,
    end: Text,
}

struct Bar {
    class: &'static str,
    /// Share of the width, in thousandths.
    share: String,
    /// Share of the height, in percent: entropy divided by 8 bits.
    height: String,
    says: Text,
}

pub(super) fn block(probe: &ProbeReport) -> Block {
    if probe.windows == 0 {
        return Block::new("What the bytes look like", Vec::new()).lead("No window was read.");
    }
    let mut facts = Facts::default();
    let looked_at = probe.windows.saturating_mul(probe.window_bytes);
    let windows =
        format!("{} windows of {}, {}", grouped(probe.windows), ByteSize(probe.window_bytes), size(looked_at));
    facts.add("looked at", windows);
    facts.add("seed", probe.seed.to_string());
    let body = [Strip::new(&probe.regions).render(), stretches(&probe.regions).render(), estimates(probe).render()];
    let body = body.into_iter().chain([facts.render()]).flatten().collect();
    Block::new("What the bytes look like", body).lead(
        "Estimated from small windows. It tells dense bytes from structured ones; whether dense bytes are compressed or \
         encrypted it cannot tell.",
    )
}

fn estimates(probe: &ProbeReport) -> Table {
    let columns = &[("estimate", "text"), ("mean", "number"), ("95 % interval", "number")];
    let mut table = Table::new("Estimates over the object", columns).stacking();
    let bits = |value: f64| format!("{value:.2}");
    let mut add = |name: &str, estimate: &EstimateReport, show: &dyn Fn(f64) -> String| {
        let interval = format!("{} to {}", show(estimate.low), show(estimate.high));
        table.add([name.to_owned(), show(estimate.value), interval]);
    };
    add("entropy, bits a byte", &probe.entropy_bits_per_byte, &bits);
    add("bytes in runs of zeros", &probe.zero_share, &percent);
    add("blocks that repeat another, at least", &probe.repeated_share, &percent);
    add("size after zstd", &probe.zstd_share, &percent);
    add("size after gzip", &probe.gzip_share, &percent);
    table
}

/// The CSS class.
fn class(region: &RegionReport) -> &'static str {
    CONTENTS.into_iter().find(|(content, ..)| *content == region.content).map_or("u", |(_, class, _)| class)
}

impl Strip {
    fn new(regions: &[RegionReport]) -> Self {
        let regions = regions.get(..MOST_REGIONS).unwrap_or(regions);
        let end = regions.last().map_or(0, |region| region.offset.saturating_add(region.bytes));
        let mut legend: Vec<(&str, &str)> = Vec::new();
        for (name, class, meaning) in CONTENTS {
            if regions.iter().any(|region| region.content == name) {
                legend.push((class, meaning));
            }
        }
        let told: Vec<String> = runs(regions).iter().take(12).map(|run| run.says()).collect();
        Strip {
            bars: regions.iter().map(|region| Bar::new(region, end)).collect(),
            legend,
            says: format!("Entropy along the object, 0 to 8 bits a byte. {}", told.join("; ")).into(),
            middle: ByteSize(end / 2).to_string().into(),
            end: ByteSize(end).to_string().into(),
        }
    }
}

impl Bar {
    fn new(region: &RegionReport, end: u64) -> Self {
        let (name, class) = (region.content, class(region));
        let share = region.bytes as f64 * 1000.0 / end.max(1) as f64;
        let height = if name == Content::Unread {
            100.0
        } else {
            (region.entropy_bits_per_byte / 8.0 * 100.0).clamp(6.0, 100.0)
        };
        let mut says = format!("offset {}, {}: {name}", grouped(region.offset), ByteSize(region.bytes));
        if name != Content::Unread {
            says += &format!(
                ", {:.2} bits a byte, zeros {}, zstd {}",
                region.entropy_bits_per_byte,
                percent(region.zero_share),
                percent(region.zstd_share)
            );
        }
        Bar { class, share: format!("{share:.2}"), height: format!("{height:.1}"), says: says.into() }
    }
}

/// Adjacent regions of the same content.
struct Run<'a> {
    name: Content,
    regions: &'a [RegionReport],
}

fn runs(regions: &[RegionReport]) -> Vec<Run<'_>> {
    let same = |one: &RegionReport, other: &RegionReport| one.content == other.content;
    let named = |regions| Run {
        name: <[RegionReport]>::first(regions).map_or(Content::Unread, |region| region.content),
        regions,
    };
    regions.chunk_by(same).map(named).collect()
}

impl Run<'_> {
    fn span(&self) -> (u64, u64) {
        let from = self.regions.first().map_or(0, |region| region.offset);
        (from, self.regions.last().map_or(0, |region| region.offset.saturating_add(region.bytes)))
    }

    fn says(&self) -> String {
        let (from, to) = self.span();
        format!("{} to {}: {}", ByteSize(from), ByteSize(to), self.name)
    }

    /// Mean over the regions, weighted by the number of sampled windows.
    fn mean(&self, of: impl Fn(&RegionReport) -> f64) -> f64 {
        let windows: u64 = self.regions.iter().fold(0, |sum, region| sum.saturating_add(region.windows));
        let sum: f64 = self.regions.iter().map(|region| of(region) * region.windows as f64).sum();
        sum / windows.max(1) as f64
    }
}

fn stretches(regions: &[RegionReport]) -> Table {
    let columns = &[
        ("from", "number"),
        ("to", "number"),
        ("content", "text"),
        ("bits a byte", "number"),
        ("zeros", "number"),
        ("zstd", "number"),
        ("gzip", "number"),
    ];
    let mut table = Table::new("Stretches of the object by content", columns);
    let runs = runs(regions);
    table.left_out = runs.len().saturating_sub(MOST_STRETCHES);
    for run in runs.iter().take(MOST_STRETCHES) {
        let (from, to) = run.span();
        let [from, to] = [from, to].map(|at| ByteSize(at).to_string());
        if run.name == Content::Unread {
            table.add([from, to, run.name.to_string(), "–".into(), "–".into(), "–".into(), "–".into()]);
            continue;
        }
        table.add([
            from,
            to,
            run.name.to_string(),
            format!("{:.2}", run.mean(|region| region.entropy_bits_per_byte)),
            percent(run.mean(|region| region.zero_share)),
            percent(run.mean(|region| region.zstd_share)),
            percent(run.mean(|region| region.gzip_share)),
        ]);
    }
    table
}
