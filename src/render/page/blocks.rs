use askama::Template;

use super::text::Text;
use crate::render::next_step::NextStep;

/// A part of a section, with its own heading.
pub(super) struct Block {
    /// The heading.
    pub title: &'static str,
    /// Introductory sentence; may be empty.
    pub lead: Text,
    /// Rendered templates.
    pub body: Vec<String>,
}

impl Block {
    /// A block without an introduction.
    pub(super) fn new(title: &'static str, body: Vec<String>) -> Self {
        Block { title, lead: Text::default(), body }
    }

    /// Sets the introduction.
    pub(super) fn lead(mut self, lead: impl AsRef<str>) -> Self {
        self.lead = lead.into();
        self
    }
}

/// A list of labels and values.
#[derive(Template, Default)]
#[template(path = "facts.html")]
pub(super) struct Facts {
    rows: Vec<Fact>,
}

struct Fact {
    label: Text,
    value: Text,
    /// The source of the value; may be empty.
    source: Text,
    /// Whether the value is data, shown in a monospaced font.
    mono: bool,
}

impl Facts {
    /// Adds a value without a source.
    pub(super) fn add(&mut self, label: impl AsRef<str>, value: impl AsRef<str>) {
        self.add_from(label, value, "");
    }

    /// Adds a value with its source.
    pub(super) fn add_from(&mut self, label: impl AsRef<str>, value: impl AsRef<str>, source: impl AsRef<str>) {
        self.rows.push(Fact { label: label.into(), value: value.into(), source: source.into(), mono: false });
    }

    /// Adds data with its source, in a monospaced font.
    pub(super) fn add_data(&mut self, label: impl AsRef<str>, value: impl AsRef<str>, source: impl AsRef<str>) {
        self.rows.push(Fact { label: label.into(), value: value.into(), source: source.into(), mono: true });
    }

    /// Adds a value if there is one.
    pub(super) fn add_some(&mut self, label: impl AsRef<str>, value: Option<&String>) {
        if let Some(value) = value {
            self.add(label, value);
        }
    }
}

/// A table whose first column contains the row headings.
#[derive(Template)]
#[template(path = "table.html")]
pub(super) struct Table {
    /// Label for screen readers and for scrolling.
    pub caption: &'static str,
    /// Name and style of each column: `text`, `number` or `data`.
    pub columns: &'static [(&'static str, &'static str)],
    /// The cells, by row.
    pub rows: Vec<Vec<Text>>,
    /// Number of omitted rows.
    pub left_out: usize,
    /// Whether rows turn into lists in narrow windows; otherwise the table scrolls.
    stacks: bool,
}

impl Table {
    /// An empty table that scrolls in narrow windows.
    pub(super) fn new(caption: &'static str, columns: &'static [(&'static str, &'static str)]) -> Self {
        Table { caption, columns, rows: Vec::new(), left_out: 0, stacks: false }
    }

    /// Turns rows into lists in narrow windows.
    pub(super) fn stacking(self) -> Self {
        Table { stacks: true, ..self }
    }

    /// Adds a row.
    pub(super) fn add<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.iter().map(Text::from).collect());
    }

    fn name(&self, column: &usize) -> &'static str {
        self.columns.get(*column).map_or("", |(name, _)| *name)
    }

    fn set(&self, column: &usize) -> &'static str {
        self.columns.get(*column).map_or("text", |(_, set)| *set)
    }
}

/// A list of sentences.
#[derive(Template)]
#[template(path = "list.html")]
pub(super) struct List {
    /// A text, and advice on it, which may be empty.
    pub items: Vec<(Text, Text)>,
    /// Label of the list, if it may be long enough to scroll.
    pub scrolls: Option<&'static str>,
}

impl List {
    /// A list of texts without advice.
    pub(super) fn of(items: &[String]) -> Self {
        List { items: items.iter().map(|item| (item.into(), Text::default())).collect(), scrolls: None }
    }
}

/// What the reader can do next.
#[derive(Template)]
#[template(path = "steps.html")]
pub(super) struct Steps {
    steps: Vec<StepView>,
}

/// A step, and its command, which may be empty.
pub(super) struct StepView {
    /// The step.
    pub says: Text,
    /// The command.
    pub command: Text,
}

impl From<&NextStep> for StepView {
    fn from(step: &NextStep) -> Self {
        StepView { says: step.sentence().into(), command: step.command(&[]).unwrap_or_default().into() }
    }
}

impl Steps {
    /// The steps as HTML; empty without any.
    pub(super) fn html(steps: &[NextStep]) -> String {
        let list = Steps { steps: steps.iter().map(StepView::from).collect() };
        if steps.is_empty() { String::new() } else { list.render().unwrap_or_default() }
    }

    /// A block of steps; `None` without any.
    pub(super) fn block(steps: &[NextStep]) -> Option<Block> {
        (!steps.is_empty()).then(|| Block::new("What to do next", vec![Steps::html(steps)]))
    }
}

/// A drawing in a version for wide and one for narrow windows.
#[derive(Template)]
#[template(path = "chart.html")]
pub(super) struct Chart {
    /// SVG for wide windows.
    pub wide: String,
    /// SVG for narrow windows.
    pub narrow: String,
    /// Description of the drawing.
    pub says: Text,
}

/// Text as shown on a terminal.
#[derive(Template)]
#[template(path = "lines.html")]
pub(super) struct Lines {
    /// The lines.
    pub lines: Vec<Text>,
}
