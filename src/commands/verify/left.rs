use std::collections::BTreeMap;

use super::{VerifyOptions, unknown};
use crate::commands::Discovery;
use crate::commands::ask::tags;
use crate::facts::Fact;
use crate::ident::Target;
use crate::plan::{References, left_references};
use crate::report::VerifyNote;
use crate::source::Session;
use crate::verdict::{CheckId, Origin, Reason, Subject};

/// Adds the values that other programs left in the metadata and the tags of the object, if they are asked for.
pub(super) async fn add_left(all: &mut References, session: &Session, request: &VerifyOptions, found: &mut Discovery) {
    if request.asks_for(Origin::Metadata) {
        let metadata = found.facts.metadata.clone();
        add(all, found, Origin::Metadata, &metadata);
    }
    if !request.asks_for(Origin::Tags) {
        return;
    }
    let answer = match session.target() {
        Target::File(_) => Fact::Absent { source: "a file" },
        Target::Object(_) | Target::Presigned(_) => tags(session, &found.facts).await,
    };
    match answer {
        Fact::Known { value, .. } => add(all, found, Origin::Tags, &value),
        Fact::Absent { .. } | Fact::NotApplicable => add(all, found, Origin::Tags, &BTreeMap::new()),
        Fact::NotPermitted { needs } => {
            all.unusable.push(unknown(VALUE, Reason::NotPermitted { needs: needs.to_owned() }))
        }
        Fact::Unavailable { because } => all.unusable.push(unknown(VALUE, Reason::Unanswered { detail: because })),
    }
}

/// The tags that could not be asked for.
const VALUE: CheckId = CheckId::Reference(Origin::Tags, Subject::Value);

fn add(all: &mut References, found: &mut Discovery, origin: Origin, pairs: &BTreeMap<String, String>) {
    let left = left_references(origin, pairs);
    if left.references.is_empty() && left.unusable.is_empty() {
        let place = if origin == Origin::Tags { "tags" } else { "metadata" };
        found.notes.push(VerifyNote::NothingLeft { place }.into());
    }
    for reference in &left.references {
        let (check, source) = (reference.check, reference.source.clone());
        let note = match origin {
            Origin::Tags => VerifyNote::LeftInTags { check, source },
            _ => VerifyNote::LeftInMetadata { check, source },
        };
        found.notes.push(note.into());
    }
    all.references.extend(left.references);
    all.unusable.extend(left.unusable);
}
