use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueHint};

use super::pattern::{KeyPattern, PatternKind};
use crate::ident::redact_urls;

/// A target as typed. What it means depends on other options. `Debug` shows no secrets of a URL.
#[derive(Clone)]
pub struct Word(pub(super) String);

impl FromStr for Word {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Word(text.to_owned()))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact_urls(&self.0).fmt(f)
    }
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Several targets")]
pub struct SelectionArgs {
    /// Take each TARGET as a pattern, such as s3://bucket/2026/*.bin: * and ? match within a segment of the key, [ab]
    /// one character, **/ any number of segments
    #[arg(long, conflicts_with = "version_id")]
    pub glob: bool,
    /// Take each TARGET as a prefix of keys, and read the ami-….bin objects under it
    #[arg(long, conflicts_with_all = ["glob", "version_id"])]
    pub prefix: bool,
    /// With --prefix, read every object and not only ami-….bin
    #[arg(long, requires = "prefix")]
    pub all_keys: bool,
    /// Read targets from a file (- for standard input), one a line; empty lines and lines that begin with # are left out
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub targets_from: Option<PathBuf>,
    #[arg(skip)]
    pub(super) patterns: Vec<KeyPattern>,
}

impl SelectionArgs {
    /// How TARGET is read if it is not one target.
    pub(super) fn kind(&self) -> Option<PatternKind> {
        match (self.glob, self.prefix, self.all_keys) {
            (true, ..) => Some(PatternKind::Glob),
            (false, true, false) => Some(PatternKind::StoredAmis),
            (false, true, true) => Some(PatternKind::AllKeys),
            (false, false, _) => None,
        }
    }
}
