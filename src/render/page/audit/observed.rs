use std::collections::BTreeMap;

use askama::Template;

use crate::audit::{ObservationKind, Word};
use crate::render::page::text::{Count, Text};
use crate::report::ObservationReport;

/// Maximum number of lines per kind.
const MOST_LINES: usize = 5_000;
/// Maximum number of lines that are expanded.
const FEW: usize = 10;

/// The kinds in order of importance.
const ORDER: [ObservationKind; 6] = [
    ObservationKind::StoreFailed,
    ObservationKind::ImageWithoutCopy,
    ObservationKind::UploadLeft,
    ObservationKind::StoreInProgress,
    ObservationKind::Duplicate,
    ObservationKind::CopyWithoutImage,
];

fn title(kind: ObservationKind) -> &'static str {
    match kind {
        ObservationKind::StoreFailed => "Store tasks that failed",
        ObservationKind::ImageWithoutCopy => "AMIs without a stored copy in what was listed",
        ObservationKind::UploadLeft => "Uploads left over",
        ObservationKind::StoreInProgress => "Store tasks in progress",
        ObservationKind::Duplicate => "The same content under more than one key",
        ObservationKind::CopyWithoutImage => "Stored copies whose AMI is gone",
    }
}

/// Observations across all objects, by kind.
#[derive(Template)]
#[template(path = "audit-observed.html")]
pub(super) struct Observed {
    kinds: Vec<Kind>,
}

struct Kind {
    title: Text,
    count: Count,
    open: bool,
    lines: Vec<(Text, Text)>,
    left_out: Count,
}

impl Observed {
    /// Groups and sorts the observations.
    pub(super) fn new(observations: &[&ObservationReport]) -> Self {
        let place = |kind: &Word<ObservationKind>| {
            kind.known().and_then(|kind| ORDER.iter().position(|known| known == kind)).unwrap_or(ORDER.len())
        };
        let mut kinds: BTreeMap<(usize, &Word<ObservationKind>), Vec<&ObservationReport>> = BTreeMap::new();
        for one in observations {
            kinds.entry((place(&one.kind), &one.kind)).or_default().push(one);
        }
        Observed { kinds: kinds.into_iter().map(|((_, kind), lines)| Kind::new(kind, &lines)).collect() }
    }

    /// Whether there are no observations.
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}

impl Kind {
    fn new(kind: &Word<ObservationKind>, lines: &[&ObservationReport]) -> Self {
        Kind {
            title: match kind {
                Word::Known(kind) => title(*kind).into(),
                Word::Other(name) => name.replace('_', " ").into(),
            },
            count: Count(lines.len()),
            // Copies usually outlive their AMI, so they are collapsed.
            open: lines.len() <= FEW && *kind != ObservationKind::CopyWithoutImage,
            lines: lines.iter().take(MOST_LINES).map(|one| ((&one.subject).into(), (&one.detail).into())).collect(),
            left_out: Count(lines.len().saturating_sub(MOST_LINES)),
        }
    }
}
