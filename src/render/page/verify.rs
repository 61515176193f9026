use askama::Template;

use super::blocks::{Block, Facts, List, Table};
use super::findings::Findings;
use super::parts::PartMap;
use super::text::size;
use super::tone::Tone;
use super::{Section, reading, strip};
use crate::audit::joined;
use crate::render::verify::{conclusion, describe_layout};
use crate::report::{DigestReport, IdentityReport, LayoutReport, Note, VerifyReport};

pub(super) fn section(report: &VerifyReport) -> Section {
    let mut section =
        Section::new(&report.target, Tone::of_verdict(report.verdict), &conclusion(report), report.exit_code);
    section.remark = if report.accepted.is_empty() {
        String::new().into()
    } else {
        format!("Its unknown was accepted: {}", joined(&report.accepted, ", ")).into()
    };
    section.bytes = Some(report.identity.object_bytes);
    let mut block = |block: Block| section.blocks.push(block);
    if !report.proved_by.is_empty() {
        block(proofs(report));
    }
    block(Block::new("Findings", Findings::new(&report.findings).render().into_iter().collect()));
    if let Some(map) = PartMap::new(&report.parts, report.layout.as_ref()) {
        block(Block::new("Parts", map.render().into_iter().collect()));
    }
    notes(&report.notes).into_iter().for_each(&mut block);
    block(facts(report));
    report.stream.iter().map(reading::stream).for_each(&mut block);
    report.ratio.iter().map(reading::ratio).for_each(&mut block);
    report.probe.iter().map(strip::block).for_each(&mut block);
    if !report.digests.is_empty() {
        block(digests(&report.digests));
    }
    block(reading::stats(&report.stats));
    section
}

fn proofs(report: &VerifyReport) -> Block {
    let columns = &[("reference", "data"), ("known from", "text"), ("value", "data")];
    let mut table = Table::new("References that matched over every byte", columns).stacking();
    for name in &report.proved_by {
        let finding = report.findings.iter().find(|finding| finding.check == *name);
        let [source, value] = [finding.and_then(|f| f.source.clone()), finding.and_then(|f| f.observed.clone())];
        table.add([name.to_string(), source.unwrap_or_default(), value.unwrap_or_default()]);
    }
    Block::new("What proved it", table.render().into_iter().collect())
}

pub(super) fn notes(notes: &[Note]) -> Option<Block> {
    let texts: Vec<String> = notes.iter().map(ToString::to_string).collect();
    let body = || List::of(&texts).render().into_iter().collect();
    (!notes.is_empty()).then(|| Block::new("Notes", body()))
}

fn facts(report: &VerifyReport) -> Block {
    let mut facts = Facts::default();
    identity(&mut facts, &report.identity, "");
    if let Some(layout) = &report.layout {
        add_layout(&mut facts, layout);
    }
    Block::new("What was read", facts.render().into_iter().collect())
}

pub(super) fn identity(facts: &mut Facts, identity: &IdentityReport, source: &str) {
    facts.add_from("size", size(identity.object_bytes), source);
    if let Some(etag) = &identity.etag {
        facts.add_data("ETag", etag, "");
    }
    if let Some(version) = &identity.version_id {
        facts.add_data("version", version, "");
    }
    facts.add_some("modified", identity.last_modified.as_ref());
    if let Some(id) = &identity.ami_id {
        facts.add_data("AMI id", id, "in the name");
    }
}

pub(super) fn add_layout(facts: &mut Facts, layout: &LayoutReport) {
    facts.add_from("part layout", describe_layout(layout), &layout.source);
    if let Some(last) = layout.last_part_bytes.filter(|_| layout.parts.is_some_and(|parts| parts > 1)) {
        facts.add("last part", size(last));
    }
}

fn digests(digests: &[DigestReport]) -> Block {
    let mut facts = Facts::default();
    for digest in digests {
        facts.add_data(digest.algorithm.name(), &digest.hex, "hexadecimal");
        facts.add_data("", &digest.base64, "base64");
    }
    Block::new("Digests of all bytes", facts.render().into_iter().collect())
}
