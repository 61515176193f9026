use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;

use super::status::{Age, RowStatus};
use crate::audit::{ChangeKind, joined};
use crate::ident::Target;
use crate::render::next_step::{Damaged, NextStep};
use crate::render::page::blocks::{StepView, Steps};
use crate::render::page::damage::{Damage, Most, disagrees};
use crate::render::page::findings::Findings;
use crate::render::page::text::{Count, Text, encoded};
use crate::render::page::tone::Tone;
use crate::report::{AuditedBucketReport, AuditedReport, FindingReport, ReasonReport, Severity};
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
/// Maximum number of reasons whose objects are counted. Findings of further reasons count as one reason each.
const MOST_KEPT: usize = 10_000;

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

/// Collects what failed or is unknown, in memory that does not depend on the number of objects.
pub(super) struct WorstTrouble {
    cards: [FirstCards; 3],
    shared: [Reasons; 2],
    now: Option<Timestamp>,
}

impl WorstTrouble {
    /// Starts without objects. Ages are relative to `now`.
    pub(super) fn new(now: Option<Timestamp>) -> Self {
        WorstTrouble {
            cards: [RowStatus::Damaged, RowStatus::Missing, RowStatus::Replaced].map(FirstCards::new),
            shared: [Severity::Policy, Severity::Unknown].map(Reasons::new),
            now,
        }
    }

    /// Adds an object.
    pub(super) fn object(&mut self, standing: RowStatus, report: &AuditedReport) {
        self.cards.iter_mut().filter(|cards| cards.standing == standing).for_each(|cards| cards.add(report, self.now));
        let name = || report.target.to_string();
        self.shared.iter_mut().for_each(|shared| shared.add(&name, false, &report.findings));
        let is_good = |finding: &FindingReport| Severity::of_finding(finding) == Severity::Good;
        if standing == RowStatus::Unknown && report.findings.iter().all(is_good) {
            let unknown = self.shared.iter_mut().filter(|shared| shared.severity == Severity::Unknown);
            unknown.for_each(|shared| shared.unexplained(report));
        }
    }

    /// Adds a bucket.
    pub(super) fn bucket(&mut self, report: &AuditedBucketReport) {
        let name = || format!("s3://{}/", report.bucket);
        self.shared.iter_mut().for_each(|shared| shared.add(&name, true, &report.findings));
    }

    /// The section of the page. `ledger` is that of the audit.
    pub(super) fn finish(self, ledger: Option<&str>) -> Trouble {
        let cards = self.cards.into_iter().filter(|cards| cards.count > 0).map(|cards| cards.finish(ledger));
        let shared = self.shared.into_iter().map(Reasons::finish);
        Trouble { objects: cards.collect(), shared: shared.filter(|shared| !shared.reasons.is_empty()).collect() }
    }
}

impl Trouble {
    /// Whether nothing failed or is unknown.
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.shared.is_empty()
    }
}

/// Collects the objects of one status, and keeps the cards of the first ones by name.
struct FirstCards {
    standing: RowStatus,
    count: usize,
    cards: BTreeMap<String, (Card, Vec<NextStep>)>,
}

impl FirstCards {
    fn new(standing: RowStatus) -> Self {
        FirstCards { standing, count: 0, cards: BTreeMap::new() }
    }

    fn add(&mut self, report: &AuditedReport, now: Option<Timestamp>) {
        self.count += 1;
        let name = report.target.to_string();
        let is_full = self.cards.len() >= MOST_CARDS;
        if is_full && self.cards.last_key_value().is_some_and(|(last, _)| *last < name) {
            return;
        }
        self.cards.insert(name, Card::new(report, now));
        if self.cards.len() > MOST_CARDS {
            self.cards.pop_last();
        }
    }

    /// The ledger is known only at the end of the audit.
    fn finish(self, ledger: Option<&str>) -> Cards {
        let left_out = Count(self.count.saturating_sub(self.cards.len()));
        let with_steps = |(card, steps): (Card, Vec<NextStep>)| {
            let steps: Vec<NextStep> = steps.into_iter().map(|step| step.in_ledger(ledger)).collect();
            Card { steps: Steps::html(&steps), ..card }
        };
        let mut first: Vec<Card> = self.cards.into_values().map(with_steps).collect();
        // Steps are alike for all objects, so those of the first one are enough to see.
        if let Some(card) = first.first_mut() {
            card.is_open = true;
        }
        let more = first.split_off(FEW_CARDS.min(first.len()));
        Cards { word: self.standing.word(), count: Count(self.count), first, more, left_out }
    }
}

impl Card {
    /// The card without its steps, and the steps.
    fn new(report: &AuditedReport, now: Option<Timestamp>) -> (Self, Vec<NextStep>) {
        let size = report.identity.as_ref().map(|identity| ByteSize(identity.object_bytes).to_string());
        let proof = match (Age::of(report, now), &report.proof) {
            (Age::Days(days), Some(proof)) => {
                Some(format!("proved {} by {} ({})", ago(days), joined(&proof.by, ", "), proof.kind))
            }
            (Age::Never, _) => Some(match &report.unread_proof {
                Some(proof) => format!("never read as it is now; {} by {}", proof.kind, joined(&proof.by, ", ")),
                None => "its present content was never proved".to_owned(),
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
                let target = Target::Object(report.target.clone());
                let again = NextStep::after_one_read(&report.target, &report.findings).into_iter();
                again.chain(NextStep::after_damage(Damaged::new(&target, identity))).collect()
            }
            _ if matches!(report.severity(), Severity::Missing | Severity::Replaced) => {
                vec![NextStep::Accept { object: report.target.clone(), ledger: None }]
            }
            _ => Vec::new(),
        };
        let card = Card {
            name: (&target).into(),
            about: about.join(" · ").into(),
            findings: findings(report, damage.is_some()),
            damage: damage.and_then(|damage| damage.render().ok()).unwrap_or_default(),
            steps: String::new(),
            is_open: false,
            notes: report.notes.iter().map(|note| Text::from(note.to_string())).collect(),
        };
        (card, steps)
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
struct Common {
    check: String,
    is_of_bucket: bool,
    detail: String,
    advice: Option<String>,
    evidence: [Option<String>; 3],
}

/// Objects or buckets, of which the first ones are named.
#[derive(Default)]
struct Named {
    count: usize,
    names: Vec<String>,
}

impl Named {
    fn add(&mut self, name: String) {
        self.count += 1;
        if self.names.len() < MOST_NAMES {
            self.names.push(name);
        }
    }

    fn left_out(&self) -> Count {
        Count(self.count.saturating_sub(self.names.len()))
    }
}

/// The objects or buckets of one reason.
#[derive(Default)]
struct Group {
    named: Named,
    is_failure: bool,
    /// Why the first one is unknown.
    first: Option<ReasonReport>,
}

/// Collects the findings of one severity by their reasons.
struct Reasons {
    severity: Severity,
    groups: BTreeMap<Common, Group>,
    /// Objects that are unknown without a finding that says why, by the meaning of their exit codes.
    unexplained: BTreeMap<&'static str, Named>,
    /// Findings of reasons that are not kept, because there are too many.
    not_kept: usize,
}

impl Reasons {
    fn new(severity: Severity) -> Self {
        Reasons { severity, groups: BTreeMap::new(), unexplained: BTreeMap::new(), not_kept: 0 }
    }

    fn add(&mut self, name: &dyn Fn() -> String, is_of_bucket: bool, findings: &[FindingReport]) {
        for finding in findings.iter().filter(|finding| Severity::of_finding(finding) == self.severity) {
            let common = Common::of(finding, is_of_bucket);
            if self.groups.len() >= MOST_KEPT && !self.groups.contains_key(&common) {
                self.not_kept += 1;
                continue;
            }
            let group = self.groups.entry(common).or_default();
            if group.named.count == 0 {
                group.first.clone_from(&finding.reason);
            }
            group.is_failure |= finding.verdict == Verdict::Fail;
            group.named.add(name());
        }
    }

    fn unexplained(&mut self, report: &AuditedReport) {
        let meaning = Tone::Unknown.exit_meaning(report.exit_code);
        self.unexplained.entry(meaning).or_default().add(report.target.to_string());
    }

    fn finish(self) -> Shared {
        let of_group = |(common, group): (Common, Group)| (group.named.count, Reason::new(common, group));
        let mut reasons: Vec<(usize, Reason)> = self.groups.into_iter().map(of_group).collect();
        let unexplained = self.unexplained.into_iter();
        reasons.extend(unexplained.map(|(meaning, named)| (named.count, Reason::unexplained(meaning, &named))));
        reasons.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let left_out = Count(reasons.len().saturating_sub(MOST_REASONS).saturating_add(self.not_kept));
        Shared {
            word: if self.severity == Severity::Policy { "Policy" } else { "Unknown" },
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

impl Common {
    fn of(finding: &FindingReport, is_of_bucket: bool) -> Self {
        let reason = finding.reason.as_ref();
        let evidence = match finding.verdict {
            Verdict::Fail => [&finding.expected, &finding.observed, &finding.source].map(Clone::clone),
            Verdict::Pass | Verdict::Unknown => [const { None }; 3],
        };
        let detail = match (reason, finding.verdict) {
            (Some(reason), _) => reason.detail.clone(),
            (None, Verdict::Fail) => String::new(),
            (None, _) => "no reason is stated".to_owned(),
        };
        Common {
            check: finding.check.to_string(),
            is_of_bucket,
            detail,
            advice: reason.and_then(|reason| reason.advice.clone()),
            evidence,
        }
    }
}

impl Reason {
    fn new(common: Common, group: Group) -> Self {
        let step = match (group.named.count, group.named.names.first(), &group.first) {
            (1, Some(name), reason) => reason.as_ref().and_then(|reason| NextStep::after_reason(reason, name)),
            _ => common.advice.map(NextStep::Advice),
        };
        let [expected, found, source] = common.evidence.map(|text| Text::from(text.unwrap_or_default()));
        Reason {
            tone: if group.is_failure { Tone::Fail } else { Tone::Unknown },
            link: encoded(&common.check),
            check: common.check.into(),
            count: counted(group.named.count, common.is_of_bucket),
            says: common.detail.into(),
            step: step.as_ref().map(StepView::from),
            expected,
            found,
            source,
            left_out: group.named.left_out(),
            names: group.named.names.iter().map(Text::from).collect(),
        }
    }

    /// Objects that are unknown without a finding that says why.
    fn unexplained(meaning: &str, named: &Named) -> Self {
        Reason {
            tone: Tone::Unknown,
            check: Text::default(),
            link: String::new(),
            count: counted(named.count, false),
            says: meaning.into(),
            step: None,
            expected: Text::default(),
            found: Text::default(),
            source: Text::default(),
            names: named.names.iter().map(Text::from).collect(),
            left_out: named.left_out(),
        }
    }
}

fn counted(count: usize, is_of_bucket: bool) -> String {
    match (count, is_of_bucket) {
        (many, true) => format!("{} {}", Count(many), noun(many as u64, "bucket")),
        (many, false) => Count(many).objects(),
    }
}
