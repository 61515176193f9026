//! The journal of restores that the settings of the user lead to.

use std::path::{Path, PathBuf};

use super::usage::UsageError;
use crate::journal::Journal;

/// Opens the journal in the given directory, or below `$XDG_STATE_HOME` (XDG Base Directory Specification) or its
/// default. Fails if none of these is known: a world-writable directory would not be safe.
pub(super) fn journal(folder: Option<&Path>) -> Result<Journal, UsageError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = || absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    let folder = folder.map(Path::to_owned).or_else(|| state().map(|state| state.join("stored-ami")));
    let nowhere = || {
        let why = "neither XDG_STATE_HOME nor HOME names an absolute path, so there is no place for the journal";
        UsageError(format!("{why}; name a folder with --journal"))
    };
    let journal = Journal::new(folder.ok_or_else(nowhere)?);
    journal.check().map_err(|problem| UsageError(format!("the journal: {problem}; --journal names another folder")))?;
    Ok(journal)
}
