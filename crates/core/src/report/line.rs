use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Report, SCHEMA, TOOL};

/// One line of JSON output.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Line {
    /// `stored-ami/1`.
    pub schema: String,
    /// When the line was written (RFC 3339). In lines of type `ledger_entry`: when the entry was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Name and version of the program that wrote the line. In lines of type `ledger_entry`: that made the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The result as one sentence, for people. Its words may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The result, with its `type`.
    #[serde(flatten)]
    pub report: Report,
}

impl Line {
    /// A line of this schema, without time, program and sentence.
    pub fn new(report: Report) -> Self {
        Line { schema: SCHEMA.to_owned(), at: None, tool: None, summary: None, report }
    }

    /// A line of this schema that is written now.
    pub fn written_at(report: Report, now: Timestamp) -> Self {
        let summary = Some(report.sentence());
        // An entry of a ledger has fields of these names.
        let is_entry = matches!(report, Report::LedgerEntry(_));
        let (at, tool) = if is_entry { (None, None) } else { (Some(now.to_string()), Some(TOOL.to_owned())) };
        Line { at, tool, summary, ..Line::new(report) }
    }
}

impl<'de> Deserialize<'de> for Line {
    /// Reads the fields of the line before those of the report, because an entry of a ledger has fields of the same
    /// names.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let mut text = |name: &'static str| match fields.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(D::Error::custom(format_args!("`{name}` is not a string"))),
        };
        let schema = text("schema")?.ok_or_else(|| D::Error::missing_field("schema"))?;
        let summary = text("summary")?;
        let is_entry = fields.get("type").is_some_and(|kind| kind == "ledger_entry");
        let mut text = |name: &str| fields.remove(name).and_then(|value| value.as_str().map(str::to_owned));
        let (at, tool) = if is_entry { (None, None) } else { (text("at"), text("tool")) };
        let report = serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Line { schema, at, tool, summary, report })
    }
}
