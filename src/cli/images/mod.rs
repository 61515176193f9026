//! Commands for store and restore tasks.

pub(super) mod args;
#[cfg(feature = "ebs")]
mod content;
mod kept_record;
mod list_file;
mod open;
mod preflight;
#[cfg(feature = "ebs")]
mod proof;
mod restore;
mod restore_list;
mod store;
mod store_list;
mod task_list;

pub(super) use open::services;
pub(super) use preflight::{StoredCommand, run_policy, run_preflight, run_stored};
pub(super) use restore::run_restore;
#[cfg(feature = "ebs")]
pub(super) use restore::{drill_preflight, journal, verified_first};
pub(super) use restore_list::run_restore_list;
pub(super) use store::run_store;
pub(super) use store_list::run_store_list;

pub(super) use super::starting::{Costly, agreed, can_ask};

use super::starting::ask;
