use std::io::{self, Write};

use super::condition::conclude;
use super::{Label, Style, field, printable, wrap};
use crate::audit::joined;
use crate::report::{BenchReport, Exit, HashesReport, LoadReport};
use crate::units::{ByteSize, counted};
use crate::verdict::Verdict;

pub(super) fn write(out: &mut impl Write, style: Style, report: &BenchReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.target)))?;
    let hashed = if report.hashed.is_empty() {
        "no digests".to_owned()
    } else {
        format!("hashed by {}", joined(&report.hashed, ", "))
    };
    let headline = format!("{}, read and discarded, {hashed}", ByteSize(report.object_bytes));
    writeln!(out, "  {}", style.dim(&printable(&headline)))?;
    let narrow = style.width < 76;
    let head = if narrow {
        format!("  {:>5} {:>8} {:>9} {:>9}", "GETs", "range", "rate /s", "1st byte")
    } else {
        format!(
            "  {:>5} {:>9} {:>11} {:>11} {:>10} {:>9} {:>6}",
            "GETs", "range", "median /s", "p5 /s", "1st byte", "p99", "cores"
        )
    };
    writeln!(out, "{}", style.dim(&head))?;
    for load in &report.loads {
        writeln!(out, "{}", row(load, narrow))?;
    }
    if let (Some(connections), Some(range), Some(rate)) =
        (report.best_connections, report.best_range_bytes, report.best_bytes_per_second)
    {
        let text = format!(
            "{connections} GETs in flight of {}: {}/s, {:.1} Gbit/s",
            ByteSize(range),
            ByteSize(rate as u64),
            rate * 8.0 / 1e9
        );
        let label = if report.exit_code == Exit::Interrupted { "best so far" } else { "best" };
        field(out, style.width, 2, label, &text)?;
    }
    if let Some(bound) = &report.bound {
        field(out, style.width, 2, "bound by", &format!("{}: {}", bound.by, bound.because))?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    let line = format!(
        "read {} in {:.1} s, {}",
        ByteSize(report.received_bytes),
        report.elapsed_seconds,
        counted(report.requests, "request")
    );
    writeln!(out, "  {}", style.dim(&line))?;
    match report.exit_code {
        Exit::Interrupted => conclude(out, style, Label::new("stopped", Verdict::Unknown), interrupted(report)),
        _ => Ok(()),
    }
}

/// What the figures of a run cover that a signal ended.
fn interrupted(report: &BenchReport) -> &'static str {
    match report.loads.len() {
        0 => "a signal ended it before anything was measured",
        1 => "a signal ended the first measurement; its figures are those until then",
        _ => "a signal ended the measurements; the figures of the last row are those until then",
    }
}

fn row(load: &LoadReport, narrow: bool) -> String {
    let size = |bytes: f64| ByteSize(bytes as u64).to_string();
    let time = |seconds: f64| format!("{:.1} ms", seconds * 1e3);
    let trouble = match (load.throttled, load.retries) {
        (0, 0) if load.stable || narrow => String::new(),
        (0, 0) => "  not stable".to_owned(),
        (throttled, retries) => format!("  {throttled} throttled, {}", counted(retries, "retry")),
    };
    let range = ByteSize(load.range_bytes).to_string();
    let rate = size(load.bytes_per_second);
    let first = time(load.first_byte_seconds.p50);
    if narrow {
        return format!("  {:>5} {range:>8} {rate:>9} {first:>9}{trouble}", load.connections);
    }
    format!(
        "  {:>5} {range:>9} {rate:>11} {:>11} {first:>10} {:>9} {:>6.1}{trouble}",
        load.connections,
        size(load.rates.p5),
        time(load.first_byte_seconds.p99),
        load.cores_busy
    )
}

pub(super) fn write_hashes(out: &mut impl Write, style: Style, report: &HashesReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&format!("hashes on this machine, {}", counted(report.cores, "processor"))))?;
    let links = report.rates.first().map(|rate| rate.links.as_slice()).unwrap_or_default();
    let narrow = style.width < 76;
    // Widths of the columns for the rate and for each link, and the words for a link.
    let (rate_width, link_width, words) =
        if narrow { (6, 6, ["ok", "whole", "binds"]) } else { (12, 13, ["keeps up", "binds whole", "binds"]) };
    let rate_head = if narrow { "GB/s" } else { "GB/s a core" };
    let mut head = format!("  {:<10} {:>7} {rate_head:>rate_width$}", "algorithm", "streams");
    let unit = if narrow { "G" } else { " Gbit/s" };
    links.iter().for_each(|link| head += &format!(" {:>link_width$}", format!("{}{unit}", link.gbit_per_second)));
    writeln!(out, "{}", style.dim(&head))?;
    for rate in &report.rates {
        let mut line = format!(
            "  {:<10} {:>7} {:>rate_width$.2}",
            rate.algorithm,
            rate.streams,
            rate.bytes_per_second_and_core / 1e9
        );
        for link in &rate.links {
            let text = match (link.whole_binds, link.parts_bind) {
                (Some(false), _) | (None, false) => words[0],
                (Some(true), false) => words[1],
                (_, true) => words[2],
            };
            line += &format!(" {text:>link_width$}");
        }
        writeln!(out, "{line}")?;
    }
    let text = format!(
        "`binds`: the link delivers more than all processors can hash. `{}`: a digest of the whole object, which one \
         processor computes in order, is slower than the link; digests of parts keep up.",
        words[1]
    );
    for line in wrap(&text, style.width.saturating_sub(2).max(24)) {
        writeln!(out, "  {}", style.dim(&line))?;
    }
    Ok(())
}
