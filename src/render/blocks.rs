use std::io::{self, Write};

use super::condition::conclude;
use super::{Label, Style, beside, field, printable, shell_word, wrap};
use crate::price::Amount;
use crate::report::{
    BlockEstimateReport, BlockStatsReport, Exit, FingerprintOutcome, FingerprintReport, PriceSourceReport, ProofSource,
    ProveReport, ProvedVolumeReport,
};
use crate::units::{ByteSize, duration, noun};
use crate::verdict::Verdict;

/// Differences of a volume that are shown; JSON has 100.
const SHOWN: usize = 10;

fn count(number: u64, what: &str) -> String {
    format!("{} {}", ByteSize(number).grouped(), noun(number, what))
}

/// `least to most`, or one number.
fn range(least: u64, most: u64, what: &str) -> String {
    match least == most || least == 0 {
        true if least == most => count(most, what),
        true => format!("at most {}", count(most, what)),
        false => format!("{} to {}", ByteSize(least).grouped(), count(most, what)),
    }
}

/// An amount with the source of its price.
pub(super) fn priced(amount: Amount, price: Option<&PriceSourceReport>) -> String {
    let source = price.map(|price| format!(" by list price ({}, {})", price.source, price.region));
    format!("{}{}", amount.describe(), source.unwrap_or_default())
}

pub(super) fn estimate(out: &mut impl Write, style: Style, estimate: &BlockEstimateReport) -> io::Result<()> {
    let blocks = range(estimate.blocks_least, estimate.blocks_most, "block");
    let requests = range(estimate.requests_least, estimate.requests_most, "request");
    field(out, style.width, 2, "to read", &format!("{blocks} of 512 KiB, {requests}"))?;
    let amount = Amount { least: estimate.dollars_least, most: estimate.dollars_most };
    field(out, style.width, 2, "price", &priced(amount, estimate.price.as_ref()))?;
    let time = duration(estimate.seconds_most as f64);
    field(out, style.width, 2, "time", &format!("up to {time} at {} blocks a second", estimate.block_rate))
}

fn stats(out: &mut impl Write, style: Style, stats: &BlockStatsReport) -> io::Result<()> {
    let retries = if stats.retries > 0 { format!(", {}", count(stats.retries, "retry")) } else { String::new() };
    let text = format!(
        "{}, {} of blocks{retries}, {}",
        count(stats.requests, "request"),
        ByteSize(stats.block_reads).grouped(),
        duration(stats.elapsed_seconds)
    );
    writeln!(out, "  {}", style.dim(&text))
}

pub(super) fn write_fingerprint(out: &mut impl Write, style: Style, report: &FingerprintReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.image)))?;
    if report.outcome == FingerprintOutcome::Planned {
        estimate(out, style, &report.estimate)?;
    }
    for volume in &report.volumes {
        let text = format!(
            "{} GiB, {} of {} with content, SHA-256 {}",
            volume.volume_gib,
            ByteSize(volume.blocks).grouped(),
            count(volume.listed_blocks, "written block"),
            volume.content_sha256
        );
        field(out, style.width, 2, &printable(&volume.device), &text)?;
    }
    if report.resumed_blocks > 0 {
        field(
            out,
            style.width,
            2,
            "resumed",
            &format!("an earlier run had read {}", count(report.resumed_blocks, "block")),
        )?;
    }
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    if report.outcome != FingerprintOutcome::Planned {
        stats(out, style, &report.stats)?;
    }
    let (label, text) = match report.outcome {
        FingerprintOutcome::Planned => (Label::new("ready", Verdict::Pass), planned(report.goes_on)),
        FingerprintOutcome::Written if report.read_blocks == 0 && report.resumed_blocks > 0 => {
            (Label::new("written", Verdict::Pass), "nothing was read: an earlier run had read every block")
        }
        FingerprintOutcome::Written => (Label::new("written", Verdict::Pass), "every block was read"),
        FingerprintOutcome::Limited => (
            Label::new("unknown", Verdict::Unknown),
            "the blocks that were agreed to are read, and the snapshots list more than EC2 states; the same command goes \
             on with as many again",
        ),
        FingerprintOutcome::Interrupted => (Label::new("stopped", Verdict::Unknown), "a signal ended it"),
    };
    conclude(out, style, label, text)
}

/// What follows a plan.
fn planned(goes_on: bool) -> &'static str {
    match goes_on {
        true => "nothing known prevents the reading",
        false => "nothing known prevents the reading; no block was read (--dry-run)",
    }
}

pub(super) fn write_prove(out: &mut impl Write, style: Style, report: &ProveReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.image)))?;
    let against = match report.against {
        ProofSource::Record => format!("the record of {}", report.expected_image),
        ProofSource::Image => format!("the AMI {}", report.expected_image),
    };
    field(out, style.width, 2, "against", &against)?;
    if !report.started {
        estimate(out, style, &report.estimate)?;
        field(out, style.width, 2, "again", "a block that differs is read a second time")?;
    }
    report.volumes.iter().try_for_each(|volume| write_volume(out, style, volume))?;
    for note in style.notes(&report.notes) {
        field(out, style.width, 2, "note", &note.to_string())?;
    }
    if !report.started {
        return conclude(out, style, Label::new("ready", Verdict::Pass), planned(report.goes_on));
    }
    if let (Some(object), Some(head)) = (&report.recorded_with, &report.ledger_head) {
        field(out, style.width, 2, "recorded", &format!("with {}, head {head}", shell_word(object)))?;
    }
    stats(out, style, &report.stats)?;
    conclude(out, style, report.verdict, &conclusion(report))
}

pub(super) fn write_volume(out: &mut impl Write, style: Style, volume: &ProvedVolumeReport) -> io::Result<()> {
    let mut facts = Vec::new();
    facts.extend(volume.volume_gib.map(|gib| format!("{gib} GiB")));
    facts.extend(volume.snapshot_id.clone());
    if volume.same_blocks + volume.differing_blocks > 0 || volume.verdict == Verdict::Pass {
        facts.push(format!("{} the same", count(volume.same_blocks, "block")));
    }
    if volume.differing_blocks > 0 {
        let differ = if volume.differing_blocks == 1 { "differs" } else { "differ" };
        facts.push(format!("{} {differ}", count(volume.differing_blocks, "block")));
    }
    if volume.skipped_blocks > 0 {
        facts.push(format!("{} not read", count(volume.skipped_blocks, "block")));
    }
    let head = format!("  {} {}", style.verdict(volume.verdict, 7), printable(&volume.device));
    let indent = 2 + 7 + 1 + volume.device.chars().count() + 1;
    beside(out, style, &format!("{head} "), indent, |width| wrap(&printable(&facts.join(", ")), width))?;
    for difference in volume.differences.iter().take(SHOWN) {
        let text = format!(
            "block {} at byte {}: expected SHA-256 {}, read twice {}",
            difference.block,
            ByteSize(difference.offset_bytes).grouped(),
            difference.expected_sha256,
            difference.observed_sha256
        );
        field(out, style.width, 10, "differs", &text)?;
    }
    let more = volume.differing_blocks.saturating_sub(volume.differences.len().min(SHOWN) as u64);
    if more > 0 {
        field(out, style.width, 10, "differs", &format!("{} more", ByteSize(more).grouped()))?;
    }
    volume.reasons.iter().try_for_each(|reason| field(out, style.width, 10, reason.code.name(), &reason.detail))
}

fn conclusion(report: &ProveReport) -> String {
    let sample = report.detectable_blocks.filter(|_| report.volumes.iter().any(|volume| volume.skipped_blocks > 0));
    let detects = sample.map(|blocks| {
        format!("; a change of {} or more, spread at random, would have been found with 95 %", count(blocks, "block"))
    });
    match (report.verdict, report.exit_code) {
        (Verdict::Pass, _) => "every block of every volume is the same".to_owned(),
        (Verdict::Fail, _) => "the AMI does not have the content that it should have".to_owned(),
        (Verdict::Unknown, Exit::Interrupted) => "a signal ended it before every block was compared".to_owned(),
        (Verdict::Unknown, _) => format!("not every block is proved{}", detects.unwrap_or_default()),
    }
}
