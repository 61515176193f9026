use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;

use super::status::{Age, RowStatus};
use crate::audit::{ChangeKind, joined};
use crate::ident::ObjectUri;
use crate::render::page::findings::Findings;
use crate::render::page::text::{Count, Text};
use crate::render::page::tone::Tone;
use crate::report::{AuditedBucketReport, AuditedReport, Exit, FindingReport};
use crate::units::ByteSize;
use crate::verdict::Verdict;

/// Maximum numbers of failed objects with details, of those that are expanded, and of damaged parts per finding.
const MOST_CARDS: usize = 100;
const FEW_CARDS: usize = 20;
const MOST_DAMAGE: usize = 10;
/// Maximum numbers of reasons for unknown objects, and of objects listed per reason.
const MOST_REASONS: usize = 100;
const MOST_NAMES: usize = 200;

/// Everything that failed or is unknown.
#[derive(Template)]
#[template(path = "audit-trouble.html")]
pub(super) struct Trouble {
    checks: Vec<Check>,
    buckets: Vec<Card>,
    cards: Vec<Card>,
    more_cards: Vec<Card>,
    cards_left_out: Count,
    reasons: Vec<Open>,
    reasons_left_out: Count,
}

/// How often one check failed or is unknown.
struct Check {
    name: Text,
    /// Link to the objects in the table that have this check.
    link: String,
    failed: Count,
    open: Count,
}

/// An object or a bucket.
struct Card {
    tone: Tone,
    name: Text,
    about: Text,
    findings: String,
    notes: Vec<Text>,
}

/// Objects that are unknown for the same reason.
struct Open {
    check: Text,
    count: Count,
    says: Text,
    advice: Text,
    names: Vec<Text>,
    left_out: Count,
}

impl Trouble {
    /// Collects the failed and the unknown objects and buckets.
    pub fn new(objects: &[&AuditedReport], buckets: &[&AuditedBucketReport], now: Option<Timestamp>) -> Self {
        let of = |standing| objects.iter().copied().filter(move |report| RowStatus::of(report) == standing);
        let mut failed: Vec<&AuditedReport> = of(RowStatus::Fail).collect();
        // Objects with damaged bytes come first.
        failed.sort_by_cached_key(|report| {
            (report.findings.iter().all(|finding| finding.damage.is_empty()), report.target.to_string())
        });
        let mut cards: Vec<Card> = failed.iter().take(MOST_CARDS).map(|report| Card::object(report, now)).collect();
        let more_cards = cards.split_off(FEW_CARDS.min(cards.len()));
        let mut reasons = reasons(of(RowStatus::Unknown));
        let reasons_left_out = Count(reasons.len().saturating_sub(MOST_REASONS));
        reasons.truncate(MOST_REASONS);
        Trouble {
            checks: checks(objects, buckets),
            buckets: buckets
                .iter()
                .filter(|report| report.exit_code != Exit::Passed)
                .map(|report| Card::bucket(report))
                .collect(),
            cards_left_out: Count(failed.len().saturating_sub(MOST_CARDS)),
            cards,
            more_cards,
            reasons,
            reasons_left_out,
        }
    }

    /// Whether nothing failed or is unknown.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty() && self.cards.is_empty() && self.reasons.is_empty()
    }
}

fn checks(objects: &[&AuditedReport], buckets: &[&AuditedBucketReport]) -> Vec<Check> {
    let mut counted: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let all = objects.iter().flat_map(|report| &report.findings);
    for finding in all.chain(buckets.iter().flat_map(|report| &report.findings)).filter(|finding| finding.blocks_pass())
    {
        let (failed, open) = counted.entry(finding.check.to_string()).or_default();
        *(if finding.verdict == Verdict::Fail { failed } else { open }) += 1;
    }
    let mut checks: Vec<Check> = counted
        .into_iter()
        .map(|(name, (failed, open))| Check {
            link: encoded(&name),
            name: name.into(),
            failed: Count(failed),
            open: Count(open),
        })
        .collect();
    checks.sort_by_key(|check| std::cmp::Reverse((check.failed, check.open)));
    checks
}

/// Percent-encodes a text for the fragment of a link.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The reasons of unknown objects, by number of objects in descending order.
fn reasons<'a>(open: impl Iterator<Item = &'a AuditedReport>) -> Vec<Open> {
    let mut found: BTreeMap<(String, &str, &str), Vec<&ObjectUri>> = BTreeMap::new();
    for report in open {
        let mut any = false;
        for finding in report.findings.iter().filter(|finding| finding.blocks_pass()) {
            any = true;
            let reason = finding.reason.as_ref();
            let detail = reason.map_or("no reason is told", |reason| reason.detail.as_str());
            let advice = reason.and_then(|reason| reason.advice.as_deref()).unwrap_or_default();
            found.entry((finding.check.to_string(), detail, advice)).or_default().push(&report.target);
        }
        if !any {
            let meaning = Tone::Unknown.exit_meaning(report.exit_code);
            found.entry((String::new(), meaning, "")).or_default().push(&report.target);
        }
    }
    let mut reasons: Vec<Open> = found
        .into_iter()
        .map(|((check, says, advice), names)| Open {
            check: check.into(),
            count: Count(names.len()),
            says: says.into(),
            advice: advice.into(),
            names: names.iter().take(MOST_NAMES).map(|name| name.to_string().into()).collect(),
            left_out: Count(names.len().saturating_sub(MOST_NAMES)),
        })
        .collect();
    reasons.sort_by_key(|open| std::cmp::Reverse(open.count));
    reasons
}

impl Card {
    fn object(report: &AuditedReport, now: Option<Timestamp>) -> Self {
        let size = report.identity.as_ref().map(|identity| ByteSize(identity.object_bytes).to_string());
        let proof = match (Age::of(report, now), &report.proof) {
            (Age::Days(days), Some(proof)) => Some(format!("proved {} by {}", ago(days), joined(&proof.by, ", "))),
            (Age::Never, _) => Some("never proved as it is now".to_owned()),
            _ => None,
        };
        let change = report.change.filter(|change| *change != ChangeKind::Same).map(ChangeKind::in_words);
        let about: Vec<String> = [size, report.storage_class.clone(), proof, change].into_iter().flatten().collect();
        Card {
            tone: Tone::Fail,
            name: report.target.to_string().into(),
            about: about.join(" · ").into(),
            findings: told(&report.findings),
            notes: report.notes.iter().map(|note| Text::from(note.to_string())).collect(),
        }
    }

    fn bucket(report: &AuditedBucketReport) -> Self {
        Card {
            tone: Tone::of_exit(report.exit_code),
            name: (&report.bucket).into(),
            about: Text::default(),
            findings: told(&report.findings),
            notes: Vec::new(),
        }
    }
}

fn ago(days: i64) -> String {
    match days {
        0 => "within the last day".to_owned(),
        1 => "1 day ago".to_owned(),
        many => format!("{many} days ago"),
    }
}

/// The findings that prevent a pass, as HTML.
fn told(findings: &[FindingReport]) -> String {
    Findings::of(findings.iter().filter(|finding| finding.blocks_pass()).collect(), MOST_DAMAGE)
        .render()
        .unwrap_or_default()
}
