use std::collections::BTreeMap;

use crate::checks::preflight::LogicalSize;
use crate::record::{Record, size_from_tags};

pub(in crate::commands) struct KnownSize {
    pub size: LogicalSize,
    pub volumes: Option<u64>,
    pub encrypted: Option<bool>,
}

/// The size from the record of this AMI, from the user, or from the tags of the object: the first that is a possible
/// size of volumes, with the values of the sources before it as notes. `None` if no source states a size.
pub(in crate::commands) fn size_without_source(
    record: Option<&(String, Record)>,
    tags: Option<&BTreeMap<String, String>>,
    logical_size: Option<u64>,
    id: Option<&str>,
) -> Option<KnownSize> {
    let recorded = record.filter(|(_, record)| id.is_none_or(|id| id == record.image)).map(|(file, record)| {
        KnownSize { size: record.size(file), volumes: Some(record.volumes.len() as u64), encrypted: record.encrypted() }
    });
    let stated = logical_size.map(|bytes| KnownSize {
        size: LogicalSize::stated(bytes, "--logical-size"),
        volumes: None,
        encrypted: None,
    });
    let tagged = tags.and_then(|tags| size_from_tags(tags, id)).map(|found| KnownSize {
        size: found.size,
        volumes: found.volumes,
        encrypted: found.encrypted,
    });
    let mut refused: Vec<String> = Vec::new();
    let mut by_tags = false;
    for mut known in [recorded, stated, tagged].into_iter().flatten() {
        if known.size.smallest().is_some() {
            if !refused.is_empty() {
                known.size.source = format!("{}; not from {}", known.size.source, refused.join("; "));
            }
            return Some(known);
        }
        by_tags |= known.size.tagged;
        refused.push(known.size.source);
    }
    let nothing = |size| KnownSize { size, volumes: None, encrypted: None };
    (!refused.is_empty()).then(|| nothing(LogicalSize { tagged: by_tags, ..LogicalSize::unknown(refused.join("; ")) }))
}
