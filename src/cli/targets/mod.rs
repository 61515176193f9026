//! The targets of a command: from arguments, from files, and from listings of buckets.

mod args;
mod hint;
mod pattern;
mod read;
mod select;

pub(super) use args::{SelectionArgs, Word};
pub(super) use hint::hinted;
pub(super) use read::{read, url_file};
pub(super) use select::selected;
