use std::collections::BTreeMap;

use askama::Template;

use crate::audit::{ObservationKind, Word};
use crate::render::page::text::{Count, Text};
use crate::report::ObservationReport;

/// Maximum number of lines per kind.
const MOST_LINES: usize = 1_000;
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

/// The place of a kind in the order of the page, and the kind.
type Placed = (usize, Word<ObservationKind>);

/// Collects observations: of each kind their number, and the first ones.
#[derive(Default)]
pub(super) struct FirstObservations(BTreeMap<Placed, (usize, Vec<(Text, Text)>)>);

impl FirstObservations {
    /// Adds an observation.
    pub(super) fn add(&mut self, one: &ObservationReport) {
        let known = one.kind.known().and_then(|kind| ORDER.iter().position(|known| known == kind));
        let (count, lines) = self.0.entry((known.unwrap_or(ORDER.len()), one.kind.clone())).or_default();
        *count += 1;
        if lines.len() < MOST_LINES {
            lines.push(((&one.subject).into(), (&one.detail).into()));
        }
    }

    /// The observations, by kind.
    pub(super) fn finish(self) -> Observed {
        Observed {
            kinds: self.0.into_iter().map(|((_, kind), (count, lines))| Kind::new(&kind, count, lines)).collect(),
        }
    }
}

impl Observed {
    /// Whether there are no observations.
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}

impl Kind {
    fn new(kind: &Word<ObservationKind>, count: usize, lines: Vec<(Text, Text)>) -> Self {
        Kind {
            title: match kind {
                Word::Known(kind) => title(*kind).into(),
                Word::Other(name) => name.replace('_', " ").into(),
            },
            count: Count(count),
            // Copies usually outlive their AMI, so they are collapsed.
            open: count <= FEW && *kind != ObservationKind::CopyWithoutImage,
            left_out: Count(count.saturating_sub(lines.len())),
            lines,
        }
    }
}
