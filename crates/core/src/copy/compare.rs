use super::{CopyCheck, CopyFinding, UploadChecksum, WriteMode};
use crate::checks::Digests;
use crate::checksum::{Algorithm, ChecksumKind, Digest, StoredChecksum, composite, fold, multipart_etag};
use crate::facts::{AttributeFacts, ObjectFacts};
use crate::ident::{ETag, ETagForm};
use crate::plan::PartLayout;
use crate::units::{ByteRange, ByteSize};

/// What the destination must state about a copy, computed from the bytes that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedObject {
    /// Size in bytes.
    pub size: u64,
    /// Number of parts; `None` if it was written in one request.
    pub parts: Option<u32>,
    /// The ETag, where it is an MD5.
    pub etag: Option<ETag>,
    /// The stored checksum.
    pub checksum: Option<(UploadChecksum, Digest)>,
}

impl ExpectedObject {
    /// Computes the values from the digests of the parts.
    pub fn of(layout: &PartLayout, mode: WriteMode, checksum: UploadChecksum, digests: &Digests) -> Self {
        let md5 = digests.all_parts(Algorithm::Md5, layout);
        let etag = match mode {
            WriteMode::Put => md5.and_then(|parts| parts.first().map(|digest| ETag::new(&digest.hex()))),
            WriteMode::Multipart => md5.map(|parts| multipart_etag(&parts)),
        };
        ExpectedObject {
            size: layout.size(),
            parts: (mode == WriteMode::Multipart).then(|| u32::try_from(layout.count()).unwrap_or(u32::MAX)),
            etag,
            checksum: whole_checksum(layout, checksum, digests).map(|digest| (checksum, digest)),
        }
    }

    /// The checksum over the bytes of the object; `None` if the one to store is a composite.
    pub fn full_object(&self) -> Option<Digest> {
        self.checksum.filter(|(checksum, _)| !checksum.is_composite).map(|(_, digest)| digest)
    }
}

fn whole_checksum(layout: &PartLayout, checksum: UploadChecksum, digests: &Digests) -> Option<Digest> {
    let parts = digests.all_parts(checksum.algorithm, layout)?;
    match (checksum.is_composite, parts.as_slice()) {
        (true, parts) => Some(composite(checksum.algorithm, parts)),
        (false, [one]) => Some(*one),
        (false, parts) => {
            let pieces: Vec<(ByteRange, Digest)> = layout.parts().zip(parts.iter().copied()).collect();
            fold(checksum.algorithm, ByteRange::whole(layout.size()), &pieces)
        }
    }
}

/// Compares what the destination states about the copy with what was sent.
pub fn compare_written(
    expected: &ExpectedObject,
    facts: &ObjectFacts,
    attributes: Option<&AttributeFacts>,
) -> Vec<CopyFinding> {
    let size = match facts.size == expected.size {
        true => CopyFinding::pass(CopyCheck::Size, format!("{} bytes", ByteSize(facts.size).grouped())),
        false => CopyFinding::fail(
            CopyCheck::Size,
            format!(
                "the copy has {} bytes, {} were sent",
                ByteSize(facts.size).grouped(),
                ByteSize(expected.size).grouped()
            ),
        ),
    };
    let checksums = facts.checksums.value().map(Vec::as_slice).unwrap_or_default();
    let listed = attributes.map(|attributes| attributes.checksums.as_slice()).unwrap_or_default();
    let stored = if checksums.is_empty() { listed } else { checksums };
    let mut findings = vec![size, compare_etag(expected, facts), compare_checksum(expected, stored)];
    let passed = |check| {
        findings
            .iter()
            .any(|finding: &CopyFinding| finding.check == check && finding.verdict == crate::verdict::Verdict::Pass)
    };
    // One of the two shows that the bytes are the same.
    let shown = passed(CopyCheck::ETag) || passed(CopyCheck::Checksum);
    for finding in &mut findings {
        if matches!(finding.check, CopyCheck::ETag | CopyCheck::Checksum) {
            finding.required = !shown || finding.verdict != crate::verdict::Verdict::Unknown;
        }
    }
    findings
}

fn compare_etag(expected: &ExpectedObject, facts: &ObjectFacts) -> CopyFinding {
    let (Some(wanted), Some(found)) = (&expected.etag, &facts.id.etag) else {
        return CopyFinding::open(CopyCheck::ETag, "there is no ETag to compare");
    };
    if wanted.as_str() == found.as_str() {
        return CopyFinding::pass(CopyCheck::ETag, format!("{found}, as computed from the bytes that were sent"));
    }
    if let Some(why) = facts.encryption.hides_md5() {
        return CopyFinding::open(CopyCheck::ETag, format!("{found} is not an MD5, because {why}"));
    }
    match (wanted.form(), found.form()) {
        (ETagForm::Md5 { .. }, ETagForm::Md5 { .. }) | (ETagForm::Multipart { .. }, ETagForm::Multipart { .. }) => {
            CopyFinding::fail(
                CopyCheck::ETag,
                format!("the server states {found}, the bytes that were sent have {wanted}"),
            )
        }
        _ if facts.etag_is_documented() => {
            CopyFinding::fail(CopyCheck::ETag, format!("the server states {found}, where S3 documents {wanted}"))
        }
        _ => CopyFinding::open(
            CopyCheck::ETag,
            format!("the server states {found}, which is not computed over the parts as in S3 ({wanted})"),
        ),
    }
}

fn compare_checksum(expected: &ExpectedObject, stored: &[StoredChecksum]) -> CopyFinding {
    let Some((checksum, digest)) = expected.checksum else {
        return CopyFinding::open(CopyCheck::Checksum, "no checksum was computed");
    };
    let same_kind = |stored: &&StoredChecksum| {
        stored.algorithm() == checksum.algorithm
            && match stored.kind {
                ChecksumKind::Composite { .. } => checksum.is_composite,
                ChecksumKind::FullObject => !checksum.is_composite,
                ChecksumKind::Unstated => true,
            }
    };
    match stored.iter().find(same_kind) {
        None => CopyFinding::open(CopyCheck::Checksum, format!("the server states no {checksum}")),
        Some(found) if found.digest == digest => {
            CopyFinding::pass(CopyCheck::Checksum, format!("{checksum}: {}, as computed", digest.base64()))
        }
        Some(found) => CopyFinding::fail(
            CopyCheck::Checksum,
            format!("the server states {} ({checksum}), the bytes have {}", found.digest.base64(), digest.base64()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Hasher;
    use crate::facts::{Encryption, Fact};
    use crate::ident::ObjectId;
    use crate::verdict::Verdict;

    const BYTES: &[u8] = b"abcdefgh";

    fn expected(is_composite: bool) -> ExpectedObject {
        let layout = PartLayout::uniform(8, 4);
        let mut digests = Digests::default();
        let checksum = UploadChecksum { algorithm: Algorithm::Crc32c, is_composite };
        for algorithm in [Algorithm::Md5, Algorithm::Crc32c] {
            let parts = BYTES.chunks(4).map(|part| Some(Hasher::digest(algorithm, part))).collect();
            digests.insert(algorithm, layout.clone(), parts);
        }
        ExpectedObject::of(&layout, WriteMode::Multipart, checksum, &digests)
    }

    fn copy(etag: &str, checksum: Option<StoredChecksum>) -> ObjectFacts {
        let id = ObjectId { target: "s3://b/k".parse().unwrap(), etag: ETag::told(etag) };
        let value = checksum.into_iter().collect();
        ObjectFacts {
            checksums: Fact::Known { value, source: "test" },
            ..ObjectFacts::new(id, crate::facts::FactsSource::Other("test"), 8)
        }
    }

    fn verdicts(facts: &ObjectFacts, is_composite: bool) -> Vec<(Verdict, bool)> {
        let found = compare_written(&expected(is_composite), facts, None);
        found.into_iter().map(|finding| (finding.verdict, finding.required)).collect()
    }

    #[test]
    fn the_copy_is_compared_with_the_bytes_that_were_sent() {
        use Verdict::{Fail, Pass, Unknown};
        let right = expected(false);
        let whole = Hasher::digest(Algorithm::Crc32c, BYTES);
        assert_eq!(right.full_object(), Some(whole), "folded from the parts");
        assert_eq!(expected(true).full_object(), None);
        let etag = right.etag.unwrap();
        let stored =
            |digest: Digest| StoredChecksum::parse(Algorithm::Crc32c, &digest.base64(), Some("FULL_OBJECT"), true).ok();
        let facts = copy(etag.as_str(), stored(whole));
        assert_eq!(verdicts(&facts, false), [(Pass, true), (Pass, true), (Pass, true)]);
        let no_checksum = copy(etag.as_str(), None);
        assert_eq!(verdicts(&no_checksum, false), [(Pass, true), (Pass, true), (Unknown, false)]);
        let opaque = copy("x", None);
        assert_eq!(verdicts(&opaque, false), [(Pass, true), (Unknown, true), (Unknown, true)]);
        let wrong = copy(etag.as_str(), stored(Hasher::digest(Algorithm::Crc32c, b"other")));
        assert_eq!(verdicts(&wrong, false), [(Pass, true), (Pass, true), (Fail, true)]);
        let other = copy("d41d8cd98f00b204e9800998ecf8427e-2", None);
        assert_eq!(verdicts(&other, false)[1], (Fail, true));
        let kms = ObjectFacts { encryption: Encryption::Kms { kind: "aws:kms".into(), key: None }, ..other };
        assert_eq!(verdicts(&kms, false)[1], (Unknown, true));
        assert_eq!(verdicts(&ObjectFacts { size: 7, ..facts }, false)[0], (Fail, true));
    }
}
