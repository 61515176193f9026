use std::collections::BTreeMap;

use askama::Template;

use super::text::{Text, grouped};
use crate::audit::joined;
use crate::render::reference;
use crate::report::{DamageReport, FindingReport};
use crate::units::ByteSize;
use crate::verdict::{CheckId, Verdict};

/// The damaged parts of an object: one block for each part, whatever number of references disagree with it.
#[derive(Template)]
#[template(path = "damage.html")]
pub(super) struct Damage {
    /// Parts that are shown at once.
    first: Vec<DamagedPart>,
    /// Parts that are shown on request.
    more: Vec<DamagedPart>,
    left_out: usize,
    references: Vec<Reference>,
}

/// Maximum numbers of damaged parts on a page.
#[derive(Clone, Copy)]
pub(super) struct Most {
    /// Parts that are shown at once.
    pub first: usize,
    /// All parts.
    pub all: usize,
}

struct DamagedPart {
    /// The range of bytes.
    bytes: Text,
    /// The number of the part, and its size.
    part: Text,
    certainty: &'static str,
    differs_from: Text,
    values: Vec<Values>,
}

/// The values of a part by one reference.
struct Values {
    check: Text,
    expected: Text,
    found: Text,
    /// The value of the second read if it differs from that of the first.
    second_read: Text,
}

/// A reference that disagrees with the bytes.
struct Reference {
    check: Text,
    source: Text,
    /// The expected and the found value if the reference cannot place the damage.
    expected: Text,
    found: Text,
}

impl Damage {
    /// `None` if no finding names a damaged part. `parts` is the number of parts of the object, if it is known.
    pub(super) fn new<'a>(
        findings: impl Iterator<Item = &'a FindingReport> + Clone,
        parts: Option<u64>,
        most: Most,
    ) -> Option<Self> {
        let mut damaged: BTreeMap<_, Vec<(&FindingReport, &DamageReport)>> = BTreeMap::new();
        for finding in findings.clone() {
            for damage in &finding.damage {
                damaged
                    .entry((damage.part, damage.offset_bytes, damage.length_bytes))
                    .or_default()
                    .push((finding, damage));
            }
        }
        if damaged.is_empty() {
            return None;
        }
        let mut first: Vec<DamagedPart> =
            damaged.values().take(most.all).filter_map(|seen| DamagedPart::new(seen, parts)).collect();
        let more = first.split_off(most.first.min(first.len()));
        let references = findings.filter(|finding| disagrees(finding)).map(Reference::new).collect();
        Some(Damage { first, more, left_out: damaged.len().saturating_sub(most.all), references })
    }

    /// Whether some damaged parts are not shown at all.
    pub(super) fn is_cut(&self) -> bool {
        self.left_out > 0
    }
}

/// Whether the finding says that the bytes differ from a reference; the blocks of the damaged parts say so already.
pub(super) fn disagrees(finding: &FindingReport) -> bool {
    finding.verdict == Verdict::Fail && (!finding.damage.is_empty() || matches!(finding.check, CheckId::Reference(..)))
}

impl DamagedPart {
    fn new(seen: &[(&FindingReport, &DamageReport)], parts: Option<u64>) -> Option<Self> {
        let (_, damage) = seen.first()?;
        let last = damage.offset_bytes.saturating_add(damage.length_bytes.saturating_sub(1));
        let of = parts.map(|parts| format!(" of {}", grouped(parts))).unwrap_or_default();
        let known: Vec<String> = seen.iter().filter_map(|(finding, _)| reference::described(finding.check)).collect();
        let differs_from = if known.is_empty() { "what was proved before".to_owned() } else { joined(&known, ", ") };
        let values = seen.iter().map(|(finding, damage)| Values {
            check: finding.check.to_string().into(),
            expected: (&damage.expected).into(),
            found: (&damage.observed).into(),
            second_read: damage
                .second_read
                .as_deref()
                .filter(|second| *second != damage.observed)
                .unwrap_or_default()
                .into(),
        });
        Some(DamagedPart {
            bytes: format!("bytes {}–{}", grouped(damage.offset_bytes), grouped(last)).into(),
            part: format!("part {}{of}, {}", grouped(damage.part), ByteSize(damage.length_bytes)).into(),
            certainty: certainty(seen),
            differs_from: differs_from.into(),
            values: values.collect(),
        })
    }
}

/// How sure it is that the stored bytes are damaged, and not only those that were received.
fn certainty(seen: &[(&FindingReport, &DamageReport)]) -> &'static str {
    let second = || seen.iter().filter_map(|(_, damage)| damage.second_read.as_ref().map(|second| (damage, second)));
    if second().any(|(damage, second)| *second != damage.observed) {
        "Read twice, with two different wrong results"
    } else if second().next().is_some() || seen.iter().any(|(finding, _)| finding.reads.is_some_and(|reads| reads > 1))
    {
        "Read twice, the second time afresh, with the same wrong result"
    } else {
        "Read once"
    }
}

fn value(finding: &FindingReport, value: &Option<String>) -> Text {
    reference::value(finding.check, value.as_deref().unwrap_or_default()).into()
}

impl Reference {
    fn new(finding: &FindingReport) -> Self {
        let text = |value: &Option<String>| Text::from(value.as_deref().unwrap_or_default());
        let placed = !finding.damage.is_empty();
        Reference {
            check: finding.check.to_string().into(),
            source: text(&finding.source),
            expected: if placed { Text::default() } else { value(finding, &finding.expected) },
            found: if placed { Text::default() } else { value(finding, &finding.observed) },
        }
    }
}
