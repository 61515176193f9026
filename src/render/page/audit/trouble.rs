use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;

use super::status::{Age, RowStatus};
use crate::audit::{ChangeKind, joined};
use crate::ident::Target;
use crate::render::next_step::NextStep;
use crate::render::page::blocks::{StepView, Steps};
use crate::render::page::damage::{Damage, Most, disagrees};
use crate::render::page::findings::Findings;
use crate::render::page::text::{Count, Text};
use crate::render::page::tone::Tone;
use crate::report::{AuditedBucketReport, AuditedReport, FindingReport, Severity};
use crate::units::{ByteSize, noun};
use crate::verdict::Verdict;

/// Maximum numbers of objects with details per severity, and of those that are expanded.
const MOST_CARDS: usize = 100;
const FEW_CARDS: usize = 20;
/// Maximum numbers of damaged parts per object.
const MOST_DAMAGE: Most = Most { first: 2, all: 10 };
/// Maximum numbers of reasons for unknown objects, and of objects listed per reason.
const MOST_REASONS: usize = 100;
const MOST_NAMES: usize = 200;

/// Everything that failed or is unknown, the worst first.
#[derive(Template)]
#[template(path = "audit-trouble.html")]
pub(super) struct Trouble {
    /// Damaged, missing and replaced objects.
    objects: Vec<Cards>,
    /// Requirements of the policy that are not met, and checks that were not answered.
    shared: Vec<Shared>,
}

/// Objects of one severity.
struct Cards {
    word: &'static str,
    count: Count,
    first: Vec<Card>,
    more: Vec<Card>,
    left_out: Count,
}

/// One object.
struct Card {
    name: Text,
    about: Text,
    damage: String,
    findings: String,
    steps: String,
    /// Whether the steps are expanded.
    is_open: bool,
    notes: Vec<Text>,
}

/// Findings that several objects have in common.
struct Shared {
    word: &'static str,
    reasons: Vec<Reason>,
    left_out: Count,
}

/// Objects or buckets with the same finding.
struct Reason {
    tone: Tone,
    check: Text,
    /// Link to the objects in the table that have this check.
    link: String,
    count: String,
    says: Text,
    step: Option<StepView>,
    /// For a failure: the expected and the found value, and the source of the expected one.
    expected: Text,
    found: Text,
    source: Text,
    names: Vec<Text>,
    left_out: Count,
}

impl Trouble {
    /// Collects the failed and the unknown objects and buckets.
    pub(super) fn new(objects: &[&AuditedReport], buckets: &[&AuditedBucketReport], now: Option<Timestamp>) -> Self {
        let cards = [RowStatus::Damaged, RowStatus::Missing, RowStatus::Replaced]
            .map(|standing| Cards::new(standing, objects, now));
        let shared = [Severity::Policy, Severity::Unknown].map(|severity| Shared::new(severity, objects, buckets));
        Trouble {
            objects: cards.into_iter().filter(|cards| cards.count.0 > 0).collect(),
            shared: shared.into_iter().filter(|shared| !shared.reasons.is_empty()).collect(),
        }
    }

    /// Whether nothing failed or is unknown.
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.shared.is_empty()
    }
}

/// Percent-encodes a text for the fragment of a link.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

impl Cards {
    fn new(standing: RowStatus, objects: &[&AuditedReport], now: Option<Timestamp>) -> Self {
        let mut found: Vec<&AuditedReport> =
            objects.iter().copied().filter(|report| RowStatus::of(report) == standing).collect();
        found.sort_by_cached_key(|report| report.target.to_string());
        let mut first: Vec<Card> = found.iter().take(MOST_CARDS).map(|report| Card::new(report, now)).collect();
        // Steps are alike for all objects, so those of the first one are enough to see.
        if let Some(card) = first.first_mut() {
            card.is_open = true;
        }
        let more = first.split_off(FEW_CARDS.min(first.len()));
        Cards {
            word: standing.word(),
            count: Count(found.len()),
            first,
            more,
            left_out: Count(found.len().saturating_sub(MOST_CARDS)),
        }
    }
}

impl Card {
    fn new(report: &AuditedReport, now: Option<Timestamp>) -> Self {
        let size = report.identity.as_ref().map(|identity| ByteSize(identity.object_bytes).to_string());
        let proof = match (Age::of(report, now), &report.proof) {
            (Age::Days(days), Some(proof)) => {
                Some(format!("proved {} by {} ({})", ago(days), joined(&proof.by, ", "), proof.kind))
            }
            (Age::Never, _) => Some(match &report.unread_proof {
                Some(proof) => format!("never read as it is now; {} by {}", proof.kind, joined(&proof.by, ", ")),
                None => "never proved as it is now".to_owned(),
            }),
            _ => None,
        };
        let change = report
            .change
            .filter(|change| !matches!(change, ChangeKind::Same | ChangeKind::Missing))
            .map(ChangeKind::in_words);
        let about: Vec<String> = [size, report.storage_class.clone(), proof, change].into_iter().flatten().collect();
        let target = report.target.to_string();
        let damage = Damage::new(report.findings.iter(), None, MOST_DAMAGE);
        let steps = match &report.identity {
            Some(identity) if report.findings.iter().any(disagrees) => {
                NextStep::after_damage(&Target::Object(report.target.clone()), identity.version_id.as_deref())
            }
            _ => Vec::new(),
        };
        Card {
            name: (&target).into(),
            about: about.join(" · ").into(),
            findings: findings(report, damage.is_some()),
            damage: damage.and_then(|damage| damage.render().ok()).unwrap_or_default(),
            steps: Steps::html(&steps),
            is_open: false,
            notes: report.notes.iter().map(|note| Text::from(note.to_string())).collect(),
        }
    }
}

/// The findings that make the object damaged, missing or replaced, as HTML. Those of the policy and those without an
/// answer are listed for all objects together.
fn findings(report: &AuditedReport, is_damage_shown: bool) -> String {
    let shown = report
        .findings
        .iter()
        .filter(|finding| Severity::of_finding(finding) < Severity::Policy && !(is_damage_shown && disagrees(finding)));
    Findings::of(shown, &report.target.to_string(), "").render().unwrap_or_default()
}

/// What the objects of a reason have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Common<'a> {
    check: String,
    is_of_bucket: bool,
    detail: &'a str,
    advice: Option<&'a str>,
    evidence: [Option<&'a str>; 3],
}

impl Shared {
    /// The findings of one severity. An object without findings that is unknown counts with the meaning of its exit code.
    fn new(severity: Severity, objects: &[&AuditedReport], buckets: &[&AuditedBucketReport]) -> Self {
        let mut found: BTreeMap<Common<'_>, Vec<(String, &FindingReport)>> = BTreeMap::new();
        let of_objects = objects.iter().map(|report| (report.target.to_string(), false, &report.findings));
        let of_buckets = buckets.iter().map(|report| (format!("s3://{}/", report.bucket), true, &report.findings));
        for (name, is_of_bucket, findings) in of_objects.chain(of_buckets) {
            for finding in findings.iter().filter(|finding| Severity::of_finding(finding) == severity) {
                found.entry(Common::of(finding, is_of_bucket)).or_default().push((name.clone(), finding));
            }
        }
        let mut reasons: Vec<(usize, Reason)> =
            found.into_iter().map(|(common, named)| (named.len(), Reason::new(&common, &named))).collect();
        if severity == Severity::Unknown {
            reasons.extend(unexplained(objects));
        }
        reasons.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let left_out = Count(reasons.len().saturating_sub(MOST_REASONS));
        Shared {
            word: if severity == Severity::Policy { "Policy" } else { "Unknown" },
            reasons: reasons.into_iter().take(MOST_REASONS).map(|(_, reason)| reason).collect(),
            left_out,
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

impl<'a> Common<'a> {
    fn of(finding: &'a FindingReport, is_of_bucket: bool) -> Self {
        let reason = finding.reason.as_ref();
        let evidence = match finding.verdict {
            Verdict::Fail => [&finding.expected, &finding.observed, &finding.source].map(|text| text.as_deref()),
            Verdict::Pass | Verdict::Unknown => [None; 3],
        };
        let detail = match (reason, finding.verdict) {
            (Some(reason), _) => reason.detail.as_str(),
            (None, Verdict::Fail) => "",
            (None, _) => "no reason is stated",
        };
        Common {
            check: finding.check.to_string(),
            is_of_bucket,
            detail,
            advice: reason.and_then(|reason| reason.advice.as_deref()),
            evidence,
        }
    }
}

impl Reason {
    fn new(common: &Common<'_>, named: &[(String, &FindingReport)]) -> Self {
        let step = match named {
            [(name, finding)] => finding.reason.as_ref().and_then(|reason| NextStep::after_reason(reason, name)),
            _ => common.advice.map(|advice| NextStep::Advice(advice.to_owned())),
        };
        let [expected, found, source] = common.evidence.map(|text| Text::from(text.unwrap_or_default()));
        let is_failure = named.iter().any(|(_, finding)| finding.verdict == Verdict::Fail);
        Reason {
            tone: if is_failure { Tone::Fail } else { Tone::Unknown },
            link: encoded(&common.check),
            check: (&common.check).into(),
            count: counted(named.len(), common.is_of_bucket),
            says: common.detail.into(),
            step: step.as_ref().map(StepView::from),
            expected,
            found,
            source,
            names: named.iter().take(MOST_NAMES).map(|(name, _)| name.into()).collect(),
            left_out: Count(named.len().saturating_sub(MOST_NAMES)),
        }
    }
}

fn counted(count: usize, is_of_bucket: bool) -> String {
    match (count, is_of_bucket) {
        (many, true) => format!("{} {}", Count(many), noun(many as u64, "bucket")),
        (many, false) => Count(many).objects(),
    }
}

/// Objects that are unknown without a finding that says why, by the meaning of their exit codes.
fn unexplained(objects: &[&AuditedReport]) -> Vec<(usize, Reason)> {
    let mut found: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for report in objects.iter().filter(|report| {
        RowStatus::of(report) == RowStatus::Unknown
            && report.findings.iter().all(|finding| Severity::of_finding(finding) == Severity::Good)
    }) {
        let meaning = Tone::Unknown.exit_meaning(report.exit_code);
        found.entry(meaning).or_default().push(report.target.to_string());
    }
    let reason = |(meaning, names): (&str, Vec<String>)| {
        let reason = Reason {
            tone: Tone::Unknown,
            check: Text::default(),
            link: String::new(),
            count: counted(names.len(), false),
            says: meaning.into(),
            step: None,
            expected: Text::default(),
            found: Text::default(),
            source: Text::default(),
            names: names.iter().take(MOST_NAMES).map(Text::from).collect(),
            left_out: Count(names.len().saturating_sub(MOST_NAMES)),
        };
        (names.len(), reason)
    };
    found.into_iter().map(reason).collect()
}
