use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{ContentFingerprint, CopyState, differs};

/// The objects of an audit by content and Region, to find copies in other Regions.
#[derive(Default)]
pub(super) struct CopyIndex {
    /// The Regions that hold a content, by size in bytes and content value.
    regions: BTreeMap<(u64, ContentFingerprint), BTreeSet<String>>,
    /// The Region and content values of the objects of each size.
    sizes: BTreeMap<u64, Vec<(String, Vec<ContentFingerprint>)>>,
    /// An object is in a bucket whose Region is not known.
    is_unplaced: bool,
}

impl CopyIndex {
    /// Adds an object of this size in bytes that can serve as a copy, and the Region of its bucket.
    pub(super) fn add(&mut self, region: Option<String>, bytes: u64, content: &[ContentFingerprint]) {
        let Some(region) = region else {
            self.is_unplaced = true;
            return;
        };
        for value in content {
            self.regions.entry((bytes, value.clone())).or_default().insert(region.clone());
        }
        self.sizes.entry(bytes).or_default().push((region, content.to_vec()));
    }

    /// Where an object in this Region has copies.
    pub(super) fn copies(&self, region: Option<&str>, bytes: u64, content: &[ContentFingerprint]) -> CopyState {
        let Some(here) = region else {
            return CopyState::NotKnown { why: "the Region of its bucket is not known".to_owned() };
        };
        let regions = content.iter().filter_map(|value| self.regions.get(&(bytes, value.clone()))).flatten();
        if let Some(other) = regions.into_iter().find(|region| *region != here) {
            return CopyState::In { other: other.clone() };
        }
        if content.is_empty() {
            let why = "no value of its content is known, so no copy can be recognised".to_owned();
            return CopyState::NotKnown { why };
        }
        if self.is_unplaced {
            return CopyState::NotKnown { why: "the Regions of some buckets are not known".to_owned() };
        }
        // Values of different algorithms, or over different parts, cannot be compared.
        let mut same_size = self.sizes.get(&bytes).into_iter().flatten();
        match same_size.find(|(region, other)| region != here && differs(content, other).is_none()) {
            Some((region, _)) => CopyState::NotKnown {
                why: format!("an object of the same size in {region} has no value that shows whether it is a copy"),
            },
            None => CopyState::None,
        }
    }
}
