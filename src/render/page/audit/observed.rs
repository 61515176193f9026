use std::collections::BTreeMap;

use askama::Template;

use crate::render::page::text::{Count, Text};
use crate::report::ObservationReport;

/// Lines of one kind.
const MOST_LINES: usize = 5_000;
/// Lines that are shown without being asked for.
const FEW: usize = 10;

/// Kinds, in the order in which they matter, and in words.
const KINDS: [(&str, &str); 6] = [
    ("store_failed", "Store tasks that failed"),
    ("image_without_copy", "AMIs without a stored copy in what was listed"),
    ("upload_left", "Uploads left over"),
    ("store_in_progress", "Store tasks in progress"),
    ("duplicate", "The same content under more than one key"),
    ("copy_without_image", "Stored copies whose AMI is gone"),
];

/// What shows of all objects together, by kind.
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
    pub fn new(observations: &[&ObservationReport]) -> Self {
        let place = |kind: &str| KINDS.iter().position(|(name, _)| *name == kind).unwrap_or(KINDS.len());
        let mut kinds: BTreeMap<(usize, &str), Vec<&ObservationReport>> = BTreeMap::new();
        for one in observations {
            kinds.entry((place(&one.kind), &one.kind)).or_default().push(one);
        }
        Observed { kinds: kinds.into_iter().map(|((_, name), lines)| Kind::new(name, &lines)).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}

impl Kind {
    fn new(name: &str, lines: &[&ObservationReport]) -> Self {
        let title = KINDS.iter().find(|(known, _)| *known == name);
        Kind {
            title: title.map_or_else(|| name.replace('_', " ").into(), |(_, title)| title.into()),
            count: Count(lines.len()),
            // A copy outlives its AMI as a rule, and is no news.
            open: lines.len() <= FEW && name != "copy_without_image",
            lines: lines.iter().take(MOST_LINES).map(|one| ((&one.subject).into(), (&one.detail).into())).collect(),
            left_out: Count(lines.len().saturating_sub(MOST_LINES)),
        }
    }
}
