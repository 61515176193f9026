//! JSON documents on disk that contain their own digest.
//!
//! The format is `{"schema":"stored-ami/NAME/1","sha256":"…","NAME":{…}}`. The SHA-256 covers the inner
//! document, written compactly with sorted names. It detects truncation and accidental edits. It is not a
//! signature: anyone can recompute it.

use std::collections::BTreeMap;
use std::{fmt, io};

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::checksum::{Algorithm, Hasher};

/// A file is not a valid sealed document.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The text is not JSON of the expected structure.
    #[error("is not a {name}: {problem}")]
    Malformed {
        /// Kind of document that was expected.
        name: &'static str,
        /// The parser's message.
        problem: String,
    },
    /// The document has another schema or version.
    #[error("{}", other_schema(.found, .expected))]
    Schema {
        /// Schema in the file, shortened.
        found: String,
        /// Schema that this version reads.
        expected: String,
    },
    /// The digest does not match the document.
    #[error("is damaged or was edited: its own SHA-256 does not match")]
    Damaged,
}

impl SealError {
    /// Whether the text is no document of the kind that was expected, of any version.
    pub fn is_another_document(&self) -> bool {
        match self {
            SealError::Malformed { .. } => true,
            SealError::Schema { found, expected } => kind(found) != kind(expected),
            SealError::Damaged => false,
        }
    }
}

/// The schema without its version.
fn kind(schema: &str) -> &str {
    schema.rsplit_once('/').map_or(schema, |(kind, _)| kind)
}

/// A document of another kind, or of another version of the same kind.
fn other_schema(found: &str, expected: &str) -> String {
    match kind(found) == kind(expected) {
        true => format!("has schema `{found}`; this version reads {expected}"),
        false => format!("is another document: its schema is `{found}`, and {expected} is needed"),
    }
}

fn schema(name: &str, version: u32) -> String {
    format!("stored-ami/{name}/{version}")
}

fn own_digest(document: &Value) -> Result<String, serde_json::Error> {
    // serde_json sorts object names, so the digest does not depend on the layout of the file.
    Ok(Hasher::digest(Algorithm::Sha256, serde_json::to_string(document)?.as_bytes()).hex())
}

/// Writes a document of version 1 as one line of text.
///
/// # Errors
///
/// When `document` cannot be serialised.
pub fn seal(name: &'static str, document: &impl Serialize) -> Result<String, serde_json::Error> {
    seal_version(name, 1, document)
}

/// As [`seal`], for a given version of the document.
///
/// # Errors
///
/// When `document` cannot be serialised.
pub fn seal_version(name: &'static str, version: u32, document: &impl Serialize) -> Result<String, serde_json::Error> {
    let document = serde_json::to_value(document)?;
    let mut envelope = Map::new();
    envelope.insert("schema".to_owned(), schema(name, version).into());
    envelope.insert("sha256".to_owned(), own_digest(&document)?.into());
    envelope.insert(name.to_owned(), document);
    Ok(serde_json::to_string(&envelope)? + "\n")
}

/// As [`seal_version`], for a large document: it is serialised directly into a text of the exact size. The
/// document must serialise its names in sorted order, otherwise [`open_version`] reports it as damaged.
///
/// # Errors
///
/// When `document` cannot be serialised.
pub fn seal_sorted(name: &'static str, version: u32, document: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut measure = Measure { hasher: Hasher::new(Algorithm::Sha256), bytes: 0 };
    serde_json::to_writer(&mut measure, document)?;
    let mut head = Map::new();
    head.insert("schema".to_owned(), schema(name, version).into());
    head.insert("sha256".to_owned(), measure.hasher.finish().hex().into());
    let head = serde_json::to_string(&head)?;
    let (head, behind) = (head.trim_end_matches('}'), format!(",{}:", Value::from(name)));
    let mut text = Vec::with_capacity(head.len() + behind.len() + measure.bytes + "}\n".len());
    text.extend_from_slice(head.as_bytes());
    text.extend_from_slice(behind.as_bytes());
    serde_json::to_writer(&mut text, document)?;
    text.extend_from_slice(b"}\n");
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

/// Hashes and counts the bytes written to it.
struct Measure {
    hasher: Hasher,
    bytes: usize,
}

impl io::Write for Measure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text as a JSON string.
fn quoted(text: String) -> String {
    Value::from(text).to_string()
}

/// Reads a document of version 1.
///
/// The text is not parsed into a tree of values, which would take many times the memory of the text.
///
/// # Errors
///
/// When the text is not such a document, has another schema, or does not match its digest.
pub fn open<T: DeserializeOwned>(name: &'static str, text: &str) -> Result<T, SealError> {
    open_version(name, 1, text)
}

/// As [`open`], for a given version of the document. Other versions are refused.
///
/// # Errors
///
/// When the text is not such a document, has another schema, or does not match its digest.
pub fn open_version<T: DeserializeOwned>(name: &'static str, version: u32, text: &str) -> Result<T, SealError> {
    let malformed = |problem: String| SealError::Malformed { name, problem };
    let mut reader = serde_json::Deserializer::from_str(text);
    let envelope = Envelope(name).deserialize(&mut reader).map_err(|error| malformed(error.to_string()))?;
    reader.end().map_err(|error| malformed(error.to_string()))?;
    let take = |field: &str, value: Option<String>| value.ok_or_else(|| malformed(format!("missing field `{field}`")));
    let found = take("schema", envelope.schema)?;
    if found != quoted(schema(name, version)) {
        let found: String = found.trim_matches('"').chars().take(MOST_SHOWN).collect();
        return Err(SealError::Schema { found, expected: schema(name, version) });
    }
    let digest = take("sha256", envelope.sha256)?;
    let document = take(name, envelope.document)?;
    if quoted(Hasher::digest(Algorithm::Sha256, document.as_bytes()).hex()) != digest {
        return Err(SealError::Damaged);
    }
    serde_json::from_str(&document).map_err(|error| malformed(error.to_string()))
}

/// Reads a list of at most `N` elements, for `#[serde(deserialize_with)]`. The limit bounds memory, because
/// an element can take many times the memory of its text.
///
/// # Errors
///
/// When an element cannot be read or there are more than `N`.
pub fn at_most<'de, const N: usize, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(AtMost::<N, T>(std::marker::PhantomData))
}

struct AtMost<const N: usize, T>(std::marker::PhantomData<T>);

impl<'de, const N: usize, T: serde::Deserialize<'de>> Visitor<'de> for AtMost<N, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {N} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            if elements.len() >= N {
                return Err(A::Error::custom(format!("a list of more than {N} elements, the limit")));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

/// Characters of an unknown schema that an error message repeats.
const MOST_SHOWN: usize = 80;

/// The members of the envelope, each as compact JSON with sorted names.
#[derive(Default)]
struct Members {
    schema: Option<String>,
    sha256: Option<String>,
    document: Option<String>,
}

/// Reads the envelope of a document with this name.
struct Envelope(&'static str);

impl<'de> DeserializeSeed<'de> for Envelope {
    type Value = Members;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Envelope {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `schema`, `sha256` and `{}`", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            let member = match name.as_str() {
                "schema" => &mut members.schema,
                "sha256" => &mut members.sha256,
                name if name == self.0 => &mut members.document,
                _ => {
                    let IgnoredAny = map.next_value()?;
                    continue;
                }
            };
            let mut text = String::new();
            map.next_value_seed(Canonical(&mut text))?;
            *member = Some(text);
        }
        Ok(members)
    }
}

/// Appends any JSON value to a text, compactly and with sorted names, in the format in which `serde_json`
/// writes a [`Value`].
struct Canonical<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Canonical<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Canonical<'_> {
    fn push(self, value: impl Into<Value>) {
        self.0.push_str(&value.into().to_string());
    }
}

impl<'de> Visitor<'de> for Canonical<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push_str("null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.push(value);
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.push(value);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.push(value);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.push(value);
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.push(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.push('[');
        let mut first = true;
        loop {
            let before = self.0.len();
            if !first {
                self.0.push(',');
            }
            if list.next_element_seed(Canonical(self.0))?.is_none() {
                self.0.truncate(before);
                break;
            }
            first = false;
        }
        self.0.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let mut text = String::new();
            map.next_value_seed(Canonical(&mut text))?;
            members.insert(name, text);
        }
        self.0.push('{');
        for (index, (name, text)) in members.into_iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            Canonical(self.0).push(name);
            self.0.push(':');
            self.0.push_str(&text);
        }
        self.0.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncation_and_edits_are_found() {
        let text = seal("test", &serde_json::json!({"a": 1, "b": [2, "x"]})).unwrap();
        assert_eq!(open::<Value>("test", &text).unwrap()["b"][1], "x");
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&text).unwrap()).unwrap();
        assert!(open::<Value>("test", &pretty).is_ok(), "the layout of the file does not matter");
        for cut in 0..text.len() - 1 {
            assert!(open::<Value>("test", &text[..cut]).is_err(), "cut at {cut}");
        }
        assert!(matches!(open::<Value>("test", &text.replace("\"a\":1", "\"a\":2")), Err(SealError::Damaged)));
        assert!(matches!(open::<Value>("test", &text.replace("/1\"", "/9\"")), Err(SealError::Schema { .. })));
        assert!(matches!(open::<Value>("test", "{}"), Err(SealError::Malformed { .. })));
        assert!(matches!(open::<Value>("other", &text), Err(SealError::Schema { .. })));
        for (name, text, is_another) in [
            ("test", text.replace("\"a\":1", "\"a\":2"), false),
            ("test", text.replace("/1\"", "/9\""), false),
            ("test", "{}".to_owned(), true),
            ("test", "no JSON".to_owned(), true),
            ("other", text, true),
        ] {
            assert_eq!(open::<Value>(name, &text).unwrap_err().is_another_document(), is_another, "{text}");
        }
    }

    #[test]
    fn a_sorted_document_takes_its_own_text_only() {
        let document =
            serde_json::json!({"a": ["\u{7}\"é", null], "b": {"c": 1.5, "d": 18_446_744_073_709_551_615_u64}});
        let text = seal_sorted("test", 3, &document).unwrap();
        assert_eq!(text.capacity(), text.len());
        assert_eq!(open_version::<Value>("test", 3, &text).unwrap(), document);
        let usual = seal_version("test", 3, &document).unwrap();
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(value(&text), value(&usual));
    }

    #[test]
    fn what_is_hashed_is_what_was_written() {
        let odd = r#"{"z":[],"a":{"y":{},"b":[null,true,-1,18446744073709551615,1.5,1e300,1e30],"é\u0007\"":"\u202e/"},"":[[1],[2,[]]]}"#;
        let mut text = String::new();
        Canonical(&mut text).deserialize(&mut serde_json::Deserializer::from_str(odd)).unwrap();
        assert_eq!(text, serde_json::from_str::<Value>(odd).unwrap().to_string());
        let sealed = seal("test", &serde_json::from_str::<Value>(odd).unwrap()).unwrap();
        assert!(open::<Value>("test", &sealed).is_ok());
    }
}
