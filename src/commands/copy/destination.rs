use super::CopyEnds;
use crate::copy::{CopyCheck, CopyFinding, Sameness, sameness};
use crate::facts::ObjectFacts;
use crate::ident::ETag;
use crate::source::{ErrorKind, SourceError};

/// What is at the destination.
pub(super) enum Place {
    /// No object.
    Free,
    /// An object.
    Holds(Box<ObjectFacts>, Sameness),
    /// Not permitted to be asked; the reason, for the user. S3 answers so for a missing key, too.
    NotKnown(String),
}

/// Asks what is at the key of the destination.
///
/// # Errors
///
/// The destination cannot be asked.
pub(super) async fn place(ends: &CopyEnds, source: &ObjectFacts) -> Result<Place, SourceError> {
    match ends.destination.head().await {
        Ok(facts) => {
            let same = sameness(source, &facts);
            Ok(Place::Holds(Box::new(facts), same))
        }
        Err(error) if error.kind == ErrorKind::NotFound && error.code.as_deref() != Some("NoSuchBucket") => {
            Ok(Place::Free)
        }
        Err(error) if error.kind == ErrorKind::Denied => Ok(Place::NotKnown(denied(ends, &error))),
        Err(error) => Err(error),
    }
}

/// A refusal at the destination, with the usual reason if it is one.
fn denied(ends: &CopyEnds, error: &SourceError) -> String {
    let owner = ends.to.expected_bucket_owner.as_deref().filter(|_| error.kind == ErrorKind::Denied);
    match owner {
        Some(owner) => format!(
            "{}; the bucket must belong to {owner}, --to-expected-bucket-owner names another account",
            error.explain()
        ),
        None => error.explain(),
    }
}

/// The object at the destination is not written over. `replace_if` is the ETag of the one that may be replaced.
pub(super) fn occupied(same: &Sameness, facts: &ObjectFacts, replace_if: Option<&ETag>) -> CopyFinding {
    let etag = facts.id.etag.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    let named = replace_if.map(|named| format!("; --replace-if names ETag {named}, so it is not replaced"));
    let named = named.unwrap_or_default();
    match same {
        Sameness::Same(by) => CopyFinding::pass(CopyCheck::Absent, format!("the same object is there: {by}")),
        Sameness::Different(how) => {
            CopyFinding::fail(CopyCheck::Absent, format!("another object is there, with ETag {etag}: {how}{named}"))
        }
        Sameness::CannotTell => CopyFinding::open(
            CopyCheck::Absent,
            format!("an object is there, with ETag {etag}, and nothing shows whether it is the same{named}"),
        ),
    }
}

/// The object at the destination is the one that is to be replaced.
pub(super) fn to_be_replaced(facts: &ObjectFacts) -> CopyFinding {
    let etag = facts.id.etag.as_ref().map(ToString::to_string).unwrap_or_default();
    let version = match &facts.version {
        Some(version) if version != "null" => format!("; its version {version} stays"),
        _ => "; it is lost unless the bucket keeps versions".to_owned(),
    };
    CopyFinding::pass(CopyCheck::Absent, format!("the object with ETag {etag} is replaced{version}")).by("HeadObject")
}
