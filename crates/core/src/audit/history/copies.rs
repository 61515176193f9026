use std::sync::Arc;

use super::{is, looks_like, same_state, shares};
use crate::audit::{LookResult, Proof};
use crate::ident::ObjectIdentity;

/// What is known of a copy of bytes that nothing proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnprovedCopy<'a> {
    /// The entry of the copy.
    Recorded(&'a Proof),
    /// The object says so itself; see [`UNPROVED_COPY`](crate::facts::UNPROVED_COPY).
    Marked,
}

/// Which states of an object are copies, and of what. The values of a copy are computed when it is written, so that they
/// say nothing about its source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Copies {
    /// Copies of bytes that nothing proved, one per state. Usually empty.
    unproved: Vec<Arc<Proof>>,
    /// The newest examination that shows the bytes to be those of the source.
    of_source: Option<Arc<Proof>>,
}

impl Copies {
    pub(super) const NONE: Copies = Copies { unproved: Vec::new(), of_source: None };

    /// Adds the next examination.
    pub(super) fn add(&mut self, look: &Arc<Proof>) {
        let proves = matches!(look.standing(), LookResult::Proved | LookResult::Attested(_));
        if proves && look.is_of_source() {
            self.of_source = Some(Arc::clone(look));
        }
        if look.copied_from.is_some() {
            self.unproved.retain(|earlier| !same_state(earlier, look));
            self.unproved.extend(look.is_unproved_copy().then(|| Arc::clone(look)));
            return;
        }
        // A state that is not known may have the same content, for example in another storage class.
        let again = |of: &Arc<Proof>| {
            let is_again = shares(of, look) && !same_state(of, look);
            is_again.then(|| {
                Arc::new(Proof { object: look.object.clone(), listed: look.listed.clone(), ..Proof::clone(of) })
            })
        };
        if let Some(again) = self.of_source.as_ref().and_then(again) {
            self.of_source = Some(again);
        } else if !self.unproved.iter().any(|known| same_state(known, look)) {
            let copy = self.unproved.iter().find_map(again);
            self.unproved.extend(copy);
        }
    }

    /// The unproved copy that wrote this state, unless a proof shows the bytes to be those of its source. `is_marked` is
    /// whether the object itself states that it is one.
    pub(super) fn unproved_of(&self, seen: &ObjectIdentity, is_marked: bool) -> Option<UnprovedCopy<'_>> {
        if self.of_source.as_ref().is_some_and(|look| is(look, seen)) {
            return None;
        }
        let recorded = self.unproved.iter().find(|copy| looks_like(copy, seen));
        recorded.map(|copy| UnprovedCopy::Recorded(copy)).or_else(|| is_marked.then_some(UnprovedCopy::Marked))
    }
}
