use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::Timestamp;

use crate::cli::output::keep_output;
use crate::cli::written::WrittenFiles;
use crate::commands::store::RecordKeeper;
use crate::facts::ObjectFacts;
use crate::files::OutputKind;
use crate::record::Record;

/// The record of a store, and its file.
pub(super) struct KeptRecord {
    path: PathBuf,
    record: Record,
    written_at: OnceLock<String>,
    written: WrittenFiles,
}

impl KeptRecord {
    /// A record that is to be written.
    pub(super) fn new(path: &Path, record: Record, written: &WrittenFiles) -> Self {
        KeptRecord { path: path.to_owned(), record, written_at: OnceLock::new(), written: written.clone() }
    }

    fn save(&self, record: &Record) -> Result<(), String> {
        let text = record.to_json().map_err(|error| error.to_string())?;
        keep_output(&self.written, &self.path, OutputKind::Record, text.as_bytes())
            .map_err(|error| format!("the record {} could not be written: {error}", self.path.display()))
    }

    fn record(&self) -> Record {
        let written_at = self.written_at.get().unwrap_or(&self.record.written_at).clone();
        Record { written_at, ..self.record.clone() }
    }
}

impl RecordKeeper for KeptRecord {
    fn before_start(&self, now: Timestamp) -> Result<(), String> {
        self.written_at.get_or_init(|| now.to_string());
        self.save(&self.record())
    }

    /// Adds what only the stored object states.
    fn completed(&self, object: &ObjectFacts) -> Result<(), String> {
        self.save(&Record {
            etag: object.id.etag.as_ref().map(ToString::to_string),
            version_id: object.version.clone(),
            object_bytes: Some(object.size),
            ..self.record()
        })
    }
}
