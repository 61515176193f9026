//! What `store` records about its source, because the stored object does not state it: in a file, and partly
//! in tags of the object.

mod document;
mod tags;

pub use document::{Record, RecordedVolume};
pub use tags::{SizeFromTags, TaggedSource, object_tags, size_from_tags, source_from_tags};
