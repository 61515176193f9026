use crate::audit::{ContentFingerprint, Proof};

/// Values that an object was stated to have when its bytes were found wrong or in doubt. A later state that is stated to
/// have them has not the same content for that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Distrust(Vec<Distrusted>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Distrusted {
    name: String,
    /// Any value of that name where a ledger did not keep which.
    value: Option<ContentFingerprint>,
}

impl Distrust {
    pub(crate) const NONE: Distrust = Distrust(Vec::new());

    /// What a look at damaged or doubtful bytes did not prove.
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

    /// A look that proves every byte speaks for the values that matched.
    pub(crate) fn settle(&mut self, look: &Proof) {
        let proved = |one: &Distrusted| {
            proves(look, &one.name) && one.value.as_ref().is_none_or(|value| look.content.contains(value))
        };
        self.0.retain(|one| !proved(one));
    }

    /// Values that may speak for the content.
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
