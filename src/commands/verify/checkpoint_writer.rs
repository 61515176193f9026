use std::io;
use std::sync::Arc;

use super::{VerifyError, VerifyOptions};
use crate::checkpoint::{Checkpoint, CheckpointError, CheckpointFile, CheckpointObject};
use crate::clock::Clock;
use crate::facts::ObjectFacts;
use crate::fetch::ProgressSink;
use crate::plan::{ReadPlan, ReadProgress};
use crate::progress::Monitor;
use crate::report::{FileKind, VerifyNote};
use crate::source::Session;

/// Saves the progress of a read in the checkpoint file.
pub(super) struct CheckpointWriter {
    file: CheckpointFile,
    object: CheckpointObject,
    plan: Arc<ReadPlan>,
    clock: Arc<dyn Clock>,
    monitor: Arc<dyn Monitor>,
}

impl CheckpointWriter {
    /// `None` if the request names no checkpoint file.
    pub(super) fn of(
        session: &Session,
        request: &VerifyOptions,
        facts: &ObjectFacts,
        plan: &Arc<ReadPlan>,
    ) -> Option<Self> {
        Some(CheckpointWriter {
            file: request.resume.clone()?,
            object: CheckpointObject::of(session.target().to_string(), facts),
            plan: Arc::clone(plan),
            clock: Arc::clone(&session.context().clock),
            monitor: Arc::clone(&session.context().monitor),
        })
    }

    /// The progress of an earlier run, if it can be resumed from, and a note on it.
    ///
    /// # Errors
    ///
    /// An existing file that cannot be resumed from: starting over would discard it.
    pub(super) fn take_up(&self) -> Result<(Option<ReadProgress>, Option<VerifyNote>), VerifyError> {
        let name = self.file.path().display();
        let wrong = |problem: String| VerifyError::Request(format!("--resume {name}: {problem}"));
        let Some(text) = self.file.read().map_err(|error| wrong(error.to_string()))? else { return Ok((None, None)) };
        let anew = |error: CheckpointError| match &error {
            // It may be something that is needed.
            CheckpointError::Sealed(other) if other.is_another_document() => {
                wrong(format!("{error}; name another file"))
            }
            _ => wrong(format!("{error}; to start over, remove the file")),
        };
        let checkpoint = Checkpoint::from_json(&text).map_err(anew)?;
        let midway = match checkpoint.midway(&self.object, &self.plan) {
            // The object may have been misreported before the first byte was read; no progress is lost by starting
            // over.
            Err(_) if checkpoint.read_bytes() == 0 => return Ok((None, None)),
            // The object may be the same, but nothing shows it, so no run could ever resume from the file.
            Err(CheckpointError::Unidentified) => {
                return Ok((None, Some(VerifyNote::NotResumed { file: name.to_string() })));
            }
            other => other.map_err(anew)?,
        };
        let note = VerifyNote::Resumed {
            read_bytes: checkpoint.read_bytes(),
            of_bytes: self.plan.size(),
            until: checkpoint.written_at().to_owned(),
            file: name.to_string(),
        };
        Ok((Some(midway), Some(note)))
    }

    /// Writes the first checkpoint before the read starts, so that a path that cannot be written is reported at once.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn begin(&self, beginning: &ReadProgress) -> Result<(), VerifyError> {
        let name = self.file.path().display();
        self.keep(beginning)
            .map(drop)
            .map_err(|error| VerifyError::Request(format!("--resume {name}: cannot be written: {error}")))
    }
}

impl ProgressSink for CheckpointWriter {
    fn keep(&self, midway: &ReadProgress) -> io::Result<u64> {
        let now = self.clock.now().to_string();
        let written = self.file.write(&Checkpoint::new(self.object.clone(), &self.plan, midway, now))?;
        self.monitor.wrote(self.file.path(), FileKind::Checkpoint);
        Ok(written)
    }
}
