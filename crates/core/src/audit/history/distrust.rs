use crate::audit::{ContentFingerprint, Proof, Word};
use crate::verdict::CheckId;

/// Values that an object was stated to have when its bytes were found wrong or in doubt. A later state that is stated to
/// have them has not the same content for that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Distrust(Vec<Distrusted>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Distrusted {
    /// The check that holds the bytes against the value.
    check: Word<CheckId>,
    /// Any value of that check where a ledger did not keep which.
    value: Option<ContentFingerprint>,
}

impl Distrust {
    pub const NONE: Distrust = Distrust(Vec::new());

    /// What a look at damaged or doubtful bytes did not prove.
    pub fn add(&mut self, look: &Proof) {
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

    /// A look that proves every byte speaks for the values that matched.
    pub fn settle(&mut self, look: &Proof) {
        let proved = |one: &Distrusted| {
            look.proved_by.contains(&one.check) && one.value.as_ref().is_none_or(|value| look.content.contains(value))
        };
        self.0.retain(|one| !proved(one));
    }

    /// Values that may speak for the content.
    pub fn without(&self, content: &[ContentFingerprint]) -> Vec<ContentFingerprint> {
        content.iter().filter(|content| !self.holds(content)).cloned().collect()
    }

    fn holds(&self, content: &ContentFingerprint) -> bool {
        self.0.iter().any(|one| one.value.as_ref().map_or(one.check == content.check(), |value| value == content))
    }
}
