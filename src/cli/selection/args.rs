use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueHint};

use super::pattern::{KeyPattern, PatternKind};
use crate::ident::redact_urls;

/// A target as typed. What it means depends on other options. `Debug` shows no secrets of a URL.
#[derive(Clone)]
pub struct Word(String);

impl Word {
    /// A target as a list has it.
    pub(in crate::cli) fn new(text: &str) -> Self {
        Word(text.to_owned())
    }

    pub(in crate::cli) fn as_str(&self) -> &str {
        &self.0
    }

    /// The file of an argument `@FILE`, which holds a URL.
    pub(in crate::cli) fn url_file(&self) -> Option<PathBuf> {
        self.0.strip_prefix('@').map(PathBuf::from)
    }
}

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
    /// TARGETs are patterns, such as s3://b/2026/*.bin
    ///
    /// * and ? match within a segment of the key, [ab] matches one character, and **/ any number of segments.
    #[arg(long, conflicts_with = "version_id")]
    pub glob: bool,
    /// Read the ami-….bin objects under each TARGET
    #[arg(long, conflicts_with_all = ["glob", "version_id"])]
    pub prefix: bool,
    /// With --prefix, read every object and not only ami-….bin
    #[arg(long, hide_short_help = true, requires = "prefix")]
    pub all_keys: bool,
    /// Read targets from a file (-: standard input)
    ///
    /// One target per line. Empty lines and lines that begin with # are skipped.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub targets_from: Option<PathBuf>,
    #[arg(skip)]
    pub(in crate::cli) patterns: Vec<KeyPattern>,
}

impl SelectionArgs {
    /// How TARGET is read if it is not one target.
    pub(in crate::cli) fn kind(&self) -> Option<PatternKind> {
        match (self.glob, self.prefix, self.all_keys) {
            (true, ..) => Some(PatternKind::Glob),
            (false, true, false) => Some(PatternKind::StoredAmis),
            (false, true, true) => Some(PatternKind::AllKeys),
            (false, false, _) => None,
        }
    }
}
