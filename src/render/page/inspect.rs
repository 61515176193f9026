use askama::Template;

use super::blocks::{Block, Facts, List, StepView, Table};
use super::text::{grouped, size};
use super::tone::Tone;
use super::verify::{add_layout, identity, notes};
use super::{Section, reading, strip};
use crate::audit::joined;
use crate::facts::Recognised;
use crate::ident::ObjectUri;
use crate::render::next_step::NextStep;
use crate::report::{ETagKind, Exit, InspectReport, LockReport, ProofReport, ReadableState};
use crate::verdict::CheckId;

pub(super) fn section(report: &InspectReport) -> Section {
    let tone = if report.exit_code == Exit::Passed { Tone::Plain } else { Tone::of_exit(report.exit_code) };
    let mut section = Section::new(&report.target, tone, &headline(report), report.exit_code);
    section.bytes = Some(report.identity.object_bytes);
    if report.readable == ReadableState::Archived {
        section.remark =
            format!("It cannot be read now: {}", report.readable_detail.as_deref().unwrap_or("archived")).into();
        // An archive tier of Intelligent-Tiering takes another request, without a number of days.
        let takes_days = report.storage_class.as_deref() != Some("INTELLIGENT_TIERING");
        let object = report.target.parse::<ObjectUri>().ok().filter(|_| takes_days);
        section.next = object.map(NextStep::BringBack).as_ref().map(StepView::from);
    }
    let mut block = |block: Block| section.blocks.push(block);
    block(proofs(report));
    notes(&report.notes).into_iter().for_each(&mut block);
    block(facts(report));
    tags(report).into_iter().for_each(&mut block);
    report.ratio.iter().map(reading::ratio).for_each(&mut block);
    report.probe.iter().map(strip::block).for_each(&mut block);
    section
}

fn headline(report: &InspectReport) -> String {
    let reachable: Vec<CheckId> =
        report.proofs.iter().filter(|proof| proof.reachable).map(|proof| proof.check).collect();
    match (reachable.as_slice(), report.storage_class.is_some()) {
        ([], true) => "verify has no reference to compare the bytes with".to_owned(),
        ([], false) => "a file has no reference of its own".to_owned(),
        (checks, _) => format!("verify can compare every byte with {}", joined(checks, ", ")),
    }
}

fn proofs(report: &InspectReport) -> Block {
    let item = |proof: &ProofReport| {
        let reason = proof.reason.as_ref();
        let text = match reason {
            None => format!("{}: {}", proof.check, proof.detail),
            Some(reason) => format!("{} cannot be compared: {}", proof.check, reason.detail),
        };
        let advice = reason.and_then(|reason| reason.advice.as_deref()).unwrap_or_default();
        (text.into(), advice.into())
    };
    let mut body = Vec::new();
    if !report.proofs.is_empty() {
        body.extend(List { items: report.proofs.iter().map(item).collect(), scrolls: None }.render());
    }
    let mut facts = Facts::default();
    match &report.verify_cost {
        Some(cost) => {
            facts.add("to read", size(cost.read_bytes));
            facts.add("requests", format!("about {}", grouped(cost.requests)));
        }
        None => facts.add("to read", "nothing"),
    }
    body.extend(facts.render());
    Block::new("What verify can compare", body)
}

fn facts(report: &InspectReport) -> Block {
    let mut facts = Facts::default();
    identity(&mut facts, &report.identity, &report.source);
    let form = match report.etag_form {
        ETagKind::Md5 => "an MD5",
        ETagKind::Multipart => "an MD5 over part MD5s",
        ETagKind::None => "none",
        ETagKind::Opaque => "opaque",
    };
    facts.add("form of the ETag", form);
    add_layout(&mut facts, &report.layout, false);
    for checksum in &report.checksums {
        let label = format!("{} {}", checksum.algorithm, checksum.kind.name().replace('_', " "));
        facts.add_data(label, &checksum.value, &report.checksums_source);
    }
    if report.checksums.is_empty() {
        facts.add_from("checksums", "none", &report.checksums_source);
    }
    facts.add_some("storage class", report.storage_class.as_ref());
    facts.add_from("readable", report.readable, report.readable_detail.as_deref().unwrap_or_default());
    facts.add("encryption", &report.encryption.kind);
    if let Some(key) = &report.encryption.kms_key {
        facts.add_data("KMS key", key, "");
    }
    let locked = report.lock.value.as_ref().map_or("not known".to_owned(), lock);
    facts.add_from("lock", locked, &report.lock.source);
    facts.add_some("replication", report.replication.as_ref());
    facts.add_some("expiration", report.expiration.as_ref());
    facts.add_some("content type", report.content_type.as_ref());
    facts.add("requests", grouped(report.requests));
    Block::new("Facts", facts.render().into_iter().collect())
}

fn lock(lock: &LockReport) -> String {
    let mode = lock.mode.as_ref().map(|mode| match &lock.retain_until {
        Some(until) => format!("{mode} until {until}"),
        None => mode.clone(),
    });
    let hold = lock.legal_hold.as_ref().map(|hold| format!("legal hold {hold}"));
    let words: Vec<String> = mode.into_iter().chain(hold).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn tags(report: &InspectReport) -> Option<Block> {
    let columns = &[("kind", "text"), ("name", "data"), ("value", "data"), ("looks like", "text")];
    let mut table = Table::new("What the object carries", columns).stacking();
    for (name, value) in report.tags.value.iter().flatten() {
        table.add(["tag".to_owned(), name.clone(), value.clone(), String::new()]);
    }
    for entry in &report.metadata {
        let seen = entry.recognised.map_or("", Recognised::name).replace('_', " ");
        table.add(["metadata".to_owned(), entry.name.clone(), entry.value.clone(), seen]);
    }
    let lead = match &report.tags.value {
        None => format!("Tags are not known: {}", report.tags.source),
        Some(tags) if tags.is_empty() => format!("No tags ({}).", report.tags.source),
        Some(_) => format!("Tags from {}.", report.tags.source),
    };
    let body = if table.rows.is_empty() { Vec::new() } else { table.render().into_iter().collect() };
    (report.storage_class.is_some() || !body.is_empty()).then(|| Block::new("Tags and metadata", body).lead(lead))
}
