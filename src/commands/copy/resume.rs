//! An upload of an earlier run that is gone on with.

use std::collections::BTreeMap;
use std::path::Path;

use super::prepare::describe;
use super::run::Copying;
use super::sender::{Begun, Outlet};
use super::{COPY_ID, CopyEnds, CopyRequest, CopyStateFile, PreparedCopy};
use crate::copy::{CopyCheck, CopyFinding, CopyState, SourceState};
use crate::files::{FileProblem, NamedLock, room_for};
use crate::ident::shell_option;
use crate::progress::Call;
use crate::report::{CopyEnd, CopyOutcome, CopyReport, Exit, FileKind, LeftReport, Note};
use crate::source::{ErrorKind, NewObject, SourceError};

/// The properties of a new object in a canonical form, without the mark of the run.
fn properties(new: &NewObject) -> String {
    let metadata: BTreeMap<_, _> = new.metadata.iter().filter(|(name, _)| *name != COPY_ID).collect();
    let NewObject { content_type, headers, metadata: _, tags, storage_class, kms_key, lock, checksum: _ } = new;
    format!("{:?}", (storage_class, kms_key, lock, content_type, headers, metadata, tags))
}

/// The state of this copy, for an upload.
fn state_of(ends: &CopyEnds, request: &CopyRequest, prepared: &PreparedCopy, upload_id: String) -> CopyState {
    let state = CopyState {
        tool: crate::report::TOOL.to_owned(),
        written_at: ends.source.context().clock.now().to_string(),
        source: prepared.report.source.clone(),
        source_identity: SourceState::from(&prepared.found.facts.identity()),
        destination: ends.upload.uri().clone(),
        endpoint: ends.endpoint.clone(),
        upload_id,
        copy_id: prepared.new.metadata.get(COPY_ID).cloned().unwrap_or_default(),
        parts: 0,
        largest_part_bytes: 0,
        checksum: String::new(),
        is_composite: false,
        properties: properties(&prepared.new),
        unproved: request.unproved,
    };
    state.of_parts(&prepared.plan.layout, prepared.checksum.checksum)
}

/// The command that removes the upload of a state file. The options are those of this run, which may be at another
/// endpoint than the upload; the command then refuses to remove it.
fn abort_command(ends: &CopyEnds, path: &Path) -> String {
    let path = path.display().to_string();
    format!("stored-ami copy {}{}", shell_option("--abort", &path), ends.to.arguments("to-"))
}

/// Reports a state file that cannot be used.
fn refuse(report: &mut CopyReport, problem: String) {
    report.add(&[CopyFinding::fail(CopyCheck::Uploads, problem)], &[]);
    report.exit_code = Exit::Usage;
}

/// Describes both ends and what the copy would be. Writes nothing.
///
/// # Errors
///
/// The source or the destination cannot be described.
pub async fn prepare_copy(ends: &CopyEnds, request: &CopyRequest) -> Result<PreparedCopy, SourceError> {
    let mut prepared = describe(ends, request).await?;
    check_state(ends, request, &mut prepared);
    Ok(prepared)
}

/// Refuses a state file that is of another copy, before anything is asked or written.
fn check_state(ends: &CopyEnds, request: &CopyRequest, prepared: &mut PreparedCopy) {
    let Some(file) = &request.resume else { return };
    if prepared.report.outcome != CopyOutcome::Planned {
        return name_kept(ends, file, prepared);
    }
    // Held until this is checked; `carry_out` requests it again.
    let is_usable = match (file.lock(), file.read()) {
        (Err(problem), _) => {
            refuse(&mut prepared.report, format!("--resume {problem}"));
            false
        }
        (Ok(_), Ok(None)) => match room_for(file.path(), 0) {
            Ok(_) => true,
            Err(problem) => {
                refuse(&mut prepared.report, format!("--resume {problem}"));
                false
            }
        },
        (Ok(_), Ok(Some(state))) => is_of_this_copy(ends, request, prepared, (file.path(), &state)),
        (Ok(_), Err(problem)) => {
            refuse(&mut prepared.report, format!("{problem}; name another file with --resume"));
            false
        }
    };
    if !is_usable {
        prepared.report.outcome = CopyOutcome::Refused;
    }
}

/// Names the upload of a state file that this run neither goes on with nor removes.
fn name_kept(ends: &CopyEnds, file: &CopyStateFile, prepared: &mut PreparedCopy) {
    let Some(state) = file.read().ok().flatten().filter(|_| !prepared.is_of_finished()) else { return };
    prepared.report.left_behind.push(LeftReport {
        id: state.upload_id,
        state: format!("the upload of {}, to {}; nothing goes on with it", file.path().display(), state.destination),
        remove_with: abort_command(ends, file.path()),
    });
}

/// Whether the upload of a state file is one for this copy. If not, that is in the report.
fn is_of_this_copy(
    ends: &CopyEnds,
    request: &CopyRequest,
    prepared: &mut PreparedCopy,
    (path, state): (&Path, &CopyState),
) -> bool {
    let Err(error) = state.check(&state_of(ends, request, prepared, String::new())) else { return true };
    let name = path.display();
    refuse(
        &mut prepared.report,
        format!("{name}: {error}; repeat the earlier command, name another file with --resume, or remove its upload"),
    );
    prepared.report.left_behind.push(LeftReport {
        id: state.upload_id.clone(),
        state: format!("the upload of the state file, to {}", state.destination),
        remove_with: abort_command(ends, path),
    });
    false
}

impl Copying<'_> {
    /// Keeps other runs from the upload of the state file; `None` without one.
    ///
    /// # Errors
    ///
    /// Another run holds it, which is in the report then.
    pub(super) fn hold_state(&mut self) -> Result<Option<NamedLock>, ()> {
        let lock = self.request.resume.as_ref().map(CopyStateFile::lock).transpose();
        lock.map_err(|problem| refuse(&mut self.prepared.report, format!("--resume {problem}")))
    }

    /// The upload of an earlier run with the parts that it holds. `Ok(None)` if there is none.
    ///
    /// # Errors
    ///
    /// The state cannot be used, which is in the report then.
    pub(super) async fn take_up(&mut self) -> Result<Option<Begun>, ()> {
        let Some(file) = &self.request.resume else { return Ok(None) };
        let state = match file.read() {
            Ok(Some(state)) => state,
            Ok(None) => return Ok(None),
            Err(problem) => {
                refuse(&mut self.prepared.report, problem);
                return Err(());
            }
        };
        // The file was checked before the copy began, and may have been replaced since.
        if !is_of_this_copy(self.ends, self.request, &mut self.prepared, (file.path(), &state)) {
            return Err(());
        }
        let context = self.ends.destination.context();
        let listed = context.retry(Call::Write, || self.ends.upload.parts(&state.upload_id)).await;
        let known = match listed {
            Ok(known) => known,
            Err(error) if error.code.as_deref() == Some("NoSuchUpload") => {
                let note = "the upload of the earlier run is no longer there (a lifecycle rule may have removed it); \
                            the copy starts over";
                context.monitor.note(note);
                self.prepared.report.notes.push(Note::Source(note.to_owned()));
                self.lost_upload = Some(state.upload_id);
                return Ok(None);
            }
            Err(error) => {
                self.add(CopyFinding::open(CopyCheck::Uploads, format!("ListParts: {}", error.explain())));
                self.prepared.report.exit_code = crate::commands::exit_of(&error);
                if error.kind == ErrorKind::Denied {
                    self.prepared.report.denied_at = Some(CopyEnd::Destination);
                }
                return Err(());
            }
        };
        self.mark(state.copy_id);
        let note = format!("resumed: the upload of {} has {} parts", state.written_at, known.len());
        context.monitor.note(&note);
        self.prepared.report.notes.push(Note::Source(note));
        Ok(Some(Begun { outlet: Outlet::Upload(state.upload_id), known }))
    }

    /// Writes the state of an upload that was begun. If that fails, the upload cannot be taken up, and is removed.
    pub(super) async fn keep_state(&mut self, id: &str) -> Result<(), ()> {
        let Some(file) = &self.request.resume else { return Ok(()) };
        // Its state may be the only trace of the other upload.
        if let Ok(Some(there)) = file.read()
            && !self.is_lost(&there)
            && there.copy_id != self.id
        {
            let text = "another run wrote the state of its upload there meanwhile; name another file";
            refuse(&mut self.prepared.report, format!("--resume {}: {text}", file.path().display()));
            self.abort(&Outlet::Upload(id.to_owned())).await;
            return Err(());
        }
        let Err(error) = file.write(&state_of(self.ends, self.request, &self.prepared, id.to_owned())) else {
            self.ends.source.context().monitor.wrote(file.path(), FileKind::CopyState);
            return Ok(());
        };
        let problem = FileProblem::of(file.path(), error).to_string();
        refuse(&mut self.prepared.report, format!("--resume {problem}"));
        self.abort(&Outlet::Upload(id.to_owned())).await;
        Err(())
    }

    /// Keeps the upload, with the commands that go on with it and that remove it. Without a state file it is removed.
    pub(super) async fn keep_or_abort(&mut self, outlet: &Outlet) {
        let Outlet::Upload(id) = outlet else { return };
        let Some(file) = &self.request.resume else { return self.abort(outlet).await };
        let path = file.path().display().to_string();
        self.prepared.report.is_upload_kept = true;
        self.prepared.report.left_behind.push(LeftReport {
            id: id.clone(),
            state: format!("kept; the same command with --resume {path} goes on with it"),
            remove_with: abort_command(self.ends, file.path()),
        });
    }

    /// Whether the upload of a state is no longer there.
    fn is_lost(&self, state: &CopyState) -> bool {
        self.lost_upload.as_ref() == Some(&state.upload_id)
    }

    /// Removes the state of an upload that is no longer there. That of another run stays.
    pub(super) fn forget_state(&mut self) {
        let is_of_another = |file: &CopyStateFile| {
            file.read().ok().flatten().is_some_and(|there| there.copy_id != self.id && !self.is_lost(&there))
        };
        if let Some(file) = self.request.resume.as_ref().filter(|file| !is_of_another(file))
            && let Err(error) = file.remove()
        {
            let note = format!("{}: is no longer needed, and could not be removed: {error}", file.path().display());
            self.prepared.report.notes.push(Note::Source(note));
        }
    }
}
