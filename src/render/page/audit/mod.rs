//! The page of an audit: many objects at a glance. A script embedded in the page sorts and searches its table; the
//! Content-Security-Policy allows only this script, by its SHA-256.

mod objects;
mod observed;
mod picture;
mod status;
mod trouble;

use askama::Template;
use jiff::Timestamp;

use super::blocks::{Facts, List};
use super::text::{Count, Text, grouped, size};
use super::tone::Tone;
use crate::audit::joined;
use crate::checksum::{Algorithm, Hasher};
use crate::report::{AuditReport, AuditedBucketReport, AuditedReport, Exit, ObservationReport, Report};
use objects::Objects;
use observed::Observed;
use status::RowStatus;
use trouble::Trouble;

const SCRIPT: &str = include_str!("../../../../templates/audit.js");

#[derive(Template)]
#[template(path = "audit.html")]
struct Fleet {
    script: &'static str,
    /// Digest of the script, in base64.
    script_sha256: String,
    tone: Tone,
    word: &'static str,
    says: Text,
    exit: u8,
    exit_meaning: &'static str,
    counts: Vec<(RowStatus, Count)>,
    facts: String,
    problems: String,
    notes: String,
    trouble: Trouble,
    /// Number of buckets whose settings satisfy the policy.
    good_buckets: Count,
    observed: Observed,
    bars: [picture::Bars; 2],
    objects: Objects,
    version: &'static str,
    generated_at: Text,
}

/// The lines of an audit that its page shows.
#[derive(Default)]
struct Lines<'a> {
    objects: Vec<&'a AuditedReport>,
    buckets: Vec<&'a AuditedBucketReport>,
    observations: Vec<&'a ObservationReport>,
    problems: Vec<String>,
    exit: Exit,
}

impl<'a> Lines<'a> {
    fn of(audit: &AuditReport, reports: &'a [Report]) -> Self {
        let mut lines = Lines { problems: audit.problems.clone(), exit: audit.exit_code, ..Lines::default() };
        for report in reports {
            match report {
                Report::Audited(report) => lines.objects.push(report.as_ref()),
                Report::AuditedBucket(report) => lines.buckets.push(report),
                Report::Observation(report) => lines.observations.push(report),
                Report::Error(error) => lines.problems.push(format!("{}: {}", error.target, error.message)),
                Report::Summary(summary) => lines.exit = summary.exit_code,
                _ => {}
            }
        }
        lines
    }
}

pub(super) fn page(audit: &AuditReport, reports: &[Report], generated_at: &str) -> Result<String, String> {
    let page = Fleet::new(audit, &Lines::of(audit, reports), generated_at);
    page.and_then(|page| page.render()).map_err(|error| error.to_string())
}

impl Fleet {
    fn new(audit: &AuditReport, lines: &Lines<'_>, generated_at: &str) -> Result<Self, askama::Error> {
        let Lines { objects, buckets, exit, .. } = lines;
        // Ages are relative to the time of the page, which may be created later than the run.
        let now = generated_at.parse::<Timestamp>().or_else(|_| audit.began.parse()).ok();
        let table = Objects::new(objects, now);
        let proved = table.count(RowStatus::Pass) == objects.len();
        let tone = if *exit == Exit::Passed && !proved { Tone::Plain } else { Tone::of_exit(*exit) };
        let notes: Vec<String> = audit.notes.iter().map(ToString::to_string).collect();
        Ok(Fleet {
            script: SCRIPT,
            script_sha256: Hasher::digest(Algorithm::Sha256, SCRIPT.as_bytes()).base64(),
            tone,
            word: if tone == Tone::Plain { "Good" } else { tone.word() },
            says: says(&table, objects.len()).into(),
            exit: exit.code(),
            exit_meaning: exit_meaning(*exit, proved),
            counts: table.counts().to_vec(),
            facts: facts(audit, objects),
            problems: list(&lines.problems)?,
            notes: list(&notes)?,
            trouble: Trouble::new(objects, buckets, now),
            good_buckets: Count(buckets.iter().filter(|report| report.exit_code == Exit::Passed).count()),
            observed: Observed::new(&lines.observations),
            bars: [picture::ages(objects, now), picture::bytes(objects)],
            objects: table,
            version: env!("CARGO_PKG_VERSION"),
            generated_at: generated_at.into(),
        })
    }
}

fn list(texts: &[String]) -> Result<String, askama::Error> {
    match texts {
        [] => Ok(String::new()),
        some => List::of(some).render(),
    }
}

fn says(table: &Objects, total: usize) -> String {
    let counted = RowStatus::ALL.map(|standing| (table.count(standing), standing.counted()));
    let counted: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", Count(*count)))
        .collect();
    match total {
        0 => "no object was examined".to_owned(),
        many => format!("{}; {} in all", counted.join(", "), Count(many).objects()),
    }
}

fn exit_meaning(exit: Exit, proved: bool) -> &'static str {
    match (exit, proved) {
        (Exit::Passed, true) => "no problem in any object, and every byte proved",
        (Exit::Passed, false) => "no requested check failed or was left unanswered; not every object is proved",
        (Exit::CouldNot, _) => "a part of the work could not be done",
        (exit, _) => Tone::of_exit(exit).exit_meaning(exit),
    }
}

/// Facts about the run.
fn facts(audit: &AuditReport, objects: &[&AuditedReport]) -> String {
    let count = |number: u64| grouped(number);
    let mut facts = Facts::default();
    facts.add_data("scope", joined(&audit.scope, ", "), "");
    facts.add("level", audit.level.name());
    for (label, share) in [("slice", &audit.slice), ("shard", &audit.shard)] {
        if let Some(share) = share {
            facts.add(label, share.to_string());
        }
    }
    facts.add("listed", format!("{} stored AMI objects, {}", count(audit.listed), size(audit.listed_bytes)));
    facts.add("examined in this run", count(audit.examined));
    facts.add("proved before, and still good", count(audit.still_good));
    let proved = objects.iter().filter(|report| report.proof.is_some()).count();
    facts.add("with a proof, new or old", format!("{} of {}", Count(proved), Count(objects.len()).objects()));
    facts.add("due, not reached", count(audit.left));
    facts.add("missing", count(audit.missing));
    let some = [("in other slices", audit.other_slices), ("other objects, skipped", audit.other_objects)];
    for (label, number) in some.into_iter().filter(|(_, number)| *number > 0) {
        facts.add(label, count(number));
    }
    if let Some(seconds) = audit.max_age_seconds {
        facts.add("a proof holds for", format!("{:.0} days", seconds as f64 / 86_400.0));
    }
    facts.add("began", &audit.began);
    facts.add("took", format!("{:.1} s", audit.elapsed_seconds));
    facts.add("read", size(audit.received_bytes));
    facts.add("requests", format!("{}, of these {} to list", count(audit.requests), count(audit.listing_requests)));
    if let Some(dollars) = audit.estimated_dollars {
        facts.add_from("cost", format!("${dollars:.4}"), "estimated by list prices");
    }
    if let Some(head) = &audit.ledger_head {
        facts.add_data("ledger head", head, "keep it elsewhere, for ledger verify --head");
    }
    facts.add_data("SHA-256 of the listing", &audit.listing_sha256, "");
    facts.render().unwrap_or_default()
}
