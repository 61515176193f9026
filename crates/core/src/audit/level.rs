use std::str::FromStr;

use crate::text::words;

words! {
    /// How hard an object is looked at. Each level holds what the ones before it hold.
    #[derive(Default)]
    pub enum Level {
        /// Metadata from S3; no byte is read.
        #[default]
        Facts = "facts",
        /// A part of its bytes.
        Sample = "sample",
        /// Every byte.
        Bytes = "bytes",
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Level::ALL.iter().copied().find(|level| level.name() == text);
        known.ok_or_else(|| format!("`{text}` is not a level; levels are facts, sample and bytes"))
    }
}
