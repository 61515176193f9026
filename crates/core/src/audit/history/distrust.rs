use crate::audit::{ContentFingerprint, Proof, Word};
use crate::verdict::CheckId;

/// Checksums that were stated for an object while its bytes were damaged or doubtful. They are no evidence
/// that a later state has the same content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Distrust(Vec<Distrusted>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Distrusted {
    /// The check that holds the bytes against the value.
    check: Word<CheckId>,
    /// `None` for any value of that name, if the ledger did not keep the value.
    value: Option<ContentFingerprint>,
}

impl Distrust {
    pub(crate) const NONE: Distrust = Distrust(Vec::new());

    /// Adds the checksums that an examination of damaged or doubtful bytes did not prove.
    pub(crate) fn add(&mut self, look: &Proof) {
        let kept = look.content.iter().filter(|content| !look.proved_by.contains(&content.check()));
        let kept = kept.map(|content| Distrusted { check: content.check(), value: Some(content.clone()) });
        let has = |check: &Word<CheckId>| look.content.iter().any(|content| content.check() == *check);
        let lost = look.failed.iter().filter(|check| !has(check));
        let lost = lost.map(|check| Distrusted { check: check.clone(), value: None });
        for one in kept.chain(lost) {
            if !self.0.contains(&one) {
                self.0.push(one);
            }
        }
    }

    /// Removes the checksums that a proof of every byte confirmed.
    pub(crate) fn settle(&mut self, look: &Proof) {
        let proved = |one: &Distrusted| {
            look.proved_by.contains(&one.check) && one.value.as_ref().is_none_or(|value| look.content.contains(value))
        };
        self.0.retain(|one| !proved(one));
    }

    /// The checksums that may serve as evidence.
    pub(crate) fn without(&self, content: &[ContentFingerprint]) -> Vec<ContentFingerprint> {
        content.iter().filter(|content| !self.holds(content)).cloned().collect()
    }

    fn holds(&self, content: &ContentFingerprint) -> bool {
        self.0.iter().any(|one| one.value.as_ref().map_or(one.check == content.check(), |value| value == content))
    }
}
