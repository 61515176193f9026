use crate::audit::{ContentFingerprint, Proof};

/// Checksums that were stated for an object while its bytes were damaged or doubtful. They are no evidence
/// that a later state has the same content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Distrust(Vec<Distrusted>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Distrusted {
    name: String,
    /// `None` for any value of that name, if the ledger did not keep the value.
    value: Option<ContentFingerprint>,
}

impl Distrust {
    pub(crate) const NONE: Distrust = Distrust(Vec::new());

    /// Adds the checksums that an examination of damaged or doubtful bytes did not prove.
    pub(crate) fn add(&mut self, look: &Proof) {
        let kept = look.content.iter().filter(|content| !proves(look, content.name()));
        let kept = kept.map(|content| Distrusted { name: content.name().to_owned(), value: Some(content.clone()) });
        let has = |name: &String| look.content.iter().any(|content| content.name() == name);
        let lost = look.failed.iter().filter(|name| !has(name));
        let lost = lost.map(|name| Distrusted { name: name.clone(), value: None });
        for one in kept.chain(lost) {
            if !self.0.contains(&one) {
                self.0.push(one);
            }
        }
    }

    /// Removes the checksums that a proof of every byte confirmed.
    pub(crate) fn settle(&mut self, look: &Proof) {
        let proved = |one: &Distrusted| {
            proves(look, &one.name) && one.value.as_ref().is_none_or(|value| look.content.contains(value))
        };
        self.0.retain(|one| !proved(one));
    }

    /// The checksums that may serve as evidence.
    pub(crate) fn without(&self, content: &[ContentFingerprint]) -> Vec<ContentFingerprint> {
        content.iter().filter(|content| !self.holds(content)).cloned().collect()
    }

    fn holds(&self, content: &ContentFingerprint) -> bool {
        self.0.iter().any(|one| one.value.as_ref().map_or(one.name == content.name(), |value| value == content))
    }
}

fn proves(look: &Proof, name: &str) -> bool {
    look.proved_by.iter().any(|by| by == name)
}
