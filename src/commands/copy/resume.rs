//! An upload of an earlier run that is gone on with.

use std::collections::BTreeMap;

use super::COPY_ID;
use super::run::Copying;
use super::sender::{Begun, Outlet};
use crate::copy::{CopyCheck, CopyFinding, CopyState, SourceState};
use crate::progress::Call;
use crate::report::{Exit, FileKind, LeftReport, Note};
use crate::source::NewObject;

/// The properties of a new object in a canonical form, without the mark of the run.
fn properties(new: &NewObject) -> String {
    let metadata: BTreeMap<_, _> = new.metadata.iter().filter(|(name, _)| *name != COPY_ID).collect();
    let NewObject { content_type, headers, metadata: _, tags, storage_class, kms_key, lock, checksum: _ } = new;
    format!("{:?}", (storage_class, kms_key, lock, content_type, headers, metadata, tags))
}

impl Copying<'_> {
    /// The state of this copy, for an upload.
    pub(super) fn state(&self, upload_id: String) -> CopyState {
        let state = CopyState {
            tool: crate::report::TOOL.to_owned(),
            written_at: self.ends.source.context().clock.now().to_string(),
            source: self.prepared.report.source.clone(),
            source_identity: SourceState::from(&self.prepared.found.facts.identity()),
            destination: self.ends.upload.uri().clone(),
            endpoint: self.ends.endpoint.clone(),
            upload_id,
            copy_id: self.id.clone(),
            parts: 0,
            largest_part_bytes: 0,
            checksum: String::new(),
            is_composite: false,
            properties: properties(&self.prepared.new),
            unproved: self.request.unproved,
        };
        state.of_parts(&self.prepared.plan.layout, self.prepared.checksum.checksum)
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
                self.refuse(problem);
                return Err(());
            }
        };
        if let Err(error) = state.check(&self.state(String::new())) {
            let path = file.path().display();
            self.refuse(format!("{path}: {error}; `copy --abort {path}` removes the upload and the file"));
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
                return Ok(None);
            }
            Err(error) => {
                self.add(CopyFinding::open(CopyCheck::Uploads, format!("ListParts: {}", error.explain())));
                self.prepared.report.exit_code = crate::commands::exit_of(&error);
                return Err(());
            }
        };
        self.mark(state.copy_id);
        let note = format!("resumed: the upload of {} has {} parts", state.written_at, known.len());
        context.monitor.note(&note);
        self.prepared.report.notes.push(Note::Source(note));
        Ok(Some(Begun { outlet: Outlet::Upload(state.upload_id), known }))
    }

    fn refuse(&mut self, problem: String) {
        self.add(CopyFinding::fail(CopyCheck::Uploads, problem));
        self.prepared.report.exit_code = Exit::Usage;
    }

    /// Writes the state of an upload that was begun. If that fails, the upload cannot be taken up, and is removed.
    pub(super) async fn keep_state(&mut self, id: &str) -> Result<(), ()> {
        let Some(file) = &self.request.resume else { return Ok(()) };
        let Err(error) = file.write(&self.state(id.to_owned())) else {
            self.ends.source.context().monitor.wrote(file.path(), FileKind::CopyState);
            return Ok(());
        };
        let problem = format!("{}: cannot be written: {error}", file.path().display());
        self.refuse(problem);
        self.abort(&Outlet::Upload(id.to_owned())).await;
        Err(())
    }

    /// Keeps the upload, with the commands that go on with it and that remove it. Without a state file it is removed.
    pub(super) async fn keep_or_abort(&mut self, outlet: &Outlet) {
        let Outlet::Upload(id) = outlet else { return };
        let Some(file) = &self.request.resume else { return self.abort(outlet).await };
        let path = file.path().display().to_string();
        self.prepared.report.left_behind.push(LeftReport {
            id: id.clone(),
            state: format!("kept; the same command with --resume {path} continues it"),
            remove_with: format!("stored-ami copy --abort {path}, with the same options of the destination"),
        });
    }

    /// Removes the state of an upload that is no longer there.
    pub(super) fn forget_state(&mut self) {
        if let Some(file) = &self.request.resume
            && let Err(error) = file.remove()
        {
            let note = format!("{}: is no longer needed, and could not be removed: {error}", file.path().display());
            self.prepared.report.notes.push(Note::Source(note));
        }
    }
}
