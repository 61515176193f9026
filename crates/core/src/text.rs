//! How values are written as text: in JSON, and in what people read.

/// Defines an enum each of whose values has one word. `Display`, serde and the JSON Schema write that word; reading any
/// other word is an error.
macro_rules! words {
    ($(#[$about:meta])* $vis:vis enum $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[allow(missing_docs, reason = "a variant means what its word says")]
        $vis enum $name {
            $($(#[$of])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of the definition.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word in JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.name()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

/// Defines an enum each of whose variants has one sentence, which `Display` writes. Names in braces are fields of the
/// variant; expressions in parentheses after the sentence fill its empty braces.
macro_rules! sentences {
    ($(#[$about:meta])* $vis:vis enum $name:ident {
        $(
            $(#[$of:meta])*
            $variant:ident $({ $($field:ident: $type:ty),+ $(,)? })? => $text:literal $(($($value:expr),+ $(,)?))?
        ),+ $(,)?
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "a field means what its place in the sentence says")]
        $vis enum $name {
            $($(#[$of])* $variant $({ $($field: $type),+ })?,)+
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($name::$variant $({ $($field),+ })? => write!(f, $text $(, $($value),+)?),)+
                }
            }
        }
    };
}

/// Serde and JSON Schema of a type whose `Display` writes what its `FromStr` reads: a string.
macro_rules! serde_as_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}

/// For tests: that each value is written as its word, read back from it, and that no other spelling is read.
#[cfg(test)]
macro_rules! assert_words {
    ($name:ty, $words:expr) => {
        let words: &[&str] = &$words;
        assert_eq!(<$name>::ALL.iter().map(|value| value.name()).collect::<Vec<_>>(), words);
        for value in <$name>::ALL {
            let json = serde_json::to_string(value).unwrap();
            assert_eq!(json, format!("\"{value}\""));
            assert_eq!(serde_json::from_str::<$name>(&json).unwrap(), *value);
            assert!(serde_json::from_str::<$name>(&json.to_uppercase()).is_err());
        }
    };
}

#[cfg(test)]
pub(crate) use assert_words;
pub(crate) use {sentences, serde_as_text, words};

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::fs;
    use std::path::Path;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    /// What a set of words promises: each value is written as its word and read back from it, no two values share a
    /// word, and no other spelling is read.
    fn round_trip<T>(all: &[T])
    where
        T: Copy + Debug + Display + PartialEq + Serialize + DeserializeOwned + AsRef<str>,
    {
        for (at, value) in all.iter().enumerate() {
            let word = value.as_ref();
            let json = serde_json::to_string(value).unwrap();
            assert_eq!((json.as_str(), value.to_string().as_str()), (format!("\"{word}\"").as_str(), word));
            assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *value);
            assert!(all.iter().skip(at + 1).all(|other| other.as_ref() != word), "{word} stands for two values");
            for other in [word.to_uppercase(), format!("{word} "), String::new()] {
                assert!(serde_json::from_value::<T>(other.clone().into()).is_err(), "`{other}` is not {value:?}");
            }
        }
    }

    /// Checks each named enum; the number of them.
    macro_rules! round_trips {
        ($($name:path),+ $(,)?) => {{
            $({ use $name as Words; round_trip(Words::ALL); })+
            [$(stringify!($name)),+].len()
        }};
    }

    /// Number of `words!` in the sources under a folder.
    fn defined(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let count = |path: &Path| {
            let text = fs::read_to_string(path).unwrap();
            text.lines().filter(|line| *line == "words! {").count()
        };
        entries.map(|path| if path.is_dir() { defined(&path) } else { count(&path) }).sum()
    }

    #[test]
    fn every_set_of_words_is_read_as_it_is_written() {
        let checked = round_trips!(
            crate::audit::BatchEngine,
            crate::audit::ChangeKind,
            crate::blocks::UnprovedCode,
            crate::audit::Level,
            crate::audit::ObservationKind,
            crate::batch::BatchOutcome,
            crate::batch::ChecksumScope,
            crate::batch::JobState,
            crate::batch::ReferenceOrigin,
            crate::checks::RatioBasis,
            crate::checks::thaw::ThawCheck,
            crate::checks::preflight::Presence,
            crate::content::Content,
            crate::content::Format,
            crate::copy::CopyCheck,
            crate::copy::CompareCheck,
            crate::copy::Likeness,
            crate::copy::RateBasis,
            crate::facts::Recognised,
            crate::facts::ValueForm,
            crate::price::CostItem,
            crate::report::AnswerWord,
            crate::report::BatchBasis,
            crate::report::ChecksumType,
            crate::report::CompareBasis,
            crate::report::CompareStep,
            crate::report::CopyOutcome,
            crate::report::DeletionAnswer,
            crate::report::DoctorCheck,
            crate::report::DrillOutcome,
            crate::report::DrillPhase,
            crate::report::DrillResourceState,
            crate::report::DrillState,
            crate::report::ETagKind,
            crate::report::FileKind,
            crate::report::KeyForm,
            crate::report::FingerprintOutcome,
            crate::report::LayoutBasis,
            crate::report::LayoutKind,
            crate::report::LeftOutCode,
            crate::report::ObjectProofState,
            crate::report::PartState,
            crate::report::ProofSource,
            crate::report::ReadableState,
            crate::report::TaskRowState,
            crate::report::ServerWord,
            crate::report::Severity,
            crate::report::StoredState,
            crate::report::TaskKind,
            crate::report::ThawOutcome,
            crate::report::ThawState,
            crate::report::ValueCovers,
            crate::verdict::ProofKind,
            crate::verdict::ReasonCode,
            crate::verdict::Verdict,
        );
        assert_eq!(checked, defined(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")), "an enum is missing here");
    }
}
