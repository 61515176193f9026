use askama::Template;

use super::blocks::StepView;
use super::text::{Text, size};
use super::tone::Tone;
use crate::render::next_step::NextStep;
use crate::render::reference;
use crate::report::FindingReport;
use crate::units::counted;
use crate::verdict::Verdict;

/// Findings, those that prevent a pass first; the others are counted and folded.
#[derive(Template)]
#[template(path = "findings.html")]
pub(super) struct Findings {
    findings: Vec<View>,
    folded: Vec<View>,
}

struct View {
    tone: Tone,
    check: Text,
    required: bool,
    source: Text,
    /// The expected and the found value if they differ; otherwise only the found one.
    expected: Text,
    observed: Text,
    reason: Text,
    step: Option<StepView>,
    remarks: Vec<Text>,
}

impl Findings {
    /// A selection of the findings about `target`, which is a URI, a path or a bucket. A reason that is part of `told`
    /// is not repeated.
    pub(super) fn of<'a>(findings: impl Iterator<Item = &'a FindingReport>, target: &str, told: &str) -> Self {
        let mut sorted: Vec<&FindingReport> = findings.collect();
        sorted.sort_by_key(|finding| match finding.verdict {
            Verdict::Fail => 0,
            Verdict::Unknown => 1,
            Verdict::Pass => 2,
        });
        let (open, folded): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|finding| finding.blocks_pass());
        let views = |findings: Vec<&FindingReport>| {
            findings.into_iter().map(|finding| View::new(finding, target, told)).collect()
        };
        Findings { findings: views(open), folded: views(folded) }
    }

    /// Whether there are no findings.
    pub(super) fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.folded.is_empty()
    }

    /// `3 checks passed, 1 optional check not answered`.
    fn folded_in_words(&self) -> String {
        let passed = self.folded.iter().filter(|finding| finding.tone == Tone::Pass).count();
        let of_kind = |count: usize, kind: &str, end: &str| {
            (count > 0).then(|| format!("{} {end}", counted(count as u64, &format!("{kind}check"))))
        };
        let more = if self.findings.is_empty() { "" } else { "other " };
        let words = [
            of_kind(passed, more, "passed"),
            of_kind(self.folded.len().saturating_sub(passed), "optional ", "not answered"),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl View {
    fn new(finding: &FindingReport, target: &str, told: &str) -> Self {
        let text = |value: &Option<String>| Text::from(value.as_deref().unwrap_or_default());
        let value =
            |value: &Option<String>| Text::from(reference::value(finding.check, value.as_deref().unwrap_or_default()));
        let same = finding.verdict == Verdict::Pass && finding.expected == finding.observed;
        let reason = finding.reason.as_ref().filter(|reason| told.is_empty() || !told.contains(&reason.detail));
        let mut remarks = Vec::new();
        match finding.reads {
            Some(2..) => remarks.push("read twice, the second time afresh, with the same wrong result".into()),
            Some(_) => remarks.push("read once".into()),
            None => {}
        }
        if let Some(bytes) = finding.covered_bytes {
            remarks.push(format!("covers {}", size(bytes)).into());
        }
        View {
            tone: Tone::of_verdict(finding.verdict),
            check: finding.check.to_string().into(),
            required: finding.required,
            source: text(&finding.source),
            expected: if same { Text::default() } else { value(&finding.expected) },
            observed: value(&finding.observed),
            reason: reason.map(|reason| Text::from(&reason.detail)).unwrap_or_default(),
            step: reason.and_then(|reason| NextStep::after_reason(reason, target)).as_ref().map(StepView::from),
            remarks,
        }
    }
}
