use std::fmt;
use std::str::FromStr;

/// Depth of an examination. Each level includes the previous ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// What S3 states about the object; no byte is read.
    Facts,
    /// A part of the bytes is read.
    Sample,
    /// Every byte is read.
    Bytes,
}

impl Level {
    /// All levels, in ascending order.
    pub const ALL: [Level; 3] = [Level::Facts, Level::Sample, Level::Bytes];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Level::Facts => "facts",
            Level::Sample => "sample",
            Level::Bytes => "bytes",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Level::ALL.into_iter().find(|level| level.name() == text);
        known.ok_or_else(|| format!("`{text}` is none of facts, sample, bytes"))
    }
}
