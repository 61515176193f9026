use std::collections::BTreeMap;

use crate::checks::Ratios;
use crate::checks::preflight::LogicalSize;
use crate::facts::ObjectFacts;
use crate::record::{Record, size_from_tags};

/// Sources of the size before compression, given by the user.
#[derive(Debug, Clone, Default)]
pub struct LogicalSizeSource {
    /// The record of the store, with the name of its file.
    pub record: Option<(String, Record)>,
    /// The size in bytes, as given by the user.
    pub stated: Option<u64>,
}

impl LogicalSizeSource {
    /// Whether the user gave any source.
    pub fn is_given(&self) -> bool {
        self.record.is_some() || self.stated.is_some()
    }

    /// The compression ratio of an object, from these sources and from its tags, if they were read.
    pub fn ratios(&self, facts: &ObjectFacts, tags: Option<&BTreeMap<String, String>>) -> Ratios {
        let image = facts.id.target.ami_id();
        let image = image.as_ref().map(|id| id.as_str());
        let size = match &self.record {
            Some((file, record)) if image.is_some_and(|image| image != record.image) => {
                LogicalSize::unknown(format!("the record {file} describes {}", record.image))
            }
            Some((file, record)) => record.size(file),
            None => match tags.map(|tags| size_from_tags(tags, image)) {
                Some(Some(found)) => found.size,
                Some(None) => LogicalSize::unknown("neither a record nor the tags of the object state it"),
                None => LogicalSize::unknown("no record gives it"),
            },
        };
        Ratios::of(facts.size, &size, self.stated)
    }
}
