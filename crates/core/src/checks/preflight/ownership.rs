use super::in_progress::RESTORE_TAG;
use super::{fail, pass, unknown};
use crate::facts::ImageFacts;
use crate::ident::AmiId;
use crate::verdict::{Condition as C, Finding, Reason};

/// The properties by which the AMI of one restore is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnershipClaim {
    /// Value of the tag [`RESTORE_TAG`].
    pub token: String,
    /// Name that the restore gives its AMI.
    pub name: String,
    /// Key of the object.
    pub key: String,
    /// AMI id in EC2's response to the call, if it was recorded.
    pub noted: Option<String>,
}

/// The evidence that a restore made an AMI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The AMI has the tag with the token of the restore.
    Tag,
    /// EC2 returned its id in the response to the call, and neither a tag, nor name, nor source contradicts
    /// that.
    Answer,
}

/// Which restore made an AMI, from the point of view of one restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// This restore made it.
    Ours(Shown),
    /// Another restore made it, regardless of name and source.
    Foreign {
        /// The token of the other restore.
        token: String,
    },
    /// It has our token but cannot be the AMI that we made. CopyImage can copy tags.
    Copy {
        /// The contradiction, for the report.
        because: String,
    },
    /// Its id was recorded for our restore, but it has no token and cannot be the AMI that we made.
    Mistaken {
        /// The contradiction, for the report.
        because: String,
    },
    /// It has the name that we give, and nothing shows which call made it.
    Unmarked,
    /// It has no token and another name.
    Unrelated,
}

impl OwnershipClaim {
    /// Determines which restore made an AMI. Tags may become visible later than the AMI, so an id from EC2's
    /// response is sufficient without a tag. A name or a source alone is not, because other calls produce the
    /// same.
    pub fn classify(&self, image: &ImageFacts) -> Ownership {
        let noted = self.noted.as_ref() == Some(&image.id);
        match image.tags.get(RESTORE_TAG) {
            Some(token) if *token != self.token => Ownership::Foreign { token: token.clone() },
            Some(_) => match self.contradiction(image) {
                Some(because) => Ownership::Copy { because },
                None => Ownership::Ours(Shown::Tag),
            },
            None if noted => match self.contradiction(image) {
                Some(because) => Ownership::Mistaken { because },
                None => Ownership::Ours(Shown::Answer),
            },
            None if image.name.as_ref() == Some(&self.name) => Ownership::Unmarked,
            None => Ownership::Unrelated,
        }
    }

    /// Name and source of an AMI never change, so an AMI that differs in them was not made by this restore.
    fn contradiction(&self, image: &ImageFacts) -> Option<String> {
        if let Some(name) = image.name.as_ref().filter(|name| **name != self.name) {
            return Some(format!("it is named `{name}`, and the restore names its AMI `{}`", self.name));
        }
        other_source(image, &self.key)
    }

    /// Finds the AMI of this restore in a list of AMIs.
    pub fn find_in<'a>(&self, images: &'a [ImageFacts]) -> Claimed<'a> {
        // DescribeImages may return an AMI for a while after it was deregistered.
        let there = || images.iter().filter(|image| image.state != "deregistered");
        let ours = there().filter_map(|image| match self.classify(image) {
            Ownership::Ours(shown) => Some((image, shown)),
            _ => None,
        });
        let best = ours.min_by_key(|(image, shown)| {
            let noted = self.noted.as_ref() == Some(&image.id);
            let state = match image.state.as_str() {
                "available" => 0,
                "pending" => 1,
                _ => 2,
            };
            // A tag is better evidence than an id recorded in a file.
            (*shown != Shown::Tag, !noted, state)
        });
        if let Some((image, _)) = best {
            return Claimed::Ours(image);
        }
        let holder = there().find(|image| image.name.as_ref() == Some(&self.name));
        match holder.map(|image| (image, self.classify(image))) {
            Some((image, Ownership::Foreign { .. })) => Claimed::Taken(image),
            Some((image, _)) => Claimed::Doubtful(image),
            None => Claimed::Nothing,
        }
    }
}

/// What a list of AMIs contains of one restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed<'a> {
    /// Neither its AMI nor an AMI of its name.
    Nothing,
    /// The AMI that it made.
    Ours(&'a ImageFacts),
    /// An AMI of its name that cannot be attributed to any restore.
    Doubtful(&'a ImageFacts),
    /// An AMI of its name that another restore made.
    Taken(&'a ImageFacts),
}

fn other_source(image: &ImageFacts, key: &str) -> Option<String> {
    let (source, stored) = (image.source_image.as_ref()?, AmiId::from_key(key)?);
    (source != stored.as_str()).then(|| format!("it was made from {source}, and the object holds {stored}"))
}

const RULE: &str = "a restore made the AMI";

/// The finding on the AMI of a known restore.
pub fn restored_by(claim: &OwnershipClaim, image: &ImageFacts) -> Finding {
    let token = &claim.token;
    match claim.classify(image) {
        Ownership::Ours(Shown::Tag) => {
            pass(C::RestoredBy, "DescribeImages", RULE, format!("{RESTORE_TAG} is {token}, the token of this restore"))
        }
        Ownership::Ours(Shown::Answer) => {
            pass(C::RestoredBy, "journal", RULE, format!("EC2 named {} in its answer to this restore's call", image.id))
        }
        Ownership::Foreign { token: other } => {
            let observed = format!("{RESTORE_TAG} is {other}, and this restore's token is {token}");
            fail(C::RestoredBy, "DescribeImages", "this restore made the AMI", observed)
        }
        Ownership::Copy { because } => copied(image, &because),
        Ownership::Mistaken { because } => {
            let detail = format!("{} was noted as the AMI of this restore, and cannot be it: {because}", image.id);
            unknown(C::RestoredBy, Reason::Ambiguous { detail })
        }
        Ownership::Unmarked | Ownership::Unrelated => unmarked(image, None),
    }
}

/// The finding on an AMI whose token belongs to a restore that is not in the journal. `key` is the key of the
/// object that its tags name.
pub fn restored_by_some(image: &ImageFacts, token: &str, key: Option<&str>) -> Finding {
    match key.and_then(|key| other_source(image, key)) {
        Some(because) => copied(image, &because),
        None => {
            let observed = format!("{RESTORE_TAG} is {token}; the journal here does not hold that restore");
            pass(C::RestoredBy, "DescribeImages", RULE, observed)
        }
    }
}

/// The finding on an AMI without a token. `stored` is the AMI that was stored, and the source of this
/// information.
pub fn unmarked(image: &ImageFacts, stored: Option<(&str, &str)>) -> Finding {
    let source = match (image.source_image.as_deref(), stored) {
        (Some(source), Some((stored, from))) if source == stored => {
            format!("its source {source} is that of {from}, and a copy of {source} has the same")
        }
        (Some(source), Some((stored, from))) => format!("its source is {source}, and that of {from} is {stored}"),
        (Some(source), None) => format!("its source is {source}, and a copy of {source} has the same"),
        (None, _) => "its source is not stated".to_owned(),
    };
    let detail = format!("{} has no valid tag {RESTORE_TAG}, and the journal does not hold it; {source}", image.id);
    unknown(C::RestoredBy, Reason::NotStated { detail })
}

fn copied(image: &ImageFacts, because: &str) -> Finding {
    let detail = format!("{} has the tag of a restore, and may be a copy of the AMI it made: {because}", image.id);
    unknown(C::RestoredBy, Reason::Ambiguous { detail })
}

/// Whether a text has the form of a token: 32 lower-case hexadecimal digits.
pub fn is_token(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "ffffffffffffffffffffffffffffffff";
    const STORED: &str = "ami-0123456789abcdef0";

    fn claim(noted: Option<&str>) -> OwnershipClaim {
        OwnershipClaim {
            token: OURS.into(),
            name: "golden".into(),
            key: format!("dr/{STORED}.bin"),
            noted: noted.map(str::to_owned),
        }
    }

    fn image(id: &str, name: &str, token: Option<&str>, source: Option<&str>) -> ImageFacts {
        ImageFacts {
            id: id.into(),
            name: Some(name.into()),
            state: "available".into(),
            source_image: source.map(str::to_owned),
            tags: token.map(|token| (RESTORE_TAG.to_owned(), token.to_owned())).into_iter().collect(),
            ..ImageFacts::default()
        }
    }

    #[test]
    fn whose_an_ami_is() {
        let foreign = || Ownership::Foreign { token: OTHER.into() };
        let (tag, answer) = (Ownership::Ours(Shown::Tag), Ownership::Ours(Shown::Answer));
        let table = [
            // Name, token, source, recorded, expected.
            ("golden", Some(OURS), Some(STORED), None, tag.clone()),
            ("golden", Some(OURS), None, None, tag.clone()),
            ("golden", Some(OURS), Some(STORED), Some("ami-1"), tag.clone()),
            ("golden", Some(OURS), None, Some("ami-1"), tag),
            // Another token is never ours, even under the recorded id.
            ("golden", Some(OTHER), Some(STORED), None, foreign()),
            ("golden", Some(OTHER), Some(STORED), Some("ami-1"), foreign()),
            ("other", Some(OTHER), None, Some("ami-1"), foreign()),
            // No tag is visible yet.
            ("golden", None, Some(STORED), Some("ami-1"), answer.clone()),
            ("golden", None, None, Some("ami-1"), answer),
            // Name and source alone show nothing.
            ("golden", None, Some(STORED), None, Ownership::Unmarked),
            ("golden", None, Some(STORED), Some("ami-2"), Ownership::Unmarked),
            ("golden", None, None, None, Ownership::Unmarked),
            ("other", None, Some(STORED), None, Ownership::Unrelated),
        ];
        for (name, token, source, noted, expected) in table {
            let found = claim(noted).classify(&image("ami-1", name, token, source));
            assert_eq!(found, expected, "{name} {token:?} {source:?} {noted:?}");
        }
        for (name, source) in [("other", Some(STORED)), ("other", None), ("golden", Some("ami-0bbbbbbbbbbbbbbbb"))] {
            let of = |token| claim(Some("ami-1")).classify(&image("ami-1", name, token, source));
            assert!(matches!(of(Some(OURS)), Ownership::Copy { .. }), "{name} {source:?}");
            assert!(matches!(of(None), Ownership::Mistaken { .. }), "{name} {source:?}");
            let found = restored_by(&claim(Some("ami-1")), &image("ami-1", name, None, source));
            assert_eq!(found.verdict(), crate::verdict::Verdict::Unknown);
        }
        for copy in [
            image("ami-1", "copy", Some(OURS), Some(STORED)),
            image("ami-1", "golden", Some(OURS), Some("ami-0bbbbbbbbbbbbbbbb")),
        ] {
            assert!(matches!(claim(None).classify(&copy), Ownership::Copy { .. }), "{copy:?}");
        }
    }

    #[test]
    fn the_one_that_counts_among_many() {
        let state = |state: &str, image: ImageFacts| ImageFacts { state: state.into(), ..image };
        let ours = |id: &str| image(id, "golden", Some(OURS), Some(STORED));
        let failed = state("failed", ours("ami-1"));
        let pending = state("pending", ours("ami-2"));
        let all = [failed.clone(), pending.clone()];
        assert_eq!(claim(None).find_in(&all), Claimed::Ours(&pending));
        assert_eq!(claim(Some("ami-1")).find_in(&all), Claimed::Ours(&failed));
        assert_eq!(claim(None).find_in(std::slice::from_ref(&failed)), Claimed::Ours(&failed));
        // The tag takes precedence over the recorded id.
        let both = [image("ami-9", "golden", None, Some(STORED)), ours("ami-1")];
        assert_eq!(claim(Some("ami-9")).find_in(&both), Claimed::Ours(&both[1]));
        assert_eq!(claim(Some("ami-9")).find_in(&both[..1]), Claimed::Ours(&both[0]));
        let gone = [state("deregistered", ours("ami-1"))];
        assert_eq!(claim(Some("ami-1")).find_in(&gone), Claimed::Nothing);
        let foreign = [image("ami-3", "golden", Some(OTHER), Some(STORED))];
        assert_eq!(claim(None).find_in(&foreign), Claimed::Taken(&foreign[0]));
        let untagged = [image("ami-4", "golden", None, Some(STORED))];
        assert_eq!(claim(Some("ami-5")).find_in(&untagged), Claimed::Doubtful(&untagged[0]));
        let copy = [image("ami-6", "golden", Some(OURS), Some("ami-0bbbbbbbbbbbbbbbb"))];
        assert_eq!(claim(None).find_in(&copy), Claimed::Doubtful(&copy[0]));
        let others = [image("ami-7", "other", None, Some(STORED)), image("ami-8", "third", Some(OTHER), None)];
        assert_eq!(claim(None).find_in(&others), Claimed::Nothing);
    }

    #[test]
    fn tokens_have_one_form() {
        assert!(is_token(OURS));
        for text in ["", "x", &OURS[1..], &OURS.to_uppercase(), &OURS.replace('0', "g")] {
            assert!(!is_token(text), "{text}");
        }
    }
}
