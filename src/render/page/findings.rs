use askama::Template;

use super::text::{Text, grouped, size};
use super::tone::Tone;
use crate::report::{DamageReport, FindingReport};
use crate::verdict::Verdict;

/// Maximum number of damaged parts to list per finding.
const MOST_DAMAGE: usize = 200;

/// The findings of all checks, those that prevent a pass first.
#[derive(Template)]
#[template(path = "findings.html")]
pub(super) struct Findings {
    findings: Vec<View>,
}

struct View {
    tone: Tone,
    check: Text,
    required: bool,
    source: Text,
    /// The expected and the observed value if they differ; otherwise only the observed one.
    expected: Text,
    observed: Text,
    reason: Text,
    advice: Text,
    remarks: Vec<Text>,
    damage: Vec<Damaged>,
    left_out: usize,
}

struct Damaged {
    place: Text,
    expected: Text,
    observed: Text,
    second_read: Text,
}

impl Findings {
    /// All findings of a report.
    pub fn new(findings: &[FindingReport]) -> Self {
        Findings::of(findings.iter().collect(), MOST_DAMAGE)
    }

    /// A selection of findings, with at most `most_damage` damaged parts each.
    pub fn of(mut findings: Vec<&FindingReport>, most_damage: usize) -> Self {
        findings.sort_by_key(|finding| match (finding.verdict, finding.required) {
            (Verdict::Fail, _) => 0,
            (Verdict::Pass, _) => 3,
            (Verdict::Unknown, true) => 1,
            (Verdict::Unknown, false) => 2,
        });
        Findings { findings: findings.into_iter().map(|finding| View::new(finding, most_damage)).collect() }
    }
}

impl View {
    fn new(finding: &FindingReport, most_damage: usize) -> Self {
        let text = |value: &Option<String>| Text::from(value.as_deref().unwrap_or_default());
        let same = finding.verdict == Verdict::Pass && finding.expected == finding.observed;
        let reason = finding.reason.as_ref();
        let mut remarks = Vec::new();
        match finding.reads {
            Some(2..) => remarks.push("read twice, the second time afresh, with the same wrong result".into()),
            Some(_) => remarks.push("read once".into()),
            None => {}
        }
        if let Some(bytes) = finding.covered_bytes {
            remarks.push(format!("speaks for {}", size(bytes)).into());
        }
        View {
            tone: Tone::of_verdict(finding.verdict),
            check: finding.check.to_string().into(),
            required: finding.required,
            source: text(&finding.source),
            expected: if same { Text::default() } else { text(&finding.expected) },
            observed: text(&finding.observed),
            reason: reason.map(|reason| Text::from(&reason.detail)).unwrap_or_default(),
            advice: reason.map(|reason| text(&reason.advice)).unwrap_or_default(),
            remarks,
            damage: finding.damage.iter().take(most_damage).map(Damaged::from).collect(),
            left_out: finding.damage.len().saturating_sub(most_damage),
        }
    }
}

impl From<&DamageReport> for Damaged {
    fn from(damage: &DamageReport) -> Self {
        let place = format!(
            "part {}: offset {}, {} bytes",
            damage.part,
            grouped(damage.offset_bytes),
            grouped(damage.length_bytes)
        );
        Damaged {
            place: place.into(),
            expected: (&damage.expected).into(),
            observed: (&damage.observed).into(),
            second_read: match &damage.second_read {
                Some(second) if *second == damage.observed => "the same".into(),
                second => second.as_deref().unwrap_or_default().into(),
            },
        }
    }
}
