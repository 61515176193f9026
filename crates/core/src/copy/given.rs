use super::Likeness;
use super::stated::{LEAST_CHECKSUM, full_object};
use crate::checksum::{Algorithm, ChecksumKind, Digest, StoredChecksum, composite};
use crate::facts::ObjectFacts;
use crate::ident::ETagForm;
use crate::plan::{AlgorithmCertainty, Claim, Reference};

/// Whether the values that are stated about an object are those of a reference. No byte is read, so that equal values show
/// as much as in [`compare_stated`](super::compare_stated): checksums over the full object of at least 64 bits, and ETags
/// that S3 documents as MD5s. Values over parts differ for the same bytes in other parts, and show no difference.
pub fn compare_reference(facts: &ObjectFacts, reference: &Reference) -> Likeness {
    if reference.standing != AlgorithmCertainty::Stated {
        return Likeness::Unknown;
    }
    match &reference.claim {
        Claim::Whole(digest) => compare_whole(facts, *digest),
        Claim::Parts { layout, digests } => match digests.first() {
            Some(first) => compare_parts(facts, composite(first.algorithm(), digests), layout.count()),
            None => Likeness::Unknown,
        },
        Claim::Composite { .. } | Claim::WholeOrComposite { .. } => Likeness::Unknown,
    }
}

/// [`compare_reference`] for a checksum that the user gave. One over parts is compared with the one that is stored.
pub fn compare_expected(facts: &ObjectFacts, expected: &StoredChecksum) -> Likeness {
    if expected.kind == ChecksumKind::FullObject {
        return compare_whole(facts, expected.digest);
    }
    let stored = facts.checksums.value().map(Vec::as_slice).unwrap_or_default();
    match stored.contains(expected) && expected.digest.as_bytes().len() >= LEAST_CHECKSUM {
        true => Likeness::Same,
        false => Likeness::Unknown,
    }
}

fn compare_whole(facts: &ObjectFacts, digest: Digest) -> Likeness {
    let md5 = match facts.id.etag.as_ref().map(|etag| etag.form()) {
        Some(ETagForm::Md5 { digest }) if facts.etag_is_documented() => Digest::new(Algorithm::Md5, &digest),
        _ => None,
    };
    let same_algorithm = |stated: &Digest| stated.algorithm() == digest.algorithm();
    match full_object(facts).chain(md5).find(same_algorithm) {
        Some(stated) if stated != digest => Likeness::Different,
        Some(_) if digest.as_bytes().len() >= LEAST_CHECKSUM => Likeness::Same,
        Some(_) | None => Likeness::Unknown,
    }
}

/// An MD5 over the MD5s of that many parts can only be compared with the ETag.
fn compare_parts(facts: &ObjectFacts, digest: Digest, count: usize) -> Likeness {
    let etag = facts.id.etag.as_ref().filter(|_| facts.etag_is_documented()).map(|etag| etag.form());
    match etag {
        Some(ETagForm::Multipart { digest: stated, parts })
            if digest.algorithm() == Algorithm::Md5
                && parts as usize == count
                && Digest::new(Algorithm::Md5, &stated) == Some(digest) =>
        {
            Likeness::Same
        }
        _ => Likeness::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Hasher, StoredChecksum, multipart_etag};
    use crate::facts::{Fact, FactsSource, Service};
    use crate::ident::{ETag, ObjectId};
    use crate::plan::PartLayout;
    use crate::verdict::{CheckId, Origin, Subject};
    use Likeness::{Different, Same, Unknown};

    fn object(etag: &ETag, service: Service, checksum: Option<(Algorithm, &str)>) -> ObjectFacts {
        let id = ObjectId { target: "s3://b/k".parse().unwrap(), etag: Some(etag.clone()) };
        let stored = checksum.map(|(algorithm, kind)| {
            let value = Hasher::digest(algorithm, b"ab").base64();
            StoredChecksum::parse(algorithm, &value, Some(kind), true).unwrap()
        });
        ObjectFacts {
            service,
            storage_class: Some("STANDARD".to_owned()),
            checksums: Fact::Known { value: stored.into_iter().collect(), source: "test" },
            ..ObjectFacts::new(id, FactsSource::Other("test"), 2)
        }
    }

    fn reference(claim: Claim) -> Reference {
        Reference::new(CheckId::Reference(Origin::Manifest, Subject::Value), "test", claim)
    }

    #[test]
    fn values_over_the_full_object() {
        use Algorithm::{Crc32c, Crc64Nvme, Md5, Sha256};
        let etag = ETag::new(&Hasher::digest(Md5, b"ab").hex());
        for (service, stored, algorithm, bytes, expected) in [
            (Service::Other, Some((Crc64Nvme, "FULL_OBJECT")), Crc64Nvme, b"ab", Same),
            (Service::Other, Some((Crc64Nvme, "FULL_OBJECT")), Crc64Nvme, b"xy", Different),
            // 32 bits show a difference, and no more.
            (Service::Aws, Some((Crc32c, "FULL_OBJECT")), Crc32c, b"ab", Unknown),
            (Service::Aws, Some((Crc32c, "FULL_OBJECT")), Crc32c, b"xy", Different),
            (Service::Aws, Some((Sha256, "COMPOSITE")), Sha256, b"xy", Unknown),
            (Service::Aws, None, Sha256, b"ab", Unknown),
            (Service::Aws, None, Md5, b"ab", Same),
            (Service::Aws, None, Md5, b"xy", Different),
            (Service::Other, None, Md5, b"xy", Unknown),
        ] {
            let facts = object(&etag, service, stored);
            let reference = reference(Claim::Whole(Hasher::digest(algorithm, bytes)));
            assert_eq!(
                compare_reference(&facts, &reference),
                expected,
                "{service:?} {stored:?} {algorithm:?} {bytes:?}"
            );
        }
    }

    #[test]
    fn given_checksums_over_parts() {
        let etag = ETag::new("a");
        let value = |bytes: &[u8], kind| {
            let value = Hasher::digest(Algorithm::Sha256, bytes).base64();
            StoredChecksum::parse(Algorithm::Sha256, &value, Some(kind), true).unwrap()
        };
        let facts = object(&etag, Service::Other, Some((Algorithm::Sha256, "COMPOSITE")));
        assert_eq!(compare_expected(&facts, &value(b"ab", "COMPOSITE")), Same);
        for other in [value(b"xy", "COMPOSITE"), value(b"ab", "FULL_OBJECT")] {
            assert_eq!(compare_expected(&facts, &other), Unknown, "{other:?}");
        }
    }

    #[test]
    fn values_over_parts() {
        let md5s = |parts: &[&[u8]]| -> Vec<Digest> {
            parts.iter().map(|part| Hasher::digest(Algorithm::Md5, part)).collect()
        };
        let etag = multipart_etag(&md5s(&[b"a", b"b"]));
        for (service, parts, expected) in [
            (Service::Aws, [b"a".as_slice(), b"b"].as_slice(), Same),
            (Service::Aws, [b"x".as_slice(), b"y"].as_slice(), Unknown),
            (Service::Aws, [b"ab".as_slice()].as_slice(), Unknown),
            (Service::Other, [b"a".as_slice(), b"b"].as_slice(), Unknown),
        ] {
            let facts = object(&etag, service, None);
            let layout = PartLayout::from_sizes(2, parts.iter().map(|part| part.len() as u64)).unwrap();
            let claim = Claim::Parts { layout, digests: md5s(parts) };
            assert_eq!(compare_reference(&facts, &reference(claim)), expected, "{service:?} {parts:?}");
        }
    }
}
