use std::fmt;

/// What stated the facts about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactsSource {
    /// HeadObject, with all headers of the object.
    HeadObject,
    /// GetObject, by a presigned URL that allows no HEAD.
    GetObject,
    /// ListObjectsV2, if HEAD is not possible.
    ListObjectsV2,
    /// The file system of this machine.
    FileSystem,
    /// Another kind of source, by its name in reports.
    Other(&'static str),
}

impl FactsSource {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            FactsSource::HeadObject => "HeadObject",
            FactsSource::GetObject => "GetObject",
            FactsSource::ListObjectsV2 => "ListObjectsV2",
            FactsSource::FileSystem => "file system",
            FactsSource::Other(name) => name,
        }
    }
}

impl fmt::Display for FactsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
