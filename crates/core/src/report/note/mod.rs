//! Remarks in reports.

mod object;
mod verify;
mod work;

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use object::{AuditedNote, DeletionNote, DiscoveryNote, InputNote, InspectNote};
pub use verify::VerifyNote;
pub use work::{BenchNote, CostNote, TaskNote};

use super::AuditNote;
use crate::checks::SizeContradiction;
use crate::checks::preflight::{BucketNote, PreflightNote};
use crate::manifest::SumsNote;

/// A remark in a report. In JSON it is its text, and a text that is read from a file is [`Note::Other`]: programs must
/// not decide by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// What the source of an object remarks on the server, the settings and the headers, in its own words.
    Source(String),
    /// On the facts of an object.
    Discovery(DiscoveryNote),
    /// On what the user passed.
    Input(InputNote),
    /// On the result of `inspect`.
    Inspect(InspectNote),
    /// On a checksum file.
    Sums(SumsNote),
    /// On the sizes before compression.
    Sizes(SizeContradiction),
    /// On a verification.
    Verify(VerifyNote),
    /// On an object of an audit.
    Audited(AuditedNote),
    /// On a whole audit.
    Audit(AuditNote),
    /// On whether an AMI may be deleted.
    Deletion(DeletionNote),
    /// On the conditions of a store or a restore.
    Preflight(PreflightNote),
    /// On a store or a restore.
    Task(TaskNote),
    /// On a measurement.
    Bench(BenchNote),
    /// On costs.
    Cost(CostNote),
    /// A note on another object than that of the report.
    Of {
        /// The object, as a URI or a path.
        target: String,
        /// The note on it.
        note: Box<Note>,
    },
    /// The text of a note that was read from a file.
    Other(String),
}

impl Note {
    /// The note in a report on another object.
    #[must_use]
    pub fn of(self, target: impl fmt::Display) -> Self {
        Note::Of { target: target.to_string(), note: Box::new(self) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Source(text) | Note::Other(text) => f.write_str(text),
            Note::Discovery(note) => note.fmt(f),
            Note::Input(note) => note.fmt(f),
            Note::Inspect(note) => note.fmt(f),
            Note::Sums(note) => note.fmt(f),
            Note::Sizes(note) => note.fmt(f),
            Note::Verify(note) => note.fmt(f),
            Note::Audited(note) => note.fmt(f),
            Note::Audit(note) => note.fmt(f),
            Note::Deletion(note) => note.fmt(f),
            Note::Preflight(note) => note.fmt(f),
            Note::Task(note) => note.fmt(f),
            Note::Bench(note) => note.fmt(f),
            Note::Cost(note) => note.fmt(f),
            Note::Of { target, note } => write!(f, "{target}: {note}"),
        }
    }
}

/// The conversions of the kinds of notes.
macro_rules! notes_from {
    ($($kind:ident: $note:ty),+ $(,)?) => {
        $(impl From<$note> for Note {
            fn from(note: $note) -> Self {
                Note::$kind(note)
            }
        })+
    };
}

notes_from! {
    Discovery: DiscoveryNote,
    Input: InputNote,
    Inspect: InspectNote,
    Sums: SumsNote,
    Sizes: SizeContradiction,
    Verify: VerifyNote,
    Audited: AuditedNote,
    Audit: AuditNote,
    Deletion: DeletionNote,
    Preflight: PreflightNote,
    Task: TaskNote,
    Bench: BenchNote,
    Cost: CostNote,
}

impl From<BucketNote> for Note {
    fn from(note: BucketNote) -> Self {
        Note::Preflight(note.into())
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Note {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Note::Other)
    }
}

/// The schema is that of a text.
impl JsonSchema for Note {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(note: impl Into<Note>) -> String {
        serde_json::to_string(&note.into()).unwrap()
    }

    #[test]
    fn a_note_is_its_sentence_and_is_read_as_a_text() {
        let note = Note::from(VerifyNote::NotCurrent { why: "HEAD: 404".into() });
        let written = json(note.clone());
        assert_eq!(written, "\"the version verified is no longer the current one: HEAD: 404\"");
        let read: Note = serde_json::from_str(&written).unwrap();
        assert_eq!(read, Note::Other(note.to_string()));
        assert_eq!(json(read), written);
    }

    #[test]
    fn sentences_with_numbers() {
        let one = SumsNote::Foreign { file: "S".into(), lines: 1, first: 7 };
        assert_eq!(json(one), "\"checksum file S: 1 line is no checksum and left out, line 7 first\"");
        let time = jiff::SignedDuration::from_mins(90);
        let pace = |restores| json(PreflightNote::Takes { time, restores });
        assert_eq!(pace(1), "\"about 90 min, estimated from 1 earlier restore\"");
        let short = |time| PreflightNote::Takes { time, restores: 1 }.to_string();
        assert!(short(jiff::SignedDuration::from_secs(13)).starts_with("about 13 s, "));
        assert!(short(jiff::SignedDuration::from_secs(600)).starts_with("about 10 min, "));
        assert_eq!(pace(2), "\"about 90 min, estimated from 2 earlier restores\"");
        let again = VerifyNote::ConfirmingMismatch { bytes: 3 << 30 };
        assert_eq!(json(again), "\"the bytes do not match: reading all 3 GiB once more to rule out a bad read\"");
        let key = Some("k".to_owned());
        assert_eq!(
            json(BucketNote::Encrypts { algorithm: "aws:kms".into(), key }),
            "\"the bucket encrypts new objects with aws:kms with key k\""
        );
    }

    #[test]
    fn a_note_on_another_object_names_it() {
        let note = Note::from(DiscoveryNote::AttributesUnsupported).of("s3://b/k");
        assert_eq!(json(note), "\"s3://b/k: the server does not know GetObjectAttributes\"");
    }
}
