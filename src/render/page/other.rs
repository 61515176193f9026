use askama::Template;

use super::blocks::{Block, Facts, Lines};
use super::text::{Text, grouped, rate, size};
use super::tone::Tone;
use super::verify::notes;
use super::{Section, reading};
use crate::audit::joined;
use crate::render::{Detail, Human, Renderer, Style};
use crate::report::{BenchReport, ErrorReport, Exit, Report};
use crate::units::ByteSize;

pub(super) fn bench(report: &BenchReport) -> Section {
    let best = match (report.best_bytes_per_second, report.best_connections, report.best_range_bytes) {
        (Some(best), Some(connections), Some(range)) => format!(
            "{} ({:.1} Gbit/s) with {connections} GETs in flight of {}",
            rate(best),
            best * 8.0 / 1e9,
            ByteSize(range)
        ),
        _ => "nothing can be recommended".to_owned(),
    };
    let tone = if report.exit_code == Exit::Passed { Tone::Plain } else { Tone::of_exit(report.exit_code) };
    let mut section = Section::new(&report.target, tone, &best, report.exit_code);
    if tone == Tone::Plain {
        section.word = "Measured";
    }
    section.bytes = Some(report.object_bytes);
    if let Some(bound) = &report.bound {
        section.remark = format!("Bound by {}: {}", bound.by, bound.because).into();
    }
    section.blocks.push(reading::loads(report));
    section.blocks.extend(notes(&report.notes));
    let mut facts = Facts::default();
    facts.add("object", size(report.object_bytes));
    let hashed = if report.hashed.is_empty() { "nothing".to_owned() } else { joined(&report.hashed, ", ") };
    facts.add("hashed", hashed);
    facts.add("received", size(report.received_bytes));
    facts.add("time", format!("{:.1} s", report.elapsed_seconds));
    facts.add("requests", grouped(report.requests));
    section.blocks.push(Block::new("The reading", facts.render().into_iter().collect()));
    section
}

pub(super) fn error(report: &ErrorReport) -> Section {
    let mut section = Section::new(&report.target, Tone::Error, &report.message, report.exit_code);
    if let Some(advice) = &report.advice {
        let mut facts = Facts::default();
        facts.add("what to do", advice);
        section.blocks.push(Block::new("Next step", facts.render().into_iter().collect()));
    }
    let mut facts = Facts::default();
    facts.add_some("error code", report.error_code.as_ref());
    if let Some(id) = &report.request_id {
        facts.add_data("request id", id, "");
    }
    if report.error_code.is_some() || report.request_id.is_some() {
        section.blocks.push(Block::new("What the server said", facts.render().into_iter().collect()));
    }
    section
}

/// Reports without a template are shown as on a terminal.
pub(super) fn plain(report: &Report) -> Option<Section> {
    let (target, code) = match report {
        Report::Preflight(report) => (&report.target, report.exit_code),
        Report::Stored(report) => (&report.key, report.exit_code),
        Report::Cost(report) => (&report.target, report.exit_code),
        Report::Task(report) => (&report.image, report.exit_code),
        Report::Copy(report) => (&report.destination, report.exit_code),
        Report::Compare(report) => (&report.a.target, report.exit_code),
        Report::Thaw(report) => (&report.target, report.exit_code),
        Report::Fingerprint(report) => (&report.image, report.exit_code),
        Report::Prove(report) => (&report.image, report.exit_code),
        Report::BatchPlan(report) => (&report.plan, report.exit_code),
        Report::BatchJob(report) => (&report.job_id, report.exit_code),
        Report::BatchObject(report) => (&report.target, report.exit_code),
        Report::Batch(report) => (&report.from, report.exit_code),
        Report::Drill(report) => (&report.target, report.exit_code),
        _ => return None,
    };
    let mut text = Vec::new();
    Human::new(&mut text, Style { width: 80, detail: Detail::Full, ..Style::PLAIN }).render(report).ok()?;
    let lines = String::from_utf8_lossy(&text).lines().map(Text::from).collect();
    let mut section = Section::new(target, Tone::of_exit(code), "", code);
    section.blocks.push(Block::new("Report", Lines { lines }.render().into_iter().collect()));
    Some(section)
}
