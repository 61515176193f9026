use askama::Template;

use super::blocks::{Block, Facts, List, StepView, Steps, Table};
use super::damage::{Damage, Most, disagrees};
use super::findings::Findings;
use super::parts::PartMap;
use super::text::size;
use super::tone::Tone;
use super::{Section, reading, strip};
use crate::audit::joined;
use crate::ident::Target;
use crate::render::next_step::{Damaged, NextStep};
use crate::render::verify::{conclusion, layout_after};
use crate::report::{DigestReport, FindingReport, IdentityReport, LayoutReport, Note, PartState, VerifyReport};
use crate::verdict::{CheckId, Verdict};

/// Maximum numbers of damaged parts.
const MOST_DAMAGE: Most = Most { first: 5, all: 200 };

pub(super) fn section(report: &VerifyReport) -> Section {
    let (says, next) = reason(report);
    let mut section = Section::new(&report.target, Tone::of_verdict(report.verdict), &says, report.exit_code);
    if !report.accepted.is_empty() {
        section.remark = format!("Accepted although unknown: {}", joined(&report.accepted, ", ")).into();
    }
    section.next = next.as_ref().map(StepView::from);
    section.bytes = Some(report.identity.object_bytes);
    let damage = Damage::new(report.findings.iter(), report.layout.as_ref().and_then(|l| l.parts), MOST_DAMAGE);
    let mut block = |block: Block| section.blocks.push(block);
    // The blocks of the damaged parts name them, if they are all there.
    let listed: &[PartState] = match &damage {
        Some(damage) if !damage.is_cut() => &[PartState::InQuestion],
        _ => &[PartState::Damaged, PartState::InQuestion],
    };
    if let Some(map) = PartMap::new(&report.parts, report.layout.as_ref(), listed) {
        block(Block::new("Parts", map.render().into_iter().collect()));
    }
    if let Some(damage) = &damage {
        block(Block::new("Damage", damage.render().into_iter().collect()));
    }
    let mut steps = NextStep::after_verification(report);
    if steps.is_empty() && report.findings.iter().any(disagrees) {
        let target = report.target.parse::<Target>();
        steps.extend(target.iter().flat_map(|one| NextStep::after_damage(Damaged::new(one, &report.identity))));
    }
    Steps::block(&steps).into_iter().for_each(&mut block);
    if !report.proved_by.is_empty() {
        block(proofs(report));
    }
    let findings = Findings::of(findings(report, damage.is_some()), &report.target, &says);
    if !findings.is_empty() {
        block(Block::new("Findings", findings.render().into_iter().collect()));
    }
    notes(&report.notes).into_iter().for_each(&mut block);
    block(facts(report));
    report.stream.iter().map(reading::stream).for_each(&mut block);
    report.ratio.iter().map(reading::ratio).for_each(&mut block);
    report.probe.iter().map(strip::block).for_each(&mut block);
    if !report.digests.is_empty() {
        block(digests(&report.digests));
    }
    block(reading::stats(&report.stats, report.identity.object_bytes));
    section
}

/// The reason of the verdict, and what to do about it if it is unknown.
fn reason(report: &VerifyReport) -> (String, Option<NextStep>) {
    if report.verdict != Verdict::Unknown {
        return (conclusion(report), None);
    }
    let open = report.findings.iter().filter(|finding| finding.required && finding.verdict == Verdict::Unknown);
    let mut details: Vec<&str> = Vec::new();
    let mut next = None;
    for reason in open.filter_map(|finding| finding.reason.as_ref()) {
        if !details.contains(&reason.detail.as_str()) {
            details.push(&reason.detail);
        }
        next = next.or_else(|| NextStep::after_reason(reason, &report.target));
    }
    (details.join("; "), next)
}

/// The findings that no other block shows: the overall proof is the verdict itself.
fn findings(report: &VerifyReport, is_damage_shown: bool) -> impl Iterator<Item = &FindingReport> {
    report.findings.iter().filter(move |finding| {
        finding.check != CheckId::Proof
            && !report.proved_by.contains(&finding.check)
            && !(is_damage_shown && disagrees(finding))
    })
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
        add_layout(&mut facts, layout, report.is_read());
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

/// Adds the parts. `is_read` tells whether every byte was read.
pub(super) fn add_layout(facts: &mut Facts, layout: &LayoutReport, is_read: bool) {
    facts.add_from("part layout", layout_after(layout, is_read), &layout.source);
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
