use super::plan::parse_value;
use super::{ChecksumScope, PlannedReference, ReferenceOrigin};
use crate::audit::{ContentFingerprint, Word};
use crate::checksum::{Algorithm, ChecksumKind, Digest, StoredChecksum};
use crate::ident::{ETag, ETagForm};
use crate::verdict::{CheckId, Origin, Subject};

/// The algorithms that *Compute checksum* is documented for (S3 User Guide, *Compute checksums*). The API model has
/// four more.
pub const COMPUTED: [Algorithm; 6] =
    [Algorithm::Crc64Nvme, Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Sha1, Algorithm::Sha256, Algorithm::Md5];

/// The algorithms of a baseline, in the order of preference.
const FOR_BASELINES: [Algorithm; 3] = [Algorithm::Sha256, Algorithm::Crc64Nvme, Algorithm::Md5];

/// A value that is known of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownValue {
    /// Its source.
    pub origin: ReferenceOrigin,
    /// The check that it answers.
    pub check: CheckId,
    /// The value.
    pub digest: Digest,
    /// What it is computed over.
    pub scope: ChecksumScope,
    /// Number of parts of a composite, if known.
    pub parts: Option<u32>,
}

impl KnownValue {
    /// A checksum that S3 stores with an object; `None` if it states no type.
    pub fn stored(checksum: &StoredChecksum) -> Option<Self> {
        let (scope, parts) = match checksum.kind {
            ChecksumKind::FullObject => (ChecksumScope::FullObject, None),
            ChecksumKind::Composite { parts } => (ChecksumScope::Composite, parts),
            ChecksumKind::Unstated => return None,
        };
        let check = CheckId::Reference(Origin::Stored, Subject::Checksum(checksum.algorithm()));
        Some(KnownValue { origin: ReferenceOrigin::Stored, check, digest: checksum.digest, scope, parts })
    }

    /// An ETag that is known to be the MD5 of all bytes; `None` if it has another form.
    pub fn etag(origin: ReferenceOrigin, etag: &ETag) -> Option<Self> {
        let ETagForm::Md5 { digest } = etag.form() else { return None };
        Some(KnownValue {
            origin,
            check: CheckId::Reference(Origin::Stored, Subject::ETag),
            digest: Digest::new(Algorithm::Md5, &digest)?,
            scope: ChecksumScope::FullObject,
            parts: None,
        })
    }

    /// A checksum that the ledger keeps; `None` if it may be of another type than it looks. An ETag counts only where a
    /// read matched it.
    pub fn kept(origin: ReferenceOrigin, content: &ContentFingerprint) -> Option<Self> {
        let check = *content.check().known()?;
        let (_, value) = content.0.split_once(':')?;
        let algorithm = match check {
            CheckId::Reference(Origin::Stored, Subject::Checksum(algorithm)) => algorithm,
            CheckId::Reference(Origin::Stored, Subject::ETag) if origin == ReferenceOrigin::Ledger => {
                return KnownValue::etag(origin, &ETag::kept(value));
            }
            _ => return None,
        };
        let (digest, parts) = parse_value(algorithm, value)?;
        let scope = if parts.is_some() { ChecksumScope::Composite } else { ChecksumScope::FullObject };
        Some(KnownValue { origin, check, digest, scope, parts })
    }

    /// The value as a plan keeps it.
    pub fn planned(&self) -> PlannedReference {
        let parts = self.parts.map(|parts| format!("-{parts}")).unwrap_or_default();
        let value = format!("{}{parts}", self.digest.base64());
        PlannedReference { origin: self.origin, check: Word::Known(self.check), value }
    }
}

/// The value to hold the answer of S3 against; `None` if there is none that S3 computes.
///
/// An earlier statement at rest comes last, because it says only that the object has not changed since. A value over the
/// whole object comes before a composite, which cannot refute.
pub fn choose(known: &[KnownValue]) -> Option<&KnownValue> {
    let usable = known.iter().filter(|value| COMPUTED.contains(&value.digest.algorithm()));
    usable.min_by_key(|value| {
        let algorithm = value.digest.algorithm();
        (value.origin == ReferenceOrigin::Baseline, value.scope, value.origin, !algorithm.resists_forgery(), algorithm)
    })
}

/// The algorithm of a baseline: one that S3 states no value of, because the two would be taken for values of one kind.
pub fn baseline_algorithm(stated: &[Algorithm]) -> Option<Algorithm> {
    FOR_BASELINES.into_iter().find(|algorithm| !stated.contains(algorithm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Hasher;
    use crate::verdict::{Origin, Subject};
    use ChecksumScope::{Composite, FullObject};
    use ReferenceOrigin::{Baseline, Ledger, Manifest, Stored};

    #[test]
    fn the_strongest_value_that_s3_computes() {
        let value = |origin, algorithm, scope| KnownValue {
            origin,
            check: CheckId::Reference(Origin::Stored, Subject::Checksum(algorithm)),
            digest: Hasher::digest(algorithm, b"x"),
            scope,
            parts: None,
        };
        let crc = |origin| value(origin, Algorithm::Crc64Nvme, FullObject);
        let sha = |origin, scope| value(origin, Algorithm::Sha256, scope);
        for (known, chosen) in [
            (vec![], None),
            (vec![value(Stored, Algorithm::Xxh64, FullObject)], None),
            (vec![crc(Stored)], Some(0)),
            (vec![crc(Stored), crc(Ledger), crc(Manifest)], Some(2)),
            (vec![sha(Stored, Composite), crc(Stored)], Some(1)),
            (vec![sha(Stored, Composite), crc(Baseline)], Some(0)),
            (vec![crc(Stored), sha(Stored, FullObject)], Some(1)),
            (vec![sha(Baseline, FullObject), crc(Stored)], Some(1)),
            (vec![sha(Baseline, FullObject), crc(Baseline)], Some(0)),
        ] {
            assert_eq!(choose(&known), chosen.map(|index: usize| &known[index]), "{known:?}");
        }
    }

    #[test]
    fn what_a_ledger_keeps_is_read() {
        for (origin, content, expected) in [
            (Ledger, "crc64nvme:rosUhgp5mIg=", Some((FullObject, "rosUhgp5mIg="))),
            (Ledger, "crc64nvme:rosUhgp5mIg=-3", Some((Composite, "rosUhgp5mIg=-3"))),
            (Ledger, "crc64nvme:rosUhgp5mIg=-?", None),
            (Ledger, "crc64nvme:", None),
            (Ledger, "blake:rosUhgp5mIg=", None),
            (Ledger, "etag:65247a1c5755517a32636c78de3d624a", Some((FullObject, "ZSR6HFdVUXoyY2x43j1iSg=="))),
            (Ledger, "etag:65247a1c5755517a32636c78de3d624a-2", None),
            (Baseline, "etag:65247a1c5755517a32636c78de3d624a", None),
            (Baseline, "manifest-sha256:x", None),
        ] {
            let found = KnownValue::kept(origin, &ContentFingerprint(content.to_owned()));
            let shown = found.map(|value| (value.scope, value.planned().value));
            assert_eq!(shown, expected.map(|(scope, value)| (scope, value.to_owned())), "{content}");
        }
    }

    #[test]
    fn a_baseline_is_of_another_algorithm_than_the_stored_values() {
        assert_eq!(baseline_algorithm(&[]), Some(Algorithm::Sha256));
        assert_eq!(baseline_algorithm(&[Algorithm::Sha256]), Some(Algorithm::Crc64Nvme));
        assert_eq!(baseline_algorithm(&Algorithm::ALL), None);
    }
}
