//! What a `store` writes down of its source, since the stored object does not tell it: in a file, and as far as it
//! fits in the tags of the object.

mod document;
mod tags;

pub use document::{Record, RecordedVolume};
pub use tags::{SizeFromTags, TaggedSource, object_tags, size_from_tags, source_from_tags};
