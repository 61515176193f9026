use std::io::{self, Write};

use super::next_step::NextStep;
use super::verify::describe_layout;
use super::{Style, command, content, field};
use crate::facts::Recognised;
use crate::ident::ObjectUri;
use crate::report::{ETagKind, EndOption, FactReport, InspectReport, LockReport, ReadableState};
use crate::units::{ByteSize, counted};

pub(super) fn write(out: &mut impl Write, style: Style, report: &InspectReport, reach: &[EndOption]) -> io::Result<()> {
    write_facts(out, style, report)?;
    match (report.readable, report.target.parse::<ObjectUri>()) {
        (ReadableState::Archived, Ok(object)) => {
            let step = NextStep::BringBack(object);
            step.command(reach).map_or(Ok(()), |text| command(out, style, step.label(), &text))
        }
        _ => Ok(()),
    }
}

fn write_facts(out: &mut impl Write, style: Style, report: &InspectReport) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&style.word(&report.target)))?;
    let mut line = |label: &str, value: &str| field(out, style.width, 2, label, value);
    let identity = &report.identity;
    let bytes = ByteSize(identity.object_bytes);
    line("size", &format!("{bytes} ({} bytes) [{}]", bytes.grouped(), report.source))?;
    if let Some(time) = &identity.last_modified {
        line("modified", time)?;
    }
    line("AMI id", identity.ami_id.as_deref().unwrap_or("none in the name"))?;
    if let Some(class) = &report.storage_class {
        remote(&mut line, report, class)?;
    }
    if let Some(ratio) = report.ratio.as_ref().filter(|ratio| report.storage_class.is_some() || !ratio.bases.is_empty())
    {
        content::ratio(&mut line, ratio)?;
    }
    if let Some(probe) = &report.probe {
        content::probe(&mut line, probe)?;
    }
    for note in style.notes(&report.notes) {
        line("note", &note.to_string())?;
    }
    for (index, proof) in report.proofs.iter().enumerate() {
        let label = if index == 0 { "verify could" } else { "" };
        let text = match &proof.reason {
            None => format!("{}: {}", proof.check, proof.detail),
            Some(reason) => format!("not use {}: {}", proof.check, reason.detail),
        };
        line(label, &text)?;
    }
    match (&report.verify_cost, report.proofs.iter().any(|proof| proof.reachable)) {
        (Some(cost), true) => line(
            "cost",
            &format!("{} to read in about {}", ByteSize(cost.read_bytes), counted(cost.requests, "request")),
        ),
        (_, true) => Ok(()),
        (_, false) if report.storage_class.is_none() => line(
            "verify could",
            "prove nothing without a reference: a file needs --manifest, --expect, --sums, --etag or --like",
        ),
        (_, false) => line("verify could", "prove nothing: no reference; --write-manifest keeps a baseline"),
    }
}

fn remote(line: &mut impl FnMut(&str, &str) -> io::Result<()>, report: &InspectReport, class: &str) -> io::Result<()> {
    let etag = match (report.identity.etag.as_deref(), report.etag_form) {
        (None, _) => "none".to_owned(),
        (Some(etag), ETagKind::Md5) => format!("{etag} (form of an MD5)"),
        (Some(etag), ETagKind::Multipart) => format!("{etag} (form of an MD5 over part MD5s)"),
        (Some(etag), _) => format!("{etag} (opaque)"),
    };
    line("ETag", &etag)?;
    let layout = describe_layout(&report.layout);
    line(
        "layout",
        &if report.layout.source.is_empty() { layout } else { format!("{layout}: {}", report.layout.source) },
    )?;
    if report.checksums.is_empty() {
        line("checksums", &report.checksums_source)?;
    }
    for checksum in &report.checksums {
        line(
            "checksum",
            &format!("{} {} {} [{}]", checksum.algorithm, checksum.kind, checksum.value, report.checksums_source),
        )?;
    }
    storage(line, report, class)?;
    labels(line, report)
}

/// How the object is kept: class, encryption, version, lock and lifecycle.
fn storage(line: &mut impl FnMut(&str, &str) -> io::Result<()>, report: &InspectReport, class: &str) -> io::Result<()> {
    let readable = match (report.readable, report.readable_detail.as_deref()) {
        (ReadableState::Now, _) => "readable now".to_owned(),
        (ReadableState::Until, Some(end)) => format!("a temporary copy is readable until {end}"),
        (ReadableState::Archived, Some(state)) => {
            format!("not readable: {state}")
        }
        (_, detail) => format!("readable: {}", detail.unwrap_or("unknown")),
    };
    line("class", &format!("{class}, {readable}"))?;
    let key = report.encryption.kms_key.as_ref().map(|key| format!(", key {key}")).unwrap_or_default();
    line("encryption", &format!("{}{key}", report.encryption.kind))?;
    if let Some(version) = &report.identity.version_id {
        line("version", version)?;
    }
    line("lock", &lock(&report.lock))?;
    if let Some(replication) = &report.replication {
        line("replication", replication)?;
    }
    if let Some(expiration) = &report.expiration {
        line("expiration", expiration)?;
    }
    Ok(())
}

/// Content type, tags and metadata.
fn labels(line: &mut impl FnMut(&str, &str) -> io::Result<()>, report: &InspectReport) -> io::Result<()> {
    if let Some(content_type) = &report.content_type {
        line("content type", content_type)?;
    }
    match &report.tags.value {
        Some(tags) if tags.is_empty() => line("tags", "none")?,
        Some(tags) => {
            for (name, value) in tags {
                line("tag", &format!("{name} = {value}"))?;
            }
        }
        None => line("tags", &report.tags.source)?,
    }
    for entry in &report.metadata {
        let seen = match entry.recognised {
            Some(Recognised::Account) => " (looks like an account)",
            Some(Recognised::Date) => " (looks like a date)",
            Some(Recognised::AmiId) => " (looks like an AMI id)",
            Some(Recognised::Name) => " (looks like an AMI name)",
            None => "",
        };
        line("metadata", &format!("{} = {}{seen}", entry.name, entry.value))?;
    }
    Ok(())
}

fn lock(fact: &FactReport<LockReport>) -> String {
    let Some(lock) = &fact.value else { return fact.source.clone() };
    let mut words = Vec::new();
    if let Some(mode) = &lock.mode {
        words.push(match &lock.retain_until {
            Some(until) => format!("{mode} until {until}"),
            None => mode.clone(),
        });
    }
    if let Some(hold) = &lock.legal_hold {
        words.push(format!("legal hold {hold}"));
    }
    words.join(", ")
}
