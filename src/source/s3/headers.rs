use std::fmt;

use aws_smithy_runtime_api::http::Headers as SdkHeaders;

use crate::facts::ValueShape;

/// Headers of a response, as received. The SDK rejects a response for one header that it cannot parse; this type keeps
/// all headers, and the reader decides what an unreadable one means.
#[derive(Clone, Default)]
pub(super) struct Headers(Vec<(String, Vec<u8>)>);

/// Value of a header that should occur once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// The header is absent.
    Nothing,
    /// All occurrences have this value.
    One(String),
    /// The header occurs several times with different values.
    Several(Vec<String>),
}

impl Headers {
    /// Copies the headers, with their names in lower case.
    pub(super) fn of(headers: &SdkHeaders) -> Self {
        Headers(headers.iter_bytes().map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect())
    }

    /// All values of a header, in order and trimmed.
    fn all(&self, name: &str) -> impl Iterator<Item = String> {
        self.0.iter().filter(move |(have, _)| have == name).map(|(_, value)| text(value).trim().to_owned())
    }

    /// The value of a header, or all values if they differ.
    pub(super) fn told(&self, name: &str) -> Told {
        let mut values: Vec<String> = self.all(name).collect();
        values.dedup();
        match (values.len(), values.pop()) {
            (_, None) => Told::Nothing,
            (1, Some(value)) => Told::One(value),
            (_, Some(last)) => {
                values.push(last);
                Told::Several(values)
            }
        }
    }

    /// The value of a header; `None` if it is absent or its values differ.
    pub(super) fn one(&self, name: &str) -> Option<String> {
        match self.told(name) {
            Told::One(value) => Some(value),
            Told::Nothing | Told::Several(_) => None,
        }
    }

    /// All values in one text, for comparison with another response.
    pub(super) fn joined(&self, name: &str) -> Option<String> {
        let values: Vec<String> = self.all(name).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Whether a header is present.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(have, _)| have == name)
    }

    /// The rest of each name after a prefix, once, with whether all its values are UTF-8.
    pub(super) fn under(&self, prefix: &str) -> Vec<(String, bool)> {
        let mut names: Vec<(String, bool)> = Vec::new();
        for (name, value) in &self.0 {
            let Some(rest) = name.strip_prefix(prefix) else { continue };
            let readable = std::str::from_utf8(value).is_ok();
            match names.iter_mut().find(|(have, _)| have == rest) {
                Some((_, all)) => *all &= readable,
                None => names.push((rest.to_owned(), readable)),
            }
        }
        names
    }
}

impl Headers {
    /// Name of each header with the shape of its value, in the order of the names. User metadata is left out: its
    /// values may be encoded.
    pub(super) fn shapes(&self) -> Vec<(String, ValueShape)> {
        let stated = self.0.iter().filter(|(name, _)| !name.starts_with("x-amz-meta-"));
        let mut shapes: Vec<(String, ValueShape)> =
            stated.map(|(name, value)| (name.clone(), ValueShape::of(&text(value), None))).collect();
        shapes.sort_by(|(one, _), (other, _)| one.cmp(other));
        shapes
    }
}

/// Bytes that are not UTF-8 are read as Latin-1, formerly the encoding of HTTP headers (RFC 9110 §5.5).
fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

/// Prints names only: values may contain keys.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
impl Headers {
    /// Headers from names and values, for tests.
    pub(crate) fn from_pairs(pairs: &[(&str, &[u8])]) -> Self {
        Headers(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_twice_counts_where_it_agrees() {
        let headers = Headers::from_pairs(&[("a", b" 1 "), ("a", b"1"), ("b", b"1"), ("b", b"2"), ("c", b"\xe9")]);
        assert_eq!(headers.told("a"), Told::One("1".into()));
        assert_eq!(headers.told("b"), Told::Several(vec!["1".into(), "2".into()]));
        assert_eq!((headers.one("b"), headers.joined("b")), (None, Some("1, 2".into())));
        assert_eq!((headers.one("c"), headers.told("d")), (Some("é".into()), Told::Nothing));
    }
}
