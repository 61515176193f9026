//! References and their values, as people know them.

use std::borrow::Cow;

use crate::checksum::{Algorithm, Digest};
use crate::verdict::{CheckId, Origin, Subject};

/// What a check compares the bytes with; `None` for a check that follows from others.
pub(super) fn described(check: CheckId) -> Option<String> {
    let CheckId::Reference(origin, subject) = check else { return None };
    let what = match subject {
        Subject::ETag => "ETag".to_owned(),
        Subject::Checksum(algorithm) => algorithm.to_string(),
        Subject::Parts(algorithm) => format!("{algorithm} of this part"),
        Subject::Size => "size".to_owned(),
        Subject::Value => "value".to_owned(),
    };
    Some(match origin {
        Origin::Stored => format!("the stored {what}"),
        Origin::Expect => format!("the {what} given with --expect"),
        Origin::Manifest => format!("the {what} in the manifest"),
        Origin::Baseline => format!("the {what} of the baseline"),
        Origin::Sums => format!("the {what} in the checksum file"),
        Origin::Like => format!("the {what} of the other object"),
        Origin::Tags => format!("the {what} in the tags"),
        Origin::Metadata => format!("the {what} in the metadata"),
    })
}

/// A value of a check, as it is shown. People and checksum files write values in hexadecimal or in base64, so that a value
/// of theirs is shown in both.
pub(super) fn value(check: CheckId, text: &str) -> Cow<'_, str> {
    match given_as(check).and_then(|algorithm| Digest::parse(algorithm, text).ok()) {
        Some(digest) => format!("{} (base64 {digest})", digest.hex()).into(),
        None => text.into(),
    }
}

/// The algorithm of a value that a person or another program wrote.
fn given_as(check: CheckId) -> Option<Algorithm> {
    match check {
        CheckId::Reference(
            Origin::Expect | Origin::Sums | Origin::Tags | Origin::Metadata,
            Subject::Checksum(algorithm),
        ) => Some(algorithm),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_value_is_shown_in_both_spellings() {
        let given = CheckId::Reference(Origin::Expect, Subject::Checksum(Algorithm::Crc32));
        assert_eq!(value(given, "9fUbOw=="), "f5f51b3b (base64 9fUbOw==)");
        assert_eq!(value(given, "9fUbOw==-3"), "9fUbOw==-3");
        let stored = CheckId::Reference(Origin::Stored, Subject::Checksum(Algorithm::Crc32));
        assert_eq!(value(stored, "9fUbOw=="), "9fUbOw==");
    }

    #[test]
    fn a_reference_is_named_by_its_origin() {
        for (check, name) in [
            (CheckId::Reference(Origin::Stored, Subject::ETag), "the stored ETag"),
            (CheckId::Reference(Origin::Stored, Subject::Checksum(Algorithm::Crc32)), "the stored crc32"),
            (
                CheckId::Reference(Origin::Manifest, Subject::Parts(Algorithm::Md5)),
                "the md5 of this part in the manifest",
            ),
        ] {
            assert_eq!(described(check).as_deref(), Some(name));
        }
        assert_eq!(described(CheckId::Proof), None);
    }
}
