use std::iter;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::checksum::ChecksumKind;
use crate::facts::{AttributeFacts, Fact, ObjectFacts, PartFacts};
use crate::ident::{ETag, ETagForm, ObjectIdentity};
use crate::plan::{KnownLayout, PartLayout, uniform_candidates};
use crate::progress::Call;
use crate::report::{DiscoveryNote, Note};
use crate::source::{ErrorKind, Session, SourceError};
use crate::units::PartNumber;

/// Maximum number of concurrent HEAD requests for parts.
const PARTS_AT_ONCE: usize = 16;

/// What can be known about an object without reading it.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// What the server states about the object.
    pub facts: ObjectFacts,
    /// What is known about its parts.
    pub layout: KnownLayout,
    /// Notes for the user.
    pub notes: Vec<Note>,
}

/// Requests HEAD, the attributes if they can add something, and the size of one part if the parts are not listed.
///
/// # Errors
///
/// The error of the HEAD request. Failures of the other requests become notes.
pub async fn discover(session: &Session) -> Result<Discovery, SourceError> {
    let facts = session.head().await?;
    Ok(Discovery::from_head(session, facts).await)
}

/// The number of parts according to the ETag or a composite checksum.
fn stated_parts(facts: &ObjectFacts) -> Option<u32> {
    let by_checksum = facts.checksums.value().into_iter().flatten().find_map(|checksum| match checksum.kind {
        ChecksumKind::Composite { parts } => parts,
        _ => None,
    });
    facts.etag_parts().or(by_checksum)
}

/// Whether HEAD stated all that can be known of a single part: that no checksum is stored, and an ETag that is an MD5.
fn is_described_by_head(facts: &ObjectFacts) -> bool {
    let is_md5 = matches!(facts.id.etag.as_ref().map(ETag::form), Some(ETagForm::Md5 { .. }));
    is_md5 && facts.encryption.hides_md5().is_none() && matches!(facts.checksums, Fact::Absent { .. })
}

fn goes_by_part(facts: &ObjectFacts) -> bool {
    let by_part = |kind| !matches!(kind, ChecksumKind::FullObject);
    facts.checksums.value().into_iter().flatten().any(|checksum| by_part(checksum.kind))
}

impl Discovery {
    /// Discovers the object from a HEAD response that the caller received over this session; see [`discover`].
    pub async fn from_head(session: &Session, facts: ObjectFacts) -> Self {
        Self::with_layout(session, facts, |_| true).await
    }

    /// Like [`Discovery::from_head`], for one of many objects: without the attributes where HEAD states all that S3
    /// stores.
    pub(super) async fn of_many(session: &Session, facts: ObjectFacts) -> Self {
        Self::with_layout(session, facts, |facts| !is_described_by_head(facts)).await
    }

    async fn with_layout(session: &Session, facts: ObjectFacts, lacks_something: fn(&ObjectFacts) -> bool) -> Self {
        let mut found = Discovery::new(session, facts).await;
        if matches!(found.facts.checksums, Fact::NotApplicable) {
            found.layout = KnownLayout::single(found.facts.size);
            return found;
        }
        let parts_count = stated_parts(&found.facts);
        let by_part = parts_count.is_some() || goes_by_part(&found.facts);
        let no_checksums = found.facts.checksums.value().is_none();
        let asks = by_part || (no_checksums && lacks_something(&found.facts));
        let attributes = if asks { found.ask_attributes(session).await } else { None };
        found.layout = found.find_layout(session, parts_count, by_part, attributes).await;
        found
    }

    /// Like [`Discovery::from_head`], for an object that is not read: does not request its part layout.
    pub(super) async fn without_layout(session: &Session, facts: ObjectFacts) -> Self {
        let mut found = Discovery::new(session, facts).await;
        found.ask_checksums(session).await;
        found
    }

    /// Only what HEAD states.
    pub(super) fn of_head(facts: ObjectFacts) -> Self {
        Discovery { layout: KnownLayout::unknown(None, "not asked for"), facts, notes: Vec::new() }
    }

    /// Asks for the stored checksums that HEAD does not state.
    pub(super) async fn ask_checksums(&mut self, session: &Session) {
        if self.facts.checksums.value().is_none() {
            self.ask_attributes(session).await;
        }
    }

    async fn new(session: &Session, facts: ObjectFacts) -> Self {
        let mut found = Discovery::of_head(facts);
        found.notes = session.notes().into_iter().map(Note::Source).collect();
        found.notes.extend(session.owner_note().await.map(Note::Source));
        found
    }

    async fn ask_attributes(&mut self, session: &Session) -> Option<AttributeFacts> {
        // Already noted for the object that revealed that the server lacks this request.
        if session.lacks(Call::Attributes).is_some() {
            return None;
        }
        let attributes = match session.attributes(&self.facts.id).await {
            Ok(attributes) => attributes,
            Err(error) => {
                let note = match error.kind {
                    ErrorKind::Unsupported => DiscoveryNote::AttributesUnsupported,
                    _ => DiscoveryNote::AttributesUnanswered { why: error.explain() },
                };
                self.notes.push(note.into());
                return None;
            }
        };
        let told = ObjectIdentity {
            etag: attributes.etag.clone(),
            object_bytes: attributes.size,
            ..ObjectIdentity::default()
        };
        if !told.same_as(&self.facts.identity().restricted_to(&told)).agrees() {
            self.notes.push(DiscoveryNote::AttributesOfAnother.into());
            return None;
        }
        if self.facts.checksums.value().is_none() && !attributes.checksums.is_empty() {
            let value = attributes.checksums.clone();
            self.facts.checksums = Fact::Known { value, source: "GetObjectAttributes" };
            self.facts.unreadable_checksums.clone_from(&attributes.unreadable_checksums);
        }
        Some(attributes)
    }

    async fn find_layout(
        &mut self,
        session: &Session,
        stated: Option<u32>,
        by_part: bool,
        attributes: Option<AttributeFacts>,
    ) -> KnownLayout {
        let size = self.facts.size;
        let attributes = attributes.unwrap_or_default();
        let Some(parts) = stated.or(attributes.parts_count) else {
            return match self.facts.id.etag.as_ref().map(ETag::form) {
                Some(ETagForm::Md5 { .. }) if !by_part => KnownLayout::single(size),
                _ => KnownLayout::unknown(None, "the number of parts is not known"),
            };
        };
        // The number is untrusted, and the memory of a layout is proportional to it.
        if parts > PartNumber::MAX {
            let because = format!("{parts} parts are stated, and S3 has {} at the most", PartNumber::MAX);
            return KnownLayout::unknown(Some(parts), because);
        }
        if attributes.parts.len() == parts as usize {
            const BY: &str = "GetObjectAttributes lists every part";
            let stored = self.facts.checksums.value().map(Vec::as_slice).unwrap_or_default();
            let listed = KnownLayout::proved(size, attributes.parts, BY);
            match listed.and_then(|layout| layout.agreeing_with(stored).map_err(|why| format!("{BY}: {why}"))) {
                Ok(layout) => return layout.listed(),
                Err(why) => self.notes.push(DiscoveryNote::PartListUnusable { why }.into()),
            }
        }
        if parts == 1 {
            return KnownLayout::assumed(1, [PartLayout::whole(size)], "by the stated number of parts");
        }
        self.ask_first_part(session, parts).await
    }

    async fn ask_first_part(&mut self, session: &Session, parts: u32) -> KnownLayout {
        let size = self.facts.size;
        let solved = |why: String, notes: &mut Vec<Note>| {
            let sizes = uniform_candidates(size, parts);
            if sizes.is_empty() {
                return KnownLayout::unknown(Some(parts), format!("{why}; no uniform part size fits"));
            }
            notes.push(DiscoveryNote::PartSizesGuessed { why }.into());
            let layouts = sizes.into_iter().map(|part| PartLayout::uniform(size, part));
            KnownLayout::assumed(parts, layouts, "size ÷ part count")
        };
        let first = match session.part(&self.facts.id, PartNumber::FIRST).await {
            Ok(first) => first,
            Err(error) => return solved(format!("HEAD ?partNumber=1: {}", error.explain()), &mut self.notes),
        };
        if first.of.is_some_and(|of| of != parts) || first.size == 0 || first.size >= size {
            let of = first.of.map_or("an unknown number of".to_owned(), |of| of.to_string());
            let why = format!("HEAD ?partNumber=1 states {} bytes, {of} parts", first.size);
            return solved(why, &mut self.notes);
        }
        if size.div_ceil(first.size) == u64::from(parts) {
            return KnownLayout::assumed(
                parts,
                [PartLayout::uniform(size, first.size)],
                "the first part's size fits all of them",
            );
        }
        match ask_every_part(session, &self.facts, parts).await {
            Ok(layout) => layout,
            Err(why) => KnownLayout::unknown(Some(parts), why),
        }
    }
}

/// A note for each checksum of S3 that is malformed.
pub(super) fn unreadable_checksums(facts: &ObjectFacts) -> impl Iterator<Item = Note> {
    let problems = facts.unreadable_checksums.iter().cloned();
    problems.map(|problem| DiscoveryNote::UnreadableChecksum { problem }.into())
}

/// Requests the size of each part with HEAD.
///
/// # Errors
///
/// The reason why the responses do not prove a layout, as text.
pub(super) async fn ask_every_part(session: &Session, facts: &ObjectFacts, parts: u32) -> Result<KnownLayout, String> {
    let failed = |error: SourceError| format!("HEAD ?partNumber: {}", error.explain());
    let first = session.part(&facts.id, PartNumber::FIRST).await.map_err(failed)?;
    if parts > 1 && first.size >= facts.size {
        return Err("HEAD ?partNumber=1 describes the whole object: the server ignores part numbers".to_owned());
    }
    let numbers = (2..=parts).filter_map(PartNumber::new);
    let others = stream::iter(numbers).map(|number| session.part(&facts.id, number));
    let others: Result<Vec<PartFacts>, SourceError> = others.buffered(PARTS_AT_ONCE).try_collect().await;
    let asked: Vec<PartFacts> = iter::once(first).chain(others.map_err(failed)?).collect();
    // A server that ignores part numbers answers with the whole object and no part count. With one part, that size is
    // right anyway, so the count must be stated.
    let fits = |part: &PartFacts| part.of == Some(parts) || (part.of.is_none() && parts > 1);
    if let Some(odd) = asked.iter().find(|part| !fits(part)) {
        return Err(format!(
            "HEAD ?partNumber={} states {} parts instead of {parts}",
            odd.number,
            odd.of.map_or("an unknown number of".to_owned(), |of| of.to_string())
        ));
    }
    let layout = KnownLayout::proved(facts.size, asked, "HEAD of every part")?;
    let stored = facts.checksums.value().map(Vec::as_slice).unwrap_or_default();
    // If the list of parts contradicts the stored checksums, its sizes may be wrong as well as its values. Here the
    // sizes are proved by HEAD, so only the values are discarded.
    Ok(layout.clone().agreeing_with(stored).unwrap_or_else(|_| layout.without_values()))
}
