use std::borrow::Cow;
use std::fmt::{self, Display};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{self, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A word of a file that another version of this program may have written.
///
/// Only a text that is exactly as this version prints the word is known. Any other text stays as it is, so that what is
/// read is written again byte for byte; it proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word<T> {
    /// A word of this version.
    Known(T),
    /// A word that this version does not know.
    Other(String),
}

impl<T: DeserializeOwned + Display> Word<T> {
    /// The word that a text stands for.
    pub fn of(text: String) -> Self {
        let reader: StrDeserializer<'_, value::Error> = text.as_str().into_deserializer();
        match T::deserialize(reader) {
            Ok(known) if known.to_string() == text => Word::Known(known),
            _ => Word::Other(text),
        }
    }
}

impl<T> Word<T> {
    /// The value, if this version knows the word.
    pub fn known(&self) -> Option<&T> {
        match self {
            Word::Known(known) => Some(known),
            Word::Other(_) => None,
        }
    }
}

impl<T> From<T> for Word<T> {
    fn from(known: T) -> Self {
        Word::Known(known)
    }
}

impl<T: PartialEq> PartialEq<T> for Word<T> {
    fn eq(&self, other: &T) -> bool {
        self.known() == Some(other)
    }
}

impl<T: Display> Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Known(known) => known.fmt(f),
            Word::Other(text) => f.write_str(text),
        }
    }
}

impl<T: Display> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: DeserializeOwned + Display> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Word::of)
    }
}

/// Any text is read, so the schema is that of a text.
impl<T> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// Words in a row, with a separator between them.
pub fn joined<T: Display>(words: &[T], separator: &str) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Level;
    use crate::verdict::{CheckId, Verdict};

    #[test]
    fn a_word_is_written_as_it_was_read() {
        fn again<T: DeserializeOwned + Display>(text: &str) -> (bool, String) {
            let json = serde_json::to_string(text).unwrap();
            let word: Word<T> = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&word).unwrap(), json);
            (word.known().is_some(), word.to_string())
        }
        for (text, known) in [("bytes", true), ("Bytes", false), ("everything", false), ("", false)] {
            assert_eq!(again::<Level>(text), (known, text.to_owned()));
        }
        for (text, known) in [("pass", true), ("PASS", false), ("proved", false)] {
            assert_eq!(again::<Verdict>(text), (known, text.to_owned()));
        }
        // Names of checks are taken from a person in any case, and from a ledger only as they are printed.
        let checks =
            [("crc64nvme", true), ("expect-etag", true), ("CRC64NVME", false), ("stored", false), ("x", false)];
        for (text, known) in checks {
            assert_eq!(again::<CheckId>(text), (known, text.to_owned()));
        }
    }
}
