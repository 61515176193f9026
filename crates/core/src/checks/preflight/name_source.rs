use std::fmt;

/// Source of the name of the new AMI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameSource {
    /// `--name`.
    Given,
    /// The record written by `store`.
    Record,
    /// The source AMI, if it still exists. EC2 takes its name if none is given.
    SourceImage,
}

impl NameSource {
    pub(super) const fn name(self) -> &'static str {
        match self {
            NameSource::Given => "--name",
            NameSource::Record => "the record",
            NameSource::SourceImage => "the source AMI",
        }
    }
}

impl fmt::Display for NameSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
