use std::fmt;
use std::str::FromStr;

use super::{Condition, PolicyCheck};
use crate::checksum::Algorithm;
use crate::text::serde_as_text;

/// Identifies a check. Its text appears in reports and is accepted by `--using`, `--require` and `--accept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckId {
    /// All bytes were read from the state of the object that was found first.
    Identity,
    /// The number of bytes received equals the size that the server states.
    Size,
    /// Every byte was compared with at least one reference, and all of them matched.
    Proof,
    /// The bytes are a complete stream, by the checksums and sizes within the stream.
    Stream,
    /// The references over the same bytes agree.
    Contradiction,
    /// The bytes match one reference.
    Reference(Origin, Subject),
    /// One condition of a store or a restore is satisfied.
    Condition(Condition),
    /// One requirement of an archive's policy is satisfied.
    PolicyCheck(PolicyCheck),
}

/// Where a reference comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// S3 stores it with the object.
    Stored,
    /// `--expect` and `--etag`.
    Expect,
    /// `--manifest`.
    Manifest,
    /// `--manifest` and `--like`, of values that were computed while nothing proved the bytes.
    Baseline,
    /// `--sums`.
    Sums,
    /// `--like`.
    Like,
    /// Tags of the object, which another program set.
    Tags,
    /// User metadata of the object, which the program that wrote it set.
    Metadata,
}

/// The kind of a reference's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The ETag.
    ETag,
    /// A checksum by this algorithm.
    Checksum(Algorithm),
    /// One digest per part.
    Parts(Algorithm),
    /// A size. If it differs, the bytes need not be compared.
    Size,
    /// A value that cannot be computed here.
    Value,
}

/// How a reference that could not be judged affects the overall verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Not at all: it was found with the object, and other references may prove the bytes instead.
    Offered,
    /// The overall verdict is unknown, because the user gave this value.
    Each,
    /// The overall verdict is unknown unless another value of the same document or object matched over every
    /// byte.
    OneOf,
}

/// The text does not name a check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a check (identity, size, proof, contradiction, stream, etag, an algorithm such as crc64nvme, or one of these after `expect-`, `manifest-`, `baseline-`, `sums-`, `like-`, `tags-` or `metadata-`; an origin alone means all of its checks)"
)]
pub struct ParseCheckError(pub String);

impl Origin {
    /// Every origin.
    pub const ALL: [Origin; 8] = [
        Origin::Stored,
        Origin::Expect,
        Origin::Manifest,
        Origin::Baseline,
        Origin::Sums,
        Origin::Like,
        Origin::Tags,
        Origin::Metadata,
    ];

    const NAMED: [(Origin, &'static str); 7] = [
        (Origin::Expect, "expect"),
        (Origin::Manifest, "manifest"),
        (Origin::Baseline, "baseline"),
        (Origin::Sums, "sums"),
        (Origin::Like, "like"),
        (Origin::Tags, "tags"),
        (Origin::Metadata, "metadata"),
    ];

    /// Whether other programs left its values with the object. They are used only when asked for, and are weaker than
    /// all others: nothing shows who computed them, when, and from which bytes.
    pub fn is_left_by_others(self) -> bool {
        matches!(self, Origin::Tags | Origin::Metadata)
    }

    /// Whether a match with one of its values proves the bytes. A match with a baseline shows only that they are the same
    /// as before.
    pub fn proves(self) -> bool {
        self != Origin::Baseline
    }

    /// How references of this origin affect the overall verdict if they are not judged.
    pub fn demand(self) -> Demand {
        match self {
            Origin::Stored | Origin::Tags | Origin::Metadata => Demand::Offered,
            Origin::Expect | Origin::Sums => Demand::Each,
            Origin::Manifest | Origin::Baseline | Origin::Like => Demand::OneOf,
        }
    }

    /// Whether its name means values of `other`, too: a baseline is a manifest, or the values of `--like`.
    fn includes(self, other: Origin) -> bool {
        self == other || (matches!(self, Origin::Manifest | Origin::Like) && other == Origin::Baseline)
    }

    fn name(self) -> Option<&'static str> {
        Self::NAMED.into_iter().find(|(origin, _)| *origin == self).map(|(_, name)| name)
    }
}

impl CheckId {
    /// Whether it compares the bytes with a value that proves them if it matches.
    pub fn proves(self) -> bool {
        matches!(self, CheckId::Reference(origin, _) if origin.proves())
    }

    /// Whether it proves the bytes by a value that other programs did not leave with the object.
    pub fn proves_without_others(self) -> bool {
        matches!(self, CheckId::Reference(origin, _) if origin.proves() && !origin.is_left_by_others())
    }

    /// Whether the value that it compares with was computed when the object was written, or by others, so that it says
    /// nothing about a source from which the object was copied.
    pub fn is_since_written(self) -> bool {
        match self {
            CheckId::Reference(origin, _) => origin == Origin::Stored || origin.is_left_by_others() || !origin.proves(),
            _ => true,
        }
    }

    /// Whether a match also speaks against a replacement made on purpose. Whoever replaces an object can also set its tags
    /// and metadata.
    pub fn resists_forgery(self) -> bool {
        match self {
            CheckId::Reference(origin, Subject::Checksum(algorithm) | Subject::Parts(algorithm)) => {
                algorithm.resists_forgery() && !origin.is_left_by_others()
            }
            _ => false,
        }
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckId::Identity => f.write_str("identity"),
            CheckId::Size => f.write_str("size"),
            CheckId::Proof => f.write_str("proof"),
            CheckId::Stream => f.write_str("stream"),
            CheckId::Contradiction => f.write_str("contradiction"),
            CheckId::Condition(condition) => condition.fmt(f),
            CheckId::PolicyCheck(upkeep) => upkeep.fmt(f),
            CheckId::Reference(origin, subject) => {
                if let Some(name) = origin.name() {
                    write!(f, "{name}-")?;
                }
                match subject {
                    Subject::ETag => f.write_str("etag"),
                    Subject::Checksum(algorithm) => algorithm.fmt(f),
                    Subject::Parts(algorithm) => write!(f, "parts-{algorithm}"),
                    Subject::Size => f.write_str("size"),
                    Subject::Value => f.write_str("value"),
                }
            }
        }
    }
}

impl FromStr for CheckId {
    type Err = ParseCheckError;

    /// Reads a name exactly as it is printed.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // As a `CheckName`, `tags` is an origin.
        if let Some(check) = PolicyCheck::named(text) {
            return Ok(CheckId::PolicyCheck(check));
        }
        match text.parse() {
            Ok(CheckName::One(id)) if id.to_string() == text => Ok(id),
            _ => Err(ParseCheckError(text.to_owned())),
        }
    }
}

serde_as_text!(CheckId);

/// One check, or all checks of one origin, as the user names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckName {
    /// One check.
    One(CheckId),
    /// All checks of references from one origin.
    AllOf(Origin),
}

impl CheckName {
    /// Whether `check` is named by this.
    pub fn matches(self, check: CheckId) -> bool {
        match self {
            CheckName::One(CheckId::Reference(named, subject)) => {
                matches!(check, CheckId::Reference(origin, of) if named.includes(origin) && of == subject)
            }
            CheckName::One(named) => named == check,
            CheckName::AllOf(named) => matches!(check, CheckId::Reference(origin, _) if named.includes(origin)),
        }
    }

    /// Whether it names references of this origin.
    pub fn is_of(self, wanted: Origin) -> bool {
        match self {
            CheckName::One(CheckId::Reference(origin, _)) | CheckName::AllOf(origin) => origin == wanted,
            CheckName::One(_) => false,
        }
    }

    /// Whether it adds references that are otherwise not asked for, and leaves out no others.
    pub fn adds(self) -> bool {
        matches!(self, CheckName::AllOf(origin) if origin.is_left_by_others())
    }
}

impl FromStr for CheckName {
    type Err = ParseCheckError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseCheckError(text.to_owned());
        let lower = text.to_ascii_lowercase();
        let simple = match lower.as_str() {
            "identity" => Some(CheckId::Identity),
            "size" => Some(CheckId::Size),
            "proof" => Some(CheckId::Proof),
            "stream" => Some(CheckId::Stream),
            "contradiction" => Some(CheckId::Contradiction),
            name if Origin::NAMED.iter().any(|(_, origin)| *origin == name) => None,
            name => {
                let condition = Condition::named(name).map(CheckId::Condition);
                condition.or_else(|| PolicyCheck::named(name).map(CheckId::PolicyCheck))
            }
        };
        if let Some(check) = simple {
            return Ok(CheckName::One(check));
        }
        let mut subject = lower.as_str();
        let mut of = Origin::Stored;
        for (origin, name) in Origin::NAMED {
            if lower == name {
                return Ok(CheckName::AllOf(origin));
            }
            if let Some(rest) = lower.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')) {
                (of, subject) = (origin, rest);
            }
        }
        let subject = match subject {
            "etag" => Subject::ETag,
            "size" => Subject::Size,
            "value" => Subject::Value,
            _ => match subject.strip_prefix("parts-") {
                Some(algorithm) => Subject::Parts(algorithm.parse().map_err(|_| error())?),
                None => Subject::Checksum(subject.parse().map_err(|_| error())?),
            },
        };
        Ok(CheckName::One(CheckId::Reference(of, subject)))
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckName::One(check) => check.fmt(f),
            CheckName::AllOf(origin) => f.write_str(origin.name().unwrap_or("stored")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_printed() {
        let mut ids = vec![
            CheckId::Identity,
            CheckId::Size,
            CheckId::Proof,
            CheckId::Contradiction,
            CheckId::Stream,
            CheckId::Reference(Origin::Sums, Subject::Value),
        ];
        for origin in Origin::ALL {
            ids.push(CheckId::Reference(origin, Subject::ETag));
            for algorithm in Algorithm::ALL {
                ids.push(CheckId::Reference(origin, Subject::Checksum(algorithm)));
                ids.push(CheckId::Reference(origin, Subject::Parts(algorithm)));
            }
        }
        ids.extend(Condition::ALL.map(|(condition, _)| CheckId::Condition(condition)));
        ids.extend(PolicyCheck::ALL.map(|(upkeep, _)| CheckId::PolicyCheck(upkeep)));
        for id in ids {
            let named = match id {
                CheckId::PolicyCheck(PolicyCheck::Tags) => CheckName::AllOf(Origin::Tags),
                id => CheckName::One(id),
            };
            assert_eq!(id.to_string().parse(), Ok(named), "{id}");
            assert_eq!(serde_json::to_value(id).unwrap(), id.to_string());
            assert_eq!(serde_json::from_value::<CheckId>(id.to_string().into()).unwrap(), id);
            assert!(serde_json::from_value::<CheckId>(id.to_string().to_uppercase().into()).is_err());
        }
    }

    #[test]
    fn an_origin_names_all_of_its_checks() {
        let name: CheckName = "manifest".parse().unwrap();
        assert!(name.matches(CheckId::Reference(Origin::Manifest, Subject::ETag)));
        assert!(!name.matches(CheckId::Reference(Origin::Stored, Subject::ETag)));
        let baseline = CheckId::Reference(Origin::Baseline, Subject::ETag);
        assert!(name.matches(baseline), "a baseline is a manifest");
        assert!(!"baseline".parse::<CheckName>().unwrap().matches(CheckId::Reference(Origin::Manifest, Subject::ETag)));
        assert!("manifest-etag".parse::<CheckName>().unwrap().matches(baseline));
        assert!(!"manifest-md5".parse::<CheckName>().unwrap().matches(baseline));
        for (text, origin) in [("tags", Origin::Tags), ("metadata", Origin::Metadata)] {
            let name: CheckName = text.parse().unwrap();
            let of = |origin| CheckId::Reference(origin, Subject::Checksum(Algorithm::Md5));
            assert!(name.matches(of(origin)) && !name.matches(of(Origin::Stored)) && name.adds() && name.is_of(origin));
            assert_eq!(format!("{text}-md5").parse(), Ok(CheckName::One(of(origin))));
        }
        let sha256 = |origin| CheckId::Reference(origin, Subject::Checksum(Algorithm::Sha256));
        assert!(sha256(Origin::Sums).resists_forgery() && !sha256(Origin::Tags).resists_forgery());
        assert!(!name.adds() && !CheckName::One(CheckId::Size).is_of(Origin::Stored));
        assert!("nonsense".parse::<CheckName>().is_err());
        assert!("expect-nonsense".parse::<CheckName>().is_err());
    }
}
