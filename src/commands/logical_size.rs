use std::collections::BTreeMap;

use crate::checks::Ratios;
use crate::checks::preflight::LogicalSize;
use crate::facts::ObjectFacts;
use crate::record::{Record, size_from_tags};

/// What a caller knows of the bytes before they were stored.
#[derive(Debug, Clone, Default)]
pub struct LogicalSizeSource {
    /// Of the store, and the name of its file.
    pub record: Option<(String, Record)>,
    /// As the caller states it, in bytes.
    pub stated: Option<u64>,
}

impl LogicalSizeSource {
    pub fn is_given(&self) -> bool {
        self.record.is_some() || self.stated.is_some()
    }

    /// The compression ratio of an object, from these and from its tags where they were asked for.
    pub fn ratios(&self, facts: &ObjectFacts, tags: Option<&BTreeMap<String, String>>) -> Ratios {
        let image = facts.id.target.ami_id();
        let image = image.as_ref().map(|id| id.as_str());
        let size = match &self.record {
            Some((file, record)) if image.is_some_and(|image| image != record.image) => {
                LogicalSize::unknown(format!("the record {file} speaks of {}", record.image))
            }
            Some((file, record)) => record.size(file),
            None => match tags.map(|tags| size_from_tags(tags, image)) {
                Some(Some(found)) => found.size,
                Some(None) => LogicalSize::unknown("neither a record nor tags of the object tell it"),
                None => LogicalSize::unknown("no record tells it"),
            },
        };
        Ratios::of(facts.size, &size, self.stated)
    }
}
