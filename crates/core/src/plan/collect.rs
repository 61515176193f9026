use super::{AlgorithmCertainty, Candidate, Claim, KnownLayout, Reference, uniform_candidates};
use super::{Basis, PartLayout};
use crate::checksum::{Algorithm, ChecksumKind, Digest, StoredChecksum};
use crate::facts::{Fact, ObjectFacts};
use crate::ident::{ETag, ETagForm};
use crate::verdict::{CheckId, Finding, Origin, Outcome, Reason, Subject};

/// References that can be compared with the bytes, and findings about those that cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    /// References that a read can check.
    pub references: Vec<Reference>,
    /// Findings for references that cannot be used, each unknown with its reason.
    pub unusable: Vec<Finding>,
}

impl References {
    fn unusable(&mut self, check: CheckId, reason: Reason) {
        self.unusable.push(Finding { check, required: false, outcome: Outcome::Unknown(reason) });
    }
}

/// The values that a server stores with an object, as references. `of` names the object in the text of the
/// report if it is not the object to be verified.
pub fn stored_references(facts: &ObjectFacts, layout: &KnownLayout, origin: Origin, of: Option<&str>) -> References {
    let mut collected = References::default();
    let of = of.map(|target| format!(" of {target}")).unwrap_or_default();
    if let Fact::Known { value, source } = &facts.checksums {
        for checksum in value {
            let check = CheckId::Reference(origin, Subject::Checksum(checksum.algorithm()));
            let source = format!("{} checksum S3 stores{of} ({source})", checksum.kind.name().replace('_', "-"));
            match checksum_claim(checksum, layout, facts.size) {
                Ok(claim) => collected.references.push(Reference::new(check, source, claim)),
                Err(reason) => collected.unusable(check, reason),
            }
        }
    }
    if let (Some(etag), false) = (&facts.id.etag, matches!(facts.checksums, Fact::NotApplicable)) {
        let check = CheckId::Reference(origin, Subject::ETag);
        match facts.encryption.hides_md5() {
            Some(because) => collected.unusable(check, Reason::ETagNotMd5 { because }),
            None => match etag_claim(etag, layout, facts.size) {
                Ok(claim) => {
                    let standing = match facts.etag_is_documented() {
                        true => AlgorithmCertainty::Stated,
                        false => AlgorithmCertainty::UndocumentedETag,
                    };
                    let source = format!("ETag{of} ({})", facts.source);
                    collected.references.push(Reference { standing, ..Reference::new(check, source, claim) });
                }
                Err(reason) => collected.unusable(check, reason),
            },
        }
    }
    collected
}

/// What a stored checksum claims about the bytes of an object of `size` bytes.
///
/// # Errors
///
/// When no part layout is known under which a composite value could be checked.
pub fn checksum_claim(checksum: &StoredChecksum, layout: &KnownLayout, size: u64) -> Result<Claim, Reason> {
    let digest = checksum.digest;
    match checksum.kind {
        ChecksumKind::FullObject => Ok(Claim::Whole(digest)),
        stated @ ChecksumKind::Unstated => {
            Ok(Claim::WholeOrComposite { digest, candidates: candidates(layout, None, size)?, stated })
        }
        // Either the values of the parts make up this value, or it covers the whole object although its type
        // says composite.
        stated @ ChecksumKind::Composite { parts: None } if layout.part_digests(digest.algorithm()).is_none() => {
            let by_part = digest.algorithm().multipart_composite();
            let candidates = if by_part { candidates(layout, None, size).unwrap_or_default() } else { Vec::new() };
            Ok(Claim::WholeOrComposite { digest, candidates, stated })
        }
        ChecksumKind::Composite { parts } => Ok(Claim::Composite {
            digest,
            shown: checksum.to_string(),
            parts: layout.part_digests(digest.algorithm()).filter(|_| {
                let of_parts = layout.proved_layout().map(|proved| proved.count() as u32);
                parts.is_none() || parts == of_parts
            }),
            candidates: candidates(layout, parts, size)?,
        }),
    }
}

/// What an ETag claims about the bytes of an object of `size` bytes.
///
/// # Errors
///
/// When the ETag is not an MD5 by its form, or no part layout is known for its number of parts.
pub fn etag_claim(etag: &ETag, layout: &KnownLayout, size: u64) -> Result<Claim, Reason> {
    let md5 = |digest: [u8; 16]| Digest::new(Algorithm::Md5, &digest);
    match etag.form() {
        ETagForm::Md5 { digest } => md5(digest).map(Claim::Whole),
        ETagForm::Multipart { digest, parts } => {
            let candidates = candidates(layout, Some(parts), size)?;
            md5(digest).map(|digest| Claim::Composite { digest, shown: etag.to_string(), candidates, parts: None })
        }
        ETagForm::Opaque => None,
    }
    .ok_or_else(|| {
        let because = if etag.is_strong() { "it has not the form of one" } else { "it is weak" };
        Reason::ETagNotMd5 { because: because.to_owned() }
    })
}

/// The layouts to try for a value over `parts` parts: the known layout if its number of parts agrees,
/// otherwise the uniform layouts that fit.
fn candidates(layout: &KnownLayout, parts: Option<u32>, size: u64) -> Result<Vec<Candidate>, Reason> {
    let agree = |candidate: &&Candidate| parts.is_none_or(|parts| candidate.layout.count() == parts as usize);
    let known: Vec<_> = layout.candidates.iter().filter(agree).cloned().collect();
    if !known.is_empty() {
        return Ok(known);
    }
    if let (Some(because), true) = (&layout.why_none, layout.parts_count == parts || parts.is_none()) {
        return Err(Reason::LayoutUnknown { because: because.clone() });
    }
    let parts = parts.unwrap_or(1);
    let guessed = KnownLayout::assumed(
        parts,
        uniform_candidates(size, parts).into_iter().map(|part| PartLayout::uniform(size, part)),
        "size ÷ part count",
    );
    if guessed.candidates.is_empty() {
        let because = format!("no uniform part size cuts {size} bytes into {parts} parts");
        return Err(Reason::LayoutUnknown { because });
    }
    Ok(guessed.candidates)
}

/// Replaces the assumed layouts of a claim by the layout that is now proved, and adds the values of the parts
/// if there are any.
pub fn settle(claim: &mut Claim, proved: &KnownLayout) {
    let Some(layout) = proved.proved_layout() else { return };
    let settled = vec![Candidate { layout: layout.clone(), basis: Basis::Proved { by: "HEAD of every part" } }];
    match claim {
        Claim::Composite { digest, candidates, parts, .. } => {
            *candidates = settled;
            *parts = parts.take().or_else(|| proved.part_digests(digest.algorithm()));
        }
        Claim::WholeOrComposite { candidates, .. } => *candidates = settled,
        Claim::Whole(_) | Claim::Parts { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Encryption;
    use crate::ident::ObjectId;

    #[test]
    fn an_etag_under_kms_or_a_customer_key_is_no_reference() {
        let etag = Some(ETag::new("65247a1c5755517a32636c78de3d624a"));
        let id = ObjectId { target: "s3://b/k".parse().unwrap(), etag };
        let mut facts = ObjectFacts {
            checksums: Fact::Absent { source: "test" },
            ..ObjectFacts::new(id, crate::facts::FactsSource::Other("test"), 20)
        };
        let of = |facts: &ObjectFacts| stored_references(facts, &KnownLayout::single(20), Origin::Stored, None);
        assert_eq!(of(&facts).references.len(), 1);
        for encryption in [
            Encryption::Kms { kind: "aws:kms".into(), key: None },
            Encryption::CustomerKey,
            Encryption::Other("aws:fsx".into()),
        ] {
            facts.encryption = encryption;
            let collected = of(&facts);
            assert!(collected.references.is_empty());
            assert!(matches!(&collected.unusable[0].outcome, Outcome::Unknown(Reason::ETagNotMd5 { .. })));
        }
    }

    #[test]
    fn an_etag_of_another_number_of_parts_gets_its_own_layouts() {
        let known = KnownLayout::assumed(3, [PartLayout::uniform(20, 8)], "test");
        let of = |etag: &str| etag_claim(&ETag::new(etag), &known, 20);
        let Ok(Claim::Composite { candidates, .. }) = of("65247a1c5755517a32636c78de3d624a-3") else { panic!() };
        assert_eq!(candidates[0].layout, PartLayout::uniform(20, 8));
        let Ok(Claim::Composite { candidates, .. }) = of("65247a1c5755517a32636c78de3d624a-2") else { panic!() };
        assert!(candidates.iter().all(|c| c.layout.count() == 2));
        assert!(matches!(of("65247a1c5755517a32636c78de3d624a-19"), Err(Reason::LayoutUnknown { .. })));
    }

    #[test]
    fn a_composite_without_a_number_of_parts_may_go_over_the_whole() {
        let known = KnownLayout::assumed(3, [PartLayout::uniform(20, 8)], "test");
        let claim = |algorithm: Algorithm, layout: &KnownLayout| {
            let digest = Digest::new(algorithm, &vec![7; algorithm.digest_len()]).unwrap();
            let kind = ChecksumKind::Composite { parts: None };
            match checksum_claim(&StoredChecksum { digest, kind }, layout, 20) {
                Ok(Claim::WholeOrComposite { candidates, stated, .. }) if stated == kind => candidates.len(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(claim(Algorithm::Sha256, &known), 1);
        assert_eq!(claim(Algorithm::Crc64Nvme, &known), 0, "never goes over parts");
        assert_eq!(claim(Algorithm::Sha256, &KnownLayout::unknown(None, "not told")), 0);
    }

    #[test]
    fn parts_of_another_number_than_the_value_goes_over_are_not_its_own() {
        let own = |text: &[u8]| Digest::new(Algorithm::Crc32, &[text.len() as u8; 4]).unwrap();
        let part = |number, text: &[u8]| crate::facts::PartFacts {
            number: crate::units::PartNumber::new(number).unwrap(),
            size: text.len() as u64,
            checksums: vec![own(text)],
            of: None,
        };
        let known = KnownLayout::proved(20, vec![part(1, &[0; 12]), part(2, &[0; 8])], "test").unwrap();
        let claim = |parts| {
            let checksum = StoredChecksum { digest: own(b"1"), kind: ChecksumKind::Composite { parts } };
            checksum_claim(&checksum, &known, 20).unwrap()
        };
        let parts = |claim: &Claim| matches!(claim, Claim::Composite { parts: Some(parts), .. } if parts.len() == 2);
        assert!(parts(&claim(Some(2))) && parts(&claim(None)));
        assert!(!parts(&claim(Some(3))), "it goes over three");
    }

    #[test]
    fn why_a_layout_is_unknown_holds_for_its_own_number_of_parts_only() {
        let known = KnownLayout::unknown(Some(3), "it was not told");
        let of = |parts| candidates(&known, parts, 20);
        let because = |result: Result<Vec<Candidate>, Reason>| match result {
            Err(Reason::LayoutUnknown { because }) => because,
            other => panic!("{other:?}"),
        };
        assert_eq!(because(of(Some(3))), "it was not told");
        assert_eq!(because(of(None)), "it was not told");
        assert!(of(Some(2)).unwrap().iter().all(|candidate| candidate.layout.count() == 2));
    }

    #[test]
    fn a_proved_layout_settles_a_claim() {
        let sizes = [9, 11];
        let part = |number: usize, size| crate::facts::PartFacts {
            number: crate::units::PartNumber::new(number as u32).unwrap(),
            size,
            checksums: vec![Digest::new(Algorithm::Md5, &[number as u8; 16]).unwrap()],
            of: None,
        };
        let parts = sizes.iter().enumerate().map(|(index, size)| part(index + 1, *size)).collect();
        let proved = KnownLayout::proved(20, parts, "test").unwrap();
        let assumed = KnownLayout::assumed(2, [PartLayout::uniform(20, 10)], "test");
        let mut claim = etag_claim(&ETag::new("65247a1c5755517a32636c78de3d624a-2"), &assumed, 20).unwrap();
        settle(&mut claim, &proved);
        let Claim::Composite { candidates, parts, .. } = &claim else { panic!() };
        assert_eq!(candidates.len(), 1);
        assert_eq!(Some(&candidates[0].layout), proved.proved_layout());
        assert_eq!(parts.as_ref().map(Vec::len), Some(2));
        settle(&mut claim, &assumed);
        let Claim::Composite { candidates, .. } = &claim else { panic!() };
        assert_eq!(Some(&candidates[0].layout), proved.proved_layout(), "what is only assumed settles nothing");
    }
}
