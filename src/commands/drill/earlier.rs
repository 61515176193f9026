use super::request::{DrillRequest, DrillServices};
use crate::journal::{DrillEntry, Journal};
use crate::source::{ErrorKind, SourceError};

/// Entries of earlier runs of a drill that had begun to remove what they made.
#[derive(Default)]
pub(super) struct Unfinished {
    /// The one of the object as it is now.
    pub ours: Option<DrillEntry>,
    /// Those of the same object with another content.
    pub others: Vec<DrillEntry>,
}

impl Unfinished {
    /// Looks for them in the journal. Without any, nothing is requested.
    ///
    /// # Errors
    ///
    /// The journal cannot be read, or names what was made in an account that is not known to be the current one.
    pub(super) async fn find(
        services: &DrillServices,
        request: &DrillRequest,
        journal: &Journal,
    ) -> Result<Self, SourceError> {
        let entries = journal.aside(|journal| journal.drills()).await.map_err(|error| unreadable(journal, error))?;
        let region = services.object.region.images.region();
        let target = &request.restore.target;
        let is_of_it = |entry: &DrillEntry| {
            let of = &entry.restore;
            entry.removing.is_some()
                && (of.bucket == target.bucket && of.key == target.key && of.region == region)
                && Some(&of.name) == request.restore.name.as_ref()
        };
        let found: Vec<DrillEntry> = entries.into_iter().filter(is_of_it).collect();
        let Some(first) = found.first() else { return Ok(Unfinished::default()) };
        let caller = services.object.region.caller().await?;
        let account = caller.value().map(|caller| caller.account.clone());
        let (own, foreign): (Vec<_>, Vec<_>) =
            found.iter().cloned().partition(|entry| Some(&entry.restore.account) == account.as_ref());
        if own.is_empty() {
            let other = foreign.first().map_or(&first.restore.account, |entry| &entry.restore.account);
            let current = account.as_deref().unwrap_or("not known");
            let problem = format!(
                "a drill in account {other} has not removed all that it made, and the current account is {current}; \
                 run it with credentials of {other}, or with another --journal"
            );
            return Err(SourceError::new(ErrorKind::Invalid, services.object.object.target(), problem));
        }
        let etag =
            services.object.object.head().await.ok().and_then(|facts| facts.id.etag.map(|etag| etag.to_string()));
        let (mut ours, others): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|entry| Some(&entry.restore.etag) == etag.as_ref());
        Ok(Unfinished { ours: ours.pop(), others })
    }

    /// What the others name, for the report.
    pub(super) fn describe_others(&self) -> impl Iterator<Item = String> {
        self.others.iter().map(|entry| {
            let made = entry.image.iter().chain(&entry.snapshots).map(|made| made.id.as_str());
            format!(
                "an earlier drill of this object, which had another content, has not removed all of {}",
                made.collect::<Vec<_>>().join(", ")
            )
        })
    }
}

/// Whether an earlier run of the drill had begun to remove what it made. Only that is left to do then.
///
/// # Errors
///
/// The journal cannot be read, or names what was made in an account that is not known to be the current one.
pub async fn is_removing(
    services: &DrillServices,
    request: &DrillRequest,
    journal: &Journal,
) -> Result<bool, SourceError> {
    Ok(Unfinished::find(services, request, journal).await?.ours.is_some())
}

pub(super) fn unreadable(journal: &Journal, error: std::io::Error) -> SourceError {
    let subject = format!("journal {}", journal.folder().display());
    SourceError::new(ErrorKind::Io, subject, error.to_string()).caused_by(error)
}
