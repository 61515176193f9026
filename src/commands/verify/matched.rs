use crate::checks::Digests;
use crate::checksum::composite;
use crate::commands::Discovery;
use crate::ident::{ETag, ObjectIdentity};
use crate::plan::{Basis, Candidate, Claim, KnownLayout, PartLayout, Reference, Witness};
use crate::verdict::{CheckId, Origin, Subject};

/// The layout under which an ETag matched the bytes in an earlier run. Another layout cannot produce the same ETag, so
/// the layout is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETagParts {
    /// The ETag of the object.
    pub etag: ETag,
    /// The layout it matched under.
    pub layout: PartLayout,
}

/// The layout under which the stored ETag matches these digests; `None` if it does not match or is not composite.
pub(super) fn etag_parts(reference: &Reference, digests: &Digests) -> Option<PartLayout> {
    let Claim::Composite { digest, candidates, .. } = &reference.claim else { return None };
    if reference.check != CheckId::Reference(Origin::Stored, Subject::ETag) {
        return None;
    }
    let matches = |candidate: &&Candidate| {
        let own = digests.all_parts(digest.algorithm(), &candidate.layout);
        own.is_some_and(|own| composite(digest.algorithm(), &own) == *digest)
    };
    candidates.iter().find(matches).map(|candidate| candidate.layout.clone())
}

impl Discovery {
    /// Takes the layout as proved if this ETag matched under it before, unless the server already proved the layout.
    pub(in crate::commands) fn take_etag_parts(&mut self, known: &ETagParts) {
        let then = ObjectIdentity { etag: Some(known.etag.clone()), ..ObjectIdentity::of_size(known.layout.size()) };
        let same = then.same_as(&self.facts.identity().content()).is_yes()
            && self.facts.etag_parts() == u32::try_from(known.layout.count()).ok();
        if same && self.layout.proved_layout().is_none() {
            let basis = Basis::Proved { by: "this ETag matched under them before" };
            self.layout = KnownLayout {
                parts_count: u32::try_from(known.layout.count()).ok(),
                candidates: vec![Candidate { layout: known.layout.clone(), basis }],
                why_none: None,
                parts: Vec::new(),
                witness: Witness::None,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Algorithm, Hasher, multipart_etag};
    use crate::facts::ObjectFacts;
    use crate::ident::ObjectId;

    const DATA: &[u8] = b"0123456789abcdefghij";

    fn digests(layout: &PartLayout) -> Digests {
        let of = |part: crate::units::ByteRange| {
            Hasher::digest(Algorithm::Md5, DATA.get(part.start() as usize..part.end() as usize).unwrap())
        };
        let mut digests = Digests::default();
        digests.insert(Algorithm::Md5, layout.clone(), layout.parts().map(|part| Some(of(part))).collect());
        digests
    }

    fn etag(layout: &PartLayout) -> ETag {
        multipart_etag(&digests(layout).all_parts(Algorithm::Md5, layout).unwrap())
    }

    #[test]
    fn the_parts_are_those_that_matched_and_not_the_first_that_fit() {
        let (wrong, right) = (PartLayout::uniform(20, 9), PartLayout::uniform(20, 8));
        let known = KnownLayout::assumed(3, [wrong.clone(), right.clone()], "test");
        let claim = |etag: &ETag| crate::plan::etag_claim(etag, &known, 20).unwrap();
        let of = |origin, etag: &ETag| Reference::new(CheckId::Reference(origin, Subject::ETag), "test", claim(etag));
        let mut both = digests(&wrong);
        both.insert(Algorithm::Md5, right.clone(), digests(&right).parts(Algorithm::Md5, &right).unwrap().to_vec());
        assert_eq!(etag_parts(&of(Origin::Stored, &etag(&right)), &both), Some(right.clone()));
        assert_eq!(etag_parts(&of(Origin::Expect, &etag(&right)), &both), None, "another ETag than the object's own");
        assert_eq!(etag_parts(&of(Origin::Stored, &etag(&right)), &digests(&wrong)), None);
    }

    #[test]
    fn known_parts_stand_for_this_etag_and_size_alone() {
        let layout = PartLayout::uniform(20, 8);
        let own = etag(&layout);
        let proved = |etag: &ETag, size: u64, known: &PartLayout| {
            let id = ObjectId { target: "s3://b/k".parse().unwrap(), etag: Some(etag.clone()) };
            let facts = ObjectFacts::new(id, crate::facts::FactsSource::Other("test"), size);
            let layout = KnownLayout::assumed(3, [PartLayout::uniform(size, 9)], "test");
            let mut found = Discovery { facts, layout, notes: Vec::new() };
            found.take_etag_parts(&ETagParts { etag: own.clone(), layout: known.clone() });
            found.layout.proved_layout().cloned()
        };
        assert_eq!(proved(&own, 20, &layout), Some(layout.clone()));
        let other = ETag::new("65247a1c5755517a32636c78de3d624a-3");
        assert_eq!(proved(&other, 20, &layout), None, "another ETag");
        assert_eq!(proved(&own, 21, &layout), None, "another size");
        assert_eq!(proved(&own, 20, &PartLayout::uniform(20, 10)), None, "another number of parts");
    }
}
