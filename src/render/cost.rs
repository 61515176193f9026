use std::io::{self, Write};

use super::{Style, field, printable, wrap};
use crate::price::{Amount, CostItem, Source};
use crate::report::{CostLineReport, CostReport, PriceSourceReport};
use crate::units::{ByteSize, counted};

/// Widths in characters: of the item, of its amount, and of the marks of its prices.
const OF: usize = 26;
const AMOUNT: usize = 20;
const MARKS: usize = 5;
/// Width of the longest item, which needs no wrapping where the formula has a line of its own.
const LONGEST_OF: usize = 36;
/// Smallest widths of the terminal for amounts in a column, and for formulas beside them.
const ALIGNED: usize = 4 + LONGEST_OF + 1 + AMOUNT + 1 + MARKS;
const FORMULA_BESIDE: usize = 100;

pub(super) fn write(out: &mut impl Write, style: Style, report: &CostReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.target)))?;
    let mut headline: Vec<String> = report.object_bytes.map(|bytes| ByteSize(bytes).to_string()).into_iter().collect();
    headline.extend(report.storage_class.clone());
    headline.push(format!("prices of {}, in US dollars, by {}", report.price_region, report.prices));
    for line in wrap(&printable(&headline.join(", ")), style.width.saturating_sub(2).max(24)) {
        writeln!(out, "  {}", style.dim(&line))?;
    }
    let mut sources: Vec<&PriceSourceReport> = Vec::new();
    let mut item = None;
    for line in &report.lines {
        if item != Some(line.item) {
            writeln!(out, "  {}", title(line.item))?;
            item = Some(line.item);
        }
        let marks = marks(line, &mut sources);
        row(out, style, line, &marks)?;
    }
    let size = match (report.size.volume_bytes, report.size.written_bytes) {
        (None, None) => format!("not known: {}", report.size.source),
        (volumes, written) => {
            let volumes = volumes.map(|bytes| format!("{} of volumes", ByteSize(bytes)));
            let written = written.map(|bytes| format!("{} written", ByteSize(bytes)));
            let sizes: Vec<String> = volumes.into_iter().chain(written).collect();
            format!("{} ({})", sizes.join(", "), report.size.source)
        }
    };
    field(out, style.width, 2, "logical size", &size)?;
    for (index, source) in sources.iter().enumerate() {
        let known = Source {
            name: source.source.clone(),
            region: source.region.clone(),
            date: source.date.clone(),
            seen: source.seen.clone(),
        };
        field(
            out,
            style.width,
            2,
            &format!("prices [{}]", index + 1),
            &format!("{}: {}", known.region, known.describe()),
        )?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    writeln!(out, "  {}", style.dim(&counted(report.requests, "request")))
}

pub(super) fn title(item: CostItem) -> &'static str {
    match item {
        CostItem::Keep => "keeping it for a month in",
        CostItem::EarlyDeletion => "left to pay if it were deleted now",
        CostItem::Read => "reading every byte once, in",
        CostItem::BringBack => "bringing it back from",
        CostItem::TemporaryCopy => "keeping the temporary copy in",
        CostItem::CopyOut => "copying it out",
        CostItem::Write => "writing it to",
        CostItem::ReadBack => "reading the copy in",
        CostItem::ComputeChecksum => "computing checksums of",
        CostItem::BatchJob => "the fee of",
        CostItem::BatchObjects => "the fee of",
        CostItem::Move => "moving it into",
        CostItem::Store => "storing the AMI",
        CostItem::Restore => "restoring the AMI",
    }
}

/// The footnote numbers of the price sources; new sources are added to the list.
fn marks<'a>(line: &'a CostLineReport, sources: &mut Vec<&'a PriceSourceReport>) -> String {
    let numbers: Vec<String> = line
        .prices
        .iter()
        .map(|source| {
            let known = sources.iter().position(|known| *known == source);
            let index = known.unwrap_or_else(|| {
                sources.push(source);
                sources.len() - 1
            });
            (index + 1).to_string()
        })
        .collect();
    if numbers.is_empty() { String::new() } else { format!("[{}]", numbers.join(",")) }
}

/// A line of an estimate inside the report of another command.
pub(super) fn write_line(out: &mut impl Write, style: Style, line: &CostLineReport) -> io::Result<()> {
    let amount = match &line.reason {
        Some(reason) => format!("unknown: {reason}"),
        None => Amount { least: line.dollars_least, most: line.dollars_most }.describe(),
    };
    let basis = if line.basis.is_empty() { String::new() } else { format!(" ({})", line.basis) };
    field(out, style.width, 2, "cost", &format!("{amount} for {} {}{basis}", title(line.item), line.of))
}

fn row(out: &mut impl Write, style: Style, line: &CostLineReport, marks: &str) -> io::Result<()> {
    let amount = match &line.reason {
        Some(_) => "unknown".to_owned(),
        None => Amount { least: line.dollars_least, most: line.dollars_most }.describe(),
    };
    let here = if line.here { " (here)" } else { "" };
    let of = printable(&format!("{}{here}", line.of));
    let basis = line.takes.iter().chain(line.reason.as_ref().or(Some(&line.basis)));
    let basis = printable(&basis.cloned().collect::<Vec<_>>().join(": "));
    let left = 4 + OF + 1 + AMOUNT.max(amount.chars().count()) + 1 + MARKS.max(marks.len()) + 1;
    if style.width < FORMULA_BESIDE {
        let head = if style.width < ALIGNED {
            format!("    {of} {amount} {marks}")
        } else {
            format!("    {of:<LONGEST_OF$} {amount:>AMOUNT$} {marks}")
        };
        writeln!(out, "{}", head.trim_end())?;
        for line in wrap(&basis, style.width.saturating_sub(6).max(24)) {
            writeln!(out, "      {}", style.dim(&line))?;
        }
        return Ok(());
    }
    let of = wrap(&of, OF);
    let basis = wrap(&basis, style.width.saturating_sub(left).max(20));
    for index in 0..of.len().max(basis.len()) {
        let part = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
        let (amount, marks) = if index == 0 { (amount.as_str(), marks) } else { ("", "") };
        let start = format!("    {:<OF$} {amount:>AMOUNT$} {marks:<MARKS$} ", part(&of));
        let basis = part(&basis);
        if basis.is_empty() {
            writeln!(out, "{}", start.trim_end())?;
        } else {
            writeln!(out, "{start}{}", style.dim(&basis))?;
        }
    }
    Ok(())
}
