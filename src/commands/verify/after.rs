use crate::commands::Discovery;
use crate::facts::{Fact, ObjectFacts};
use crate::fetch::Stop;
use crate::ident::{ETag, Target, lasting_version};
use crate::report::VerifyNote;
use crate::source::{ErrorKind, Session};
use crate::verdict::Reason;

/// Result of the HEAD request that is sent after the read, compared with the object discovered before it.
pub(super) enum After {
    /// The object is unchanged.
    Same,
    /// The version that was read still exists but is no longer the current version.
    Kept,
    /// The object was replaced or deleted.
    Moved(Reason),
    /// The HEAD request was not sent, or it failed.
    NotKnown,
}

impl After {
    /// Sends the HEAD request. Adds a note if a pinned version is no longer the current one, or if the request failed.
    pub(super) async fn ask(session: &Session, found: &mut Discovery) -> Self {
        let then = &found.facts;
        let pinned = is_pinned(then);
        let now = match session.head_again().await {
            Ok(now) => now,
            Err(error) if error.kind == ErrorKind::NotFound && pinned => {
                found.notes.push(VerifyNote::NotCurrent { why: error.explain() }.into());
                return After::Kept;
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                return After::Moved(Reason::Changed { detail: format!("it is gone: {}", error.explain()) });
            }
            // A local file whose size changed.
            Err(error) if error.kind == ErrorKind::Io => {
                return After::Moved(Reason::ReadFailed { detail: error.explain() });
            }
            Err(error) => {
                found.notes.push(VerifyNote::ChangeUnknown { why: error.explain() }.into());
                return After::NotKnown;
            }
        };
        // Two states without an identity count as the same here; `speaks_against` handles them.
        if then.identity().same_bytes_as(&now.identity()).agrees() {
            return After::Same;
        }
        if pinned && !matches!(then.checksums, Fact::NotApplicable) {
            found.notes.push(VerifyNote::NewerVersion { version: now.version.unwrap_or_default() }.into());
            return After::Kept;
        }
        let show = |etag: &Option<ETag>| etag.as_ref().map_or("none".to_owned(), ToString::to_string);
        let (was, is) = (show(&then.id.etag), show(&now.id.etag));
        let detail = format!("ETag {was} of {} bytes became {is} of {}", then.size, now.size);
        After::Moved(Reason::Changed { detail })
    }

    /// The reason why the bytes read may not belong to the discovered object, or why the object cannot be read although
    /// HEAD still shows it. `None` if neither applies.
    pub(super) fn speaks_against(self, facts: &ObjectFacts, stopped: Option<&Stop>) -> Option<Reason> {
        match (self, stopped) {
            (After::Moved(reason), _) => Some(reason),
            (After::Same, Some(Stop::Failed(error))) if is_object(facts) => unreadable(&error.kind, &error.explain()),
            (After::Same | After::NotKnown, None) if is_nameless(facts) => Some(Reason::NotStated {
                detail: "the server states neither an ETag nor a version nor a time of the object, so it may have been replaced while it was read"
                    .to_owned(),
            }),
            (After::NotKnown, None) if !facts.identity().is_identified() => {
                Some(Reason::Unanswered {
                    detail: "it has no strong ETag, and whether it was replaced while it was read could not be asked"
                        .to_owned(),
                })
            }
            (After::Same | After::Kept | After::NotKnown, _) => None,
        }
    }
}

fn is_object(facts: &ObjectFacts) -> bool {
    matches!(facts.id.target, Target::Object(_))
}

fn is_pinned(facts: &ObjectFacts) -> bool {
    lasting_version(facts.version.as_deref()).is_some()
}

/// Whether the server states neither an ETag, nor a version, nor a time of last modification.
fn is_nameless(facts: &ObjectFacts) -> bool {
    facts.id.etag.is_none() && !is_pinned(facts) && facts.last_modified.is_none()
}

/// The reason for a read that fails on an object that HEAD still shows. `None` for network errors, missing permissions
/// and archive classes, which are no evidence about the bytes.
fn unreadable(kind: &ErrorKind, told: &str) -> Option<Reason> {
    let detail = match kind {
        ErrorKind::NotFound => format!("HEAD still shows the object, and reading says it is gone: {told}"),
        ErrorKind::Changed | ErrorKind::Protocol | ErrorKind::ShortBody => {
            format!("HEAD still shows the object, and reading does not give its bytes: {told}")
        }
        _ => return None,
    };
    Some(Reason::Unreadable { detail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::ObjectId;
    use crate::source::SourceError;
    use crate::verdict::ReasonCode;

    fn facts(etag: Option<&str>) -> ObjectFacts {
        let target = "s3://b/ami-1a2b3c4d.bin".parse().unwrap();
        ObjectFacts::new(ObjectId { target, etag: etag.map(ETag::new) }, crate::facts::FactsSource::Other("test"), 5)
    }

    #[test]
    fn what_denies_the_bytes_of_an_object_that_is_there_is_told_from_trouble_on_the_way() {
        use ErrorKind::*;
        let codes = |after: fn() -> After, kind| {
            let stop = Stop::Failed(SourceError::new(kind, "x", "y"));
            after().speaks_against(&facts(Some("e")), Some(&stop)).map(|reason| reason.code())
        };
        for kind in [NotFound, Changed, Protocol, ShortBody] {
            assert_eq!(codes(|| After::Same, kind.clone()), Some(ReasonCode::Unreadable), "{kind:?}");
            assert_eq!(codes(|| After::NotKnown, kind.clone()), None, "{kind:?}");
            assert_eq!(codes(|| After::Kept, kind), None);
        }
        for kind in [Transient, Throttled, Archived, Denied, Credentials, Untrusted, Unsupported, Io] {
            assert_eq!(codes(|| After::Same, kind.clone()), None, "{kind:?}");
        }
        for stop in [None, Some(Stop::Cancelled)] {
            assert_eq!(After::Same.speaks_against(&facts(Some("e")), stop.as_ref()), None);
        }
    }

    #[test]
    fn what_nothing_identifies_is_not_known_to_be_the_same() {
        let code = |after: After, facts: &ObjectFacts| after.speaks_against(facts, None).map(|reason| reason.code());
        let timed = ObjectFacts { last_modified: Some(jiff::Timestamp::UNIX_EPOCH), ..facts(None) };
        let version = |name: &str| ObjectFacts { version: Some(name.into()), ..facts(None) };
        for (facts, same, not_known) in [
            (facts(None), Some(ReasonCode::NotStated), Some(ReasonCode::NotStated)),
            (version("null"), Some(ReasonCode::NotStated), Some(ReasonCode::NotStated)),
            (version("v1"), None, None),
            (timed, None, Some(ReasonCode::Unanswered)),
            (facts(Some("W/\"e\"")), None, Some(ReasonCode::Unanswered)),
            (facts(Some("e")), None, None),
        ] {
            assert_eq!((code(After::Same, &facts), code(After::NotKnown, &facts)), (same, not_known), "{facts:?}");
        }
    }
}
