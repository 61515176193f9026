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
use crate::report::{AuditReport, AuditedReport, Exit, Report};
use objects::{Objects, WorstObjects};
use observed::{FirstObservations, Observed};
use picture::Amounts;
use status::RowStatus;
use trouble::{Trouble, WorstTrouble};

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

/// Collects the reports of an audit for its page, in memory that does not depend on their number.
pub struct AuditPage {
    /// Ages of proofs are relative to this time.
    now: Option<Timestamp>,
    objects: WorstObjects,
    trouble: WorstTrouble,
    observed: FirstObservations,
    amounts: Amounts,
    /// Number of objects with a proof.
    proved: usize,
    /// Number of buckets whose settings satisfy the policy.
    good_buckets: usize,
    problems: Vec<String>,
    end: Option<AuditReport>,
    exit: Option<Exit>,
}

impl AuditPage {
    /// Starts without reports. Ages of proofs are relative to `now`.
    pub fn new(now: Option<Timestamp>) -> Self {
        AuditPage {
            now,
            objects: WorstObjects::default(),
            trouble: WorstTrouble::new(now),
            observed: FirstObservations::default(),
            amounts: Amounts::default(),
            proved: 0,
            good_buckets: 0,
            problems: Vec::new(),
            end: None,
            exit: None,
        }
    }

    /// Adds a report.
    pub fn add(&mut self, report: &Report) {
        match report {
            Report::Audited(report) => self.object(report),
            Report::AuditedBucket(report) => {
                self.good_buckets += usize::from(report.exit_code == Exit::Passed);
                self.trouble.bucket(report);
            }
            Report::Observation(report) => self.observed.add(report),
            Report::Error(error) => self.problems.push(format!("{}: {}", error.target, error.message)),
            Report::Summary(summary) => self.exit = Some(summary.exit_code),
            Report::Audit(audit) if self.end.is_none() => self.end = Some((**audit).clone()),
            _ => {}
        }
    }

    fn object(&mut self, report: &AuditedReport) {
        let standing = RowStatus::of(report);
        self.proved += usize::from(report.proof.is_some());
        self.amounts.add(standing, report, self.now);
        self.trouble.object(standing, report);
        self.objects.add(standing, report, self.now);
    }

    /// Whether the reports contain the end of an audit.
    pub fn is_complete(&self) -> bool {
        self.end.is_some()
    }

    /// Number of objects that have no row in the page.
    pub fn left_out(&self) -> usize {
        self.objects.left_out()
    }

    /// Renders the page. `generated_at` is shown unchanged; `table` is the name of a file beside the page with a table of
    /// all objects.
    ///
    /// # Errors
    ///
    /// A template cannot be rendered, or the reports contain no end of an audit.
    pub fn finish(self, generated_at: &str, table: Option<&str>) -> Result<String, String> {
        let Some(audit) = self.end.clone() else { return Err("the audit has no end".to_owned()) };
        let page = Fleet::new(&audit, self, generated_at, table);
        page.and_then(|page| page.render()).map_err(|error| error.to_string())
    }
}

pub(super) fn page(audit: &AuditReport, reports: &[Report], generated_at: &str) -> Result<String, String> {
    // Ages are relative to the time of the page, which may be created later than the run.
    let now = generated_at.parse::<Timestamp>().or_else(|_| audit.began.parse()).ok();
    let mut page = AuditPage::new(now);
    reports.iter().for_each(|report| page.add(report));
    page.finish(generated_at, None)
}

impl Fleet {
    fn new(
        audit: &AuditReport,
        found: AuditPage,
        generated_at: &str,
        table: Option<&str>,
    ) -> Result<Self, askama::Error> {
        let exit = found.exit.unwrap_or(audit.exit_code);
        let problems = [audit.problems.clone(), found.problems].concat();
        let table = found.objects.finish(table);
        let is_proved = table.count(RowStatus::Pass) == table.total();
        let tone = if exit == Exit::Passed && !is_proved { Tone::Plain } else { Tone::of_exit(exit) };
        let notes: Vec<String> = audit.notes.iter().map(ToString::to_string).collect();
        Ok(Fleet {
            script: SCRIPT,
            script_sha256: Hasher::digest(Algorithm::Sha256, SCRIPT.as_bytes()).base64(),
            tone,
            word: if tone == Tone::Plain { "Good" } else { tone.word() },
            says: says(&table).into(),
            exit: exit.code(),
            exit_meaning: exit_meaning(exit, is_proved),
            counts: table.counts().to_vec(),
            facts: facts(audit, found.proved, table.total()),
            problems: list(&problems)?,
            notes: list(&notes)?,
            trouble: found.trouble.finish(audit.ledger.as_deref()),
            good_buckets: Count(found.good_buckets),
            observed: found.observed.finish(),
            bars: found.amounts.bars(),
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

fn says(table: &Objects) -> String {
    let counted = RowStatus::ALL.map(|standing| (table.count(standing), standing.counted()));
    let counted: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", Count(*count)))
        .collect();
    match table.total() {
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

/// Facts about the run, in which `proved` of the `objects` have a proof.
fn facts(audit: &AuditReport, proved: usize, objects: usize) -> String {
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
    facts.add("with a proof, new or old", format!("{} of {}", Count(proved), Count(objects).objects()));
    facts.add("not reached", count(audit.not_reached()));
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
