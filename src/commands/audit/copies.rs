use crate::audit::{ContentFingerprint, CopyState, comparable_names};
use crate::ledger::{LedgerError, Scratch};

/// Whether an object can serve as a copy of objects in other Regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CopyRole {
    /// It cannot, or nobody asks.
    None,
    /// It can, for objects of other Regions than this.
    In(String),
    /// It could, but the Region of its bucket is not known.
    Unplaced,
}

/// An object as the checks across all objects need it.
pub(super) struct ObjectContent {
    /// The object.
    pub target: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Values of its content.
    pub values: Vec<ContentFingerprint>,
    /// Whether it can serve as a copy.
    pub role: CopyRole,
}

impl ObjectContent {
    /// Adds the object to the tables.
    pub(super) fn add_to(self, scratch: &Scratch) -> Result<(), LedgerError> {
        let ObjectContent { target, bytes, values, role } = self;
        let region = match &role {
            CopyRole::In(region) => Some(region.as_str()),
            CopyRole::None | CopyRole::Unplaced => None,
        };
        if let Some(region) = region {
            scratch.add_comparable(bytes, region, &joined_names(&values))?;
        }
        let values: Vec<String> = values.into_iter().map(|value| value.0).collect();
        scratch.add_object(&target, bytes, &values, region)
    }
}

fn joined_names(content: &[ContentFingerprint]) -> String {
    comparable_names(content).into_iter().collect::<Vec<_>>().join(" ")
}

/// Finds copies in other Regions among the objects of the tables.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CopyIndex {
    /// An object that could serve as a copy is in a bucket whose Region is not known.
    pub is_unplaced: bool,
}

impl CopyIndex {
    /// Where an object in this Region has copies.
    pub(super) fn copies(
        self,
        scratch: &Scratch,
        region: Option<&str>,
        bytes: u64,
        content: &[ContentFingerprint],
    ) -> Result<CopyState, LedgerError> {
        let not_known = |why: &str| CopyState::NotKnown { why: why.to_owned() };
        let Some(here) = region else { return Ok(not_known("the Region of its bucket is not known")) };
        for value in content {
            if let Some(other) = scratch.elsewhere(bytes, &value.0, here)? {
                return Ok(CopyState::In { other });
            }
        }
        if content.is_empty() {
            return Ok(not_known("no value of its content is known, so no copy can be recognised"));
        }
        if self.is_unplaced {
            return Ok(not_known("the Regions of some buckets are not known"));
        }
        // Values of different algorithms, or over different parts, cannot be compared. None of the others is equal.
        let names = comparable_names(content);
        let others = scratch.comparable_elsewhere(bytes, here)?;
        let is_incomparable = |(_, other): &&(String, String)| !other.split(' ').any(|name| names.contains(name));
        Ok(match others.iter().find(is_incomparable) {
            Some((region, _)) => CopyState::NotKnown {
                why: format!("an object of the same size in {region} has no value that shows whether it is a copy"),
            },
            None => CopyState::None,
        })
    }
}
