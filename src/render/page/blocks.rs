use askama::Template;

use super::text::Text;

/// A part of a section, under a heading of its own.
pub(super) struct Block {
    pub title: &'static str,
    pub lead: Text,
    /// Rendered templates.
    pub body: Vec<String>,
}

impl Block {
    pub fn new(title: &'static str, body: Vec<String>) -> Self {
        Block { title, lead: Text::default(), body }
    }

    pub fn lead(mut self, lead: impl AsRef<str>) -> Self {
        self.lead = lead.into();
        self
    }
}

/// Labels and values, one under the other.
#[derive(Template, Default)]
#[template(path = "facts.html")]
pub(super) struct Facts {
    rows: Vec<Fact>,
}

struct Fact {
    label: Text,
    value: Text,
    /// Where it is known from; may be empty.
    source: Text,
    /// Whether it is data, to be read letter by letter.
    mono: bool,
}

impl Facts {
    pub fn add(&mut self, label: impl AsRef<str>, value: impl AsRef<str>) {
        self.add_from(label, value, "");
    }

    pub fn add_from(&mut self, label: impl AsRef<str>, value: impl AsRef<str>, source: impl AsRef<str>) {
        self.rows.push(Fact { label: label.into(), value: value.into(), source: source.into(), mono: false });
    }

    pub fn add_data(&mut self, label: impl AsRef<str>, value: impl AsRef<str>, source: impl AsRef<str>) {
        self.rows.push(Fact { label: label.into(), value: value.into(), source: source.into(), mono: true });
    }

    pub fn add_some(&mut self, label: impl AsRef<str>, value: Option<&String>) {
        if let Some(value) = value {
            self.add(label, value);
        }
    }
}

/// A table whose first column names its rows.
#[derive(Template)]
#[template(path = "table.html")]
pub(super) struct Table {
    /// Told to who cannot see it, and to who must scroll it.
    pub caption: &'static str,
    /// How each column is set: `text`, `number` or `data`.
    pub columns: &'static [(&'static str, &'static str)],
    pub rows: Vec<Vec<Text>>,
    /// Rows that were left out.
    pub left_out: usize,
    /// Whether each row becomes a list where the window is narrow; else the table scrolls.
    stacks: bool,
}

impl Table {
    pub fn new(caption: &'static str, columns: &'static [(&'static str, &'static str)]) -> Self {
        Table { caption, columns, rows: Vec::new(), left_out: 0, stacks: false }
    }

    pub fn stacking(self) -> Self {
        Table { stacks: true, ..self }
    }

    pub fn add<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.iter().map(Text::from).collect());
    }

    fn name(&self, column: &usize) -> &'static str {
        self.columns.get(*column).map_or("", |(name, _)| *name)
    }

    fn set(&self, column: &usize) -> &'static str {
        self.columns.get(*column).map_or("text", |(_, set)| *set)
    }
}

/// Sentences, one under the other.
#[derive(Template)]
#[template(path = "list.html")]
pub(super) struct List {
    /// A text, and what to do about it; may be empty.
    pub items: Vec<(Text, Text)>,
    /// A label where the list may be so long that it scrolls.
    pub scrolls: Option<&'static str>,
}

impl List {
    pub fn of(items: &[String]) -> Self {
        List { items: items.iter().map(|item| (item.into(), Text::default())).collect(), scrolls: None }
    }
}

/// A drawing, once for wide and once for narrow windows.
#[derive(Template)]
#[template(path = "chart.html")]
pub(super) struct Chart {
    pub wide: String,
    pub narrow: String,
    /// What it shows, in words.
    pub says: Text,
}

/// Text of the terminal.
#[derive(Template)]
#[template(path = "lines.html")]
pub(super) struct Lines {
    pub lines: Vec<Text>,
}
