use super::request::{DrillRequest, DrillServices};
use crate::journal::{DrillEntry, Journal};
use crate::report::Note;
use crate::source::{ErrorKind, SourceError};

/// What the journal holds of earlier drills of an object, under the same name and of the same account.
#[derive(Default)]
pub struct EarlierDrills {
    /// One that is over and whose AMI or snapshots may be left. They are removed before another drill begins.
    pub(super) unfinished: Option<DrillEntry>,
    /// The others, one of which may be the drill of the object as it is now.
    others: Vec<DrillEntry>,
}

impl EarlierDrills {
    /// Looks for them. Without any, nothing is requested. The object is not looked at: it may not exist any more.
    ///
    /// # Errors
    ///
    /// The journal cannot be read, or names what was left in an account that is not known to be the current one.
    pub async fn find(
        services: &DrillServices,
        request: &DrillRequest,
        journal: &Journal,
    ) -> Result<Self, SourceError> {
        let entries = journal.aside(|journal| journal.drills()).await.map_err(|error| unreadable(journal, error))?;
        let region = services.object.region.images.region();
        let target = &request.restore.target;
        let is_of_it = |entry: &DrillEntry| {
            let of = &entry.restore;
            (of.bucket == target.bucket && of.key == target.key && of.region == region)
                && Some(&of.name) == request.restore.name.as_ref()
        };
        let found: Vec<DrillEntry> = entries.into_iter().filter(is_of_it).collect();
        if found.is_empty() {
            return Ok(EarlierDrills::default());
        }
        let caller = services.object.region.caller().await?;
        let account = caller.value().map(|caller| caller.account.clone());
        let (own, foreign): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|entry| Some(&entry.restore.account) == account.as_ref());
        let (mut unfinished, mut others): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|entry| entry.concluded().is_some());
        let of_other = foreign.iter().find(|entry| entry.concluded().is_some());
        if let Some(entry) = of_other.filter(|_| unfinished.is_empty()) {
            let other = &entry.restore.account;
            let current = account.as_deref().unwrap_or("not known");
            let problem = format!(
                "a drill in account {other} has not removed all that it made, and the current account is {current}; \
                 run it with credentials of {other}, or with another --journal"
            );
            return Err(SourceError::new(ErrorKind::Invalid, services.object.object.target(), problem));
        }
        let first = unfinished.pop();
        others.extend(unfinished);
        Ok(EarlierDrills { unfinished: first, others })
    }

    /// Whether an earlier drill has left something. Only that is removed then.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished.is_some()
    }

    /// Names what the others made, besides the drill with this token.
    pub(super) fn describe_others(&self, journal: &Journal, token: Option<&str>) -> Vec<Note> {
        let others = self.others.iter().filter(|entry| Some(entry.restore.token().as_str()) != token);
        let text = |entry: &DrillEntry| {
            let made: Vec<&str> = entry.image.iter().chain(&entry.snapshots).map(|made| made.id.as_str()).collect();
            let made = if made.is_empty() { format!("an AMI `{}`", entry.restore.name) } else { made.join(", ") };
            format!(
                "a drill of {}, when the object had the ETag {}, may have left {made}; once that is removed, delete {}",
                entry.called_at,
                entry.restore.etag,
                journal.drill_path(&entry.restore.token()).display()
            )
        };
        others.map(|entry| Note::Source(text(entry))).collect()
    }
}

pub(super) fn unreadable(journal: &Journal, error: std::io::Error) -> SourceError {
    let subject = format!("journal {}", journal.folder().display());
    SourceError::new(ErrorKind::Io, subject, error.to_string()).caused_by(error)
}
