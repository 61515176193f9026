use super::CopyEnds;
use crate::commands::Discovery;
use crate::commands::stated::{StatedEnd, compare_ends};
use crate::copy::{CompareFinding, CopyCheck, CopyFinding, Likeness, likeness_of};
use crate::facts::ObjectFacts;
use crate::ident::ETag;
use crate::source::{ErrorKind, Session, SourceError};

/// What is at the destination.
pub(super) enum Place {
    /// No object.
    Free,
    /// An object, and whether it is that of the source.
    Holds(Box<ObjectFacts>, Sameness),
    /// Not permitted to be asked; the reason, for the user. S3 answers so for a missing key, too.
    NotKnown(String),
}

/// Whether the object at the destination is that of the source, by what is stated about both.
pub(super) struct Sameness {
    pub likeness: Likeness,
    /// What shows it, or why nothing does, for the user.
    pub text: String,
    /// A comparison shows a difference, although another one may contradict it.
    pub differs: bool,
}

impl Sameness {
    fn of(findings: &[CompareFinding]) -> Self {
        let likeness = likeness_of(findings);
        let shows = |finding: &&CompareFinding| likeness == Likeness::Unknown || finding.likeness == likeness;
        let texts: Vec<&str> = findings.iter().filter(shows).map(|finding| finding.text.as_str()).collect();
        let differs = findings.iter().any(|finding| finding.likeness == Likeness::Different);
        Sameness { likeness, text: texts.join("; "), differs }
    }
}

/// Asks what is at the key of the destination. An object that is there is compared as `compare` does.
///
/// # Errors
///
/// The destination cannot be asked.
pub(super) async fn place(ends: &CopyEnds, source: &Discovery) -> Result<Place, SourceError> {
    match ends.destination.head().await {
        Ok(facts) => {
            let end =
                |name, session: &Session, found, is_cut| StatedEnd { name, session: session.clone(), found, is_cut };
            let mut found = Discovery::of_head(facts);
            found.ask_checksums(&ends.destination).await;
            let mut a = end("the source", &ends.source, source.clone(), true);
            let mut b = end("the object there", &ends.destination, found, false);
            let same = Sameness::of(&compare_ends(&mut a, &mut b, false).await);
            Ok(Place::Holds(Box::new(b.found.facts), same))
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
    let why = &same.text;
    let named = replace_if.map(|named| format!("; --replace-if names ETag {named}, so it is not replaced"));
    let named = named.unwrap_or_default();
    match same.likeness {
        Likeness::Same => CopyFinding::pass(CopyCheck::Absent, format!("the same object is there: {why}")),
        Likeness::Different => {
            CopyFinding::fail(CopyCheck::Absent, format!("another object is there, with ETag {etag}: {why}{named}"))
        }
        Likeness::Unknown => CopyFinding::open(
            CopyCheck::Absent,
            format!("an object is there, with ETag {etag}, and nothing shows whether it is the same: {why}{named}"),
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
