//! Documents in files that hold their own digest:
//! `{"schema":"stored-ami/NAME/1","sha256":"…","NAME":{…}}`, where the SHA-256 is that of the inner document written
//! compactly with sorted names. It finds truncation and accidents; it is no signature.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::checksum::{Algorithm, Hasher};

/// Why a file is not the document it should be.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("is not a {name}: {problem}")]
    Malformed { name: &'static str, problem: String },
    #[error("has schema `{found}`; this version reads {expected}")]
    Schema { found: String, expected: String },
    #[error("is damaged or was edited: its own SHA-256 does not match")]
    Damaged,
}

fn schema(name: &str, version: u32) -> String {
    format!("stored-ami/{name}/{version}")
}

fn own_digest(document: &Value) -> Result<String, serde_json::Error> {
    // serde_json keeps object names sorted, so this does not depend on how the file is laid out.
    Ok(Hasher::digest(Algorithm::Sha256, serde_json::to_string(document)?.as_bytes()).hex())
}

/// The document as a line of text.
pub fn seal(name: &'static str, document: &impl Serialize) -> Result<String, serde_json::Error> {
    seal_version(name, 1, document)
}

/// The same, in a later version of the document.
pub fn seal_version(name: &'static str, version: u32, document: &impl Serialize) -> Result<String, serde_json::Error> {
    let document = serde_json::to_value(document)?;
    let mut envelope = Map::new();
    envelope.insert("schema".to_owned(), schema(name, version).into());
    envelope.insert("sha256".to_owned(), own_digest(&document)?.into());
    envelope.insert(name.to_owned(), document);
    Ok(serde_json::to_string(&envelope)? + "\n")
}

/// The document in a text, if it is whole.
pub fn open<T: DeserializeOwned>(name: &'static str, text: &str) -> Result<T, SealError> {
    open_version(name, 1, text)
}

/// The same, of a later version of the document; any other version is refused.
pub fn open_version<T: DeserializeOwned>(name: &'static str, version: u32, text: &str) -> Result<T, SealError> {
    let malformed = |problem: String| SealError::Malformed { name, problem };
    let mut envelope: Map<String, Value> = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
    let mut take = |field: &str| envelope.remove(field).ok_or_else(|| malformed(format!("missing field `{field}`")));
    let found = take("schema")?;
    if found != schema(name, version) {
        let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        return Err(SealError::Schema { found, expected: schema(name, version) });
    }
    let digest = take("sha256")?;
    let document = take(name)?;
    if own_digest(&document).map_err(|error| malformed(error.to_string()))? != digest {
        return Err(SealError::Damaged);
    }
    serde_json::from_value(document).map_err(|error| malformed(error.to_string()))
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
    }
}
