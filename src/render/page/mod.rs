//! The reports of a run as a single HTML page, for any screen and for paper.
//!
//! The page is self-contained and runs no script, and its Content-Security-Policy forbids both external resources and
//! scripts. The page of an audit runs one embedded script, see [`audit`]. External text is held in [`Text`].

mod audit;
mod blocks;
mod damage;
mod findings;
mod inspect;
mod other;
mod parts;
mod reading;
mod strip;
mod text;
mod tone;
mod verify;

use askama::Template;

pub use audit::AuditPage;
use blocks::{Block, StepView};
use text::Text;
use tone::Tone;

use crate::report::{Exit, Report, SummaryReport};
use crate::units::{self, ByteSize};
use crate::verdict::Verdict;

/// Renders a page with a section for each report, or the page of an audit if the reports contain one. `generated_at` is
/// shown unchanged; a summary among the reports supplies the exit code of the run.
///
/// # Errors
///
/// A template cannot be rendered.
pub fn page(reports: &[Report], generated_at: &str) -> Result<String, String> {
    let audit = reports.iter().find_map(|report| match report {
        Report::Audit(audit) => Some(audit),
        _ => None,
    });
    if let Some(audit) = audit {
        return audit::page(audit, reports, generated_at);
    }
    let mut sections: Vec<Section> = reports.iter().filter_map(section).collect();
    sections.iter_mut().enumerate().for_each(|(at, section)| section.number = at + 1);
    let summary = reports.iter().find_map(|report| match report {
        Report::Summary(summary) => Some(summary),
        _ => None,
    });
    Page {
        command: command(reports),
        run: (sections.len() != 1).then(|| Run::new(&sections, summary)),
        exit: summary.map(|summary| summary.exit_code),
        sections,
        version: env!("CARGO_PKG_VERSION"),
        generated_at: generated_at.into(),
    }
    .render()
    .map_err(|error| error.to_string())
}

/// Order of targets in a summary.
const WORST_FIRST: [Tone; 5] = [Tone::Fail, Tone::Error, Tone::Unknown, Tone::Plain, Tone::Pass];

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    command: &'static str,
    /// Summary of several targets.
    run: Option<Run>,
    /// Exit code of the run, if it is known.
    exit: Option<Exit>,
    sections: Vec<Section>,
    version: &'static str,
    generated_at: Text,
}

impl Page {
    /// The title of the browser tab.
    fn title(&self) -> Text {
        match (&self.run, self.sections.as_slice()) {
            (None, [one]) => format!("{}: {}", one.word, one.target).into(),
            (Some(run), _) => run.says.clone(),
            _ => "stored-ami".into(),
        }
    }

    /// The sections by what they found, the worst first.
    fn worst_first(&self) -> Vec<&Section> {
        let mut sections: Vec<&Section> = self.sections.iter().collect();
        sections.sort_by_key(|section| WORST_FIRST.iter().position(|tone| *tone == section.tone));
        sections
    }

    /// The exit code of the run, if it differs from those of all targets.
    fn differs(&self) -> Option<(Exit, &'static str)> {
        let code = self.exit.filter(|code| self.sections.iter().all(|section| section.exit != *code))?;
        Some((code, Tone::of_exit(code).exit_meaning(code)))
    }
}

/// Summary of all targets.
struct Run {
    tone: Tone,
    says: Text,
    exit: Option<(Exit, &'static str)>,
}

impl Run {
    fn new(sections: &[Section], summary: Option<&SummaryReport>) -> Self {
        let counted = |tones: &[Tone]| sections.iter().filter(|section| tones.contains(&section.tone)).count();
        let told = [
            (counted(&[Tone::Fail]), "failed"),
            (counted(&[Tone::Error]), "ended with an error"),
            (counted(&[Tone::Unknown]), Verdict::Unknown.name()),
            (counted(&[Tone::Pass]), "passed"),
            (counted(&[Tone::Plain]), "without a verdict"),
        ];
        let told: Vec<String> =
            told.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        let worst = [Tone::Fail, Tone::Error, Tone::Unknown, Tone::Pass];
        let worst = worst.into_iter().find(|tone| counted(&[*tone]) > 0).unwrap_or(Tone::Plain);
        let tone = match summary.map(|summary| summary.exit_code) {
            None | Some(Exit::Passed) => worst,
            Some(code) => Tone::of_exit(code),
        };
        let says = match sections.len() {
            0 => "nothing was done".to_owned(),
            many => format!("{}: {}", units::counted(many as u64, "target"), told.join(", ")),
        };
        let exit = summary.map(|summary| (summary.exit_code, worst.exit_meaning(summary.exit_code)));
        Run { tone, says: says.into(), exit }
    }
}

/// One target.
struct Section {
    /// Number of the section, from 1, for links.
    number: usize,
    target: Text,
    tone: Tone,
    word: &'static str,
    says: Text,
    /// An additional remark; may be empty.
    remark: Text,
    /// The first thing to do.
    next: Option<StepView>,
    exit: Exit,
    bytes: Option<u64>,
    blocks: Vec<Block>,
}

impl Section {
    fn new(target: &str, tone: Tone, says: &str, exit: Exit) -> Self {
        Section {
            number: 0,
            target: target.into(),
            tone,
            word: tone.word(),
            says: says.into(),
            remark: Text::default(),
            next: None,
            exit,
            bytes: None,
            blocks: Vec::new(),
        }
    }

    fn exit_meaning(&self) -> &'static str {
        self.tone.exit_meaning(self.exit)
    }

    fn size(&self) -> String {
        self.bytes.map(|bytes| ByteSize(bytes).to_string()).unwrap_or_default()
    }
}

fn section(report: &Report) -> Option<Section> {
    match report {
        Report::Verify(report) => Some(verify::section(report)),
        Report::Inspect(report) => Some(inspect::section(report)),
        Report::Bench(report) => Some(other::bench(report)),
        Report::Error(report) => Some(other::error(report)),
        other => other::plain(other),
    }
}

fn command(reports: &[Report]) -> &'static str {
    let named = |report: &Report| match report {
        Report::Verify(_) => Some("stored-ami verify"),
        Report::Inspect(_) => Some("stored-ami inspect"),
        Report::Bench(_) => Some("stored-ami bench"),
        _ => None,
    };
    reports.iter().find_map(named).unwrap_or("stored-ami")
}
